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
    @Test func `each right has a folder of its own, none inside another's`() {
        let paths = BusEndpoint.allCases.map(\.path)
        #expect(paths.count == 10)
        #expect(Set(paths).count == paths.count)
        let folders = Dictionary(grouping: paths) { path in
            path.split(separator: "/").dropLast().joined(separator: "/") + "/"
        }
        // A role's two sockets are one right.
        #expect(folders.values.map(\.count).sorted() == [1, 1, 1, 1, 2, 2, 2])
        for folder in folders.keys {
            #expect(folder != "/")
            #expect(folders.keys.count { $0.hasPrefix(folder) } == 1, "\(folder)")
        }
    }
}
