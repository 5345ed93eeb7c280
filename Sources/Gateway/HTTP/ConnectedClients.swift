import NIOCore
import Synchronization

/// Who notices that a client goes, for each connection that is open.
///
/// A request finds it here at once; the connection's own event loop would have to be asked for it.
final class ConnectedClients: Sendable {
    private let clients = Mutex<[ObjectIdentifier: ClientPresence]>([:])

    /// The client of a connection; nil when it has gone already.
    func presence(on channel: any Channel) -> ClientPresence? {
        clients.withLock { $0[ObjectIdentifier(channel)] }
    }

    /// Takes a client in, until ``remove(_:)``.
    func add(_ client: ClientPresence, on channel: any Channel) {
        clients.withLock { $0[ObjectIdentifier(channel)] = client }
    }

    /// Forgets the client of a connection that is over.
    func remove(_ channel: any Channel) {
        clients.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }
}
