import Foundation
import Testing

/// The reference implementation's ways, scripted with a codec of their own, against real processes.
@Suite struct ReferenceTests {
    @Test(
        .enabled(
            if: Executables.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        ),
        .timeLimit(.minutes(15))
    )
    func `whoever speaks LCP as the reference does trades with us in both roles`() async throws {
        let python = try #require(Executables.python)
        let arguments = [
            Executables.script("reference_checks.py"), Executables.directory,
            "--schema", Executables.schema,
        ]
        try await ForeignChecks.run(python, arguments)
    }
}
