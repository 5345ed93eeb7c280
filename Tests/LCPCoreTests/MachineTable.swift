import Testing

/// What a machine does with every event in every state, as text that people can read and review.
struct MachineTable {
    /// What one event did to one state.
    struct Row {
        var state: String
        var event: String
        /// The kind of event, without its variant.
        var eventKind: String
        /// The state after it; nil when the event was ignored.
        var next: String?
        /// The effects outstanding after it.
        var effects: [String]
    }

    var rows: [Row] = []

    /// The whole table, one block a state.
    var text: String {
        var lines: [String] = []
        var state: String?
        for row in rows {
            if row.state != state {
                lines += (state == nil ? [] : [""]) + [row.state]
                state = row.state
            }
            let label = row.event.padding(to: 34)
            guard let next = row.next else {
                lines.append("    \(label) ignored")
                continue
            }
            let effects =
                row.effects.isEmpty ? "nothing to do" : row.effects.joined(separator: ", ")
            lines.append("    \(label) \(next): \(effects)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The moves between states, once for each kind of event, as a Mermaid state diagram.
    func diagram(start: String) -> String {
        var edges: [(from: String, to: String, events: [String])] = []
        for row in rows {
            guard let next = row.next else { continue }
            let to = phase(next)
            let from = phase(row.state)
            guard from != to else { continue }
            if let index = edges.firstIndex(where: { $0.from == from && $0.to == to }) {
                if !edges[index].events.contains(row.eventKind) {
                    edges[index].events.append(row.eventKind)
                }
            } else {
                edges.append((from, to, [row.eventKind]))
            }
        }
        let lines =
            ["stateDiagram-v2", "    [*] --> \(start)"]
            + edges.map { "    \($0.from) --> \($0.to): \($0.events.joined(separator: ", "))" }
            + ["    finished --> [*]"]
        return lines.joined(separator: "\n")
    }

    /// The state's name without what stands in brackets.
    private func phase(_ state: String) -> String {
        String(state.prefix { $0 != " " })
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

/// Compares generated text with what is kept in a file, and shows where they part.
func expectSame(_ generated: String, as kept: String, in file: String) {
    guard generated != kept else { return }
    let new = generated.split(separator: "\n", omittingEmptySubsequences: false)
    let old = kept.split(separator: "\n", omittingEmptySubsequences: false)
    let line =
        zip(new, old).enumerated().first { $1.0 != $1.1 }?.offset ?? min(new.count, old.count)
    Issue.record(
        """
        \(file) differs from what the machine does, first in line \(line + 1):
        kept:      \(line < old.count ? old[line] : "(end)")
        generated: \(line < new.count ? new[line] : "(end)")
        If the machine is right, replace the file's text with:
        \(generated)
        """
    )
}
