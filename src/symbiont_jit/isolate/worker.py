"""A process in which unproven code runs: fed through a pipe, killed at its deadline, started again.

In: a function to run in the child, and requests that pickle. Out: the child's replies, or how it ended. This module is
the parent's side; `start` makes the child, `child` is the child's life.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import Any, Final

from symbiont_jit.errors import UsageError
from symbiont_jit.isolate.child import require_no_worker
from symbiont_jit.isolate.descriptors import LostDescriptorError
from symbiont_jit.isolate.messages import Complaint, NotReady, Ready, ReplyReader, WorkerReply, make_nonce
from symbiont_jit.isolate.permissions import require_permissions
from symbiont_jit.isolate.pipe import ParentsEnd, Patience
from symbiont_jit.isolate.process import UNKNOWN_CODE, Process
from symbiont_jit.isolate.sandbox import filter_problem
from symbiont_jit.isolate.shared import SharedFiles
from symbiont_jit.isolate.start import STARTS, NoRoomError, Start, choose_start

__all__ = ["Crash", "Overdue", "Complaint", "Worker", "WorkerReply"]

#: Seconds in which a child that has closed its pipe has to end: as long as it may work, within limits.
_GRACE_SECONDS: Final = 5.0
_LEAST_GRACE: Final = 0.2
#: A fresh interpreter imports Numba and the user's modules, and calls the metric once.
START_SECONDS: Final = 120.0
#: Seconds after which a start is tried again that there was no room for while other workers were at requests.
_LOOK_SECONDS: Final = 0.05

_BY_ITSELF: Final = "exit code "
_CLOSED_BEFORE: Final = "a closed pipe, before it was asked"
#: The words for how a process ended that has no exit code.
_OTHER_ENDS: Final = {
    None: "a closed pipe, though the process went on",
    UNKNOWN_CODE: "an unknown exit code (this program ignores SIGCHLD, or something in it waits for all children)",
}


@dataclass(frozen=True, slots=True)
class Crash:
    """The child ended, by a signal or with an exit code, which `reason` names; `phase` is what it was doing.

    `was_unreadable` says that it was ended, for an answer that is none.
    """

    reason: str
    phase: str = ""
    was_unreadable: bool = False

    @property
    def has_left(self) -> bool:
        """Whether the child has ended by itself, with an exit code, and by no signal."""
        return self.reason.startswith(_BY_ITSELF)

    @property
    def was_asked(self) -> bool:
        """Whether somebody asked the child to end, as whoever ends all processes of a group does."""
        return self.reason.startswith(f"signal {signal.SIGTERM.name}")


@dataclass(frozen=True, slots=True)
class Overdue:
    """The child was killed after `seconds` seconds without a reply; `phase` is what it was doing.

    `was_unread` says that it had not read the whole request, which is then no fault of the request.
    """

    seconds: float
    phase: str = ""
    was_unread: bool = False


class _CurrentChild:
    """The process that answers now, with this side's end of its pipe."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.pipe: ParentsEnd | None = None

    @property
    def can_be_asked(self) -> bool:
        """Whether there is a process that lives and has said nothing that it was not asked."""
        if self.process is None or self.pipe is None:
            return False
        return self.process.exitcode is None and self.pipe.is_quiet

    def end(self, granted: frozenset[str]) -> None:
        """Kill the process, and what it has started where it may start anything."""
        process = self.process
        try:
            if process is not None:
                _kill(process, granted)
                process.join()
        finally:
            self.forget()

    def forget(self) -> None:
        """Leave the process to whoever else may have it, and close this side's end of the pipe."""
        pipe = self.pipe
        self.process = self.pipe = None
        if pipe is not None:
            pipe.close()


