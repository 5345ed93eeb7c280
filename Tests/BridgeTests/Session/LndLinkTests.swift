import LCPTesting
import LndRPC
import Testing

@testable import Bridge

@Suite struct LndLinkTests {
    private let node = SessionSample.node
    private let broken = LndError(.unavailable, "broken")

    /// Hands in events of the present life and gives the last one's effects.
    @discardableResult
    private func handle(_ link: inout LndLink, _ events: LndLink.Event...) -> [LndLink.Effect] {
        var effects: [LndLink.Effect] = []
        for event in events { effects = link.handle(event, of: link.life, jitter: 1) }
        return effects
    }

    private func readyLink() -> LndLink {
        var link = LndLink()
        handle(&link, .answering, .introduced(node))
        handle(&link, .opened(.messages), .opened(.peers), .opened(.invoices), .looked)
        return link
    }

    @Test func `subscriptions come before the look, and the look before ready`() {
        var link = LndLink()
        #expect(handle(&link, .phase(.walletLocked)).isEmpty)
        #expect(link.status.detail.contains("unlock"))
        #expect(handle(&link, .answering) == [.introduce])
        #expect(
            handle(&link, .introduced(node)) == [.open(.messages), .open(.peers), .open(.invoices)]
        )
        #expect(handle(&link, .opened(.peers), .opened(.messages)).isEmpty)
        #expect(!link.isReady && link.closed == [.invoices])
        #expect(handle(&link, .opened(.invoices)) == [.look(after: .zero)])
        #expect(handle(&link, .looked) == [.tell(.ready(node))])
        #expect(link.isReady && link.status == LndLinkStatus(name: "ready", detail: ""))
    }

    @Test(arguments: LndLink.Stream.allCases)
    func `a stream that ends is opened again after a pause`(_ stream: LndLink.Stream) {
        for error in [nil, broken] {
            var link = readyLink()
            #expect(
                handle(&link, .ended(stream, error, wasGood: true))
                    == [.rest(stream, .milliseconds(100))]
            )
            #expect(link.status.name == "mending" && link.status.detail.contains(stream.rawValue))
            #expect(handle(&link, .rested(stream)) == [.open(stream)])
            let effects = handle(&link, .opened(stream))
            let expected: [LndLink.Stream: LndLink.Effect] = [
                .messages: .tell(.messagesReopened), .invoices: .tell(.invoicesReopened),
                .peers: .look(after: .zero),
            ]
            #expect(effects == expected[stream].map { [$0] })
            #expect(link.status.name == "ready" && link.trouble == nil)
        }
    }

    @Test func `pauses grow with failures and begin anew after a good stream`() {
        var link = readyLink()
        func pause(wasGood: Bool) -> Duration? {
            let effects = handle(&link, .ended(.invoices, broken, wasGood: wasGood))
            handle(&link, .rested(.invoices))
            guard case .rest(.invoices, let pause) = effects.first else { return nil }
            return pause
        }
        let pauses = (0..<10).map { _ in pause(wasGood: false) }
        #expect(pauses.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(pauses.last == .seconds(16))
        #expect(pause(wasGood: true) == .milliseconds(100))
        let half = link.handle(.ended(.peers, broken, wasGood: true), of: link.life, jitter: 0)
        #expect(half == [.rest(.peers, .milliseconds(50))])
    }

    @Test func `lnd is lost when no stream stands, and what is late is ignored`() {
        var link = readyLink()
        let life = link.life
        handle(&link, .ended(.messages, broken, wasGood: true))
        handle(&link, .ended(.peers, nil, wasGood: true))
        #expect(
            handle(&link, .ended(.invoices, broken, wasGood: true))
                == [.tell(.lost(broken)), .await(after: .zero)]
        )
        #expect(link.life == life + 1 && link.node == nil && !link.isReady)
        for event in [
            .rested(.messages), .opened(.peers), .looked, .answering,
        ] as [LndLink.Event] {
            #expect(link.handle(event, of: life, jitter: 0).isEmpty, "\(event)")
        }
        #expect(handle(&link, .answering) == [.introduce])
    }

    @Test func `lives that never become good begin with growing pauses`() {
        var link = LndLink()
        let pauses = (0..<4).map { _ -> [LndLink.Effect] in
            handle(&link, .answering)
            return handle(&link, .notIntroduced(broken))
        }
        #expect(
            pauses == [
                [.await(after: .zero)], [.await(after: .milliseconds(100))],
                [.await(after: .milliseconds(200))], [.await(after: .milliseconds(400))],
            ]
        )
        #expect(link.status.detail.contains("broken"))
    }

    @Test func `doubts during a look lead to one more look`() {
        var link = readyLink()
        #expect(handle(&link, .doubted) == [.look(after: .zero)])
        #expect(handle(&link, .doubted, .doubted).isEmpty)
        #expect(handle(&link, .notLooked(broken)) == [.look(after: .milliseconds(100))])
        #expect(handle(&link, .notLooked(broken)) == [.look(after: .milliseconds(200))])
        #expect(handle(&link, .looked) == [.look(after: .zero)])
        #expect(handle(&link, .looked).isEmpty)
    }

    /// Plays the shell: remembers what is under way and lets any of it come to any end.
    @Test func `in any order of ends nothing is opened twice, left behind or forgotten`() {
        var (readies, losses, reopenings) = (0, 0, 0)
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            var link = LndLink()
            var pending: [(effect: LndLink.Effect, life: UInt64)] = [(LndLink.first, link.life)]
            var open: Set<LndLink.Stream> = []
            var isReady = false
            for _ in 0..<120 {
                var event: LndLink.Event?
                var life = link.life
                if Bool.random(using: &random), let stream = open.randomElement(using: &random) {
                    open.remove(stream)
                    event = .ended(
                        stream,
                        Bool.random(using: &random) ? nil : broken,
                        wasGood: Bool.random(using: &random)
                    )
                } else if let index = pending.indices.randomElement(using: &random) {
                    let work = pending.remove(at: index)
                    let succeeds = Int.random(in: 0..<4, using: &random) > 0
                    life = work.life
                    switch work.effect {
                    case .await: event = .answering
                    case .introduce:
                        event = succeeds ? .introduced(node) : .notIntroduced(broken)
                    case .open(let stream) where succeeds:
                        #expect(open.insert(stream).inserted, "seed \(seed): opened twice")
                        event = .opened(stream)
                    case .open(let stream): event = .ended(stream, broken, wasGood: false)
                    case .rest(let stream, _): event = .rested(stream)
                    case .look: event = succeeds ? .looked : .notLooked(broken)
                    case .tell: break
                    }
                } else if !open.isEmpty {
                    event = .doubted
                }
                guard let event else { continue }
                let before = link.life
                for effect in link.handle(event, of: life, jitter: 0.5) {
                    switch effect {
                    case .tell(.ready):
                        #expect(!isReady, "seed \(seed): ready twice")
                        #expect(open.count == 3, "seed \(seed): ready without all streams")
                        (isReady, readies) = (true, readies + 1)
                    case .tell(.lost):
                        #expect(isReady, "seed \(seed): lost before ready")
                        (isReady, losses) = (false, losses + 1)
                    case .tell(.messagesReopened), .tell(.invoicesReopened):
                        #expect(isReady, "seed \(seed)")
                        reopenings += 1
                    case .await, .introduce, .open, .rest, .look:
                        pending.append((effect, link.life))
                    }
                }
                if link.life != before {
                    #expect(open.isEmpty, "seed \(seed): a stream was left behind")
                }
                let isAlive = !open.isEmpty || pending.contains { $0.life == link.life }
                #expect(isAlive, "seed \(seed): nothing is under way any more")
            }
        }
        #expect(readies > 100 && losses > 20 && reopenings > 100, "\(readies) \(losses)")
    }
}
