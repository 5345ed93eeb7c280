import ArgumentParser
import LCPInspector

/// `lcp terms-hash`: what an invoice's description hash must be.
struct TermsHash: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "terms-hash",
        abstract: "Compute a job's terms hash from the JSON on standard input.",
        discussion: """
            The JSON object has protocol_version, job_id_hex, price_msat, quote_expiry, task_kind, \
            input_hex and params_hex (null when the request has no params); other fields are \
            ignored. The answer has terms_tlv_hex and terms_hash_hex.

            With --batch, each line of standard input is such an object and each line of standard \
            output {"ok":true,"fields":{…}} or {"ok":false,"error":{"code":"…","detail":"…"}}, in \
            the same order.

            \(ExitStatus.help)
            """
    )

    @Flag(help: "Answer one JSON request per line of standard input.")
    var batch = false

    @OptionGroup var dialect: DialectOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        guard !batch else { return try Batch.run(Self.answer) }
        let fields = try JSONInput.decode(TermsFields.self, from: try StandardInput.readAll())
        try output.show(try fields.json(), title: "terms")
    }

    private static func answer(
        _ line: ArraySlice<UInt8>
    ) throws(InspectionError) -> JSONText.Member {
        .init(name: "fields", value: try JSONInput.decode(TermsFields.self, from: line).json())
    }
}
