import ArgumentParser
import LCPInspector

/// `lcp decode invoice`: the fields of a BOLT #11 invoice.
struct DecodeInvoice: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invoice",
        abstract: "Explain and verify a Lightning invoice (BOLT #11).",
        discussion: """
            The signature is checked and the payee recovered; what BOLT #11 forbids is an error. \
            A lightning: prefix is ignored.

            With --batch, each line of standard input is {"invoice":"…"} and each line of standard \
            output {"ok":true,"fields":{…}} or {"ok":false,"error":{"code":"…","detail":"…"}}, in \
            the same order.

            \(ExitStatus.help)
            """
    )

    @Flag(help: "Decode one JSON request per line of standard input.")
    var batch = false

    @OptionGroup var output: OutputOptions

    @Argument(help: "The invoice; - reads it from standard input.")
    var invoice: String?

    func validate() throws {
        if batch {
            guard invoice == nil else {
                throw ValidationError("--batch takes invoices from standard input.")
            }
        } else if invoice == nil {
            throw ValidationError("Missing the invoice: give STRING, or - for standard input.")
        }
    }

    func run() throws {
        guard let invoice else { return try Batch.run(DecodeRequest.answer) }
        let text = try InputText.read(invoice)
        try output.show(try JSONText(invoice: String(text)), title: "invoice")
    }
}
