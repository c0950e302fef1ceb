"""A process in which unproven code runs: fed through a pipe, killed at its deadline, started again.

In: a function to run in the child, and requests that pickle. Out: the child's replies, or how it ended. This module is
the parent's side; `start` makes the child, `child` is the child's life.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import pickle
import select
import signal
import struct
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from typing import Any, Final

from symbiont_jit.errors import UsageError
from symbiont_jit.isolate.child import MAX_PHASE, PAUSES, WorkerFiles, longest, require_no_worker
from symbiont_jit.isolate.descriptors import OWN
from symbiont_jit.isolate.messages import Complaint, NotReady, Ready, ReplyReader, WorkerReply
from symbiont_jit.isolate.permissions import require_permissions
from symbiont_jit.isolate.sandbox import filter_problem
from symbiont_jit.isolate.start import SHARED_NAME, STARTS, Process, Start, choose_start, shared_file, shared_memory

__all__ = ["Crash", "Overdue", "Complaint", "Worker", "WorkerReply"]

_GRACE_SECONDS: Final = 5.0
#: A fresh interpreter imports Numba and the user's modules, and calls the metric once.
START_SECONDS: Final = 120.0
MAX_LAST_WORDS: Final = 300
MAX_REPLY: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Crash:
    """The child ended, by a signal or with an exit code, which `reason` names; `phase` is what it was doing."""

    reason: str
    phase: str = ""

    @property
    def was_asked(self) -> bool:
        """Whether somebody asked the child to end, as whoever ends all processes of a group does."""
        return self.reason.startswith(f"signal {signal.SIGTERM.name}")


@dataclass(frozen=True, slots=True)
class Overdue:
    """The child was killed after `seconds` seconds without a reply; `phase` is what it was doing."""

    seconds: float
    phase: str = ""


class _Child:
    """The process that answers now, with this side's end of its pipe."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.pipe: Connection | None = None

    def end(self, granted: frozenset[str]) -> None:
        """Kill the process, and what it has started where it may start anything."""
        if self.process is not None:
            if "processes" in granted and self.process.pid is not None:
                with contextlib.suppress(OSError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.join()
            self.process.close()
        if self.pipe is not None:
            OWN.discard(self.pipe.fileno())
            self.pipe.close()
        self.process = self.pipe = None


class Worker:
    """One child process that answers requests with `serve(request)`; it is started again after it died.

    Whatever takes time before the child can serve does not count towards a deadline.

    Args:
        serve: The function that runs in the child; with `spawn` it has to pickle.
        start: One of `STARTS`; the platform's default where there is none.
        reply_type: The type of what `serve` returns; a reply of another one is a crash.
        permissions: What the child may do besides computing, of `permissions.PERMISSIONS`.
    """

    def __init__(
        self,
        serve: Callable[[Any], Any],
        start: Start | None = None,
        reply_type: Any = Any,
        permissions: Iterable[str] = (),
    ) -> None:
        self._child = _Child()
        self._is_stopped = False
        self._serve = serve
        self._start_child = start or STARTS[choose_start(None)]
        self._reader = ReplyReader(reply_type)
        self._granted = require_permissions(permissions)
        filter_problem()  # The filter's library is found here, so that no forked child has to search.
        phase, self._phase = shared_memory(SHARED_NAME, MAX_PHASE + PAUSES.size)
        self._files = WorkerFiles(shared_file("worker output"), phase)
        OWN.update(self._files)
        # `__del__` would be too late: when the interpreter ends, it may run after the end of `os`.
        for file in self._files:
            weakref.finalize(self, _close, file)
        # At its end the interpreter asks children to end, and waits for them, who may not hear it: these go before.
        Finalize(self, self._child.end, (self._granted,), exitpriority=1)

    def ask(self, request: Any, deadline: float) -> WorkerReply | Complaint | Crash | Overdue:
        """Send a request and wait for its reply.

        Args:
            request: Anything that pickles.
            deadline: The seconds to wait, without those in which the child has stopped the clock; then the child is
                killed.

        Returns:
            The reply, or what became of the child instead. A refusal is as good as the child: code that ran in there
            may have written it.

        Raises:
            UsageError: A child cannot get ready.
        """
        if self._child.process is None or self._child.process.exitcode is not None:
            failed = self._start()
            if failed is not None:
                return failed
        outcome = self._exchange((deadline, request), deadline)
        if isinstance(outcome, Ready | NotReady):
            return self._refuse("no answer was due")
        return outcome

    def _start(self) -> Crash | None:
        """Start a child and wait until it can serve; the result is a crash on the way, if there was one."""
        self._kill()
        require_no_worker()
        self._child.process, self._child.pipe = self._start_child(self._serve, self._files, self._granted)
        if self._is_stopped:
            self.stop()
        outcome = self._exchange(None, START_SECONDS)
        if isinstance(outcome, Overdue):
            raise UsageError(f"a worker was not ready within {START_SECONDS:g} seconds{self._read_last_words()}")
        if isinstance(outcome, NotReady):
            self._kill()
            raise UsageError(f"a worker cannot get ready, because in there this happened:\n{outcome.reason}")
        if isinstance(outcome, WorkerReply | Complaint):
            return self._refuse("an answer before a request")
        return outcome if isinstance(outcome, Crash) else None

    def _exchange(self, message: Any, seconds: float) -> Ready | NotReady | Complaint | WorkerReply | Crash | Overdue:
        """Send a message, if there is one, and wait for the child's reply."""
        pipe = self._child.pipe
        assert pipe is not None
        PAUSES.pack_into(self._phase, MAX_PHASE, 0, 0)
        patience = _Patience(seconds, self._phase)
        try:
            if message is not None and not _send(pipe, message, patience):
                self._kill()
                return Overdue(patience.waited, self._read_phase())
            data = _receive(pipe, patience)
            if data is None:
                self._kill()
                return Overdue(patience.waited, self._read_phase())
            reply = self._reader.read(data)
            self._forget_output()
            return reply
        except (EOFError, OSError):
            return Crash(self._describe_end(), self._read_phase())
        except ValueError as error:
            return self._refuse(str(error))
        except BaseException:
            self._kill()  # A late reply would be read as the reply to the next request.
            raise

    def _refuse(self, fault: str) -> Crash:
        """End a child that said what its function cannot say, so code in there wrote to the pipe."""
        self._kill()
        return Crash(f"an answer that cannot be read ({fault})", self._read_phase())

    def stop(self) -> None:
        """Kill the child, and every later one until `close`; may be called from any thread.

        A thread that waits in `ask` gets a `Crash`.
        """
        self._is_stopped = True
        process = self._child.process
        if process is not None:
            with contextlib.suppress(ValueError, OSError):
                process.kill()

    def _describe_end(self) -> str:
        """Reap a child that closed its pipe, and describe how it ended."""
        process = self._child.process
        assert process is not None
        deadline = time.monotonic() + _GRACE_SECONDS
        while (code := process.exitcode) is None and time.monotonic() < deadline:
            time.sleep(0.001)  # A child may close its pipe and live on, so waiting for its end could take for ever.
        self._kill()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-code).name}{self._read_last_words()}"
        return f"exit code {code}{self._read_last_words()}"

    def _read_phase(self) -> str:
        return self._phase[:MAX_PHASE].rstrip(b"\0").decode("ascii", "replace")

    def _read_last_words(self) -> str:
        """Return the last characters that the child wrote to its standard output and error, in brackets."""
        size = os.fstat(self._files.output).st_size
        text = os.pread(self._files.output, MAX_LAST_WORDS, max(0, size - MAX_LAST_WORDS)).decode("utf-8", "replace")
        self._forget_output()
        return f" ({' '.join(text.split())})" if text.strip() else ""

    def _forget_output(self) -> None:
        os.ftruncate(self._files.output, 0)
        os.lseek(self._files.output, 0, os.SEEK_SET)  # Parent and child share one file position.

    def _kill(self) -> None:
        self._child.end(self._granted)

    def close(self) -> None:
        """End the child; the worker may be asked again and then starts another one."""
        self._kill()
        self._is_stopped = False


