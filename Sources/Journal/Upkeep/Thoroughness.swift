import GRDB

/// How thorough a check of the file is.
package enum Thoroughness: Sendable, CaseIterable {
    /// Every page, without comparing indexes with their tables.
    case quick
    /// Everything SQLite can check.
    case full

    /// What is wrong, at most 100 lines; none name values.
    func findings(in database: Database) throws -> [String] {
        let pragma = self == .full ? "integrity_check" : "quick_check"
        var findings = try String.fetchAll(database, sql: "PRAGMA \(pragma)(100)")
        if findings == ["ok"] { findings = [] }
        for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
            guard findings.count < 100 else { break }
            findings.append("\(try row.text(0)) has a row whose \(try row.text(2)) is gone")
        }
        return findings
    }
}
