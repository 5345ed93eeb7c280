import Bridge
import BridgeProtocol
import Foundation
import LocalNetwork
import Testing

/// A node of the market, as far as crashes differ.
enum CrashSide: String, CaseIterable, CustomTestStringConvertible {
    /// The requester's.
    case buyer = "alice"
    /// The provider's.
    case seller = "bob"

    var bridge: ProcessName { ProcessName(rawValue, .bridge) }
    var testDescription: String { "\(self)" }
}

extension CrashPoint {
    /// Whose bridge passes here; a new point does not compile until somebody has said so.
    var sides: Set<CrashSide> {
        switch self {
        case .beforeCommit, .afterCommit, .beforeRecord, .afterRecord, .beforeOrder, .afterOrder,
            .beforeSend, .afterSend:
            [.buyer, .seller]
        case .beforePay, .afterPay, .beforeWithdrawPayment, .afterWithdrawPayment, .beforeAnswer,
            .afterAnswer:
            [.buyer]
        case .beforeCompute, .afterCompute, .beforeCreateInvoice, .afterCreateInvoice,
            .beforeCancelInvoice, .afterCancelInvoice:
            [.seller]
        }
    }
}

/// The real processes, killed where it hurts, and what their journals and lnd say afterwards.
@Suite(.timeLimit(.minutes(10))) struct CrashTests {
    /// How often each point is tried: the first time it is passed, or every time with
    /// `LCP_CRASH_SWEEP=1`, until the jobs are done without it.
    private var counts: ClosedRange<Int> {
        ProcessInfo.processInfo.environment["LCP_CRASH_SWEEP"] == "1" ? 1...100 : 1...1
    }

    @Test(arguments: CrashSide.allCases)
    func `a bridge killed at each of its crash points loses no job and pays none twice`(
        side: CrashSide
    ) async throws {
        let points = CrashPoint.allCases.filter { $0.sides.contains(side) }
        try #require(points.count > 8)
        try await CrashMarket.run("\(side)'s bridge") { market in
            for point in points {
                for count in counts {
                    let died = try await market.crash(side, at: point, count)
                    #expect(died || count > 1, "\(side)'s bridge never came to \(point)")
                    guard died else { break }
                }
            }
            #expect(await market.deaths >= points.count)
        }
    }

    @Test func `a worker of any kind killed in the middle of a job loses nothing`() async throws {
        try await CrashMarket.run("workers") { market in
            for victim in [
                ProcessName("bob", .provider), ProcessName("bob", .compute),
                ProcessName("alice", .requester),
            ] {
                for stage in [BusJobStage.quoting, .paying, .running] {
                    try await market.kill(victim, at: stage)
                }
            }
        }
    }
}