class Worker:
    """One child process that answers requests with `serve(request)`; it is started again after it died.

    Whatever takes time before the child can serve does not count towards a deadline.

    Args:
        serve: The function that runs in the child; with `spawn` it has to pickle.
        start: One of `STARTS`; the platform's default where there is none.
        reply_type: The type of what `serve` returns; a reply of another one is a crash.
        permissions: What the child may do besides computing, of `permissions.PERMISSIONS`.
        have_requests: Whether others of the same kind are at a request now, which will end.
    """

    def __init__(
        self,
        serve: Callable[[Any], Any],
        start: Start | None = None,
        reply_type: Any = Any,
        permissions: Iterable[str] = (),
        have_requests: Callable[[], bool] = lambda: False,
    ) -> None:
        self._serve = serve
        self._start_child = start or STARTS[choose_start(None)]
        self._reader = ReplyReader(reply_type)
        self._granted = require_permissions(permissions)
        self._have_requests = have_requests

        filter_problem()  # The filter's library is found here, so that no forked child has to search.
        self._begin()

    def _begin(self) -> None:
        """Take what belongs to this process alone: a child of its own, and files that it shares with nobody else."""
        self._pid = os.getpid()
        #: How often a child was stopped: by now, when the request came that is served, and when the child was started.
        self._stops = self._stops_before = self._stops_at_start = 0
        self._asked_in = 0
        self._child = _CurrentChild()
        self._shared = SharedFiles()
        # It is re-entrant, because a signal's handler may close the worker that the interrupted thread asks.
        self._lock = threading.RLock()
        # At its end the interpreter asks children to end, and waits for them, who may not hear it: these go before.
        Finalize(self, self._child.end, (self._granted,), exitpriority=1)

    @property
    def _is_elsewhere(self) -> bool:
        """Whether this process was forked from the one that has the child.

        Both would ask the same child, and each could get the other's answer.
        """
        return os.getpid() != self._pid

    @property
    def is_asked(self) -> bool:
        """Whether the child is at a request of this process now."""
        return self._asked_in == os.getpid()

    def ask(self, request: Any, deadline: float, most: float = math.inf) -> WorkerReply | Complaint | Crash | Overdue:
        """Send a request and wait for its reply.

        Args:
            request: Anything that pickles.
            deadline: The seconds to wait, without those in which the child has stopped the clock; then the child is
                killed.
            most: The seconds after which it is killed though it has stopped the clock, where those are fewer than
                `child.longest` says.

        Returns:
            The reply, or what became of the child instead. A refusal is as good as the child: code that ran in there
            may have written it.

        Raises:
            UsageError: A child cannot get ready.
        """
        if self._is_elsewhere:
            require_no_worker()
            self._child.forget()
            self._shared.close()
            self._begin()
        stops = self._stops
        with self._lock:
            self._stops_before = stops
            for _ in range(2):
                is_stopped = self._stops_at_start != stops
                is_used = self._child.can_be_asked and self._shared.are_whole and not is_stopped
                failed = None if is_used else self._start()
                if failed is not None:
                    return failed
                self._asked_in = self._pid
                try:
                    outcome = self._exchange(request, deadline, most)
                finally:
                    self._asked_in = 0
                if not _may_be_of_another(outcome, is_used):
                    break
            if outcome is None:
                return Crash(_CLOSED_BEFORE)
            return self._refuse("no answer was due") if isinstance(outcome, Ready | NotReady) else outcome

    def _start(self) -> Crash | None:
        """Start a child and wait until it can serve; the result is a crash on the way, if there was one."""
        self._start_process()
        outcome = self._exchange(None, START_SECONDS, is_first=True)
        if outcome is None:
            self._start_process()
            outcome = self._exchange(None, START_SECONDS, is_first=True)
        if isinstance(outcome, Overdue):
            raise UsageError(f"a worker was not ready within {START_SECONDS:g} seconds{self._shared.take_last_words()}")
        if isinstance(outcome, NotReady):
            self._kill()
            raise UsageError(f"a worker cannot get ready, because in there this happened:\n{outcome.reason}")
        if isinstance(outcome, WorkerReply | Complaint):
            outcome = self._refuse("an answer before a request")
        if isinstance(outcome, Crash) and (outcome.was_unreadable or outcome.has_left):  # No candidate has run yet.
            raise UsageError(f"a worker cannot get ready: its process ended with {outcome.reason}")
        return None if isinstance(outcome, Ready) else outcome or Crash(_CLOSED_BEFORE)

    def _start_process(self) -> None:
        self._kill()
        require_no_worker()
        if not self._shared.are_whole:
            self._shared.close()
            self._shared = SharedFiles()
        self._child.process, self._child.pipe = self._find_room()
        self._stops_at_start = self._stops_before
        if self._stops != self._stops_before:
            self._kill_from_anywhere()

    def _find_room(self) -> tuple[Process, ParentsEnd]:
        """Start a child, if need be once others have ended what they are at: that may be what takes all the room."""
        files = self._shared.descriptors
        while self._have_requests():
            with contextlib.suppress(NoRoomError):
                return self._start_child(self._serve, files, self._granted)
            time.sleep(_LOOK_SECONDS)
        return self._start_child(self._serve, files, self._granted)

    def _exchange(
        self, request: Any, seconds: float, most: float = math.inf, is_first: bool = False
    ) -> Ready | NotReady | Complaint | WorkerReply | Crash | Overdue | None:
        """Send a request and wait for the child's reply; None where the child takes no messages.

        The first message comes without a request. To take none is no fault of the request: code that ran for the one
        before may have closed its end, or this program the other one.
        """
        process, pipe = self._child.process, self._child.pipe
        if process is None or pipe is None:  # A signal's handler has closed the worker just now.
            return Crash("a close before it was asked")
        self._shared.start_clock()
        patience, nonce = Patience(seconds, self._shared.phase, most), b"" if is_first else make_nonce()
        try:
            is_sent = is_first or pipe.send((nonce, seconds, request), patience)
        except (BrokenPipeError, ConnectionResetError, LostDescriptorError):
            self._kill()
            return None
        except BaseException:
            self._kill()
            raise
        try:
            data = pipe.receive(patience) if is_sent else None
            if data is None:
                was_unread = not is_first and pipe.has_unread
                if process.exitcode is not None:  # What it has started may have its end of the pipe still open.
                    return Crash(self._describe_end(process, patience), self._shared.read_phase())
                self._kill()
                return Overdue(patience.waited, self._shared.read_phase(), was_unread)
            reply = self._reader.read(data, nonce)
            self._shared.forget_output()
            return reply
        except LostDescriptorError:
            self._kill()
            return None
        except (EOFError, OSError):
            return Crash(self._describe_end(process, patience), self._shared.read_phase())
        except ValueError as error:
            return self._refuse(str(error))
        except BaseException:
            self._kill()  # A late reply would be read as the reply to the next request.
            raise

    def _refuse(self, fault: str) -> Crash:
        """End a child that said what its function cannot say, so code in there wrote to the pipe."""
        self._kill()
        return Crash(f"an answer that cannot be read ({fault})", self._shared.read_phase(), was_unreadable=True)

    def stop(self) -> None:
        """Kill the child, and every one that is started for a request which came before; may be called from any thread.

        A thread that waits in `ask` gets a `Crash`.
        """
        self._stops += 1
        self._kill_from_anywhere()

    def _kill_from_anywhere(self) -> None:
        process = self._child.process
        if process is not None and not self._is_elsewhere:
            _kill(process, self._granted)

    def _describe_end(self, process: Process, patience: Patience) -> str:
        """Reap a child that closed its pipe, and describe how it ended."""
        deadline = time.monotonic() + min(_GRACE_SECONDS, max(_LEAST_GRACE, patience.left))
        while (code := process.exitcode) is None and time.monotonic() < deadline:
            time.sleep(0.001)  # A child may close its pipe and live on, so waiting for its end could take for ever.
        self._kill()
        return f"{_describe_code(code)}{self._shared.take_last_words()}"

    def _kill(self) -> None:
        self._child.end(self._granted)

    def close(self) -> None:
        """End the child; the worker may be asked again and then starts another one.

        May be called from any thread; one that waits in `ask` gets a `Crash`.
        """
        if self._is_elsewhere:
            self._child.forget()
            return
        self.stop()
        with self._lock:
            self._kill()


def _may_be_of_another(outcome: object, is_used: bool) -> bool:
    """Whether a request has failed by what ran for an earlier one, so that it is worth another child.

    Code that ran before may have left a child that reads no more, says something at any time later, or ends. Besides,
    this program may have closed all that is open.
    """
    match outcome:
        case None:
            return True
        case Overdue():
            return outcome.was_unread
        case Crash():  # A child ends by itself once something was left in it.
            return is_used and (outcome.was_unreadable or outcome.has_left)
    return False


def _kill(process: Process, granted: frozenset[str]) -> None:
    """Kill a process, and what it has started where it may start anything."""
    (process.kill_tree if "processes" in granted else process.kill)()


def _describe_code(code: int | None) -> str:
    if code in _OTHER_ENDS:
        return _OTHER_ENDS[code]
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"{_BY_ITSELF}{code}"
