import BridgeProtocol
import FoundationEssentials
import Glibc
import LightningTypes

/// Amounts, times and names as people read them.
enum Words {
    /// `57 sat`, or `57.355 sat` when it is not whole.
    static func sats(_ msat: UInt64) -> String {
        let rest = msat % 1000
        guard rest > 0 else { return "\(msat / 1000) sat" }
        let digits = String(rest)
        return "\(msat / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits + " sat"
    }

    /// `2026-11-22 21:14:03` in the local time zone; empty for 0.
    static func time(_ unix: UInt64) -> String {
        guard unix > 0, var seconds = time_t(exactly: unix) else { return "" }
        var parts = tm()
        localtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `3 s` or `2 min 5 s`.
    static func seconds(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
    }

    /// `p50 12.345 ms, p90 …, p99 …, max …`; dashes without durations.
    static func percentiles(_ latencies: LatencyHistogram) -> String {
        [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)].map { name, share in
            let value = latencies.percentile(share)
            return "\(name) " + (value.map { Duration.microseconds($0).milliseconds } ?? "-")
        }
        .joined(separator: ", ")
    }

    /// The first 12 hex digits of something long.
    static func short(_ bytes: Data) -> String { String(Hex.encode(bytes).prefix(12)) }
}

extension BusJobStage {
    /// The stage's name in commands and in JSON.
    var label: String {
        switch self {
        case .quoting: "quoting"
        case .quoted: "quoted"
        case .paying: "paying"
        case .running: "running"
        case .done: "done"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .unanswered: "unanswered"
        case .paidFailed: "paid-failed"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }

    /// The stages that have a name.
    static let named: [BusJobStage] = allCases.filter { $0 != .unspecified }

    /// Whether nothing is expected to happen any more, or nothing soon.
    var isEnd: Bool {
        switch self {
        case .done, .failed, .cancelled, .unanswered, .paidFailed: true
        case .quoting, .quoted, .paying, .running, .unspecified, .UNRECOGNIZED: false
        }
    }
}

extension BusRole {
    /// The role's name in commands and in JSON.
    var label: String {
        switch self {
        case .provider: "provider"
        case .requester: "requester"
        case .compute: "compute"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }
}
