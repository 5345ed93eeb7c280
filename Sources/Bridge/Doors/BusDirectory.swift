import BridgeProtocol
import Foundation
import Glibc

/// The directory of the bus, whose permissions are the rights.
///
/// Each endpoint has a folder of its own. What is missing is made for the owner alone; what an
/// operator has made, with groups and modes, stays as it is.
enum BusDirectory {
    /// Makes the folders that are missing.
    ///
    /// - Throws: ``BridgeError`` when a folder can't be made.
    static func prepare(_ path: String) throws(BridgeError) {
        let folders = [
            "", "/provider", "/requester", "/compute", "/feed", "/feed/messages", "/feed/events",
            "/control", "/query",
        ]
        for folder in folders where mkdir(path + folder, 0o700) != 0 && errno != EEXIST {
            let cause = String(cString: strerror(errno))
            throw BridgeError(.busDirectory, "\(path)\(folder) can't be made: \(cause)")
        }
    }

    /// Lets each socket's group connect, whatever the process's umask: to connect takes write
    /// permission on the socket.
    ///
    /// In a folder with the set-group-ID bit a socket has the folder's group; elsewhere it has the
    /// bridge's own. Others are never let in.
    ///
    /// - Throws: ``BridgeError`` when a bound socket's mode can't be set.
    static func admitGroups(_ path: String) throws(BridgeError) {
        for endpoint in BusEndpoint.allCases where chmod("\(path)/\(endpoint.path)", 0o660) != 0 {
            let cause = String(cString: strerror(errno))
            throw BridgeError(.busDirectory, "\(path)/\(endpoint.path) can't be opened: \(cause)")
        }
    }
}
