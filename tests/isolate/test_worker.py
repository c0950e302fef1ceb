"""How a worker ends: by itself, at its deadline, with its parent; and that the next request is answered."""

import gc
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from symbiont_jit.isolate import start
from symbiont_jit.isolate.shared import MAX_LAST_WORDS
from symbiont_jit.isolate.start import STARTS
from symbiont_jit.isolate.worker import Crash, Overdue, Worker, WorkerReply
from tests.concurrency import await_true, has_ended
from tests.isolate.served import answer, ask, run_python


def test_a_worker_that_closes_its_pipe_and_lives_on_is_ended(worker):
    """It gets no longer than it may work, and what is said of it is no exit code."""
    crash = worker.ask(("close_and_live_on",), 0.3)
    assert crash == Crash("a closed pipe, though the process went on")


def test_no_handler_of_the_parents_runs_while_a_worker_begins(monkeypatch):
    """A signal to all processes of a group that comes right after the fork does what it does by default."""
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(os.getpid()))

    def give_up(*_):
        os.kill(os.getpid(), signal.SIGUSR1)
        os.write(2, b"the handler ran")

    monkeypatch.setattr(start, "give_up_descriptors", give_up)
    worker = Worker(answer, STARTS["fork"])
    try:
        assert worker.ask(("handled_signals",), 10.0) == Crash("signal SIGUSR1")
    finally:
        worker.close()
        signal.signal(signal.SIGUSR1, before)
    assert seen == []


def test_no_handler_of_the_parents_runs_in_a_worker():
    """A signal that somebody sends to a worker does what it does by default, whatever the parent's program does then."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    worker = Worker(answer, STARTS["fork"])
    try:
        for number in before:
            signal.signal(number, lambda *_: None)
        assert ask(worker, "handled_signals") == []
    finally:
        worker.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def test_no_signal_of_a_workers_wakes_its_parent():
    """An event loop of the parent's hears of signals through a socket, which a worker may keep, and does not write to."""
    here, there = socket.socketpair()
    there.setblocking(False)
    before = signal.set_wakeup_fd(there.fileno())
    worker = Worker(answer, STARTS["fork"], permissions=["network"])
    try:
        assert ask(worker, "own_signal") == [signal.SIGUSR1]
        here.setblocking(False)
        with pytest.raises(BlockingIOError):
            here.recv(1)
    finally:
        worker.close()
        signal.set_wakeup_fd(before)
        here.close()
        there.close()


@pytest.mark.slow
def test_a_forked_worker_ends_nothing_of_its_parents():
    """Finalisers of what the parent had not collected at the fork run in no worker: they are the parent's to run."""
    ended = []

    class Garbage:
        """An object that only a collection can end."""

        def __init__(self):
            self.itself = self

        def __del__(self):
            ended.append(os.getpid())

    worker = Worker(lambda _: (gc.collect(), list(ended))[1], STARTS["fork"])
    try:
        gc.disable()
        Garbage()
        assert worker.ask(None, 10.0) == WorkerReply([])
    finally:
        gc.enable()
        worker.close()
    gc.collect()
    assert ended == [os.getpid()]


# -- how it ends ------------------------------------------------------------------------------------------------------


def test_a_crash_tells_signal_phase_and_last_words(worker):
    """A worker that is killed by its code says by what, at what, and the end of what it wrote."""
    crash = worker.ask(("speak_and", "x" * 1000 + "\nlast words", "crash", "testing"), 10.0)
    assert isinstance(crash, Crash)
    assert crash.phase == "testing"
    assert crash.reason.startswith("signal SIGSEGV (x")
    assert crash.reason.endswith("x last words)")
    assert len(crash.reason) < MAX_LAST_WORDS + 30


def test_an_exit_tells_its_code(worker):
    """A worker that ends by itself says with which code; without words there are no brackets."""
    assert worker.ask(("speak_and", "", "exit", "leaving"), 10.0) == Crash("exit code 5", "leaving")


