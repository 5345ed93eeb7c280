import BOLT11
import COpenSSL
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes

/// What reading foreign bytes costs, next to the cryptography that no reader can avoid.
enum CodecBenchmarks {
    static func run() throws -> [Ratio] {
        try [
            quoteRequest(inputBytes: 1024, goal: 2),
            quoteRequest(inputBytes: 16_384, goal: 0.5),
            invoice(),
        ]
    }

    private static func quoteRequest(inputBytes: Int, goal: Double) throws -> Ratio {
        var random = SeededGenerator(seed: 1)
        let text = (0..<inputBytes).map { _ in UInt8.random(in: 0x20...0x7e, using: &random) }
        let message = V01.Message.quoteRequest(
            V01.Envelope(
                jobID: JobID(SHA256.hash([1])),
                messageID: MessageID(SHA256.hash([2])),
                expiry: UnixTime(seconds: 1_767_225_900)
            ),
            try V01.QuoteRequest(
                taskKind: V01.llmChat,
                input: text,
                params: try V01.LLMChatParams(profile: "gpt-5.2").encoded()
            )
        )
        let payload = try message.encoded()
        let openSSL = BareSHA256()
        let medians = try Measurement.medians(of: [
            .init(name: "codec") {
                try V01.Message(decoding: payload, as: .quoteRequest).encoded().count
            },
            .init(name: "SHA-256") { try openSSL.hash(payload) },
        ])
        return Ratio(
            name: "decode and encode lcp_quote_request, \(inputBytes) B / SHA-256 of it",
            ours: medians[0] * 1e6,
            reference: medians[1] * 1e6,
            goal: goal
        )
    }

    private static func invoice() throws -> Ratio {
        struct File: Decodable { var extraValid: [Case] }
        struct Case: Decodable { var name: String, invoice: String }
        let vectors = try Fixture.decode(File.self, named: "bolt11.json").extraValid
        guard
            let text = vectors.first(where: { $0.name == "lnd_style_regtest_msat_amount" })?.invoice
        else { preconditionFailure("the fixture has the case") }
        let invoice = try BOLT11Invoice(decoding: text)
        let hash = invoice.draft.signingHash
        let medians = try Measurement.medians(of: [
            .init(name: "invoice") { try BOLT11Invoice(decoding: text).features.bits.count },
            .init(name: "recovery") {
                invoice.signature.recoverPublicKey(signing: hash)?.bytes.count ?? 0
            },
        ])
        return Ratio(
            name: "decode and verify a BOLT #11 invoice / bare key recovery",
            ours: medians[0] * 1e6,
            reference: medians[1] * 1e6,
            goal: 1.5
        )
    }
}

/// OpenSSL's SHA-256 with nothing of ours around it.
private final class BareSHA256 {
    private let algorithm = EVP_MD_fetch(nil, "SHA256", nil)
    private var digest = [UInt8](repeating: 0, count: 32)

    struct Failure: Error {}

    func hash(_ bytes: [UInt8]) throws -> Int {
        guard EVP_Digest(bytes, bytes.count, &digest, nil, algorithm, nil) == 1 else {
            throw Failure()
        }
        return Int(digest[0])
    }

    deinit { EVP_MD_free(algorithm) }
}
