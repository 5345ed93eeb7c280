"""Observing a feed."""

import json

import zmq
from checks import check, equal, expect
from lcp_bus import Gap, Observer
from lcp_bus import messages as bus

from .scripted import Bridge, example


class Feed:
    """The bridge's end of a feed."""

    def __init__(self, bridge, endpoint="feed/events"):
        self.socket = bridge.socket(zmq.XPUB, f"{endpoint}/socket")
        self.epoch, self.sequence = b"e" * 16, 0

    def subscribed(self):
        equal(self.socket.recv(), b"\1", "the subscription: everything")
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        return self

    def position(self):
        self.sequence += 1
        return bus.FeedPosition(epoch=self.epoch, sequence=self.sequence)

    def publish(self, topic, **body):
        event = bus.FeedEvent(position=self.position(), **body)
        self.socket.send_multipart([topic.encode(), event.SerializeToString()])


def heartbeat(feed):
    feed.publish("heartbeat", heartbeat=bus.Heartbeat())


@check("an observer gets the records of its topics, and gaps over all topics in their places")
def gaps():
    with Bridge() as bridge, Observer(bridge.bus, topics=["job/", "settlement"]) as observer:
        feed = Feed(bridge).subscribed()
        heartbeat(feed)
        feed.publish("job/provider/02", job=bus.Job(version=1))
        feed.sequence += 3
        heartbeat(feed)
        feed.publish("payment", payment=bus.PaymentOutcome())
        feed.publish("settlement", settlement=bus.Settlement(amount_msat=7))
        feed.epoch, feed.sequence = b"f" * 16, 40
        feed.publish("job/provider/02", job=bus.Job(version=2))
        feed.sequence -= 2
        feed.publish("job/provider/02", job=bus.Job(version=3))
        records = iter(observer)
        equal(next(records).message.job.version, 1, "the first record")
        equal(next(records), Gap("missed", 3), "the gap")
        settled = next(records)
        equal((settled.topic, settled.message.settlement.amount_msat), ("settlement", 7), "record")
        equal(settled.position.sequence, 8, "the sequence")
        equal(next(records), Gap("restarted"), "the new epoch")
        equal(next(records).message.job.version, 2, "the record behind it")
        equal(next(records), Gap("missed", 0), "a sequence that goes back")
        equal(next(records).message.job.version, 3, "the record behind it")


@check("records of a later version are counted and make no gap")
def unknown():
    with Bridge() as bridge, Observer(bridge.bus) as observer:
        feed = Feed(bridge).subscribed()
        heartbeat(feed)
        feed.publish("of/tomorrow")
        feed.socket.send_multipart([b"job", b"\xff"])
        feed.socket.send_multipart([b"job"])
        heartbeat(feed)
        records = iter(observer)
        equal([next(records).position.sequence for _ in range(2)], [1, 3], "the sequences")
        equal(observer.unreadable, 3, "unreadable records")


@check("a silent bridge is reported once, and the next record ends it")
def silence():
    with Bridge() as bridge, Observer(bridge.bus) as observer:
        observer.silence_seconds = 0.1
        records = iter(observer)
        equal(next(records), Gap("silent"), "nobody is there")
        feed = Feed(bridge).subscribed()
        heartbeat(feed)
        equal(next(records).topic, "heartbeat", "the next record")
        equal(next(records), Gap("silent"), "silent again")


@check("the feed of messages is read the same way")
def messages():
    with Bridge() as bridge, Observer(bridge.bus, "feed/messages", ["message/in/"]) as observer:
        feed = Feed(bridge, "feed/messages").subscribed()
        for direction in ("out", "in"):
            message = bus.FeedMessage(position=feed.position(), payload=direction.encode())
            feed.socket.send_multipart(
                [f"message/{direction}/02".encode(), message.SerializeToString()]
            )
        record = next(iter(observer))
        equal((record.topic, record.message.payload), ("message/in/02", b"in"), "the record")


@check("the example prints one line a record")
def observe_example():
    with Bridge() as bridge, example("observe.py", bridge, "job/") as process:
        feed = Feed(bridge).subscribed()
        heartbeat(feed)
        feed.publish("job/provider/02", job=bus.Job(version=5))
        feed.sequence += 1
        feed.publish("job/provider/02", job=bus.Job(version=6))
        topic, text = process.stdout.readline().split(" ", 1)
        equal((topic, json.loads(text)["job"]), ("job/provider/02", {"version": "5"}), "the line")
        equal(process.stdout.readline().strip(), "gap: missed 1", "the gap's line")
        expect('"6"' in process.stdout.readline(), "the next line")
