package import BridgeProtocol
import LightningTypes

/// The headers that tell about a job.
package enum AnswerHeaders {
    /// What a browser may read, besides what it always may.
    package static let names = [
        "x-request-id", "x-lcp-job-id", "x-lcp-peer-id", "x-lcp-price-msat", "x-lcp-terms-hash",
        "x-lcp-fee-msat", "x-lcp-usage", "x-should-retry", "retry-after",
    ]

    /// The headers of a job, as far as it has come.
    package static func headers(of job: BusJob) -> [(name: String, value: String)] {
        var headers = [
            ("x-lcp-job-id", Hex.encode(job.key.jobID)),
            ("x-lcp-peer-id", Hex.encode(job.key.peer)),
        ]
        if job.view.priceMsat > 0 {
            headers.append(("x-lcp-price-msat", "\(job.view.priceMsat)"))
            headers.append(("x-lcp-terms-hash", Hex.encode(job.view.termsHash)))
        }
        if job.view.paidUnix > 0 { headers.append(("x-lcp-fee-msat", "\(job.view.feeMsat)")) }
        return headers
    }

    /// The headers that say what to do after a refusal.
    package static func headers(of retry: Refusal.Retry) -> [(name: String, value: String)] {
        switch retry {
        case .after(let seconds): [("retry-after", "\(seconds)")]
        case .useless, .paid: [("x-should-retry", "false")]
        }
    }
}
