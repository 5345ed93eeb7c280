import ArgumentParser
import Bridge
import LndRPC

/// How much peers and clients may ask of this node.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Open jobs of all peers together.", valueName: "count"))
    var maxJobs = Engine.Limits().openJobs

    @Option(help: ArgumentHelp("Active jobs of one peer on one side.", valueName: "count"))
    var maxJobsPerPeer = Engine.Limits().activeJobsPerPeer

    @Option(
        help: ArgumentHelp("Messages a second one peer may send before it pays.", valueName: "rate")
    )
    var peerRate = SessionSettings().peerRate.perSecond

    @Option(
        help: ArgumentHelp("Messages a second all peers together may send.", valueName: "rate")
    )
    var totalRate = SessionSettings().totalRate.perSecond

    @Option(
        help: ArgumentHelp(
            "The largest message to receive, which peers are told.",
            valueName: "bytes"
        )
    )
    var maxPayloadBytes = SessionSettings().maxPayloadBytes

    @Option(
        help: ArgumentHelp(
            "What to do with a peer that sends an unknown message of an even type.",
            valueName: "action"
        )
    )
    var unknownEven = SessionSettings().unknownEven

    func apply(to configuration: inout Bridge.Configuration) {
        configuration.limits.openJobs = maxJobs
        configuration.limits.activeJobsPerPeer = maxJobsPerPeer
        if peerRate != configuration.session.peerRate.perSecond {
            configuration.session.peerRate = Rate(
                perSecond: peerRate,
                burst: Int(max(60, peerRate * 2))
            )
            // Each message is remembered for as long as a copy of it could be a replay.
            let window = Int(peerRate) * Int(configuration.session.expiryWindowSeconds)
            configuration.session.replayPerPeer = min(max(1_024, window), 1 << 18)
            configuration.session.replayTotal = max(
                configuration.session.replayTotal,
                2 * configuration.session.replayPerPeer
            )
        }
        configuration.session.maxPayloadBytes = maxPayloadBytes
        configuration.session.unknownEven = unknownEven
        configuration.session.totalRate = Rate(
            perSecond: totalRate,
            burst: Int(max(1_000, totalRate * 2))
        )
    }

    func validate() throws {
        for (name, value) in [("--max-jobs", maxJobs), ("--max-jobs-per-peer", maxJobsPerPeer)]
        where value < 1 {
            throw ValidationError("\(name) must be at least 1")
        }
        for (name, value) in [("--peer-rate", peerRate), ("--total-rate", totalRate)]
        where !(value > 0 && value <= 1_000_000) {
            throw ValidationError("\(name) must be above 0 and at most 1000000")
        }
        guard Self.payloadBytes.contains(maxPayloadBytes) else {
            let (least, most) = (Self.payloadBytes.lowerBound, Self.payloadBytes.upperBound)
            throw ValidationError("--max-payload-bytes must be \(least) to \(most)")
        }
    }

    /// From what a quote needs to what lnd takes.
    private static let payloadBytes = 1_024...UInt32(PeerMessage.maximumDataLength)
}

extension SessionSettings.UnknownEven: ExpressibleByArgument {}
