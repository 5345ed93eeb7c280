import BOLT11
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import Testing

/// Jobs, events and effects may end up in a log; what they carry must not.
@Suite struct SecrecyTests {
    private let prompt = "the prompt is a canary"
    private let output = "the output is a canary"

    /// Everything a careless line could print.
    private func shown(_ value: some Any) -> String {
        var text = "\(value) \(String(reflecting: value))"
        dump(value, to: &text)
        return text
    }

    @Test func `nothing printed of a provider's job shows prompt, output or invoice`() throws {
        let invoice = try Sample.invoice(
            amount: MilliSatoshi(msat: 57_355),
            description: .hash(Sample.preimage(4))
        )
        let events: [ProviderJob.Event] = [
            .quoteRequested(ProviderJob.Request(body: try Sample.request(prompt))),
            .invoiceCreated(Sample.paymentHash(1), Redacted(invoice)),
            .invoiceSettled(Sample.paymentHash(1)),
            .computed(ProviderJob.ComputedOutput(bytes: Redacted(Array(output.utf8)))),
        ]
        var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
        var text = ""
        for event in events {
            job.handle(event, in: Sample.context())
            text += shown(event) + shown(job)
        }
        let inputHash = SHA256.hash(Array(prompt.utf8))
        #expect(job.phase == .answered)
        #expect(!text.contains("canary"))
        #expect(!text.contains(invoice.prefix(40)))
        #expect(!text.contains(inputHash.hex))
        #expect(!text.contains(Array(prompt.utf8).map(String.init).joined(separator: ", ")))
        #expect(text.contains(Sample.paymentHash(1).hex), "nothing was printed at all")
    }

    @Test func `nothing printed of a requester's job shows prompt, invoice or preimage`() throws {
        let request = try Sample.request(prompt)
        let response = try Sample.response(to: request, jobID: Sample.id(9))
        let events: [RequesterJob.Event] = [
            .submitted(request, ceiling: MilliSatoshi(msat: 60_000)),
            .quoteReceived(Sample.id(9), response),
            .paymentSucceeded(
                Sample.paymentHash(1),
                Preimage(Sample.preimage(1)),
                fee: .zero
            ),
        ]
        let peer = try Sample.providerKey().publicKey
        var job = RequesterJob(peer: peer, jobID: Sample.id(9))
        var text = ""
        for event in events {
            job.handle(event, in: Sample.requesterContext())
            text += shown(event) + shown(job)
        }
        #expect(job.phase == .awaitingAnswer)
        #expect(!text.contains("canary"))
        #expect(!text.contains(response.paymentRequest.prefix(40)))
        #expect(!text.contains(Sample.preimage(1).hex))
        #expect(!text.contains(Sample.preimage(1).bytes.map(String.init).joined(separator: ", ")))
        #expect(text.contains(Sample.paymentHash(1).hex), "nothing was printed at all")
    }
}
