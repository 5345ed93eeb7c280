import ArgumentParser
import Foundation
import Gateway
import LightningTypes

/// `lcp-gateway keys list`: who has a key, and what it has spent.
struct ListKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the keys, with what each has spent.",
        discussion: """
            Amounts for people are in sat. In JSON: keys, an array with id, name, created_unix, \
            revoked_unix, requests_per_minute, budget_day_msat, budget_msat (null without a limit), \
            spent_day_msat, spent_msat and reserved_msat (for running jobs).
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var option: KeyFileOption

    func run() async throws {
        let (keys, book) = try option.failing { () throws(KeyRingError) in
            (try option.file.read(), try SpendingBook(besides: option.file))
        }
        let rows = keys.records.map { Row($0, book.accounts[$0.id] ?? .init(), at: .ofSystem) }
        Output.write(json ? try Row.json(rows) : Row.table(rows))
    }

    /// One key.
    private struct Row: Encodable {
        var id: String
        var name: String
        var createdUnix: UInt64
        var revokedUnix: UInt64?
        var requestsPerMinute: UInt32?
        var budgetDayMsat: UInt64?
        var budgetMsat: UInt64?
        var spentDayMsat: UInt64
        var spentMsat: UInt64
        var reservedMsat: UInt64

        private enum CodingKeys: String, CodingKey {
            case id, name
            case createdUnix = "created_unix"
            case revokedUnix = "revoked_unix"
            case requestsPerMinute = "requests_per_minute"
            case budgetDayMsat = "budget_day_msat"
            case budgetMsat = "budget_msat"
            case spentDayMsat = "spent_day_msat"
            case spentMsat = "spent_msat"
            case reservedMsat = "reserved_msat"
        }

        init(_ key: KeyRecord, _ account: SpendingBook.Account, at now: UnixTime) {
            id = key.id.description
            name = key.name
            createdUnix = key.created.seconds
            revokedUnix = key.revoked?.seconds
            requestsPerMinute = key.requestsPerMinute
            budgetDayMsat = key.budget.day?.msat
            budgetMsat = key.budget.total?.msat
            spentDayMsat = account.day(at: now).msat
            spentMsat = account.total.msat
            reservedMsat = account.reserved.msat
        }

        /// An optional member that is missing would be `null` in one tool and an error in another.
        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(id, forKey: .id)
            try fields.encode(name, forKey: .name)
            try fields.encode(createdUnix, forKey: .createdUnix)
            try fields.encode(revokedUnix, forKey: .revokedUnix)
            try fields.encode(requestsPerMinute, forKey: .requestsPerMinute)
            try fields.encode(budgetDayMsat, forKey: .budgetDayMsat)
            try fields.encode(budgetMsat, forKey: .budgetMsat)
            try fields.encode(spentDayMsat, forKey: .spentDayMsat)
            try fields.encode(spentMsat, forKey: .spentMsat)
            try fields.encode(reservedMsat, forKey: .reservedMsat)
        }

        static func json(_ rows: [Row]) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(["keys": rows]), as: UTF8.self) + "\n"
        }

        static func table(_ rows: [Row]) -> String {
            let header = [
                "ID", "NAME", "DAY", "OF", "TOTAL", "OF", "RESERVED", "PER MINUTE", "REVOKED",
            ]
            let lines = [header] + rows.map(\.cells)
            let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
            return lines.map { cells in
                var line = ""
                for (cell, width) in zip(cells, widths) {
                    line += cell + String(repeating: " ", count: width - cell.count + 2)
                }
                while line.last == " " { line.removeLast() }
                return line + "\n"
            }
            .joined()
        }

        private var cells: [String] {
            [
                id, name, Self.sats(spentDayMsat), budgetDayMsat.map(Self.sats) ?? "-",
                Self.sats(spentMsat), budgetMsat.map(Self.sats) ?? "-", Self.sats(reservedMsat),
                requestsPerMinute.map { "\($0)" } ?? "-", revokedUnix == nil ? "-" : "yes",
            ]
        }

        /// Rounded up: what was spent is never shown as less.
        private static func sats(_ msat: UInt64) -> String {
            "\(msat / 1_000 + (msat % 1_000 > 0 ? 1 : 0))"
        }
    }
}
