import BridgeProtocol

/// The failures that the dispatcher itself states.
extension BusFailure {
    private init(_ code: String, _ detail: String, _ advice: String, retryable: Bool) {
        self.init()
        self.code = code
        self.detail = detail
        self.advice = advice
        self.retryable = retryable
    }

    static func workerGone(_ departure: Dispatcher.Departure) -> BusFailure {
        BusFailure(
            "worker-\(departure.rawValue)",
            "the worker that handled the item is gone",
            "Look at the workers' logs for what ended them.",
            retryable: true
        )
    }

    static let leaseLapsed = BusFailure(
        "lease-lapsed",
        "the worker sent neither an answer nor Progress for the item in time",
        "Look whether the worker is stuck or its backend too slow.",
        retryable: true
    )

    static let replyTooLarge = BusFailure(
        "reply-too-large",
        "the worker's answer exceeds what its Welcome allows",
        "Make the worker's state or output smaller.",
        retryable: true
    )

    static let duplicateWorker = BusFailure(
        "duplicate-worker",
        "another live process has this worker id",
        "Draw a fresh random id at each process start.",
        retryable: false
    )

    static let drained = BusFailure(
        "drained",
        "nothing is left of what the worker had",
        "",
        retryable: false
    )

    static func helloTooLarge(_ what: String) -> BusFailure {
        BusFailure(
            "hello-too-large",
            "the Hello announces \(what)",
            "Announce less per worker.",
            retryable: false
        )
    }
}
