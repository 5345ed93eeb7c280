import Hummingbird
import NIOCore

/// The connection that a request came over.
struct Connection: InitializableFromSource {
    let channel: any Channel

    /// Made by the server.
    init(source: ApplicationRequestContextSource) { channel = source.channel }
}
