/// What a program's option names alone don't say about where their values may come from.
package struct SettingsPlan: Sendable {
    /// The program's name; the variables of `lcp-bridge` begin with `LCP_BRIDGE_`.
    package var program: String
    /// Options whose key in the file is not their name with underscores: by option, the key with
    /// the tables it stands in.
    package var keys: [String: String] = [:]
    /// Keys of the file that are no options; the program reads them itself.
    package var tables: [String] = []
    /// Keys that other programs read, and what to do with them.
    package var elsewhere: [String: String] = [:]
    /// Options that name the file of a secret: by option, the name of the credential that a service
    /// manager may have put into `$CREDENTIALS_DIRECTORY`.
    package var credentials: [String: String] = [:]

    /// Options that mean the same to several programs, and the variable they all know; a program's
    /// own variable goes before it.
    static let shared = ["bus-dir": "LCP_BUS_DIR", "lnd-address": "LCP_LND_ADDRESS"]
    /// The option that names the file itself.
    static let file = "config"

    /// A plan without exceptions.
    package init(program: String) { self.program = program }

    /// What the program's own variables begin with.
    var prefix: String { Self.variable(program) + "_" }

    /// The variables of an option, the stronger first; none for words after `--`.
    func variables(_ option: DeclaredOption) -> [String] {
        guard option.kind != .positional else { return [] }
        return [prefix + Self.variable(option.name)] + (Self.shared[option.name].map { [$0] } ?? [])
    }

    /// The key of an option in the file; nil for the option that names it.
    func key(_ option: DeclaredOption) -> String? {
        guard option.name != Self.file else { return nil }
        return keys[option.name] ?? String(option.name.map { $0 == "-" ? "_" : $0 })
    }

    private static func variable(_ name: String) -> String {
        String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
