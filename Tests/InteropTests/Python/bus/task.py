"""What a handler sees, without a bridge."""

import threading

from checks import PATIENCE, check, equal, expect
from lcp_bus import Answer, Cancelled, Task, TaskFailed
from lcp_bus import messages as bus


def task(progress_seconds=3600.0, count=None, deadline=2000):
    item = bus.ComputeItem(deadline_unix=deadline, now_unix=1000)
    return Task(item, progress_seconds, count or (lambda: None))


def raises(kind, call):
    try:
        call()
    except kind as error:
        return error
    expect(False, f"no {kind.__name__}")


@check("progress goes out at most once per interval, however often a handler says it")
def thinned():
    sent = []
    one = task(count=lambda: sent.append(1))
    equal(list(one.alive(range(1000))), list(range(1000)), "the steps")
    equal(len(sent), 1, "progress sent")
    always = task(progress_seconds=0.0, count=lambda: sent.append(1))
    list(always.alive(range(10)))
    equal(len(sent), 11, "progress sent without an interval")


@check("a cancelled handler is told at its next progress")
def cancelled():
    one = task()
    steps = one.alive(iter(range(10)))
    next(steps)
    one.cancel()
    expect(one.is_cancelled, "is_cancelled")
    raises(Cancelled, lambda: next(steps))
    raises(Cancelled, one.progress)


@check("past its deadline, by the bridge's clock, a task is cancelled")
def deadline():
    expect(task(deadline=1000).is_cancelled, "a deadline that has come")
    expect(900 < task(deadline=2000).seconds_left <= 1000, "the seconds left")
    expect(not task(deadline=0).is_cancelled, "no deadline")


@check("a blocking call keeps its lease, but only for as long as was said")
def alive_for():
    alive = threading.Event()
    rounds = []

    def sent():
        rounds.append(1)
        if len(rounds) == 4:
            alive.set()

    with task(progress_seconds=0.001, count=sent).alive_for(PATIENCE):
        expect(alive.wait(PATIENCE), "no progress during the call")
    with task(progress_seconds=3600.0).alive_for(0):
        for thread in threading.enumerate():
            if thread.name == "lcp-bus-alive":
                thread.join(PATIENCE)
                expect(not thread.is_alive(), "progress goes on after its time")


@check("a text that does not fit is cut between characters, other bytes are not cut")
def cut():
    result = Answer("aé€").result(5)
    equal((result.output, result.truncated), ("aé".encode(), True), "cut inside €")
    equal(result.content_type, "text/plain; charset=utf-8", "the content type")
    result = Answer("aé€").result(6)
    equal((result.output, result.truncated), ("aé€".encode(), False), "not cut")
    raises(TaskFailed, lambda: Answer(b"aaaaaa").result(5))
    equal(Answer(b"aaaaa", "image/png").result(5).content_type, "image/png", "the content type")
