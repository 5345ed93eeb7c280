import BridgeProtocol
import BusClient
import SwiftProtobuf
import Testing

@testable import Gateway

@Suite struct RefusalTests {
    private func end(_ stage: BusJobStage, _ code: String = "", _ detail: String = "") -> Refusal? {
        Refusal(
            endOf: .with {
                $0.view.stage = stage
                $0.view.failure = .with {
                    $0.code = code
                    $0.detail = detail
                }
            }
        )
    }

    @Test func `a job that is done is no refusal`() {
        #expect(end(.done) == nil)
    }

    @Test(
        arguments: [
            (.unanswered, "unanswered", 504), (.paidFailed, "answered-with-error", 502),
            (.failed, "payment-failed", 502), (.failed, "payment-too-late", 502),
        ] as [(BusJobStage, String, Int)]
    )
    func `from the payment on nothing is to be tried again`(
        _ stage: BusJobStage,
        _ code: String,
        _ status: Int
    ) throws {
        let refusal = try #require(end(stage, code))
        #expect(refusal.status == status)
        #expect(refusal.retry == .paid)
        #expect(AnswerHeaders.headers(of: refusal.retry).map(\.name) == ["x-should-retry"])
    }

    @Test(arguments: ["no-quote", "quote-expired"])
    func `what may pass by itself is 503 with a time`(_ code: String) throws {
        let refusal = try #require(end(.failed, code))
        #expect(refusal.status == 503)
        #expect(AnswerHeaders.headers(of: refusal.retry).map(\.name) == ["retry-after"])
    }

    @Test func `limits are 402, the provider's no is 400 unless it is only busy`() throws {
        #expect(end(.failed, "payment-refused", "daily-budget")?.status == 402)
        let busy = "the provider refused: lcp_error 7 (rate_limited)"
        #expect(end(.failed, "refused-by-provider", busy)?.status == 503)
        let no = "the provider refused: lcp_error 2 (unsupported_task)"
        #expect(end(.failed, "refused-by-provider", no)?.status == 400)
        #expect(end(.failed, "defective-quote")?.status == 502)
        #expect(end(.failed, "defective-quote")?.retry == .useless)
        #expect(end(.cancelled)?.status == 503)
    }

    @Test func `a key that belongs to another body is 422, a bridge that is away 503`() {
        func refusal(_ code: String) -> Refusal {
            Refusal(beforePayment: BusClientError(.with { $0.code = code }))
        }
        #expect(refusal("key-reused").status == 422)
        #expect(refusal("job-pruned").status == 409)
        #expect(refusal("job-pruned").retry == .useless)
        #expect(refusal("busy").status == 503)
        #expect(refusal("quota-exceeded").retry == .after(seconds: 10))
    }
}
