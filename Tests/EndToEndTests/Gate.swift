import Foundation
import LocalNetwork

/// A program for `lcp-compute --backend exec` that waits in the middle of a job until it may go on.
struct Gate: Sendable {
    let directory: String

    /// A market whose compute workers stand before the gate.
    static func market(_ directory: String) throws -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market()
        let script = """
            #!/bin/sh
            echo $$ > "\(directory)/running"
            input=$(cat)
            [ "$input" = "break" ] && exit 1
            while [ ! -e "\(directory)/open" ]; do sleep 0.02; done
            printf '%s, answered' "$input"

            """
        try Data(script.utf8).write(to: URL(filePath: "\(directory)/gate.sh"))
        plan.arguments["lcp-compute"] = [
            "--backend", "exec", "--concurrency", "8", "--", "/bin/sh", "\(directory)/gate.sh",
        ]
        return plan
    }

    /// Lets the programs go on, those to come too.
    func open() throws {
        try Data().write(to: URL(filePath: "\(directory)/open"))
    }

    /// Waits until a program has started, and says which.
    func running() async throws -> String {
        let path = "\(directory)/running"
        var text = ""
        try await eventually("a computation runs") {
            text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return text.hasSuffix("\n")
        }
        return String(text.dropLast())
    }
}

extension Market {
    /// The gate before this market's compute workers.
    var gate: Gate { Gate(directory: directory) }
}
