/// Metrics in Prometheus' text format, version 0.0.4.
struct MetricsText {
    /// What a number is.
    enum Kind: String {
        /// Only grows, and begins at 0 with a restart.
        case counter
        /// Goes up and down.
        case gauge
    }

    /// A number and what tells it from others of its name.
    struct Sample {
        var labels: [(name: String, value: String)] = []
        var value: UInt64
    }

    private(set) var text = ""

    /// Adds a family of numbers with one name.
    ///
    /// - Parameters:
    ///   - name: Its name, with the unit at its end; counters end with `_total`.
    ///   - kind: What the numbers are.
    ///   - help: One sentence.
    ///   - samples: The numbers; none leaves the family out.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { label in
                "\(label.name)=\"\(Self.escaped(label.value, quotes: true))\""
            }
            text += labels.isEmpty ? name : "\(name){\(labels.joined(separator: ","))}"
            text += " \(sample.value)\n"
        }
    }

    /// Adds one number.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) {
        add(name, kind, help, [Sample(value: value)])
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
