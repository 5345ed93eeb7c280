import Foundation
import Testing

/// A client and a schema that share nothing with ours drive real `lcp-simnet` processes.
@Suite struct SimnetTests {
    @Test(
        .enabled(
            if: Executables.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        ),
        .timeLimit(.minutes(10))
    )
    func `grpcio with a schema of its own can use lcp-simnet as if it were lnd`() async throws {
        let python = try #require(Executables.python)
        let arguments = [
            Executables.script("simnet_checks.py"), Executables.simnet,
            "--schema", Executables.schema,
        ]
        try await ForeignChecks.run(python, arguments)
    }
}
