import ArgumentParser
import LCPInspector
import LCPWire
import LightningTypes

/// `lcp encode message`: the payload of a message given as fields.
struct EncodeMessage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message",
        abstract: "Encode an LCP custom message from the JSON fields on standard input.",
        discussion: """
            The fields are those that `lcp decode message` prints; null or absent means that the \
            record is absent. An llm.chat task takes its params from params_hex or from \
            llm_chat_params.

            With --batch, each line of standard input is {"type":42083,"fields":{…}} and each line \
            of standard output {"ok":true,"payload_hex":"…"} or \
            {"ok":false,"error":{"code":"…","detail":"…"}}, in the same order.

            \(ExitStatus.help)
            """
    )

    @Option(help: "The message's type: its number or its name.")
    var type: V01.MessageType?

    @Flag(help: "Encode one JSON request per line of standard input.")
    var batch = false

    @OptionGroup var dialect: DialectOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if batch {
            guard type == nil else {
                throw ValidationError("--batch takes types from standard input.")
            }
        } else if type == nil {
            throw ValidationError("Missing --type; try --type 42083.")
        }
    }

    func run() throws {
        guard let type else { return try Batch.run(Self.answer) }
        let fields = try JSONInput.decode(MessageFields.self, from: try StandardInput.readAll())
        try output.show(
            ["payload_hex": .string(try Self.payload(type, fields))],
            title: type.wireName
        )
    }

    private struct Request: Decodable {
        var type: UInt16?
        var fields: MessageFields
    }

    private static func answer(
        _ line: ArraySlice<UInt8>
    ) throws(InspectionError) -> JSONText.Member {
        let request = try JSONInput.decode(Request.self, from: line)
        let type = try V01.MessageType(number: request.type)
        return .init(name: "payload_hex", value: .string(try payload(type, request.fields)))
    }

    private static func payload(
        _ type: V01.MessageType,
        _ fields: MessageFields
    ) throws(InspectionError) -> String {
        let message = try fields.message(type)
        do {
            return Hex.encode(try message.encoded())
        } catch {
            throw InspectionError(error)
        }
    }
}