class _Patience:
    """The time that a child has left: it counts no time in which the child has stopped the clock, up to a limit."""

    def __init__(self, seconds: float, shared: mmap.mmap) -> None:
        self._seconds = seconds
        self._shared = shared
        self._started = time.monotonic_ns()

    @property
    def waited(self) -> float:
        """The seconds since the beginning."""
        return (time.monotonic_ns() - self._started) * 1e-9

    @property
    def left(self) -> float:
        """The seconds that are left, as it stands now; 0 when they are over."""
        since, before = map(int, PAUSES.unpack_from(self._shared, MAX_PHASE))
        waited = self.waited
        stopped = before * 1e-9 + (waited - (since - self._started) * 1e-9 if since else 0.0)
        # Whatever runs in the child can write these numbers, so they count within limits.
        counts = waited - min(max(stopped, 0.0), waited)
        return max(0.0, min(self._seconds - counts, longest(self._seconds) - waited))


def _close(file: int) -> None:
    OWN.discard(file)
    os.close(file)


def _send(pipe: Connection, message: Any, patience: _Patience) -> bool:
    """Write a message as `Connection.send` does, and say whether the child has read it in time."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    rest = memoryview(_frame(len(data)) + data)
    os.set_blocking(pipe.fileno(), False)
    try:
        while rest:
            if not _is_ready(pipe, select.POLLOUT, patience):
                return False
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(pipe.fileno(), rest) :]
    finally:
        os.set_blocking(pipe.fileno(), True)
    return True


def _frame(size: int) -> bytes:
    return struct.pack("!i", size) if size < 1 << 31 else struct.pack("!iQ", -1, size)


def _is_ready(pipe: Connection, event: int, patience: _Patience) -> bool:
    """Wait until a pipe is ready, and say whether it was before patience was at an end."""
    poll = select.poll()  # `select.select` knows no descriptors beyond 1,024.
    poll.register(pipe.fileno(), event)
    while not poll.poll(math.ceil(1000 * (left := patience.left))):
        if left == 0.0:  # The clock may have been stopped since the last look.
            return False
    return True


def _receive(pipe: Connection, patience: _Patience) -> bytes | None:
    """Read the next message as bytes, however slowly it comes; the result is None once patience is at an end.

    `Connection.recv` would wait for the rest of a message that never comes. The framing read here is that of
    `Connection`: four bytes of length, or -1 and eight bytes of length.
    """
    size = struct.unpack("!i", head)[0] if (head := _read_bytes(pipe, 4, patience)) is not None else None
    if size == -1:
        size = struct.unpack("!Q", head)[0] if (head := _read_bytes(pipe, 8, patience)) is not None else None
    if size is None:
        return None
    if not 0 <= size <= MAX_REPLY:
        raise ValueError(f"an answer of {size} bytes")
    return _read_bytes(pipe, size, patience)


def _read_bytes(pipe: Connection, count: int, patience: _Patience) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        if not _is_ready(pipe, select.POLLIN, patience):
            return None
        chunk = os.read(pipe.fileno(), count - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
