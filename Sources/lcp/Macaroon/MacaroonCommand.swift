import ArgumentParser
import Glibc
import LCPInspector
import LightningTypes
import LndRPC

/// `lcp macaroon`: the macaroon that a bridge needs, and no wider one.
struct MacaroonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "macaroon",
        abstract: "Print how to bake the macaroon that a bridge needs, or bake it.",
        discussion: """
            Prints a line for lncli. With --bake, asks lnd itself; that takes a macaroon that may \
            bake others, as admin.macaroon, in --lnd-macaroon. The new one allows the calls a bridge \
            of this role makes and nothing else: a provider's can't pay, a requester's makes no \
            invoice.

            EXAMPLE
              lcp macaroon --role provider --bake lcp.macaroon --lnd-tls-cert ~/.lnd/tls.cert \
            --lnd-macaroon ~/.lnd/data/chain/bitcoin/mainnet/admin.macaroon

            EXIT CODES: 0 success, 16 lnd refused, 64 the command line is wrong, 69 lnd is not \
            there or not ready, 73 the file exists or can't be made, 74 a file could not be read or \
            the output not be written, 77 the macaroon may not bake others, 130 interrupted.
            """
    )

    @OptionGroup var lnd: LndOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "What the bridge is for.")
    var role: BridgeRole = .both

    @Option(
        help: ArgumentHelp(
            "Bake it and write it here, readable by its owner alone; the file must not exist.",
            valueName: "file"
        ),
        completion: .file()
    )
    var bake: String?

    @Option(
        help: ArgumentHelp(
            "Sign with a root key of its own, so that this macaroon alone can be revoked.",
            valueName: "number"
        )
    )
    var rootKeyId: UInt64 = 0

    func validate() throws {
        guard bake == nil || lnd.lndMacaroon != nil else {
            throw ValidationError("--bake needs --lnd-macaroon, one that may bake others.")
        }
        guard bake != "" else { throw ValidationError("--bake is empty.") }
    }

    func run() async throws {
        let permissions = LndCall.needed(by: role).map { MacaroonPermission(calling: $0.method) }
        guard let bake else { return try show(permissions) }
        let connection = try lnd.connection
        let rootKeyID = rootKeyId
        let file = try NewPrivateFile(path: bake)
        do {
            let macaroon = try await LndOptions.withLnd(connection) { lnd in
                try await lnd.bakeMacaroon(permissions, rootKeyID: rootKeyID)
            }
            try file.write(macaroon.reveal("this is the file it is baked for"))
        } catch {
            file.remove()
            throw (error as? LndError).map { CommandError($0) } ?? error
        }
        try output.show(
            [
                "file": .string(bake), "role": .string(role.rawValue),
                "root_key_id": .number(rootKeyId),
                "permissions": .array(permissions.map { .string($0.description) }),
            ],
            title: "macaroon"
        )
    }

    private func show(_ permissions: [MacaroonPermission]) throws {
        let command = Self.command(permissions, role: role, rootKeyID: rootKeyId)
        guard output.json else {
            return try StandardOutput.write(Array((command + "\n").utf8))
        }
        let answer: JSONText = [
            "role": .string(role.rawValue),
            "permissions": .array(permissions.map { .string($0.description) }),
            "command": .string(command),
        ]
        try StandardOutput.write(Array("\(answer)\n".utf8))
    }

    /// The line for lncli, in one piece so that it can be pasted anywhere.
    static func command(
        _ permissions: [MacaroonPermission],
        role: BridgeRole,
        rootKeyID: UInt64 = 0
    ) -> String {
        let name = role == .both ? "lcp" : "lcp-\(role.rawValue)"
        let key = rootKeyID == 0 ? "" : " --root_key_id \(rootKeyID)"
        return "lncli bakemacaroon --save_to \(name).macaroon\(key) "
            + permissions.map(\.description).joined(separator: " ")
    }
}

extension BridgeRole: ExpressibleByArgument {}
