import Journal
import LightningTypes
import Testing

@testable import Bridge

/// Who hears of which jobs when there are more watches than there is room for.
@Suite struct WatchListTests {
    private func watch(_ caller: UInt8, _ request: UInt64) -> WatchList.Watch {
        WatchList.Watch(
            caller: RequestDoor.Caller(routingID: [caller], identity: []),
            request: request
        )
    }

    private let peer = SessionSample.peer(1)
    private func key(_ byte: UInt8) -> JobKey {
        JobKey(
            role: .requester,
            peer: peer,
            id: Bytes32(Array(repeating: byte, count: 32)) ?? .zero
        )
    }

    @Test func `a watch hears of the jobs it names, and one that names none of all`() {
        var list = WatchList(maximum: 8)
        list.add(watch(1, 1), jobs: [key(1)])
        list.add(watch(2, 1), jobs: nil)
        #expect(Set(list.watches(of: key(1))) == [watch(1, 1), watch(2, 1)])
        #expect(list.watches(of: key(2)) == [watch(2, 1)])
        list.remove(watch(2, 1))
        #expect(list.isWatched(key(1)) && !list.isWatched(key(2)))
        #expect(list.dropped == 0)
    }

    @Test func `whoever has the most watches makes room with the oldest`() {
        var list = WatchList(maximum: 4)
        list.add(watch(1, 1), jobs: [key(1)])
        for request in 1...3 { list.add(watch(2, UInt64(request)), jobs: [key(2)]) }
        list.add(watch(3, 1), jobs: [key(3)])
        #expect(list.count == 4 && list.dropped == 1)
        #expect(Set(list.watches(of: key(2))) == [watch(2, 2), watch(2, 3)])
        #expect(list.isWatched(key(1)) && list.isWatched(key(3)))
    }

    @Test func `a watch that is armed again takes nobody's place`() {
        var list = WatchList(maximum: 2)
        list.add(watch(1, 1), jobs: [key(1)])
        list.add(watch(1, 2), jobs: [key(1)])
        list.add(watch(1, 1), jobs: [key(2)])
        #expect(list.count == 2 && list.dropped == 0)
        #expect(list.watches(of: key(1)) == [watch(1, 2)])
        // It is the newer one now.
        list.add(watch(2, 1), jobs: nil)
        #expect(!list.watches(of: key(2)).isEmpty && list.watches(of: key(1)) == [watch(2, 1)])
    }
}
