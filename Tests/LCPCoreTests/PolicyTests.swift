import LCPCore
import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct PolicyTests {
    // MARK: - Token bucket

    @Test func `a bucket lets a minute's worth through and refills by the second`() {
        var bucket = TokenBucket(perMinute: 6, at: Sample.now)
        let seconds: [UInt64] = [0, 0, 0, 0, 0, 0, 0, 9, 10, 10]
        let taken = seconds.map { bucket.take(at: Sample.now.advanced(bySeconds: $0)) }
        #expect(taken == [true, true, true, true, true, true, false, false, true, false])
    }

    @Test func `a bucket never holds more than a minute, and a clock set back refills nothing`() {
        var bucket = TokenBucket(perMinute: 2, at: Sample.now)
        let later = UnixTime(seconds: .max)
        let taken = [later, later, later, Sample.now, later].map { bucket.take(at: $0) }
        #expect(taken == [true, true, false, false, false])
        var closed = TokenBucket(perMinute: 0, at: Sample.now)
        let isOpen = closed.take(at: later)
        #expect(!isOpen)
    }

    @Test func `no pattern of requests gets more than the rate and one bucket`() {
        for seed in UInt64(0)..<200 {
            var random = SeededGenerator(seed: seed)
            let rate = UInt32.random(in: 1...100, using: &random)
            var bucket = TokenBucket(perMinute: rate, at: Sample.now)
            var seconds: UInt64 = 0
            var taken: UInt64 = 0
            for _ in 0..<300 {
                seconds += UInt64.random(in: 0...3, using: &random)
                if bucket.take(at: Sample.now.advanced(bySeconds: seconds)) { taken += 1 }
            }
            #expect(taken <= UInt64(rate) + seconds * UInt64(rate) / 60, "seed \(seed)")
            #expect(taken > 0)
        }
    }

    // MARK: - Peers

    @Test func `lists, channels and limits decide who is served`() throws {
        let peer = try Sample.peer()
        func code(_ policy: PeerPolicy, _ change: (inout PeerFacts) -> Void = { _ in }) -> UInt16? {
            var facts = Sample.stranger
            change(&facts)
            return policy.refusal(of: peer, facts)?.code.rawValue
        }
        let unsupportedTask: UInt16 = 2
        let rateLimited: UInt16 = 7
        #expect(code(PeerPolicy()) == nil)
        #expect(code(PeerPolicy(allowed: [])) == unsupportedTask)
        #expect(code(PeerPolicy(allowed: [peer])) == nil)
        #expect(code(PeerPolicy(allowed: [peer], denied: [peer])) == unsupportedTask)
        #expect(code(PeerPolicy(requiresChannel: true)) == unsupportedTask)
        #expect(code(PeerPolicy(requiresChannel: true)) { $0.hasChannel = true } == nil)
        #expect(code(PeerPolicy(maxOpenJobs: 2)) { $0.openJobs = 1 } == nil)
        #expect(code(PeerPolicy(maxOpenJobs: 2)) { $0.openJobs = 2 } == rateLimited)
        #expect(code(PeerPolicy()) { $0.isWithinRate = false } == rateLimited)
    }

    // MARK: - Result size

    @Test(arguments: [nil, "", ResultLimit.chatContentType], [UInt64(0), 1_767_225_600, .max])
    func `the largest result that fits, fits exactly`(
        contentType: String?,
        expiry: UInt64
    ) throws {
        func size(_ count: Int) throws -> Int {
            let envelope = V01.Envelope(
                jobID: Sample.id(1),
                messageID: Sample.id(2),
                expiry: UnixTime(seconds: expiry)
            )
            let result = V01.Result(
                result: [UInt8](repeating: 0x61, count: count),
                contentType: contentType
            )
            return try V01.Message.result(envelope, result).encoded().count
        }
        var fitted = 0
        for limit in Array(60...420) + [16384, 65533] {
            let most = ResultLimit.maxResultBytes(
                maxPayloadBytes: UInt32(limit),
                contentType: contentType,
                expiry: UnixTime(seconds: expiry)
            )
            guard let most else {
                #expect(try size(0) > limit)
                continue
            }
            fitted += 1
            #expect(try size(most) <= limit)
            #expect(try size(most + 1) > limit)
        }
        #expect(fitted > 200)
    }

    @Test func `the specification's own numbers come out`() {
        func most(_ limit: UInt32?) -> Int? {
            ResultLimit.maxResultBytes(
                maxPayloadBytes: limit,
                contentType: ResultLimit.chatContentType,
                expiry: Sample.now
            )
        }
        #expect(most(16384) == 16275)
        #expect(most(107 + 252) == 252)
        #expect(most(107) == 0)
        #expect(most(106) == nil)
        #expect(most(nil) == 65533 - 109)
        #expect(most(.max) == 65533 - 109)
    }

    @Test func `text is cut at characters, and never more than it must be`() {
        let characters: [Character] = ["a", "é", "プ", "🔖"]
        var torn = 0
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            let text = String((0..<20).map { _ in characters[Int(random.next() % 4)] })
            let bytes = Array(text.utf8)
            for limit in 0...bytes.count + 2 {
                let kept = ResultLimit.cut(bytes, at: limit)
                #expect(kept <= limit)
                #expect(String(validating: bytes[..<kept], as: UTF8.self) != nil)
                #expect(limit - kept <= 3 || kept == bytes.count)
                if kept < min(limit, bytes.count) {
                    torn += 1
                    #expect(String(validating: bytes[..<limit], as: UTF8.self) == nil)
                }
            }
        }
        #expect(torn > 1000, "no limit fell into a character")
        let noise = [UInt8](repeating: 0x80, count: 100)
        #expect(ResultLimit.cut(noise, at: 50) == 47)
    }
}
