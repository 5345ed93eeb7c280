import NIOCore
import Synchronization

/// Notices that a client has gone, or takes nothing, while its request is still answered.
///
/// The server reads nothing while it answers, and would see the end of a connection only when it
/// writes. A client that has closed its side waits for no answer any more; one that takes nothing of
/// its answer for a while is disconnected.
final class ClientPresence: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    private struct State {
        var isGone = false
        var whenGone: (@Sendable () -> Void)?
        /// Ends the connection when the client still takes nothing.
        var end: Scheduled<Void>?
    }

    private let limits: RequestLimits
    private let clients: ConnectedClients
    private let state = Mutex(State())

    init(limits: RequestLimits, among clients: ConnectedClients) {
        self.limits = limits
        self.clients = clients
    }

    func handlerAdded(context: ChannelHandlerContext) {
        clients.add(self, on: context.channel)
        do {
            let pipeline = context.pipeline.syncOperations
            try RequestGuard.add(to: pipeline, limits)
        } catch {
            // A connection that nobody guards is none.
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { clients.remove(context.channel) }

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

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let channel = context.channel
        let end =
            channel.isWritable
            ? nil
            : context.eventLoop.scheduleTask(in: TimeAmount(limits.unreadTime)) {
                channel.close(promise: nil)
            }
        setEnd(end)
        context.fireChannelWritabilityChanged()
    }

    private func setEnd(_ end: Scheduled<Void>?) {
        let before = state.withLock { state in
            defer { state.end = end }
            return state.end
        }
        before?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        setEnd(nil)
        leave()
        context.fireChannelInactive()
    }
}
