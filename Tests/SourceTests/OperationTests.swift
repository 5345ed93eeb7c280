import Foundation
import Testing

/// The operation article, compared with the source.
@Suite struct OperationTests {
    @Test func `every code and counter that the operation article explains is in the source`()
        throws
    {
        let article = try String(
            contentsOf: SourceTree.root.appending(path: "Sources/lcp/lcp.docc/Operation.md"),
            encoding: .utf8
        )
        // Bytes: a search in so long a text takes seconds for each name.
        let source = Data(
            SourceFile.written(under: "Sources").flatMap(\.text).joined(separator: "\n").utf8
        )
        let rows = article.split(separator: "\n").filter { $0.hasPrefix("| ") }
        // What is seen stands in the first cell; commands have blanks, paths have slashes.
        let names = rows.flatMap { row in
            row.split(separator: "|")[0]
                .matches(of: #/`(?:lcp_bridge_events_total\{event="([^"]+)"\}|([^` /{]+))`/#)
                .map { String($0.1 ?? $0.2 ?? "") }
        }
        #expect(names.count > 40)
        for name in names {
            // What a room of workers counts is told behind its role.
            let roles = ["provider.", "requester.", "compute."]
            let role = roles.first { name.hasPrefix($0) } ?? ""
            let isThere = source.range(of: Data(name.dropFirst(role.count).utf8)) != nil
            #expect(isThere, "nothing is called \(name)")
        }
    }
}
