import Foundation
import Testing

/// Every MUST has code that keeps it and a test that would miss it, and both say so.
@Suite struct RequirementTests {
    private let rules: [Requirements.Rule]

    init() throws { rules = try Requirements().rules }

    /// The files that may cite: ours, but not this suite, which speaks of citations.
    private func files() -> [SourceFile] {
        SourceFile.written(under: "Sources")
            + SourceFile.written(under: "Tests").filter { !$0.path.contains("/SourceTests/") }
    }

    @Test func `the table is complete and has no id twice`() {
        #expect(Set(rules.map(\.id)).count == rules.count)
        for rule in rules {
            let cells = [rule.document, rule.section, rule.binds, rule.rule, rule.code, rule.test]
            #expect(!cells.contains(""), "\(rule.id)")
            #expect(["requester", "provider", "both", "reader", "writer"].contains(rule.binds))
        }
        let counts = Dictionary(grouping: rules, by: \.document).mapValues(\.count)
        #expect(Set(counts.keys) == ["LCP v0.1", "BOLT #1", "BOLT #11"])
    }

    @Test func `whatever is cited is in the table, under the section it is cited from`() {
        let known = Dictionary(uniqueKeysWithValues: rules.map { ($0.id, $0.source) })
        var citations = 0
        for file in files() {
            for citation in file.citations() {
                citations += 1
                #expect(known[citation.id] == citation.source, "\(file.path): \(citation)")
            }
        }
        #expect(citations >= 2 * rules.count)
    }

    @Test func `every rule is cited where the table says it is kept`() {
        for rule in rules {
            let file = SourceFile.named(rule.code)
            let citation = Citation(source: rule.source, id: rule.id)
            #expect(rule.code.hasPrefix("Sources/"), "\(rule.id)")
            #expect(file?.citations().contains(citation) == true, "\(rule.id): \(rule.code)")
        }
    }

    @Test func `every rule is cited by the test that the table names`() {
        for rule in rules {
            let file = SourceFile.named(rule.testFile)
            guard let lines = file?.lines(ofTest: rule.test) else {
                Issue.record("\(rule.id): no test `\(rule.test)` in \(rule.testFile)")
                continue
            }
            let citation = Citation(source: rule.source, id: rule.id)
            #expect(
                file?.citations(in: lines).contains(citation) == true,
                "\(rule.id): not cited by `\(rule.test)`"
            )
        }
    }
}
