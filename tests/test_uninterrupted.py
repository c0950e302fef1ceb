"""Functions that nothing interrupts: Ctrl-C leaves at once, and what was begun goes on to its end."""

import contextlib
import contextvars
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from symbiont_jit.uninterrupted import once, run_apart, uninterrupted
from tests.concurrency import await_true, interruption_after, run_in_threads, signal_every


@uninterrupted
def add(a, b=1):
    """Add two numbers, or whatever else can be added."""
    return a + b


def test_arguments_results_and_errors_pass():
    """A caller sees the function that was written."""
    assert (add(2), add("x", b="y")) == (3, "xy")
    with pytest.raises(TypeError, match="unsupported operand"):
        add(None)
    assert add.__name__ == "add"


def test_an_interruption_leaves_and_the_work_ends():
    """Ctrl-C is raised while the function works, which it does not notice."""
    steps = []

    @uninterrupted
    def work():
        steps.append("begun")
        time.sleep(0.3)
        steps.append("ended")

    with pytest.raises(KeyboardInterrupt), interruption_after(0.1):
        work()
    assert steps == ["begun"]
    assert await_true(lambda: steps == ["begun", "ended"])


def test_no_interruption_comes_between_two_steps():
    """Whenever the interruption comes, either all steps happen or none."""
    done = []

    @uninterrupted
    def step_twice():
        done.append(1)
        done.append(2)

    for number in range(200):
        with contextlib.suppress(KeyboardInterrupt), interruption_after(number * 2e-6):
            for _ in range(20):
                step_twice()
    assert await_true(lambda: done == [1, 2] * (len(done) // 2))
    assert len(done) > 100


def test_functions_call_each_other_on_one_thread():
    """A function that calls another one holds what it holds there too."""
    lock = threading.RLock()

    @uninterrupted
    def inner():
        with lock:
            return threading.get_ident()

    @uninterrupted
    def outer():
        with lock:
            return threading.get_ident(), inner()

    mine, theirs = outer()
    assert mine == theirs != threading.get_ident()


def test_threads_work_at_the_same_time():
    """As many run as there are callers."""
    barrier = threading.Barrier(4, timeout=20.0)
    assert len(set(run_in_threads(4, uninterrupted(barrier.wait)))) == 4


def test_a_signal_handler_may_call_what_it_interrupts():
    """The handler's call is another one, on a thread of its own."""
    found = []
    with signal_every(0.0007, lambda: found.append(add(len(found))), times=100):
        while len(found) < 100:
            assert add(1) == 2
    assert found == list(range(1, 101))


@pytest.mark.slow
def test_in_a_child_that_a_handler_forks_the_work_is_done_anew():
    """The child comes back to a caller whose thread does not exist there."""
    parent = os.getpid()
    forked = []

    @uninterrupted
    def work():
        time.sleep(0.2)
        return os.getpid()

    with signal_every(0.05, lambda: forked.append(os.fork()), times=1):
        found = work()
    if os.getpid() != parent:
        os._exit(0 if found == os.getpid() else 1)
    assert found == parent
    assert os.waitstatus_to_exitcode(os.waitpid(forked[0], 0)[1]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["limit", "exit", "finaliser"])
def test_where_no_thread_can_be_started_the_caller_does_the_work(ending):
    """A process that has too many threads, or is at its end, works nevertheless."""
    code = f"""
        import atexit, resource
        from tests.test_uninterrupted import add, refuse_threads
        if {ending!r} == "limit":
            refuse_threads()
            print(add(1))
        elif {ending!r} == "finaliser":
            class Last:
                def __del__(self):
                    print(add(1))
            last = Last()
            last.itself = last
        else:
            atexit.register(lambda: print(add(1)))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def refuse_threads():
    """Leave no memory for another thread's stack."""
    threading.stack_size(1 << 30)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), resource.RLIM_INFINITY))
    with pytest.raises(RuntimeError):
        threading.Thread(target=signal.pause).start()


def test_the_context_is_the_callers():
    """Context variables have the values that they have for the caller, whose own do not change."""
    name = contextvars.ContextVar("name", default="nobody")
    name.set("the caller")

    def rename():
        before = name.get()
        name.set("the work")
        return before

    assert (run_apart(rename), name.get()) == ("the caller", "the caller")


def test_a_stack_of_its_own_is_as_deep_as_any():
    """How deep work may recurse does not depend on how deep its caller is."""

    def dive(depth):
        return depth and dive(depth - 1)

    def call_from(depth):
        return call_from(depth - 1) if depth else run_apart(lambda: dive(sys.getrecursionlimit() - 100))

    assert call_from(500) == 0


def test_once_is_once_for_threads_that_come_together():
    """All get the result of the one run, also those who come while it is under way."""
    made = []

    @once
    def make():
        time.sleep(0.1)
        made.append(object())
        return made[-1]

    assert set(run_in_threads(6, make)) == set(made)
    assert len(made) == 1
    make.cache_clear()
    assert make() is made[1]


def test_once_runs_again_where_it_raised():
    """A failure is not kept."""
    outcomes = iter([ValueError("not yet"), None])

    @once
    def make():
        error = next(outcomes)
        if error is not None:
            raise error
        return "made"

    with pytest.raises(ValueError, match="not yet"):
        make()
    assert (make(), make()) == ("made", "made")


@pytest.mark.slow
def test_a_thread_that_ends_without_a_word_is_noticed(monkeypatch):
    """Where there is no memory a thread may start and end at once; nobody waits for it."""
    monkeypatch.setattr("symbiont_jit.uninterrupted._run", lambda *_: None)
    with pytest.raises(MemoryError, match="no memory for a thread"):
        add(1)
