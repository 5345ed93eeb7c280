import BridgeProtocol
import Testing

@Suite struct WorkTopicTests {
    private static let topic = "work/000102030405060708090a0b0c0d0e0f"

    @Test func `a topic is written as it is read`() throws {
        let id = try #require(WorkerID((0..<16).map { UInt8($0) }))
        #expect(WorkTopic(id).bytes == Array(Self.topic.utf8))
        #expect(WorkTopic(subscription: Array(Self.topic.utf8)) == WorkTopic(id))
    }

    @Test(arguments: [
        "", "work/", "work", String(topic.dropLast()), topic + "0", topic + "\0",
        topic.uppercased(), topic.replacing("0a", with: "0A"), topic.replacing("0f", with: "0g"),
        topic.replacing("work", with: "feed"),
    ])
    func `anything but a whole topic is refused`(subscription: String) {
        #expect(WorkTopic(subscription: Array(subscription.utf8)) == nil)
    }

    @Test(arguments: [0, 15, 17]) func `an id of another length is none`(count: Int) {
        #expect(WorkerID([UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func `drawn ids differ`() {
        let ids = (0..<100).map { _ in WorkerID.random() }
        #expect(Set(ids).count == 100)
    }
}

@Suite struct BusEndpointTests {
    @Test func `each endpoint has a path of its own, below a folder`() {
        let paths = BusEndpoint.allCases.map(\.path)
        #expect(paths.count == 10)
        #expect(Set(paths).count == paths.count)
        #expect(paths.allSatisfy { $0.split(separator: "/").count == 2 })
    }
}