def test_last_words_and_phase_give_no_orders(worker):
    """What a worker wrote and was doing when it ended stands in a message without control characters."""
    crash = worker.ask(("speak_and", "\x1b[31mred\x9b \x00words", "exit", "cl\x1b[cearing"), 10.0)
    assert crash == Crash("exit code 5 (?[31mred? words)", "cl?[cearing")


def test_an_overdue_worker_tells_its_phase(worker):
    """A worker that does not answer is killed at its deadline."""
    overdue = worker.ask(("speak_and", "", "hang", "waiting"), 0.3)
    assert isinstance(overdue, Overdue)
    assert overdue.phase == "waiting"
    assert overdue.seconds > 0


@pytest.mark.slow
def test_the_next_request_after_an_end(worker):
    """After a crash, an exit and a time-out the next request is answered, by a new process, and nothing is left over."""
    seen = [ask(worker, "process")]
    assert ask(worker, "process") == seen[0]
    for what in ("crash", "exit", "hang"):
        assert not isinstance(worker.ask(("speak_and", "old words", what, "old phase"), 0.5), WorkerReply)
        assert has_ended(seen[-1])
        seen.append(ask(worker, "process"))
        assert ask(worker, "output_size") == 0
    assert len(set(seen)) == 4
    assert worker.ask(("speak_and", "", "exit", ""), 10.0) == Crash("exit code 5", "")


def test_a_worker_that_was_killed_by_somebody(worker):
    """A worker that died between two requests is replaced without a word."""
    pid = ask(worker, "process")
    os.kill(pid, signal.SIGKILL)
    assert await_true(lambda: has_ended(pid))
    assert ask(worker, "process") != pid


def test_closing_ends_the_process(worker):
    """A closed worker has no process; asked again, it has."""
    pid = ask(worker, "process")
    worker.close()
    assert has_ended(pid)
    assert not has_ended(ask(worker, "process"))


def test_a_child_that_was_stopped_is_asked_no_more(worker):
    """A request that comes after a worker was stopped has a new process, also where nobody has closed it since."""
    before = ask(worker, "process")
    worker.stop()
    assert ask(worker, "process") != before


def test_a_child_that_is_started_while_it_is_stopped_ends(monkeypatch):
    """Who stops a worker that is just about to start a process for a request has that one killed, too."""
    start = lambda *arguments: (worker.stop(), STARTS["fork"](*arguments))[1]  # noqa: E731
    worker = Worker(answer, start)
    try:
        assert worker.ask(("process",), 10.0) == Crash("signal SIGKILL")
    finally:
        worker.close()


def test_a_worker_that_is_closed_while_it_is_asked(worker):
    """Who waits for an answer while another thread closes the worker is told of a crash; asked again, it answers."""
    found = []
    thread = threading.Thread(target=lambda: found.append(worker.ask(("speak_and", "", "hang", "waiting"), 60.0)))
    thread.start()
    assert await_true(lambda: worker._shared.read_phase() == "waiting")
    worker.close()
    thread.join()
    assert found == [Crash("signal SIGKILL", "waiting")]
    assert not has_ended(ask(worker, "process"))


# -- with its parent ---------------------------------------------------------------------------------------------------

SPINNING = """
import sys, threading, time
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.isolate.worker import Worker

def serve(request):
    enter_phase("spinning")
    while True:
        pass

worker = Worker(serve)
threading.Thread(target=worker.ask, args=(None, float(sys.argv[1]))).start()
while not worker._shared.phase[:].startswith(b"spinning"):
    time.sleep(0.01)
print(worker._child.process.pid, flush=True)
"""


@pytest.mark.slow
def test_a_stopped_parent():
    """A worker of a parent that was stopped and cannot kill it ends by itself, at its limit of processor time."""
    parent = run_python(SPINNING, "0.5")
    try:
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGSTOP)
        assert await_true(lambda: has_ended(pid), 60.0)
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.slow
def test_a_killed_parent():
    """A worker in the middle of a candidate does not outlive a parent that was killed."""
    parent = run_python(SPINNING, "600")
    pid = int(parent.stdout.readline())
    assert not has_ended(pid)
    parent.kill()
    parent.communicate()
    assert await_true(lambda: has_ended(pid))


