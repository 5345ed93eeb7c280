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
}
