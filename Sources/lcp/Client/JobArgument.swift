import ArgumentParser
import BridgeProtocol
import FoundationEssentials
import LCPWire
import LightningTypes
import SwiftProtobuf

/// Which job a command is about.
struct JobArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The job's id, 64 hex digits.", valueName: "job"))
    var job: JobID

    /// The job by its id alone: the newest one that has it.
    var key: BusJobKey { BusJobKey(job) }
}

extension BusJobKey {
    /// The newest job with this id, on whichever side of it this node is.
    init(_ id: JobID) {
        self = .with { $0.jobID = Data(id.bytes.bytes) }
    }
}
