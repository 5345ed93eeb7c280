import ArgumentParser
import Gateway

/// `lcp-gateway keys revoke`: has a key open nothing any more.
struct RevokeKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Have a key open nothing any more.",
        discussion: """
            Its next request is refused, and a job that is not paid for yet is not paid. What it has \
            spent stays in the list.
            """
    )

    @Argument(help: "The key's id, from `keys list`.")
    var id: KeyID

    @OptionGroup var option: KeyFileOption

    func run() async throws {
        let record = try option.failing { () throws(KeyRingError) in
            try option.file.change { keys throws(KeyRingError) in
                try keys.revoke(id, at: .ofSystem)
            }
        }
        Output.write("\(record.id), the key of \(record.name), is revoked\n")
    }
}

extension KeyID: ExpressibleByArgument {
    /// Reads what `keys list` shows.
    package init?(argument: String) { self.init(argument) }
}
