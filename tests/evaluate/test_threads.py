"""Threads for work that waits: in order, at most so many, none without work, and none that a fork would miss."""

import signal
import threading

import pytest

from symbiont_jit.evaluate import threads as module
from symbiont_jit.evaluate.threads import Threads
from tests.child import in_child


def test_results_and_exceptions_are_the_futures():
    """What a function returns or raises is what comes of its future."""
    threads = Threads(2)
    assert [future.result(10) for future in [threads.submit(pow, 2, n) for n in range(20)]] == [2**n for n in range(20)]
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result(10)


def test_at_most_so_many_at_a_time():
    """Work that has to wait for a thread waits; all of it is done in the end."""
    together, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2)

    def work():
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        both.wait(10)  # Two at a time there are, or nobody would come past this.
        with lock:
            together[0] -= 1

    threads = Threads(2)
    for future in [threads.submit(work) for _ in range(10)]:
        future.result(10)
    assert most == [2]


def test_no_thread_stays_without_work():
    """Nothing has to be shut down."""
    threads, before = Threads(3), threading.active_count()
    together = threading.Barrier(3)
    running = [threads.submit(lambda: (together.wait(10), threading.current_thread())) for _ in range(3)]
    for future in running:
        future.result(10)[1].join(10)
    assert threading.active_count() == before
    assert threads.submit(int, "7").result(10) == 7


def test_what_no_thread_has_begun_can_be_cancelled():
    """What is under way goes on, and what comes later is done."""
    begun, go_on = threading.Event(), threading.Event()
    threads = Threads(1)
    first = threads.submit(lambda: (begun.set(), go_on.wait(10)))
    begun.wait(10)
    waiting = [threads.submit(int) for _ in range(3)]
    threads.cancel()
    last = threads.submit(int, "1")
    go_on.set()
    assert [future.cancelled() for future in waiting] == [True] * 3
    assert (first.result(10), last.result(10)) == ((None, True), 1)


@pytest.mark.slow
def test_a_forked_child_has_threads_of_its_own():
    """Threads do not survive a fork, neither do those that were busy."""
    begun, go_on = threading.Event(), threading.Event()
    threads = Threads(1)
    busy = threads.submit(lambda: (begun.set(), go_on.wait(30)))
    begun.wait(10)
    assert in_child(lambda: threads.submit(str, 5).result(10)) == "5"
    go_on.set()
    busy.result(10)


def test_where_no_thread_can_be_started_the_caller_works(monkeypatch):
    """The system may be full: then work is done at once, or by the threads that there are."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    threads = Threads(2)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert [threads.submit(int, str(number)).result(0) for number in range(3)] == [0, 1, 2]
    go_on = threading.Event()
    busy = threads.submit(go_on.wait, 30)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        waiting = threads.submit(int, "5")
        assert not waiting.done()
    go_on.set()
    assert (busy.result(10), waiting.result(10)) == (True, 5)


def test_a_signal_handler_may_come_in_between(monkeypatch):
    """A handler that runs while a thread is started may cancel what waits, and submit more."""
    threads, start, inside = Threads(1), threading.Thread.start, []

    def interrupt(thread):
        if not inside:
            inside.append(threads.submit(int, "7"))
            threads.cancel()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    outer = threads.submit(int, "8")
    assert (outer.cancelled(), inside[0].cancelled()) == (True, True)
    assert threads.submit(int, "9").result(10) == 9


def test_an_interruption_costs_no_thread(monkeypatch):
    """Ctrl-C between counting a thread and starting it leaves the work to be done, and the place free afterwards."""

    class Interrupted(threading.Thread):
        """A thread at whose making somebody interrupts the program."""

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            signal.raise_signal(signal.SIGALRM)

    class Interruption(Exception):
        pass

    def interrupt(*_):
        raise Interruption

    threads, before = Threads(1), signal.signal(signal.SIGALRM, interrupt)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(module.threading, "Thread", Interrupted)
            for _ in range(3):
                with pytest.raises(Interruption):
                    threads.submit(int).result(10)
        assert threads.submit(int, "7").result(10) == 7
    finally:
        signal.signal(signal.SIGALRM, before)
