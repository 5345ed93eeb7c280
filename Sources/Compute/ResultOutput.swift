package import BridgeProtocol
import Foundation
import SwiftProtobuf
package import WorkerKit

/// What a backend wrote, gathered up to what the answer can hold.
///
/// Text that does not fit is cut at a character boundary and marked; anything else that does not
/// fit is refused, because half of an image or of an archive is worth nothing.
package struct ResultOutput: Equatable, Sendable {
    /// What llm.chat answers with (LCP v0.1, `lcp_result`).
    package static let textType = "text/plain; charset=utf-8"
    /// For bytes that are not text.
    package static let binaryType = "application/octet-stream"

    /// The first bytes, at most ``limit``.
    package private(set) var bytes: [UInt8] = []
    /// How many there were altogether.
    package private(set) var total = 0
    /// How many bytes fit into the answer.
    package let limit: Int
    /// The operator's word; nil lets the bytes decide.
    package let contentType: String?

    /// Begins with nothing.
    package init(limit: Int, contentType: String? = nil) {
        self.limit = limit
        self.contentType = contentType
    }

    /// Takes the next bytes.
    package mutating func append(_ more: some Collection<UInt8>) {
        total += more.count
        bytes.append(contentsOf: more.prefix(limit - bytes.count))
    }

    /// Whether nothing that could still come would lead to a result.
    package var isHopeless: Bool { total > limit && text == nil }

    /// The result for the peer.
    ///
    /// - Returns: All bytes, or the first of a text.
    /// - Throws: ``WorkFailure`` `empty-output` or `result-too-large`, which no retry helps.
    package func result() throws(WorkFailure) -> BusComputeResult {
        guard total > 0 else {
            throw WorkFailure("empty-output", "the backend returned nothing", isRetryable: false)
        }
        guard total > limit else {
            return result(bytes, contentType ?? (text == nil ? Self.binaryType : Self.textType))
        }
        guard let text, !text.isEmpty else {
            throw WorkFailure(
                "result-too-large",
                "the result has more than the \(limit) bytes that fit, and is not text",
                isRetryable: false
            )
        }
        return result(text, contentType ?? Self.textType, isTruncated: true)
    }

    private func result(
        _ bytes: some Collection<UInt8>,
        _ contentType: String,
        isTruncated: Bool = false
    ) -> BusComputeResult {
        BusComputeResult.with {
            $0.output = Data(bytes)
            $0.contentType = contentType
            $0.truncated = isTruncated
        }
    }

    /// The bytes that are there, up to the last whole character; nil when they are not text.
    private var text: ArraySlice<UInt8>? {
        if let contentType, !contentType.lowercased().hasPrefix("text/") { return nil }
        let whole = bytes.prefix(bytes.count - Self.unfinished(bytes))
        guard !whole.contains(0), String(validating: whole, as: UTF8.self) != nil else {
            return nil
        }
        // Something at the end that never became a character is no text either.
        return total > limit || whole.count == bytes.count ? whole : nil
    }

    /// How many bytes at the end begin a character without finishing it.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for (index, byte) in bytes.suffix(4).reversed().enumerated() {
            switch byte {
            case 0x80...0xbf: continue
            case 0xc0...0xdf: return index + 1 < 2 ? index + 1 : 0
            case 0xe0...0xef: return index + 1 < 3 ? index + 1 : 0
            case 0xf0...0xff: return index + 1 < 4 ? index + 1 : 0
            default: return 0
            }
        }
        return 0
    }
}
