import Foundation
import LightningCrypto
import LightningTypes
import Testing

@testable import Gateway

/// Tokens, and the file's text that knows their hashes alone.
@Suite struct KeyListTests {
    private func record(_ name: String, _ token: BearerToken = .random()) -> KeyRecord {
        KeyRecord(
            name: name,
            hash: token.hash,
            created: UnixTime(seconds: 1_790_000_000),
            budget: KeyRecord.Budget(day: MilliSatoshi(sat: 100), total: MilliSatoshi(sat: 5_000)),
            requestsPerMinute: 60
        )
    }

    @Test func `a token has 256 random bits and does not show itself`() throws {
        let (one, other) = (BearerToken.random(), BearerToken.random())
        let text = one.reveal("a test")
        #expect(text.hasPrefix("lcp-") && text.utf8.count == 68)
        #expect(text != other.reveal("a test"))
        #expect(one.hash == SHA256.hash(Array(text.utf8)))
        #expect(!"\(one)".contains(text.suffix(20)))
        #expect(BearerToken(text)?.hash == one.hash)
        for wrong in ["", "lcp-", "sk-" + text, String(text.dropLast()), text + "0", "lcp-\(text)"]
        {
            #expect(BearerToken(wrong) == nil)
        }
    }

    @Test func `a token finds its key until that is revoked, and no other does`() throws {
        let token = BearerToken.random()
        var keys = KeyList()
        try keys.add(record("bob"))
        try keys.add(record("alice", token))
        #expect(keys.record(for: token)?.name == "alice")
        #expect(keys.record(for: .random()) == nil)
        let id = try #require(keys.record(for: token)?.id)
        try keys.revoke(id, at: UnixTime(seconds: 5))
        try keys.revoke(id, at: UnixTime(seconds: 6))
        #expect(keys.record(for: token) == nil)
        #expect(keys[id]?.revoked == UnixTime(seconds: 5), "the first revocation stands")
    }

    @Test func `a hash that only begins like a key's opens nothing`() throws {
        let token = BearerToken.random()
        var bytes = token.hash.bytes
        bytes[31] ^= 1
        var keys = KeyList()
        var other = record("alice")
        other.hash = try #require(Bytes32(bytes))
        try keys.add(other)
        #expect(keys[KeyID(of: token.hash)] != nil, "the first 48 bits are the same")
        #expect(keys.record(for: token) == nil)
    }

    @Test func `keys come back from a file's text as they were`() throws {
        var keys = KeyList()
        try keys.add(record("alice"))
        try keys.add(KeyRecord(name: "b \"ö\"", hash: .zero, created: UnixTime(seconds: 0)))
        try keys.revoke(KeyID(of: .zero), at: UnixTime(seconds: 7))
        #expect(try KeyList(keys.text, file: "keys") == keys)
    }

    @Test func `two keys in use can't have one name`() throws {
        var keys = KeyList()
        let first = record("alice")
        try keys.add(first)
        #expect(throws: KeyRingError.self) { try keys.add(record("alice")) }
        try keys.revoke(first.id, at: UnixTime(seconds: 1))
        try keys.add(record("alice"))
        #expect(keys.records.count == 2)
    }

    @Test(
        arguments: [
            #"{"id":"000000000000","name":"a","hash":"HASH","created":1,"budget_dai_msat":5}"#:
                "keys:2: unknown member budget_dai_msat",
            #"{"id":"000000000001","name":"a","hash":"HASH","created":1}"#:
                "keys:2: id must be the first 12 digits of hash",
            #"{"id":"000000000000","name":"","hash":"HASH","created":1}"#:
                "keys:2: name must have 1 to 64 characters",
            #"{"id":"000000000000","name":"a","hash":"00","created":1}"#:
                "keys:2: hash must be 64 hex digits, and created a time",
            #"{"id":"000000000000","name":"a","hash":"HASH","created":1,"budget_msat":-1}"#:
                "keys:2",
            #"{"id":"000000000000","name":"a","hash":"HASH","created":1,"requests_per_minute":0}"#:
                "keys:2: requests_per_minute must not be 0",
            "bearer": "keys:2 is not a key in JSON",
        ] as KeyValuePairs
    )
    func `a line that can't be a key is refused with its place`(line: String, detail: String) {
        let zeros = String(repeating: "0", count: 64)
        let text = "\n" + line.replacing("HASH", with: zeros) + "\n"
        let error = #expect(throws: KeyRingError.self) { try KeyList(text, file: "keys") }
        #expect(error?.code == .notAKeyFile && error?.detail.hasPrefix(detail) == true)
        #expect(error?.detail.contains(zeros) == false)
    }

    @Test func `a key that stands twice is refused`() throws {
        var keys = KeyList()
        try keys.add(record("alice"))
        let text = try keys.text
        let error = #expect(throws: KeyRingError.self) { try KeyList(text + text, file: "keys") }
        #expect(error?.detail.hasPrefix("keys:2: the key ") == true)
    }
}
