import Bridge
import BridgeProtocol
import Foundation
import LocalNetwork
import Testing
import WorkerKit

/// A node of the market, as far as crashes differ.
enum CrashSide: String, CaseIterable, CustomTestStringConvertible {
    /// The requester's.
    case buyer = "alice"
    /// The provider's.
    case seller = "bob"
    /// Another provider's, at its first start.
    case newcomer = "carol"

    var bridge: ProcessName { ProcessName(rawValue, .bridge) }
    var testDescription: String { "\(self)" }
}

extension CrashPoint {
    /// Whose bridge passes here; a new point does not compile until somebody has said so.
    var sides: Set<CrashSide> {
        switch self {
        case .beforeCommit, .afterCommit, .beforeRecord, .afterRecord, .beforeKeepAlive,
            .afterKeepAlive, .beforePrune, .afterPrune, .beforeOrder, .afterOrder, .beforeSend,
            .afterSend, .beforeNotify, .afterNotify:
            [.buyer, .seller]
        case .beforeRecordAttempt, .afterRecordAttempt, .beforePay, .afterPay,
            .beforeWithdrawPayment, .afterWithdrawPayment, .beforeAnswer, .afterAnswer:
            [.buyer]
        // A requester's job is over when its retention is: no test waits so long. And without
        // workers that sell, a manifest waits for some seconds whether there are any.
        case .beforeFinish, .afterFinish, .beforeCompute, .afterCompute, .beforeRevoke,
            .afterRevoke, .beforeRefuse, .afterRefuse, .beforeCreateInvoice, .afterCreateInvoice,
            .beforeCancelInvoice, .afterCancelInvoice, .beforeSendManifest, .afterSendManifest:
            [.seller]
        case .beforeKeepManifest, .afterKeepManifest, .beforeKeepOffers, .afterKeepOffers,
            .beforeKeepSecret, .afterKeepSecret, .beforeKeepIdentity, .afterKeepIdentity:
            [.newcomer]
        }
    }
}

extension WorkerCrashPoint {
    /// Which workers pass here; a new point does not compile until somebody has said so.
    var workers: [ProcessName] {
        let compute = ProcessName("bob", .compute)
        return switch self {
        case .afterWelcome, .afterItem, .beforeWork, .afterWork, .beforeReply, .afterReply:
            [compute, ProcessName("bob", .provider), ProcessName("alice", .requester)]
        case .duringProgram, .afterProgram: [compute]
        }
    }
}

/// The real processes, killed where it hurts, and what their journals and lnd say afterwards.
@Suite(.timeLimit(.minutes(60))) struct CrashPointTests {
    /// How often a point is passed before it kills: once, or with `LCP_CRASH_SWEEP=1` every number
    /// of times until the jobs are done without it.
    private static let counts: ClosedRange<Int> =
        ProcessInfo.processInfo.environment["LCP_CRASH_SWEEP"] == "1" ? 1...1_000 : 1...1

    @Test(arguments: [CrashSide.buyer, .seller])
    func `a bridge killed at each of its crash points loses no job and pays none twice`(
        side: CrashSide
    ) async throws {
        let points = CrashPoint.allCases.filter { $0.sides.contains(side) }
        try #require(points.count > 8)
        try await CrashMarket.run("\(side)'s bridge") { market in
            for point in points {
                for count in Self.counts {
                    let died = try await market.crash(side, at: point, count)
                    #expect(died || count > 1, "\(side)'s bridge never came to \(point)")
                    guard died else { break }
                }
            }
            #expect(await market.deaths >= points.count)
        }
    }

    @Test func `a bridge killed during its first start begins anew and is known to its peers`()
        async throws
    {
        let points = CrashPoint.allCases.filter { $0.sides.contains(.newcomer) }
        try #require(points.count > 4)
        try await CrashMarket.run("the newcomer's bridge", newcomer: true) { market in
            for point in points {
                let died = try await market.crashNewcomer(at: point)
                #expect(died, "the newcomer's bridge never came to \(point)")
            }
        }
    }

    @Test func `a worker killed at each of its crash points loses no job`() async throws {
        try await CrashMarket.run("workers at their points", backend: .program) { market in
            for point in WorkerCrashPoint.allCases {
                for worker in point.workers {
                    for count in Self.counts {
                        let died = try await market.crash(worker, at: point, count)
                        #expect(died || count > 1, "\(worker) never came to \(point)")
                        guard died else { break }
                    }
                }
            }
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
