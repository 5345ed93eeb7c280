package import BridgeProtocol
package import Foundation
import SwiftProtobuf
package import ZeroMQ

/// The bridge's side of one role's two sockets, which does what a test says.
package actor ScriptedBridge {
    /// What a worker connects to; removed by ``close()``.
    package nonisolated let directory: String
    private nonisolated let role: WorkerRole
    private var epoch = ScriptedBridge.random()
    private var sockets: Sockets
    private var waiting: [BusWorkerReply] = []

    private struct Sockets {
        let context: Context
        let events: XPubSocket
        let replies: PullSocket
    }

    /// A connected worker, as the bridge knows it.
    package struct Member: Sendable {
        /// Where its events go.
        package let subscription: Subscription
        /// What its replies must carry.
        package let nonce: Data
    }

    /// Binds in a directory of its own.
    ///
    /// - Parameter role: The role of the workers.
    /// - Throws: Whatever keeps it from binding.
    package init(_ role: WorkerRole) async throws {
        self.role = role
        directory = "/tmp/lcp-bus-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: "\(directory)/\(role.rawValue)",
            withIntermediateDirectories: true
        )
        sockets = try await Self.bind(directory, role)
    }

    /// Closes everything and removes the directory.
    package func close() async {
        await sockets.context.shutDown()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Dies and comes back with another epoch.
    ///
    /// - Throws: Whatever keeps it from binding again.
    package func restart() async throws {
        await sockets.context.shutDown()
        epoch = Self.random()
        waiting = []
        sockets = try await Self.bind(directory, role)
    }

    // MARK: - Membership

    /// Waits for the next subscription.
    ///
    /// - Returns: The subscription; its topic is a worker's.
    /// - Throws: ``UnexpectedFrame`` when something else happens first.
    package func subscription() async throws -> Subscription {
        for event in try await sockets.events.events() {
            guard case .started(let subscription) = event else { continue }
            return subscription
        }
        throw UnexpectedFrame(text: "no subscription")
    }

    /// Waits until a subscription has ended.
    ///
    /// - Parameter subscription: The one that must end.
    /// - Throws: ``UnexpectedFrame`` when something else happens first.
    package func end(of subscription: Subscription) async throws {
        let events = try await sockets.events.events()
        guard events == [.ended(subscription)] else { throw UnexpectedFrame(text: "\(events)") }
    }

    /// Sends a Welcome with a new nonce and does not wait for the answer.
    ///
    /// - Parameters:
    ///   - subscription: Whom to welcome.
    ///   - change: Changes the Welcome before it is sent.
    /// - Returns: The membership to be.
    /// - Throws: ``ZeroMQError``.
    package func welcome(
        _ subscription: Subscription,
        change: @Sendable (inout BusWelcome) -> Void = { _ in }
    ) async throws -> Member {
        var welcome = BusWelcome.with {
            $0.epoch = epoch
            $0.nonce = Self.random()
            $0.leaseSeconds = 30
            $0.progressSeconds = 10
            $0.maxReplyBytes = 4 << 20
            $0.nodeID = Data([2] + [UInt8](repeating: 7, count: 32))
            $0.network = "regtest"
        }
        change(&welcome)
        let member = Member(subscription: subscription, nonce: welcome.nonce)
        try await send(.welcome(welcome), to: member)
        return member
    }

    /// Waits for a worker, welcomes it and waits for its Hello; drops stale replies.
    ///
    /// - Parameter change: Changes the Welcome before it is sent.
    /// - Returns: The member and what it said of itself.
    /// - Throws: ``UnexpectedFrame`` when it says anything else.
    package func join(
        change: @Sendable (inout BusWelcome) -> Void = { _ in }
    ) async throws -> (member: Member, hello: BusHello) {
        let member = try await welcome(try await subscription(), change: change)
        var reply = try await reply()
        // What was on its way to the bridge before, which a bridge drops.
        while reply.nonce != member.nonce { reply = try await self.reply() }
        guard case .hello(let hello) = reply.body else {
            throw UnexpectedFrame(text: "not the Hello")
        }
        return (member, hello)
    }

    /// Waits for a Goodbye, after any Progress.
    ///
    /// - Throws: ``UnexpectedFrame`` when the worker says anything else.
    package func goodbye() async throws {
        while true {
            switch try await reply().body {
            case .progress: continue
            case .goodbye: return
            case .hello, .job, .compute, .failed, nil: throw UnexpectedFrame(text: "no Goodbye")
            }
        }
    }

    /// Tells a member that drains that everything it said has arrived, unless it has left: it waits
    /// two seconds, which may pass on a slow machine.
    ///
    /// - Parameter member: Whom to dismiss.
    /// - Throws: ``ZeroMQError``.
    package func dismiss(_ member: Member) async throws {
        do {
            try await send(.refused(.with { $0.failure.code = "drained" }), to: member)
        } catch let error as ZeroMQError where error.code == .unknownPeer {}
    }

    // MARK: - Work

    /// Sends an event to a member.
    ///
    /// - Parameters:
    ///   - body: The event.
    ///   - member: Whom to send it to.
    /// - Throws: ``ZeroMQError``.
    package func send(_ body: BusWorkerEvent.OneOf_Body, to member: Member) async throws {
        let bytes: [UInt8] = try BusWorkerEvent.with { $0.body = body }.serializedBytes()
        try await send(raw: [Frame(bytes)], to: member)
    }

    /// Sends any frames to a member.
    ///
    /// - Parameters:
    ///   - frames: What follows the topic.
    ///   - member: Whom to send it to.
    /// - Throws: ``ZeroMQError``.
    package func send(raw frames: [Frame], to member: Member) async throws {
        try await sockets.events.send(frames, to: member.subscription)
    }

    /// The next reply of any worker.
    ///
    /// - Returns: The reply.
    /// - Throws: ``UnexpectedFrame`` when it is none.
    package func reply() async throws -> BusWorkerReply {
        while waiting.isEmpty {
            waiting = try await sockets.replies.receive().map { message in
                guard message.frameCount == 1 else { throw UnexpectedFrame(text: "many frames") }
                return try BusWorkerReply(serializedBytes: message.head.bytes)
            }
        }
        return waiting.removeFirst()
    }

    // MARK: - Helpers

    private static func bind(_ directory: String, _ role: WorkerRole) async throws -> Sockets {
        let context = try Context()
        let events = "\(directory)/\(BusEndpoint.events(role).path)"
        let replies = "\(directory)/\(BusEndpoint.replies(role).path)"
        return Sockets(
            context: context,
            events: try await context.xpub(.ipc(path: events)) { request in
                WorkTopic(subscription: request.topic) != nil
            },
            replies: try await context.pull(.ipc(path: replies))
        )
    }

    private static func random() -> Data { Data(WorkerID.random().bytes) }
}

/// A worker did something that the test's script has no place for.
package struct UnexpectedFrame: Error { var text: String }
