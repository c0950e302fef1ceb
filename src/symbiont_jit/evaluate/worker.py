"""A process in which unproven code runs: forked from this one, fed through a pipe, killed at its deadline.

In: a function to run in the child, and requests that pickle. Out: its answers, or how it ended. The child inherits the
user's metric, data and compiled loops, so none of them has to pickle; it inherits no secret, no terminal input.
Linux and macOS; a platform without fork gets a `UsageError`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import io
import mmap
import multiprocessing
import os
import pickle
import queue
import re
import select
import signal
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.sandbox import limit_memory, limit_processor_time, restrict

__all__ = ["Answer", "Crash", "Overdue", "Worker", "enter_phase"]

_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_GRACE_SECONDS: Final = 5.0
MAX_LAST_WORDS: Final = 300
MAX_PHASE: Final = 64
MAX_ANSWER: Final = 1 << 28


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child's function returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Crash:
    """The child ended: by a signal, or by itself with an exit code; `phase` is what it was at."""

    reason: str
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Overdue:
    """The child was killed because it had not answered in time; `phase` is what it was at."""

    seconds: float
    phase: str = ""


class Worker:
    """One child process that answers requests with `serve(request)`; it is forked again after it died."""

    def __init__(self, serve: Callable[[Any], Any]) -> None:
        self._serve = serve
        self._process: Any = None
        self._pipe: Connection | None = None
        self._output = _memory_file()
        self._phase = mmap.mmap(-1, MAX_PHASE)
        if "fork" not in multiprocessing.get_all_start_methods():
            raise UsageError("evaluation needs a platform that can fork (Linux or macOS)")

    def ask(self, request: Any, deadline: float) -> Answer | Crash | Overdue:
        """Send a request and wait for its answer, at most `deadline` seconds; then the child is killed."""
        self._require_child()
        pipe = self._pipe
        assert pipe is not None
        started = time.monotonic()
        try:
            pipe.send((deadline, request))
            data = _received(pipe, started + deadline)
            if data is None:
                self._kill()
                return Overdue(time.monotonic() - started, self._last_phase())
            answer = Answer(_Answers(io.BytesIO(data)).load())
            self._forget_output()
            return answer
        except (EOFError, OSError):
            return Crash(self._end(), self._last_phase())
        except (pickle.UnpicklingError, AttributeError, ImportError, IndexError, ValueError, TypeError) as error:
            self._kill()  # something in there wrote to the pipe
            return Crash(f"an answer that cannot be read ({type(error).__name__})", self._last_phase())
        except BaseException:
            self._kill()  # what it would still answer belongs to nobody
            raise

    def stop(self) -> None:
        """Kill the child, from any thread; who is waiting for its answer is told of a crash."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ValueError, OSError):
                process.kill()

    def _require_child(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        self._kill()
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        process = self._process = context.Process(
            target=_child, args=(self._serve, there, here, self._output, self._phase), daemon=True
        )
        _in_forking_thread(lambda: _start(process))
        there.close()
        self._pipe = here

    def _end(self) -> str:
        """Reap a child that closed its pipe, and say how it ended."""
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._process.exitcode is None and time.monotonic() < deadline:
            time.sleep(0.001)  # it may have closed its pipe and live on: waiting for it could take for ever
        code = self._process.exitcode
        self._kill()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-code).name}{self._last_words()}"
        return f"exit code {code}{self._last_words()}"

    def _last_phase(self) -> str:
        return self._phase[:].rstrip(b"\0").decode("ascii", "replace")

    def _last_words(self) -> str:
        """The end of what the child wrote to its standard output and error."""
        if self._output is None:
            return ""
        size = os.fstat(self._output).st_size
        text = os.pread(self._output, MAX_LAST_WORDS, max(0, size - MAX_LAST_WORDS)).decode("utf-8", "replace")
        self._forget_output()
        return f" ({' '.join(text.split())})" if text.strip() else ""

    def _forget_output(self) -> None:
        if self._output is not None:
            os.ftruncate(self._output, 0)
            os.lseek(self._output, 0, os.SEEK_SET)  # parent and child share one position

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def close(self) -> None:
        """End the child; the worker may be asked again and then forks anew."""
        self._kill()

    def __del__(self) -> None:
        self._kill()
        if self._output is not None:
            os.close(self._output)


@contextlib.contextmanager
def _compilers_at_rest() -> Iterator[None]:
    """Hold the compilers' locks over a fork, so that no child inherits one that another thread held.

    Both are re-entrant and the forking thread is the child's only one, so the child goes on holding them.
    """
    from llvmlite.binding import ffi
    from numba.core.compiler_lock import global_compiler_lock

    with global_compiler_lock, ffi.lib._lock:
        yield


