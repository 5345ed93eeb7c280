import LightningCrypto
import LightningTypes

/// A value the log can hold: fields one after another, nothing named, nothing optional but `Optional`.
protocol LogCodable {
    func write(to log: inout LogWriter)
    init(from log: inout LogReader) throws(ChangeLogError)
}

struct LogWriter {
    private var bytes: [UInt8]
    private let headerLength: Int

    init(headerLength: Int) {
        self.headerLength = headerLength
        bytes = Array(repeating: 0, count: headerLength)
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

    /// The batch with its header.
    consuming func finished() -> [UInt8] {
        let length = UInt32(bytes.count - headerLength)
        let checksum = Self.checksum(bytes[headerLength...])
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        for index in 0..<8 { bytes[4 + index] = checksum[index] }
        return bytes
    }

    static func checksum(_ content: ArraySlice<UInt8>) -> [UInt8] {
        Array(SHA256.hash(content).bytes.prefix(8))
    }
}

struct LogReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func varint() throws(ChangeLogError) -> UInt64 {
        guard let number = Varint.read(&rest) else { throw fault("a number is cut off") }
        return number
    }

    mutating func take(_ count: UInt64) throws(ChangeLogError) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw fault("a value is cut off") }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    func fault(_ what: String) -> ChangeLogError {
        ChangeLogError(detail: "\(what) at byte \(rest.startIndex)")
    }
}

// MARK: - Plain values

extension UInt64: LogCodable {
    func write(to log: inout LogWriter) {
        var rest = self
        while rest >= 0x80 {
            log.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        log.append(UInt8(rest))
    }

    init(from log: inout LogReader) throws(ChangeLogError) { self = try log.varint() }
}

extension LogCodable where Self: FixedWidthInteger & UnsignedInteger {
    func write(to log: inout LogWriter) { UInt64(self).write(to: &log) }

    init(from log: inout LogReader) throws(ChangeLogError) {
        guard let value = Self(exactly: try log.varint()) else {
            throw log.fault("a number is too large")
        }
        self = value
    }
}

extension UInt8: LogCodable {}
extension UInt16: LogCodable {}
extension UInt32: LogCodable {}

extension LogCodable where Self: RawRepresentable, RawValue: LogCodable {
    func write(to log: inout LogWriter) { rawValue.write(to: &log) }

    init(from log: inout LogReader) throws(ChangeLogError) {
        guard let value = Self(rawValue: try RawValue(from: &log)) else {
            throw log.fault("unknown value of \(Self.self)")
        }
        self = value
    }
}

extension Bool: LogCodable {
    func write(to log: inout LogWriter) { log.append(self ? 1 : 0) }

    init(from log: inout LogReader) throws(ChangeLogError) { self = try log.varint() == 1 }
}

extension String: LogCodable {
    func write(to log: inout LogWriter) {
        UInt64(utf8.count).write(to: &log)
        log.append(utf8)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(decoding: try log.take(log.varint()), as: UTF8.self)
    }
}

extension Optional: LogCodable where Wrapped: LogCodable {
    func write(to log: inout LogWriter) {
        log.append(self == nil ? 0 : 1)
        self?.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self = try log.varint() == 1 ? Wrapped(from: &log) : nil
    }
}

extension Array: LogCodable where Element: LogCodable {
    func write(to log: inout LogWriter) {
        UInt64(count).write(to: &log)
        for element in self { element.write(to: &log) }
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self = []
        for _ in 0..<(try log.varint()) { append(try Element(from: &log)) }
    }
}

// MARK: - Values of Lightning

extension Bytes32: LogCodable {
    func write(to log: inout LogWriter) { log.append(bytes) }

    init(from log: inout LogReader) throws(ChangeLogError) {
        guard let value = Self(try log.take(32)) else { throw log.fault("32 bytes expected") }
        self = value
    }
}

extension NodeID: LogCodable {
    func write(to log: inout LogWriter) { log.append(bytes) }

    init(from log: inout LogReader) throws(ChangeLogError) {
        guard let value = Self(try log.take(33)) else { throw log.fault("not a public key") }
        self = value
    }
}

extension PaymentHash: LogCodable {
    func write(to log: inout LogWriter) { bytes.write(to: &log) }
    init(from log: inout LogReader) throws(ChangeLogError) { self.init(try Bytes32(from: &log)) }
}

extension Preimage: LogCodable {
    func write(to log: inout LogWriter) {
        secret.reveal("to keep what the node knows").write(to: &log)
    }
    init(from log: inout LogReader) throws(ChangeLogError) { self.init(try Bytes32(from: &log)) }
}

extension UnixTime: LogCodable {
    func write(to log: inout LogWriter) { seconds.write(to: &log) }
    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(seconds: try UInt64(from: &log))
    }
}

extension NetworkTime: LogCodable {
    func write(to log: inout LogWriter) { nanoseconds.write(to: &log) }
    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(nanoseconds: try UInt64(from: &log))
    }
}
