import ArgumentParser
import Foundation

/// `lcp manual`: what the installation writes manual pages with.
struct Manual: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a program's manual page.",
        discussion: """
            Reads what the program prints for --experimental-dump-help, and writes mdoc(7), or with \
            --table a table of its options in Markdown.
            """,
        shouldDisplay: false
    )

    @Flag(help: "Write a table of the options instead.")
    var table = false

    func run() throws {
        let text = FileHandle.standardInput.readDataToEndOfFile()
        guard let tool = try? JSONDecoder().decode(ToolDescription.self, from: text) else {
            throw ValidationError("Standard input is no program's --experimental-dump-help")
        }
        let page = table ? CommandTable(tool).text : ManualPage(tool, date: Self.date).text
        print(page, terminator: "")
    }

    /// Today, or `SOURCE_DATE_EPOCH` for the same page every time.
    private static var date: String {
        let epoch = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Double.init)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "MMMM d, yyyy"
        return formatter.string(from: epoch.map { Date(timeIntervalSince1970: $0) } ?? Date())
    }
}
