import BridgeProtocol
import Foundation
import LCPWire

/// The records of a message's body, as the bridge puts them behind the envelope it writes.
///
/// Written by the codec of the message, so that only LCPWire knows how a value looks. Contents the
/// bridge has stored are named and not carried.
enum MessageRecords {
    /// The records of any body.
    static func of<Body>(
        _ body: Body,
        _ codec: MessageCodec<Body>
    ) throws(StepError) -> [BusRecord] {
        do throws(WireError) {
            return try TLVStream.records(codec.encode(body)[...]).map { record in
                var bus = BusRecord()
                bus.type = record.type
                bus.bytes = Data(record.value)
                return bus
            }
        } catch { throw StepError(.unwritable, "\(error)") }
    }

    /// The records of `lcp_quote_request`, with the stored input.
    static func quoteRequest(_ task: TaskFacts) throws(StepError) -> [BusRecord] {
        let body: V01.QuoteRequest
        do throws(WireError) {
            body = try V01.QuoteRequest(taskKind: task.kind, input: [], params: task.params)
        } catch { throw StepError(.unwritable, "\(error)") }
        return try of(body, V01.QuoteRequest.codec)
            .replacing(inputType, with: .storedInput(task.inputBytes))
    }

    /// The records of `lcp_result`, with the first bytes of the stored output.
    static func result(
        bytes: UInt64,
        contentType: String
    ) throws(StepError) -> [BusRecord] {
        try of(V01.Result(result: [], contentType: contentType), V01.Result.codec)
            .replacing(resultType, with: .storedOutput(bytes))
    }

    // LCP v0.1 §5.2 and §5.4: the two records whose values are stored.
    private static let inputType: UInt64 = 21
    private static let resultType: UInt64 = 40
}

extension [BusRecord] {
    fileprivate func replacing(_ type: UInt64, with value: BusRecord.OneOf_Value) -> Self {
        map { record in
            guard record.type == type else { return record }
            var stored = record
            stored.value = value
            return stored
        }
    }
}
