"""The life of a worker process, forked or fresh: give up what is not needed, get ready, answer until the parent goes.

In: a pipe, two shared files, and how to obtain the function that answers. Out: messages through the pipe; the first is
`Ready` once the child can serve, or `NotReady`. No secret, no terminal input and no interrupt reaches what runs here.
"""

from __future__ import annotations

import contextlib
import faulthandler
import mmap
import multiprocessing.spawn
import os
import pickle
import resource
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from symbiont_jit.environment import is_secret, list_secrets
from symbiont_jit.errors import UsageError
from symbiont_jit.identity import read_status
from symbiont_jit.isolate.landlock import restrict_files
from symbiont_jit.isolate.messages import MAX_REASON, Complaint, NotReady, Ready, WorkerReply, write_message
from symbiont_jit.isolate.permissions import watch_tries
from symbiont_jit.isolate.sandbox import (
    CHILD_SUBREAPER,
    DEATH_SIGNAL,
    filter_problem,
    give_up_privileges,
    limit_memory,
    limit_processor_time,
    limit_signals,
    limit_tasks,
    restrict,
)

__all__ = [
    "MAX_PHASE",
    "PAUSES",
    "WorkerFiles",
    "run_clock",
    "enter_phase",
    "live",
    "live_spawned",
    "longest",
    "reset_signals",
    "phase_of",
    "require_no_worker",
    "stop_clock",
]

MAX_PHASE: Final = 64
PAUSES: Final = struct.Struct("=qq")
#: Seconds that the clock of a deadline may be stopped: so many, or so many times the deadline, whichever is more.
PAUSE_SECONDS: Final = 60.0
PAUSE_DEADLINES: Final = 10.0
#: What a metric could change for good: timers, and all limits but that of processor time, which each request sets.
_TIMERS: Final = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_LIMITS: Final = [
    getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_") and name != "RLIMIT_CPU"
]

Serve = Callable[[Any], Any]


class WorkerFiles(NamedTuple):
    """Descriptors of two files in memory: standard output and error, and what is being done.

    The second has `MAX_PHASE` bytes of words, and then two whole numbers (`PAUSES`): when the clock of the deadline was
    stopped, 0 where it runs, and for how long it was stopped before, in nanoseconds.
    """

    output: int
    phase: int


def enter_phase(name: str) -> None:
    """Note in a child what it does from now on, for the message when it does not come back.

    Outside of a child this does nothing.

    Args:
        name: A few words in ASCII; bytes beyond `MAX_PHASE` are dropped.
    """
    if _OWN_PHASE:
        _OWN_PHASE[0][:MAX_PHASE] = name.encode()[:MAX_PHASE].ljust(MAX_PHASE, b"\0")


@contextlib.contextmanager
def phase_of(name: str) -> Iterator[None]:
    """Note in a child what it does meanwhile; afterwards it does again what it did before."""
    before = bytes(_OWN_PHASE[0][:MAX_PHASE]).rstrip(b"\0").decode("ascii", "replace") if _OWN_PHASE else ""
    enter_phase(name)
    try:
        yield
    finally:
        enter_phase(before)


@contextlib.contextmanager
def stop_clock() -> Iterator[None]:
    """Stop the clock of the deadline in a child, while it does what is no candidate's doing; elsewhere do nothing."""
    was_running = bool(_OWN_PHASE) and _read_pauses()[0] == 0
    if was_running:
        limit_processor_time(2 * longest(_DEADLINE[0]))  # This is for a child whose parent cannot end it.
        _pause()
    try:
        yield
    finally:
        if was_running:
            _resume()


@contextlib.contextmanager
def run_clock() -> Iterator[None]:
    """Let the clock of the deadline run in a child, while a candidate runs inside of `stop_clock`."""
    was_stopped = bool(_OWN_PHASE) and _read_pauses()[0] != 0
    if was_stopped:
        _resume()
    try:
        yield
    finally:
        if was_stopped:
            _pause()


def _read_pauses() -> tuple[int, int]:
    since, before = PAUSES.unpack_from(_OWN_PHASE[0], MAX_PHASE)
    return since, before


def _pause() -> None:
    PAUSES.pack_into(_OWN_PHASE[0], MAX_PHASE, time.monotonic_ns(), _read_pauses()[1])


def _resume() -> None:
    since, before = _read_pauses()
    PAUSES.pack_into(_OWN_PHASE[0], MAX_PHASE, 0, before + time.monotonic_ns() - since)


def longest(deadline: float) -> float:
    """Return the seconds after which a request ends in any case, also where the clock of its deadline was stopped."""
    return deadline + max(PAUSE_SECONDS, PAUSE_DEADLINES * deadline)


def require_no_worker() -> None:
    """Raise `UsageError` in a worker, which has no workers of its own."""
    if _OWN_PHASE:
        raise UsageError(
            "a worker was about to start workers, probably because it imported the script that starts the search; "
            "start it under `if __name__ == '__main__':`"
        )


_OWN_PHASE: Final[list[mmap.mmap]] = []
#: The deadline of the request that is being served, in seconds.
_DEADLINE: Final = [0.0]


