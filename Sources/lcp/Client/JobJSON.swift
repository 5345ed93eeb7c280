import BridgeProtocol
import LCPInspector
import LightningTypes

/// Jobs, peers and the rest as JSON, with one name for each thing everywhere.
extension JSONText {
    /// A job without its contents.
    init(_ job: BusJob) {
        let view = job.view
        self = .object(
            Self.identity(job)
                + [
                    .init(name: "version", value: .number(job.version)),
                    .init(name: "task_kind", value: .string(view.taskKind)),
                    .init(name: "profile", value: .string(view.profile)),
                ] + Self.price(job)
                + [
                    .init(name: "content_type", value: .nonEmpty(view.contentType)),
                    .init(name: "truncated", value: .bool(view.truncated)),
                    .init(name: "failure", value: .failure(view)),
                    .init(name: "parked", value: .bool(job.parked)),
                    .init(name: "input_bytes", value: .number(job.inputBytes)),
                    .init(name: "output_bytes", value: .number(job.outputBytes)),
                    .init(name: "times", value: .times(job)),
                ]
        )
    }

    /// Who and what: the first members of every job.
    static func identity(_ job: BusJob) -> [Member] {
        [
            .init(name: "peer_id", value: .string(Hex.encode(job.key.peer))),
            .init(name: "job_id", value: .string(Hex.encode(job.key.jobID))),
            .init(name: "role", value: .string(job.key.role.label)),
            .init(name: "stage", value: .string(job.view.stage.label)),
        ]
    }

    /// What it costs and what binds it.
    static func price(_ job: BusJob) -> [Member] {
        let view = job.view
        return [
            .init(name: "price_msat", value: view.priceMsat == 0 ? .null : .number(view.priceMsat)),
            .init(name: "fee_msat", value: view.paidUnix == 0 ? .null : .number(view.feeMsat)),
            .init(name: "terms_hash", value: .hex(view.termsHash)),
            .init(name: "payment_hash", value: .hex(view.paymentHash)),
        ]
    }

    /// When stages were reached, in seconds since 1970; null for those that were not.
    static func times(_ job: BusJob, elapsed: JSONText? = nil) -> JSONText {
        var members = [
            ("created_unix", job.createdUnix), ("quoted_unix", job.view.quotedUnix),
            ("quote_expiry_unix", job.view.quoteExpiryUnix), ("paid_unix", job.view.paidUnix),
            ("ended_unix", job.view.endedUnix),
        ]
        .map { Member(name: $0.0, value: .unix($0.1)) }
        if let elapsed { members.append(.init(name: "elapsed_ms", value: elapsed)) }
        return .object(members)
    }

    /// Why the job failed; null while it has not.
    static func failure(_ view: BusJobView) -> JSONText {
        guard view.hasFailure else { return .null }
        return [
            "code": .string(view.failure.code), "detail": .string(view.failure.detail),
            "advice": .string(view.failure.advice),
        ]
    }

    /// A peer and what it offers.
    init(_ peer: BusPeer) {
        self = [
            "peer_id": .hex(peer.id),
            "address": .nonEmpty(peer.address),
            "connected": .bool(peer.connected),
            "has_channel": .bool(peer.hasChannel_p),
            "protocol_version": peer.protocolVersion == 0 ? .null : .number(peer.protocolVersion),
            "max_payload_bytes": peer.maxPayloadBytes == 0 ? .null : .number(peer.maxPayloadBytes),
            "offers": .array(
                peer.offers.map {
                    ["task_kind": .string($0.taskKind), "profile": .string($0.profile)]
                }
            ),
            "manifest_unix": .unix(peer.manifestUnix),
        ]
    }

    /// Bytes as hex; null when there are none.
    static func hex(_ bytes: some Collection<UInt8>) -> JSONText {
        bytes.isEmpty ? .null : .string(Hex.encode(bytes))
    }

    /// A point in time; null for "none".
    static func unix(_ seconds: UInt64) -> JSONText { seconds == 0 ? .null : .number(seconds) }

    /// Text; null when it is empty.
    static func nonEmpty(_ text: String) -> JSONText { text.isEmpty ? .null : .string(text) }
}
