import LCPInspector

/// One thing that was looked at.
struct Finding: Sendable {
    /// How it stands.
    enum Level: String, Sendable {
        /// As it should be.
        case ok
        /// Could not be looked at, or was not asked for.
        case skipped
        /// Works, and may not for long.
        case warning
        /// Keeps jobs from being bought or sold, or money from being safe.
        case problem
    }

    /// What was looked at, as a stable name: `lnd.macaroon`.
    var check: String
    /// How it stands.
    var level: Level
    /// What was found.
    var detail: String
    /// The command that changes it, or what to do where no command can; nil when nothing is wrong.
    var fix: String?

    /// As it should be.
    static func ok(_ check: String, _ detail: String) -> Finding {
        Finding(check: check, level: .ok, detail: detail)
    }

    /// Not looked at.
    static func skipped(_ check: String, _ detail: String, fix: String) -> Finding {
        Finding(check: check, level: .skipped, detail: detail, fix: fix)
    }

    /// Works, and may not for long.
    static func warning(_ check: String, _ detail: String, fix: String) -> Finding {
        Finding(check: check, level: .warning, detail: detail, fix: fix)
    }

    /// Wrong.
    static func problem(_ check: String, _ detail: String, fix: String) -> Finding {
        Finding(check: check, level: .problem, detail: detail, fix: fix)
    }

    /// A problem where it matters, else only a warning.
    static func wrong(
        _ check: String,
        _ detail: String,
        fix: String,
        ifProblem isProblem: Bool
    ) -> Finding {
        isProblem ? .problem(check, detail, fix: fix) : .warning(check, detail, fix: fix)
    }
}

extension JSONText {
    /// A finding.
    init(_ finding: Finding) {
        self = [
            "check": .string(finding.check), "level": .string(finding.level.rawValue),
            "detail": .string(finding.detail), "fix": .text(finding.fix),
        ]
    }
}