def live(
    obtain: Callable[[], Serve],
    pipe: Connection,
    files: WorkerFiles,
    granted: frozenset[str],
    give_up: Callable[[], None] = lambda: None,
) -> None:
    """Get ready, and answer until the parent closes its end of the pipe: the child's whole life.

    Args:
        obtain: Gives the function that answers requests.
        pipe: The child's end of the pipe.
        files: What the child shares with its parent.
        granted: The permissions that the child has.
        give_up: Gives up what the child has of its parent's, before anything else happens.
    """
    try:
        give_up()
        serve = _get_ready(obtain, files, granted)
    except BaseException:
        # Whatever happened, no candidate did it.
        pipe.send_bytes(write_message(NotReady(traceback.format_exc().strip()[-MAX_REASON:])))
        return
    pipe.send_bytes(write_message(Ready()))
    _answer(serve, pipe)


def _get_ready(obtain: Callable[[], Serve], files: WorkerFiles, granted: frozenset[str]) -> Serve:
    """Return the function that answers, once this process can reach nothing that it has no business with."""
    _OWN_PHASE[:] = [mmap.mmap(files.phase, MAX_PHASE + PAUSES.size)]
    os.close(files.phase)
    _shed_inheritance(files.output)
    enter_phase("getting ready")
    serve = obtain()
    _forget_secrets()  # A module that `obtain` imported may have read secrets from a file.
    if "processes" in granted:
        with contextlib.suppress(OSError):  # A fresh interpreter has a session of its own already.
            os.setsid()  # What the worker starts shall end with it, and is in no group of this program's.
        _keep_orphans()
    filter_problem()  # Finding the filter's library starts programs and writes files, which the filter would forbid.
    limit_memory()
    limit_signals()
    give_up_privileges()
    limit_tasks()
    # Where there is no filter of system calls, what needs these is refused to nobody.
    watch_tries(granted if filter_problem() is None else granted | {"network", "processes"})
    restrict_files(granted)
    restrict(granted)
    return serve


def _describe_state() -> tuple[object, ...]:
    """Describe what a metric could leave for the next candidate: threads, timers, handlers, limits, blocked signals."""
    return (
        {thread.ident for thread in threading.enumerate()},
        [signal.getitimer(timer) == (0.0, 0.0) for timer in _TIMERS],
        [signal.getsignal(number) for number in signal.valid_signals()],
        [resource.getrlimit(limit) for limit in _LIMITS],
        signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        sys.getrecursionlimit(),
    )


def _answer(serve: Serve, pipe: Connection) -> None:
    """Answer requests; once one has left something behind, no other is answered: it might be charged with that."""
    before = _describe_state()
    while True:
        try:
            nonce, deadline, request = pipe.recv()
        except (EOFError, OSError):
            return
        _DEADLINE[0] = deadline
        limit_processor_time(2 * deadline)
        enter_phase("")
        try:
            message: WorkerReply | Complaint = WorkerReply(serve(request))
        except UsageError as error:
            message = Complaint(str(error)[-MAX_REASON:])
        pipe.send_bytes(nonce + write_message(message))
        if _describe_state() != before:
            return


def live_spawned(pipe: int, output: int, phase: int, luggage: int, granted: Sequence[str]) -> None:
    """Live as a fresh interpreter, which unpickles from the file `luggage` what a forked one inherits."""

    def obtain() -> Serve:
        with os.fdopen(luggage, "rb") as file:
            multiprocessing.spawn.prepare(pickle.load(file))  # noqa: S301  from the parent
            serve: Serve = pickle.load(file)  # noqa: S301
        return serve

    live(obtain, Connection(pipe), WorkerFiles(output, phase), frozenset(granted))


def _shed_inheritance(output: int) -> None:
    """Give up what no candidate has business with: secrets, the terminal, the parent's interrupts."""
    _forget_secrets()
    reset_signals()
    faulthandler.disable()  # A crash is an ordinary outcome here, which the parent reports.
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        if null != 0:  # The parent's standard input may have been closed.
            os.dup2(null, 0)
            os.close(null)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
    # A notebook or a test runner may have replaced these objects; the replacements belong to the parent.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(d, m, closefd=False) for d, m in ((0, "r"), (1, "w"), (2, "w")))
    _blank_environment()
    _die_with_parent()


def reset_signals() -> None:
    """Leave no handler of the parent's: what its program does at a signal is not to be done here, nor told to it."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _forget_secrets() -> None:
    for name in list_secrets(os.environ):
        del os.environ[name]


def _blank_environment() -> None:
    """Overwrite secrets in the block that the process was started with, which /proc/self/environ shows."""
    import ctypes

    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = read_status("self")
        start, end = int(fields[47]), int(fields[48])
        block, at = ctypes.string_at(start, end - start), 0
        for entry in block.split(b"\0"):
            name, _, value = entry.partition(b"=")
            if is_secret(name.decode("latin1"), value.decode("latin1")):
                ctypes.memset(start + at + len(name) + 1, ord("*"), len(value))
            at += len(entry) + 1


def _keep_orphans() -> None:
    """Let what comes of this process stay below it, where its parent finds it, whatever lies between has ended."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent() -> None:
    """Ask Linux to kill this child when its parent is gone, even in the middle of a candidate (prctl(2))."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
