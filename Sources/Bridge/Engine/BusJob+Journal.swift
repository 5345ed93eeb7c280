package import BridgeProtocol
import Foundation
package import Journal
import LightningTypes
import SwiftProtobuf

extension BusJob {
    /// A job as lists show it.
    package init(_ summary: JobSummary) {
        self = .with {
            $0.key = summary.key.bus
            $0.version = summary.version
            // A view of a newer version decodes, with fields this one does not show.
            $0.view = (try? BusJobView(serializedBytes: summary.notice)) ?? BusJobView()
            $0.inputBytes = summary.inputBytes
            $0.outputBytes = summary.answerBytes
            $0.createdUnix = summary.createdAt.seconds
            $0.changedUnix = summary.changedAt.seconds
            $0.finishedUnix = summary.finishedAt?.seconds ?? 0
            $0.parked = summary.isParked
        }
    }
}
