import Foundation
import Testing

@testable import Gateway

/// The unit that the gateway is installed with.
@Suite struct UnitTests {
    @Test func `the unit has a descriptor for each connection, and some for the bus`() throws {
        let unit = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../systemd/lcp-gateway.service")
        let lines = try String(contentsOf: unit, encoding: .utf8).split(separator: "\n")
        let name = "LimitNOFILE="
        let limit = lines.first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) }
        #expect(try #require(limit) >= PurchaseLimits().connections + 1_024)
    }
}
