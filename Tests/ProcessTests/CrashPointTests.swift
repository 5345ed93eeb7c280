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
@Suite(.timeLimit(.minutes(60))) struct CrashPointTests {
    /// How often a point is passed before it kills: once, or with `LCP_CRASH_SWEEP=1` every number
    /// of times until the jobs are done without it.
    private func counts(_ point: CrashPoint) -> ClosedRange<Int> {
        let isSweep = ProcessInfo.processInfo.environment["LCP_CRASH_SWEEP"] == "1"
        // The network stands still until this one comes, so it must.
        return isSweep && point != .beforeWithdrawPayment ? 1...1_000 : 1...1
    }

    @Test(arguments: CrashSide.allCases)
    func `a bridge killed at each of its crash points loses no job and pays none twice`(
        side: CrashSide
    ) async throws {
        let points = CrashPoint.allCases.filter { $0.sides.contains(side) }
        try #require(points.count > 8)
        try await CrashMarket.run("\(side)'s bridge") { market in
            for point in points {
                for count in counts(point) {
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
