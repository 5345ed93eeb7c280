import BridgeProtocol
import Foundation
import LCPWire
import LightningTypes
import SwiftProtobuf

// The state bytes: what the journal keeps of a job between two steps (ipc-schema/lcp/state/v1).
extension JobRecord {
    /// Reads state bytes.
    ///
    /// Refuses what it does not know whole: writing such a state back would lose the part that a
    /// newer worker put there.
    init(decoding bytes: Data, peer: NodeID, jobID: JobID) throws(StepError) {
        let message = try StateJob(known: bytes)
        let (state, entries) = try Job.restore(from: message)
        let highest = entries.map(\.given.id).max() ?? 0
        guard highest <= message.lastEffectID else {
            throw StepError(.stateUnreadable, "last_effect_id is below the id of an effect")
        }
        self.init(
            job: Job(
                peer: peer,
                jobID: jobID,
                state: state,
                outstanding: entries.map(\.effect)
            ),
            task: message.hasTask ? TaskFacts(message.task) : nil,
            effects: EffectBook(entries: entries, lastID: message.lastEffectID),
            view: message.view
        )
    }

    /// Writes state bytes.
    func encoded() throws(StepError) -> Data {
        let message = StateJob.with {
            $0.format = StateJob.currentFormat
            $0.job = Job.store(job.state, effects.entries)
            if let task { $0.task = StateTask(task) }
            $0.lastEffectID = effects.lastID
            $0.view = view
        }
        do { return try message.serializedData() } catch {
            throw StepError(.unwritable, "the state exceeds what protobuf can hold")
        }
    }
}

extension StateJob {
    /// The format this version writes, and the newest it reads.
    static var currentFormat: UInt32 { 1 }

    /// Parses state bytes of which nothing is unknown.
    fileprivate init(known bytes: Data) throws(StepError) {
        let kept: StateJob
        do { kept = try StateJob(serializedBytes: bytes) } catch {
            throw StepError(.stateUnreadable, "the state is not a lcp.state.v1.Job")
        }
        guard kept.format <= Self.currentFormat else {
            throw StepError(
                .stateNewer,
                "the state has format \(kept.format), this worker reads up to \(Self.currentFormat)"
            )
        }
        guard kept.format > 0 else {
            throw StepError(.stateUnreadable, "the state names no format")
        }
        guard !kept.hasUnknownFields else {
            throw StepError(.stateNewer, "the state has fields this worker does not know")
        }
        self = kept
    }
}

// MARK: - What both roles share

extension TaskFacts {
    init(_ message: StateTask) {
        self.init(
            kind: message.kind,
            profile: message.profile,
            params: message.hasParams ? [UInt8](message.params) : nil,
            inputBytes: message.inputBytes
        )
    }
}

extension StateTask {
    init(_ task: TaskFacts) {
        self.init()
        kind = task.kind
        profile = task.profile
        if let bytes = task.params { params = Data(bytes) }
        inputBytes = task.inputBytes
    }
}

extension V01.Terms {
    init(_ message: StateTerms) throws(StepError) {
        self.init(
            protocolVersion: try StateField.uint16(message.protocolVersion, "protocol_version"),
            jobID: try StateField.identifier(message.jobID, "terms.job_id"),
            price: MilliSatoshi(msat: message.priceMsat),
            quoteExpiry: UnixTime(seconds: message.quoteExpiryUnix),
            taskKind: message.taskKind,
            inputHash: try StateField.identifier(message.inputHash, "terms.input_hash"),
            paramsHash: try StateField.identifier(message.paramsHash, "terms.params_hash")
        )
    }
}

extension StateTerms {
    init(_ terms: V01.Terms) {
        self.init()
        protocolVersion = UInt32(terms.protocolVersion)
        jobID = terms.jobID.data
        priceMsat = terms.price.msat
        quoteExpiryUnix = terms.quoteExpiry.seconds
        taskKind = terms.taskKind
        inputHash = terms.inputHash.data
        paramsHash = terms.paramsHash.data
    }
}

extension V01.Failure {
    init(_ message: StateLcpError) throws(StepError) {
        self.init(
            code: V01.ErrorCode(rawValue: try StateField.uint16(message.code, "error.code")),
            message: message.hasMessage ? message.message : nil
        )
    }
}

extension StateLcpError {
    init(_ failure: V01.Failure) {
        self.init()
        code = UInt32(failure.code.rawValue)
        if let text = failure.message { message = text }
    }
}

/// Reads single fields of state bytes.
enum StateField {
    static func identifier<ID: Identifier32>(
        _ data: Data,
        _ field: StaticString
    ) throws(StepError) -> ID {
        ID(try bytes32(data, field))
    }

    static func bytes32(_ data: Data, _ field: StaticString) throws(StepError) -> Bytes32 {
        guard let bytes = Bytes32(data) else {
            throw StepError(.stateUnreadable, "\(field) has \(data.count) bytes, not 32")
        }
        return bytes
    }

    static func uint16(_ value: UInt32, _ field: StaticString) throws(StepError) -> UInt16 {
        guard let value = UInt16(exactly: value) else {
            throw StepError(.stateUnreadable, "\(field) is above 65535")
        }
        return value
    }

    /// A oneof that must be set; everything unknown was refused before.
    static func required<Value>(
        _ value: Value?,
        _ field: StaticString
    ) throws(StepError) -> Value {
        guard let value else { throw StepError(.stateUnreadable, "\(field) is missing") }
        return value
    }
}
