import CZeroMQ
import Glibc

/// Why a socket could not be opened, or a message not be sent or received.
package struct ZeroMQError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// Another process, or another socket of this one, has the endpoint.
        case addressInUse
        /// The endpoint is not one libzmq can bind or connect to.
        case addressInvalid
        /// The path of an `ipc` endpoint does not fit into a Unix socket address.
        case pathTooLong
        /// The file system or the port range refuses this process.
        case permissionDenied
        /// The path of an `ipc` endpoint is a file that is not a socket.
        case notASocket
        /// The high-water mark is reached and the caller chose not to wait.
        case full
        /// No connected peer has the routing ID, or the subscription has ended.
        case unknownPeer
        /// The socket or its context is closed.
        case closed
        /// Another task already waits to receive from the socket.
        case busy
        /// A CURVE key is not a key, or this libzmq has no CURVE.
        case curveUnusable
        /// The process or the context is out of sockets, files, threads or memory.
        case exhausted
        /// libzmq failed in a way this module does not know.
        case unexpected
    }

    /// What to branch on.
    package var code: Code
    /// What happened, naming the endpoint or the call; never a key and never a message's content.
    package var detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// What libzmq's last call on this thread failed with.
    init(during call: String, _ number: Int32 = zmq_errno()) {
        self.init(Code(number), "\(call): \(String(cString: zmq_strerror(number)))")
    }

    static let closed = ZeroMQError(.closed, "the socket is closed")
}

extension ZeroMQError.Code {
    init(_ number: Int32) {
        self =
            switch number {
            case EADDRINUSE: .addressInUse
            case EINVAL, EADDRNOTAVAIL, ENODEV, ENOENT, ENOTDIR, EPROTONOSUPPORT, ENOTSUP:
                .addressInvalid
            case ENAMETOOLONG: .pathTooLong
            case EACCES, EPERM, EROFS: .permissionDenied
            case EAGAIN: .full
            case EHOSTUNREACH: .unknownPeer
            case ZeroMQ.terminated, ENOTSOCK: .closed
            case EMFILE, ENFILE, ENOMEM, ENOBUFS: .exhausted
            default: .unexpected
            }
    }
}

/// Constants of `zmq.h` that are expressions, which Swift does not import.
enum ZeroMQ {
    /// `ETERM`: the context was shut down.
    static let terminated: Int32 = 156_384_712 + 53
}

extension ZeroMQError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for the person reading the log.
    package var advice: String {
        switch code {
        case .addressInUse: "Stop the process that has it, or choose another bus directory or port."
        case .addressInvalid: "Check that the directory exists or that the host and port are right."
        case .pathTooLong: "Choose a bus directory with a shorter path."
        case .permissionDenied:
            "Give this process's user or group the right, or choose another place."
        case .notASocket: "Move the file away; nothing was changed."
        case .full: "The other side is slow or stopped; try later or drop the message."
        case .unknownPeer: "Nothing to do: the peer has gone."
        case .closed: "Nothing to do: the process is shutting down or has closed the socket."
        case .busy: "One task at a time may receive from a socket."
        case .curveUnusable: "Check the key, 40 characters of Z85, and that libzmq has CURVE."
        case .exhausted: "Raise the limit (LimitNOFILE=) or free memory."
        case .unexpected: "Report this with the text above."
        }
    }
}