def _in_forking_thread(start: Callable[[], None]) -> None:
    """Run something in one thread that lives as long as the process, and wait for it.

    Linux kills a child with the *thread* that made it (PR_SET_PDEATHSIG), so no thread that may end must fork.
    """
    done: Future[None] = Future()
    _forking_queue().put((start, done))
    done.result()


@functools.cache
def _forking_queue() -> queue.SimpleQueue[tuple[Callable[[], None], Future[None]]]:
    waiting: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()

    def work() -> None:
        while True:
            start, done = waiting.get()
            try:
                start()
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)

    threading.Thread(target=work, name="symbiont_jit forks", daemon=True).start()
    os.register_at_fork(after_in_child=_forking_queue.cache_clear)
    return waiting


def _start(process: Any) -> None:
    with _compilers_at_rest(), warnings.catch_warnings():
        # Python 3.12 warns of forking with threads; the locks that matter are held while it happens.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()


def _received(pipe: Connection, deadline: float) -> bytes | None:
    """The next message as bytes, however slowly it comes; None once the deadline has passed.

    `Connection.recv` would wait for the rest of a message that never comes. The framing is its own: four bytes of
    length, or -1 and eight.
    """
    size = struct.unpack("!i", head)[0] if (head := _bytes_of(pipe, 4, deadline)) is not None else None
    if size == -1:
        size = struct.unpack("!Q", head)[0] if (head := _bytes_of(pipe, 8, deadline)) is not None else None
    if size is None:
        return None
    if not 0 <= size <= MAX_ANSWER:
        raise ValueError(f"an answer of {size} bytes")
    return _bytes_of(pipe, size, deadline)


def _bytes_of(pipe: Connection, count: int, deadline: float) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        chunk = os.read(pipe.fileno(), count - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


class _Answers(pickle.Unpickler):
    """Reads what a worker sends: records of this package and numbers, no calls of anything else."""

    def find_class(self, module: str, name: str) -> Any:
        """A class of this package, or one that NumPy's numbers are made with; nothing else."""
        is_own = module.startswith("symbiont_jit.") and isinstance(getattr(sys.modules.get(module), name, None), type)
        if is_own or (module.startswith("numpy") and name in ("dtype", "scalar", "_reconstruct", "ndarray")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer")


def _memory_file() -> int | None:
    """A file that is nowhere on a disk, for the child's output; None where the system has no such thing."""
    return os.memfd_create("worker output") if hasattr(os, "memfd_create") else None


def enter_phase(name: str) -> None:
    """In a child: what it is at from now on, for the message when it does not come back."""
    if _OWN_PHASE:
        _OWN_PHASE[0][:] = name.encode()[:MAX_PHASE].ljust(MAX_PHASE, b"\0")


_OWN_PHASE: Final[list[mmap.mmap]] = []


def _child(
    serve: Callable[[Any], Any], pipe: Connection, parents_end: Connection, output: int | None, phase: mmap.mmap
) -> None:
    """The child's whole life: answer until the parent closes its end."""
    parents_end.close()
    _OWN_PHASE[:] = [phase]
    _shed_inheritance(output)
    limit_memory()
    restrict()
    while True:
        try:
            deadline, request = pipe.recv()
        except (EOFError, OSError):
            return
        limit_processor_time(2 * deadline)
        enter_phase("")
        pipe.send(serve(request))


def _shed_inheritance(output: int | None) -> None:
    """Give up what a candidate has no business with: secrets, the terminal, the parent's interrupts."""
    for name in [n for n in os.environ if _SECRET.search(n)]:
        del os.environ[name]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.disable()  # a crash is an ordinary outcome here; the parent reports it
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        for descriptor in (1, 2):
            os.dup2(null if output is None else output, descriptor)
        os.close(null)
    # What had replaced them (a notebook, a test runner) belongs to the parent.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(d, m, closefd=False) for d, m in ((0, "r"), (1, "w"), (2, "w")))
    _blank_environment()
    _die_with_parent()


def _blank_environment() -> None:
    """Overwrite secrets in the block that the process was started with, which /proc/self/environ shows."""
    import ctypes

    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[47]), int(fields[48])
        block, at = ctypes.string_at(start, end - start), 0
        for entry in block.split(b"\0"):
            name, _, value = entry.partition(b"=")
            if _SECRET.search(name.decode("latin1")):
                ctypes.memset(start + at + len(name) + 1, ord("*"), len(value))
            at += len(entry) + 1


def _die_with_parent() -> None:
    """Ask Linux to kill this child when its parent is gone, even in the middle of a candidate (prctl(2))."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
