import ArgumentParser
import LCPInspector
import LCPWire
import LightningTypes

/// `lcp decode message`: the fields of an LCP payload.
struct DecodeMessage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message",
        abstract: "Explain the payload of an LCP custom message.",
        discussion: """
            Bytes are printed as *_hex, 64-bit numbers as decimal strings, absent records as null.

            With --batch, each line of standard input is {"type":42083,"payload_hex":"…"} and each \
            line of standard output {"ok":true,"fields":{…}} or \
            {"ok":false,"error":{"code":"…","detail":"…"}}, in the same order.

            \(ExitStatus.help)
            """
    )

    @Option(help: "The message's type: its number or its name.")
    var type: V01.MessageType?

    @Flag(help: "Decode one JSON request per line of standard input.")
    var batch = false

    @OptionGroup var dialect: DialectOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The payload in hex, without the type; - reads it from standard input.")
    var hex: String?

    func validate() throws {
        if batch {
            guard hex == nil, type == nil else {
                throw ValidationError("--batch takes types and payloads from standard input.")
            }
        } else {
            guard type != nil else { throw ValidationError("Missing --type; try --type 42083.") }
            guard hex != nil else {
                throw ValidationError("Missing the payload: give HEX, or - for standard input.")
            }
        }
    }

    func run() throws {
        guard let type, let hex else { return try Batch.run(DecodeRequest.answer) }
        let text = try InputText.read(hex)
        guard let payload = Hex.decode(text) else {
            throw InspectionError(code: "invalid-hex", detail: "HEX is not pairs of hex digits")
        }
        do {
            let message = try V01.Message(decoding: payload, as: type)
            try output.show(JSONText(message), title: type.wireName)
        } catch let error as WireError {
            throw InspectionError(error)
        }
    }
}
