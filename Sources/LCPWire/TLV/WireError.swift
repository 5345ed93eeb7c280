/// Why bytes are not what LCP allows, or why a value must not be written.
///
/// Nothing here quotes a payload: a prompt or an invoice never gets into an error.
package struct WireError: Error, Equatable, Sendable {
    /// The piece of a stream or list in which reading stopped.
    package enum Part: String, Sendable {
        /// The type of a TLV record.
        case type
        /// The length of a TLV record.
        case length
        /// The value of a TLV record.
        case value
        /// The number of items in a list.
        case count
        /// The length of one item in a list.
        case itemLength = "item length"
        /// One number in a list of numbers.
        case item
    }

    /// The rule that was broken.
    package enum Reason: Equatable, Sendable {
        /// The bytes end inside this part, or where it must begin.
        case truncated(Part)
        /// A BigSize that has a shorter form.
        case bigSizeNotMinimal(Part)
        /// A record's type is not above the one before it; equal means a duplicate.
        case typeOrder(type: UInt64, previous: UInt64)
        /// A record claims more than 65535 bytes.
        case recordTooLarge(bytes: UInt64)
        /// A required record is absent.
        case missing
        /// A manifest carries a record of the job envelope.
        case jobScopeInManifest
        /// A fixed-length value has another length, in bytes.
        case length(actual: Int, expected: Int)
        /// A truncated integer begins with a zero byte.
        case leadingZero
        /// A truncated integer has more bytes than its type.
        case integerTooLong(actual: Int, limit: Int)
        /// Text is not valid UTF-8.
        case notUTF8
        /// A value that must not be empty is empty, or a number that must not be 0 is 0.
        case required
        /// A list claims more items than its limit.
        case tooManyItems(UInt64)
        /// A list's item runs past the end of the list.
        case itemPastEnd
        /// Bytes follow the last item of a list.
        case trailingBytes
    }

    /// The record an error is about.
    package struct Record: Equatable, Sendable {
        /// The TLV type.
        package var type: UInt64
        /// The field's name in the specification.
        package var name: String
    }

    /// The rule that was broken.
    package var reason: Reason
    /// The record in which it was broken; nil when framing broke between known records.
    package var record: Record?
    /// The lists around that record, outermost first: `supported_tasks`.
    package var path: [String] = []
    /// The message's wire name; nil for a stream that stands alone.
    package var message: String?

    /// Makes an error; whoever knows more fills in record, path and message on the way out.
    init(_ reason: Reason, record: Record? = nil) {
        self.reason = reason
        self.record = record
    }

    /// A short stable label for programs: `missing-type-20`, `supported_tasks/truncated`.
    package var code: String {
        (path + [label]).joined(separator: "/")
    }

    private var label: String {
        let name = record?.name ?? "value"
        return switch reason {
        case .truncated: "truncated"
        case .bigSizeNotMinimal: "bigsize-not-minimal"
        case .typeOrder: "type-order"
        case .recordTooLarge: "record-too-large"
        case .missing: "missing-type-\(record?.type ?? 0)"
        case .jobScopeInManifest: "job-scope-in-manifest"
        case .length: "length:\(name)"
        case .leadingZero, .integerTooLong: "truncated-int:\(name)"
        case .notUTF8: "utf8:\(name)"
        case .required: "required:\(name)"
        case .tooManyItems, .itemPastEnd, .trailingBytes: "bytes-list"
        }
    }
}

extension WireError: CustomStringConvertible {
    /// What happened and where: `lcp_quote_response: terms_hash (32) has 31 bytes, not 32`.
    package var description: String {
        var places = [message].compactMap(\.self) + path
        if case .typeOrder = reason { places.append("the stream") }
        let subject = record.map { "\($0.name) (\($0.type))" } ?? "the stream"
        let place = places.isEmpty ? "" : places.joined(separator: ": ") + ": "
        return switch reason {
        case .typeOrder: place.dropLast(2) + " " + detail
        default: place + subject + " " + detail
        }
    }

    private var detail: String {
        switch reason {
        case .truncated(let part): "ends inside or before a \(part.rawValue)"
        case .bigSizeNotMinimal(let part): "writes a \(part.rawValue) in more bytes than it needs"
        case .typeOrder(let type, let previous) where type == previous:
            "has type \(type) twice"
        case .typeOrder(let type, let previous):
            "has type \(type) after type \(previous); types must ascend"
        case .recordTooLarge(let bytes): "has a record of \(bytes) bytes; the limit is 65535"
        case .missing: "is missing"
        case .jobScopeInManifest: "belongs to a job and must not be in a manifest"
        case .length(let actual, let expected): "has \(actual) bytes, not \(expected)"
        case .leadingZero: "begins with a zero byte; integers are written without"
        case .integerTooLong(let actual, let limit): "has \(actual) bytes; the limit is \(limit)"
        case .notUTF8: "is not valid UTF-8"
        case .required: "must not be empty or 0"
        case .tooManyItems(let count): "claims \(count) items, more than its limit"
        case .itemPastEnd: "has an item that runs past its end"
        case .trailingBytes: "has bytes after its last item"
        }
    }
}