UNCLOSED = """
from numba import float64 as f64, njit
import numpy as np
import symbiont_jit as sj

@sj.evolvable(source="double f(double x) { return x * x; }")
def f(x: f64) -> f64: ...

@njit
def total(kernel, x):
    return kernel(x[0]) + kernel(x[1])

search = sj.Evolution(f, metric=lambda kernel: total(kernel, np.arange(2.0)))
print(search.evaluate("double f(double x) { return x + 1; }").status.name)
"""


@pytest.mark.slow
def test_a_script_that_closes_nothing_ends_quietly():
    """Its workers end with it, though they do not hear the signal by which Python asks children to end."""
    done = subprocess.run([sys.executable, "-c", UNCLOSED], capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "VALID\n", "")


LEFT = {
    "a timer": lambda: signal.setitimer(signal.ITIMER_REAL, 0.05),
    "a handler": lambda: signal.signal(signal.SIGALRM, lambda *_: 1 / 0),
    "a thread that ends the process": lambda: threading.Timer(0.05, lambda: os._exit(7)).start(),
    "a thread that crashes": lambda: threading.Timer(0.05, lambda: os.abort()).start(),
    "a limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20)),
}


@pytest.mark.slow
@pytest.mark.parametrize("leave", LEFT.values(), ids=LEFT)
def test_what_one_request_leaves_behind_meets_no_other(leave):
    """The child in which it is answers no more, and the next request has another one."""

    def serve(request):
        if request == "leave":
            leave()
            return os.getpid()
        time.sleep(0.06)
        return [os.getpid(), len(bytes(1 << 24))]

    worker = Worker(serve)
    try:
        first = worker.ask("leave", 5.0).value
        second, size = worker.ask("go on", 5.0).value
        assert (second != first, size) == (True, 1 << 24)
        assert worker.ask("go on", 5.0).value[0] == second
    finally:
        worker.close()


@pytest.mark.slow
def test_a_worker_that_ends_while_what_it_has_started_keeps_its_pipe():
    """Its end is told, and not that it was too slow."""
    worker = Worker(answer, permissions=["processes"])
    try:
        assert worker.ask(("leave_a_child_behind",), 1.0).reason.startswith("exit code 7")
    finally:
        worker.close()


@pytest.mark.slow
def test_what_a_worker_has_started_ends_with_it(tmp_path):
    """Also a process in a session of its own, whose parent has ended; at the worker's end, and at its deadline."""
    worker, told = Worker(answer, permissions=["processes", "write"]), tmp_path / "told"
    try:
        pid = ask(worker, "start_far_away", "")
        assert not has_ended(pid)
        worker.close()
        assert await_true(lambda: has_ended(pid))
        assert isinstance(worker.ask(("start_far_away", str(told)), 1.0), Overdue)
        assert await_true(lambda: has_ended(int(told.read_text())))
    finally:
        worker.close()


@pytest.mark.slow
def test_processes_that_start_the_next_one_and_end_are_caught(tmp_path):
    """Whoever looks at them finds one that has ended; after the worker's end none is left."""
    program, log = tmp_path / "hop", tmp_path / "log"
    compiler = [sys.executable, "-m", "ziglang", "cc", "-O1", "-o", str(program)]
    subprocess.run([*compiler, str(Path(__file__).with_name("hop.c"))], check=True)
    worker = Worker(answer, permissions=["processes", "write"])
    try:
        ask(worker, "start_hopping", str(program), str(log))
    finally:
        worker.close()
    hops = log.read_text()
    assert set(hops) == {"."}  # None came to its end.
    time.sleep(0.2)
    assert log.read_text() == hops
