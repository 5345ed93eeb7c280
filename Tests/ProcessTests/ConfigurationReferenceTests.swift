import Foundation
import Subprocess
import Testing

/// The reference of all options, compared with what the programs' parsers say.
@Suite(.timeLimit(.minutes(10))) struct ConfigurationReferenceTests {
    @Test(arguments: try Documents.programs())
    func `the reference has every option of a program, as its parser declares it`(
        program: String
    ) async throws {
        let table = try await Self.table(of: program)
        #expect(table.split(separator: "\n").count > 2, "\(program) says nothing: \(table)")
        let article = try Documents.text("Sources/lcp/lcp.docc/Configuration.md")
        let section = article.components(separatedBy: "\n## \(program)\n").dropFirst().first
        let text = try #require(section, "Configuration.md has no section \(program)")
            .components(separatedBy: "\n## ")[0]
        #expect(text.contains("\n\(table)"), "the section \(program) must have:\n\(table)")
    }

    @Test func `the reference has no section of a program that is none`() throws {
        let article = try Documents.text("Sources/lcp/lcp.docc/Configuration.md")
        let sections = article.matches(of: /\n## (\S+)\n/).map { String($0.1) }
        #expect(Set(sections) == Set(try Documents.programs()).union(["Overview"]))
    }

    /// What a program prints of its options: by itself, or through `lcp` as manual pages are made.
    private static func table(of program: String) async throws -> String {
        let own = try await Program(name: program).run("config", "reference")
        if own.status == .exited(0) { return own.output }
        let description = try await Program(name: program).run("--experimental-dump-help")
        let table = try await Program(name: "lcp").run(
            ["manual", "--table"],
            input: description.output
        )
        #expect(table.status == .exited(0), "\(table.errors)")
        return table.output
    }
}
