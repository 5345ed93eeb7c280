import Hummingbird
import NIOCore

/// The connection that a request came over.
struct Connection: InitializableFromSource {
    private let channel: any Channel

    /// Made by the server.
    init(source: ApplicationRequestContextSource) { channel = source.channel }

    /// Who notices that the client goes; nil when it has gone already.
    func presence() async -> ClientPresence? {
        try? await channel.pipeline.handler(type: ClientPresence.self).get()
    }
}
