import NIOCore
import Synchronization

/// Notices that a client has gone while its request is still answered.
///
/// The server reads nothing while it answers, and would see the end of a connection only when it
/// writes. A client that has closed its side waits for no answer any more.
final class ClientPresence: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    private struct State {
        var isGone = false
        var whenGone: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Sets what to do when the client goes, instead of anything before; at once when it has gone.
    ///
    /// - Parameter action: Must not wait; nil for nothing any more.
    func whenGone(_ action: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.whenGone = action
            return state.isGone
        }
        if isGone { action?() }
    }

    private func leave() {
        let action = state.withLock { state in
            state.isGone = true
            defer { state.whenGone = nil }
            return state.whenGone
        }
        action?()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }
}
