"""Reads BOLT #11 invoices, recovers who signed them, and writes wrong ones. Slow and simple."""

import dataclasses
import hashlib

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


@dataclasses.dataclass
class Invoice:
    prefix: str
    amount_msat: int | None
    timestamp: int
    # (tag, five-bit groups) in the order of the text.
    fields: list
    payee: bytes
    is_low_s: bool

    @property
    def tags(self):
        return "".join(tag for tag, _ in self.fields)

    def bytes_of(self, tag):
        return to_bytes(dict(self.fields)[tag])

    def number_of(self, tag):
        value = 0
        for group in dict(self.fields)[tag]:
            value = value << 5 | group
        return value

    @property
    def features(self):
        """Set feature bits."""
        value = self.number_of("9")
        return [bit for bit in range(value.bit_length()) if value >> bit & 1]


def decode(text):
    prefix, data = text.rsplit("1", 1)
    groups = [CHARSET.index(c) for c in data]
    assert _polymod([ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + groups) == 1
    groups = groups[:-6]
    body, signature = groups[:-104], to_bytes(groups[-104:])

    fields, rest = [], body[7:]
    while rest:
        length = rest[1] * 32 + rest[2]
        fields.append((CHARSET[rest[0]], rest[3 : 3 + length]))
        rest = rest[3 + length :]

    digest = hashlib.sha256(prefix.encode() + to_bytes(body, (len(body) * 5 + 7) // 8)).digest()
    r, s = (int.from_bytes(signature[i : i + 32], "big") for i in (0, 32))
    timestamp = 0
    for group in body[:7]:
        timestamp = timestamp << 5 | group
    return Invoice(
        prefix, _amount(prefix), timestamp, fields, _recover(digest, r, s, signature[64]), s <= N // 2
    )


def encode(prefix, timestamp, fields, secret=1):
    """Writes and signs an invoice of any fields: (tag, bytes) or (tag, list of groups)."""
    body = [timestamp >> shift & 31 for shift in range(30, -1, -5)]
    for tag, value in fields:
        groups = to_groups(value) if isinstance(value, bytes) else value
        body += [CHARSET.index(tag), len(groups) >> 5, len(groups) & 31] + groups
    digest = hashlib.sha256(prefix.encode() + to_bytes(body, (len(body) * 5 + 7) // 8)).digest()
    groups = body + to_groups(_sign(digest, secret))
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod(expanded + groups + [0] * 6) ^ 1
    groups += [check >> shift & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join(CHARSET[g] for g in groups)


def to_groups(data):
    """Five-bit groups of bytes, padded with zeros."""
    bits = len(data) * 8
    value = int.from_bytes(data, "big") << -bits % 5
    return [value >> shift & 31 for shift in range((bits + 4) // 5 * 5 - 5, -1, -5)]


def _sign(digest, secret):
    # A fixed nonce gives the key away, which is worth nothing here.
    x, y = _multiply(G, 12345)
    s = (int.from_bytes(digest, "big") + x * secret) * pow(12345, -1, N) % N
    recovery = y & 1
    if s > N // 2:
        s, recovery = N - s, recovery ^ 1
    return x.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([recovery])


def to_bytes(groups, size=None):
    """Bytes of five-bit groups: the whole ones, or `size` with zeros at the end."""
    value = 0
    for group in groups:
        value = value << 5 | group
    bits = len(groups) * 5
    size = bits // 8 if size is None else size
    value = value << size * 8 - bits if size * 8 > bits else value >> bits - size * 8
    return value.to_bytes(size, "big")


def _amount(prefix):
    start = next((i for i, c in enumerate(prefix) if c.isdigit()), None)
    if start is None:
        return None
    digits, unit = prefix[start:], ""
    if not digits[-1].isdigit():
        digits, unit = digits[:-1], digits[-1]
    pico = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}[unit]
    assert int(digits) * pico % 10 == 0
    return int(digits) * pico // 10


def _polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= factor if top >> i & 1 else 0
    return check


def _add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _multiply(point, factor):
    result = None
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _recover(digest, r, s, recovery):
    x = r + N * (recovery >> 1)
    y = pow(x**3 + 7, (P + 1) // 4, P)
    if y & 1 != recovery & 1:
        y = P - y
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    key = _add(_multiply((x, y), s * inverse % N), _multiply(G, -e * inverse % N))
    return bytes([2 + (key[1] & 1)]) + key[0].to_bytes(32, "big")
