import LCPCore
import WorkerKit

extension FuzzTarget {
    static func configuration(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first,
            let text = String(validating: bytes.dropFirst(), as: UTF8.self)
        else { return }
        let once = outcome(first, text)
        try hold(once == outcome(first, text), "the same file has the same meaning")
        try hold(once.utf8.count <= 4_096 + 4 * bytes.count, "an error is no longer than its file")
    }

    /// What a worker makes of a file, or what it says is wrong.
    private static func outcome(_ worker: UInt8, _ text: String) -> String {
        do {
            if worker % 2 == 0 {
                return "\(try ProviderConfiguration(yaml: text, file: "provider.yaml"))"
            }
            return "\(try RequesterRules(yaml: text, file: "requester.yaml"))"
        } catch {
            return "\(error)"
        }
    }
}
