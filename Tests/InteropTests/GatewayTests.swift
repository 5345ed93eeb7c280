import Foundation
import Testing

/// `lcp-gateway` and the clients that nobody here wrote: OpenAI's Python SDK, LangChain, curl.
@Suite struct GatewayTests {
    @Test(
        .enabled(
            if: Executables.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        ),
        .timeLimit(.minutes(15))
    )
    func `clients of OpenAI get answers that are paid for once, whatever they repeat`() async throws
    {
        let python = try #require(Executables.python)
        let arguments = [
            Executables.script("gateway_checks.py"), Executables.directory,
            "--schema", Executables.schema,
        ]
        try await ForeignChecks.run(python, arguments)
    }
}
