import ArgumentParser
import Settings
import WorkerKit

extension FuzzTarget {
    static func configuration(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first,
            let text = String(validating: bytes.dropFirst(), as: UTF8.self)
        else { return }
        let once = outcome(first, text)
        try hold(once == outcome(first, text), "the same file has the same meaning")
        try hold(once.utf8.count <= 65_536 + 8 * bytes.count, "an answer is bounded by its file")
    }

    /// What a worker makes of a file, or what it says is wrong.
    private static func outcome(_ worker: UInt8, _ text: String) -> String {
        do {
            if worker % 2 == 0 {
                let settings = try settings(providerOptions, ProviderArguments.plan, text)
                let arguments = try ProviderArguments.parse(settings.arguments)
                let file = try ConfigurationTable.parse(text, file: "worker.yaml")
                return "\(try arguments.configuration(file: file))"
            }
            let settings = try settings(requesterOptions, RequesterArguments.plan, text)
            return "\(try RequesterArguments.parse(settings.arguments).rules)"
        } catch {
            return "\(error)"
        }
    }

    private static func settings(
        _ options: [DeclaredOption],
        _ plan: SettingsPlan,
        _ text: String
    ) throws -> Settings {
        try Settings(
            options,
            plan,
            arguments: ["--config", "worker.yaml"],
            sources: Settings.Sources(
                environment: [:],
                read: { path throws(ConfigurationError) in try .parse(text, file: path) },
                exists: { _ in false }
            )
        )
    }

    // The parser describes itself in JSON, which takes longer than reading a file.
    private static let providerOptions = DeclaredOption.all(of: ProviderArguments.self)
    private static let requesterOptions = DeclaredOption.all(of: RequesterArguments.self)
}
