"""A process in which unproven code runs: fed through a pipe, killed at its deadline, started again.

In: a function to run in the child, and requests that pickle. Out: the child's replies, or how it ended. This module is
the parent's side; `start` makes the child, `child` is the child's life.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import pickle
import select
import signal
import struct
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from symbiont_jit.errors import UsageError
from symbiont_jit.isolate.child import MAX_PHASE, NotReady, require_no_worker
from symbiont_jit.isolate.start import STARTS, Process, Start, choose_start, shared_file

__all__ = ["Crash", "Overdue", "Worker", "WorkerReply"]

_GRACE_SECONDS: Final = 5.0
#: A fresh interpreter imports Numba and the user's modules, and calls the metric once.
START_SECONDS: Final = 120.0
MAX_LAST_WORDS: Final = 300
MAX_REPLY: Final = 1 << 28


@dataclass(frozen=True, slots=True)
class WorkerReply:
    """The value that the child's function returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Crash:
    """The child ended, by a signal or with an exit code, which `reason` names; `phase` is what it was doing."""

    reason: str
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Overdue:
    """The child was killed after `seconds` seconds without a reply; `phase` is what it was doing."""

    seconds: float
    phase: str = ""


class Worker:
    """One child process that answers requests with `serve(request)`; it is started again after it died.

    Whatever takes time before the child can serve does not count towards a deadline.

    Args:
        serve: The function that runs in the child; with `spawn` it has to pickle.
        start: One of `STARTS`; the platform's default where there is none.
    """

    def __init__(self, serve: Callable[[Any], Any], start: Start | None = None) -> None:
        self._process: Process | None = None
        self._pipe: Connection | None = None
        self._is_stopped = False
        self._serve = serve
        self._start_child = start or STARTS[choose_start(None)]
        self._output = shared_file("worker output")
        self._phase_file = shared_file("worker phase")
        os.ftruncate(self._phase_file, MAX_PHASE)
        # `__del__` would be too late: when the interpreter ends, it may run after the end of `os`.
        for file in (self._output, self._phase_file):
            weakref.finalize(self, os.close, file)
        self._phase = mmap.mmap(self._phase_file, MAX_PHASE)

    def ask(self, request: Any, deadline: float) -> WorkerReply | Crash | Overdue:
        """Send a request and wait for its reply.

        Args:
            request: Anything that pickles.
            deadline: The seconds to wait; then the child is killed.

        Returns:
            The reply, or what became of the child instead.

        Raises:
            UsageError: A child cannot get ready.
        """
        if self._process is None or self._process.exitcode is not None:
            failed = self._start()
            if failed is not None:
                return failed
        return self._exchange((deadline, request), deadline)

    def _start(self) -> Crash | None:
        """Start a child and wait until it can serve; the result is a crash on the way, if there was one."""
        self._kill()
        require_no_worker()
        self._process, self._pipe = self._start_child(self._serve, self._output, self._phase_file)
        if self._is_stopped:
            self.stop()
        outcome = self._exchange(None, START_SECONDS)
        if isinstance(outcome, Overdue):
            raise UsageError(f"a worker was not ready within {START_SECONDS:g} seconds{self._read_last_words()}")
        if isinstance(outcome, WorkerReply) and isinstance(outcome.value, NotReady):
            self._kill()
            raise UsageError(f"a worker cannot get ready, because in there this happened:\n{outcome.value.reason}")
        return outcome if isinstance(outcome, Crash) else None

    def _exchange(self, message: Any, seconds: float) -> WorkerReply | Crash | Overdue:
        """Send a message, if there is one, and wait for the child's reply."""
        pipe = self._pipe
        assert pipe is not None
        started = time.monotonic()
        try:
            if message is not None:
                pipe.send(message)
            data = _receive(pipe, started + seconds)
            if data is None:
                self._kill()
                return Overdue(time.monotonic() - started, self._read_phase())
            reply = WorkerReply(_ReplyUnpickler(io.BytesIO(data)).load())
            self._forget_output()
            return reply
        except (EOFError, OSError):
            return Crash(self._describe_end(), self._read_phase())
        except (pickle.UnpicklingError, AttributeError, ImportError, IndexError, ValueError, TypeError) as error:
            self._kill()  # code in the child wrote to the pipe
            return Crash(f"an answer that cannot be read ({type(error).__name__})", self._read_phase())
        except BaseException:
            self._kill()  # a late reply would be read as the reply to the next request
            raise

    def stop(self) -> None:
        """Kill the child, and every later one until `close`; may be called from any thread.

        A thread that waits in `ask` gets a `Crash`.
        """
        self._is_stopped = True
        process = self._process
        if process is not None:
            with contextlib.suppress(ValueError, OSError):
                process.kill()

    def _describe_end(self) -> str:
        """Reap a child that closed its pipe, and describe how it ended."""
        assert self._process is not None
        deadline = time.monotonic() + _GRACE_SECONDS
        while (code := self._process.exitcode) is None and time.monotonic() < deadline:
            time.sleep(0.001)  # a child may close its pipe and live on, so waiting for its end could take for ever
        self._kill()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-code).name}{self._read_last_words()}"
        return f"exit code {code}{self._read_last_words()}"

    def _read_phase(self) -> str:
        return self._phase[:].rstrip(b"\0").decode("ascii", "replace")

    def _read_last_words(self) -> str:
        """The last characters that the child wrote to its standard output and error, in brackets."""
        size = os.fstat(self._output).st_size
        text = os.pread(self._output, MAX_LAST_WORDS, max(0, size - MAX_LAST_WORDS)).decode("utf-8", "replace")
        self._forget_output()
        return f" ({' '.join(text.split())})" if text.strip() else ""

    def _forget_output(self) -> None:
        os.ftruncate(self._output, 0)
        os.lseek(self._output, 0, os.SEEK_SET)  # parent and child share one file position

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def close(self) -> None:
        """End the child; the worker may be asked again and then starts another one."""
        self._kill()
        self._is_stopped = False

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if not is_finalizing():  # Else the process is ending, takes its workers along, and may have lost its modules.
            self._kill()


def _receive(pipe: Connection, deadline: float) -> bytes | None:
    """Read the next message as bytes, however slowly it comes; the result is None once the deadline has passed.

    `Connection.recv` would wait for the rest of a message that never comes. The framing read here is that of
    `Connection`: four bytes of length, or -1 and eight bytes of length.
    """
    size = struct.unpack("!i", head)[0] if (head := _read_bytes(pipe, 4, deadline)) is not None else None
    if size == -1:
        size = struct.unpack("!Q", head)[0] if (head := _read_bytes(pipe, 8, deadline)) is not None else None
    if size is None:
        return None
    if not 0 <= size <= MAX_REPLY:
        raise ValueError(f"an answer of {size} bytes")
    return _read_bytes(pipe, size, deadline)


def _read_bytes(pipe: Connection, count: int, deadline: float) -> bytes | None:
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


class _ReplyUnpickler(pickle.Unpickler):
    """Reads what a worker sends: records of this package and numbers; nothing else can be constructed or called."""

    def find_class(self, module: str, name: str) -> Any:
        """Find a class of this package, or one that NumPy's numbers are made with; refuse anything else."""
        is_own = module.startswith("symbiont_jit.") and isinstance(getattr(sys.modules.get(module), name, None), type)
        if is_own or (module.startswith("numpy") and name in ("dtype", "scalar", "_reconstruct", "ndarray")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer")
