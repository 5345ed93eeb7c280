import LCPWire
import LightningTypes

extension FuzzTarget {
    static func message(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let types = V01.MessageType.allCases
        let type = types[Int(first) % types.count]
        guard let message = try? V01.Message(decoding: Array(bytes.dropFirst()), as: type) else {
            return
        }
        // A version of 0 is read, so that its sender can be answered, and never written.
        guard message.protocolVersion > 0 else { return }
        let written = try mustNotThrow("what was read can be written") { try message.encoded() }
        let again = try mustNotThrow("what was written can be read") {
            try V01.Message(decoding: written, as: type)
        }
        try hold(again == message, "a message reads the same again")
        try hold(
            written.count <= bytes.count,
            "writing a message drops unknown records and adds nothing"
        )
    }

    static func value(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let value = bytes.dropFirst()
        switch first % 6 {
        case 0:
            guard let records = try? TLVStream.records(value) else { return }
            let written = try? TLVStream.encode(records)
            try hold(written == Array(value), "a TLV stream is written byte for byte")
        case 1:
            guard let numbers = try? List.readNumbers(value) else { return }
            var written: [UInt8] = []
            List.append(numbers, to: &written)
            try hold(written == Array(value), "a bigsize_list is written byte for byte")
        case 2:
            guard let items = try? List.readBytes(value) else { return }
            var written: [UInt8] = []
            List.append(items, to: &written)
            try hold(written == Array(value), "a bytes_list is written byte for byte")
        case 3:
            guard let strings = try? List.readStrings(value) else { return }
            var written: [UInt8] = []
            List.append(strings, to: &written)
            try hold(written == Array(value), "a string_list is written byte for byte")
        case 4:
            guard let params = try? V01.LLMChatParams(decoding: Array(value)) else { return }
            let written = try? params.encoded()
            try hold(written == Array(value), "params are written byte for byte")
        default:
            guard let terms = try? V01.Terms.codec.decode(value) else { return }
            let written = try mustNotThrow("terms can be written") { try terms.encoded() }
            let again = try? V01.Terms.codec.decode(written[...])
            try hold(again == terms, "terms read the same again")
        }
    }
}

extension V01.Message {
    fileprivate var protocolVersion: UInt16 {
        switch self {
        case .manifest(let manifest): manifest.protocolVersion
        case .quoteRequest(let envelope, _), .quoteResponse(let envelope, _),
            .result(let envelope, _), .cancel(let envelope, _), .error(let envelope, _):
            envelope.protocolVersion
        }
    }
}
