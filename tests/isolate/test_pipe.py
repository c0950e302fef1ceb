"""A worker's pipe: the parent waits as long as its patience lasts, whatever a child writes, and reads what it asked for."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from symbiont_jit import Evolution, Status, UsageError
from symbiont_jit.evaluate.first_call import first_call_limit
from symbiont_jit.isolate.worker import Crash, Overdue, Worker, WorkerReply
from tests.isolate.served import forge, framed, nonce, own_pipe
from tests.kernels import DOT

ENDLESS = (float("inf"), 1e300, 1e9, 3e6)


def outcomes(serve, deadline, *requests):
    """What becomes of some requests, one after the other."""
    worker = Worker(serve)
    try:
        return [worker.ask(request, deadline) for request in requests]
    finally:
        worker.close()


def send_out_of_band(request):
    """Make the pipe ready to be read, though nothing can be read from it."""
    if request == "urgent":
        socket.socket(fileno=os.dup(own_pipe())).send(b"x", socket.MSG_OOB)
        time.sleep(60)
    return request


def test_an_answer_has_at_most_4_mib():
    """One that announces a byte more is refused before it is read."""
    (found,) = outcomes(
        lambda request: os.write(own_pipe(), struct.pack("!i", (4 << 20) + 1)) and time.sleep(60), 5.0, 0
    )
    assert found.reason.startswith("an answer that cannot be read (an answer of 4194305 bytes)")
    (found,) = outcomes(lambda request: [["x" * 60_000] * 4, "y"], 5.0, 0)
    assert [len(text) for text in found.value[0]] == [60_000] * 4


@pytest.mark.slow
def test_what_is_sent_out_of_band_does_not_hold_the_parent():
    """A child that makes its parent believe that there is something to read is killed at the deadline."""
    overdue, reply = outcomes(send_out_of_band, 0.3, "urgent", "next")
    assert isinstance(overdue, Overdue)
    assert reply == WorkerReply("next")


def trickle(request):
    """Announce a long answer, and send it byte by byte without a pause."""
    pipe = own_pipe()
    os.write(pipe, struct.pack("!i", 1 << 22))
    while True:
        os.write(pipe, b"x")


@pytest.mark.slow
def test_an_answer_in_pieces_has_to_come_in_time():
    """A child that always has another byte ready is killed at the deadline, too."""
    (overdue,) = outcomes(trickle, 0.3, None)
    assert isinstance(overdue, Overdue)


def answer_twice(request):
    if request == "twice":
        forge(b'="one"', b'="two"')
    return request


def test_an_answer_too_many_is_not_the_next_one():
    """A child that has said more than it was asked is ended before the next request, which another one answers."""
    assert [o.value for o in outcomes(answer_twice, 10.0, "twice", "next", "last")] == ["one", "next", "last"]


def answer_later(request):
    """Serve, and leave a thread that says something while the next request is served."""
    if request != "honest":
        told = {"as before": nonce(), "any": bytes(16), "none": b""}[request]
        pipe, sent = own_pipe(), framed(told + b'="forged"')
        thread = threading.Thread(target=lambda: (_NEXT.wait(), os.write(pipe, sent)), daemon=True)
        thread.start()
        _LEFT.append(thread)
    elif _LEFT:
        _NEXT.set()
        time.sleep(60)
    return "served"


_NEXT = threading.Event()
_LEFT = []


@pytest.mark.parametrize("nonce_of", ["as before", "any", "none"])
def test_an_answer_to_another_request_is_none(nonce_of):
    """What code says later that ran for an earlier request is no answer to the next one, which another child serves."""
    assert outcomes(answer_later, 60.0, nonce_of, "honest") == [WorkerReply("served")] * 2


def test_an_answer_that_is_none_is_the_request_s_own_in_a_fresh_child():
    """Where nothing ran before, or the child after it says such a thing too, the request is to blame."""
    serve = lambda request: os.write(own_pipe(), framed(bytes(16) + b'="forged"')) if request else "served"  # noqa: E731
    found = outcomes(serve, 60.0, True, False, True)
    reason = "an answer that cannot be read (it answers no request, or another one)"
    assert found[1] == WorkerReply("served")
    assert [found[0], found[2]] == [Crash(reason, was_unreadable=True)] * 2


def answer_and_close(request):
    """Answer, and go on living without a pipe."""
    if request == "close":
        forge(b'="closed"')
        os.close(own_pipe())
        time.sleep(60)
    return request


def test_a_child_that_has_closed_its_pipe_is_replaced():
    """A child that goes on living without a pipe is no request's fault."""
    worker = Worker(answer_and_close)
    try:
        assert worker.ask("close", 10.0) == WorkerReply("closed")
        while worker._child.can_be_asked:
            time.sleep(0.001)
        assert worker.ask("next", 10.0) == WorkerReply("next")
    finally:
        worker.close()


@pytest.mark.parametrize("deadline", ENDLESS)
def test_a_deadline_may_be_far_away(deadline):
    """An infinite deadline is none, and one that no timer of the system takes is as good."""
    assert outcomes(lambda request: request, deadline, "one", "two") == [WorkerReply("one"), WorkerReply("two")]


@pytest.mark.parametrize("deadline", [1e300, 1e9])
def test_a_search_may_have_a_deadline_that_is_far_away(dot, deadline):
    """Candidates are evaluated as with any other."""
    with Evolution(dot, metric=lambda kernel: 1.0, deadline=deadline) as search:
        assert search.evaluate(DOT).status is Status.VALID


@pytest.mark.parametrize("seconds", ENDLESS)
def test_a_first_call_may_take_for_ever(seconds):
    """The first call of a metric has no limit then, on the main thread and on others."""
    found = []

    def call():
        with first_call_limit(seconds, "the metric"):
            found.append("called")

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    call()
    assert found == ["called"] * 2


def test_a_near_limit_still_ends_the_first_call():
    """A limit that timers take is the one that holds."""
    with pytest.raises(UsageError, match=r"longer than 0\.05 seconds"), first_call_limit(0.05, "the metric"):
        time.sleep(60)


def close_for_reading(request):
    """Answer, and take no more messages."""
    if request == "shut":
        socket.socket(fileno=os.dup(own_pipe())).shutdown(socket.SHUT_RD)
    return request


@pytest.mark.slow
def test_a_pipe_that_takes_no_more_messages():
    """The next request goes to another child: it is no fault of its own, and no signal ends the parent."""
    script = """
import signal
from tests.isolate.test_pipe import close_for_reading
from symbiont_jit.isolate.worker import Worker
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
worker = Worker(close_for_reading)
print([worker.ask(words, 10).value for words in ("shut", "a", "shut", "b")])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout.strip()) == (0, "['shut', 'a', 'shut', 'b']"), done.stderr
