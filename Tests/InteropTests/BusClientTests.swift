import Foundation
import Testing

/// `ipc-schema/python` against a scripted bridge, and the golden frames as Python sees them.
@Suite struct BusClientTests {
    @Test(
        .enabled(
            if: Executables.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        ),
        .timeLimit(.minutes(15))
    )
    func `the Python library of the bus does what its README says`() async throws {
        let python = try #require(Executables.python)
        let schema = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../ipc-schema").standardized.path()
        try await ForeignChecks.run(python, [Executables.script("bus_checks.py"), schema])
    }
}
