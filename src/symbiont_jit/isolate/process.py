"""A child process as its parent sees it: whether it lives, how it ended, and how it is ended.

In: the id of a child of this process. Out: its exit code, also where nobody can say any more what it was: a program
that ignores SIGCHLD, or in which something else waits for all children, takes the code away.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["UNKNOWN_CODE", "Process"]

#: The exit code of a process that has ended, and whose code somebody else took; no process ends with it.
UNKNOWN_CODE: Final = 1 << 16

#: How often it is looked for what processes have started before they were stopped.
MOST_ROUNDS: Final = 100


class Process:
    """A child of this process, which does not outlive this object.

    Args:
        pid: The child's id. Nobody else in this program should wait for it.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        # It is re-entrant, because a signal's handler may kill what the interrupted thread is looking at.
        self._lock = threading.RLock()
        self._finalizer = weakref.finalize(self, _end, pid, os.getpid())

    @property
    def exitcode(self) -> int | None:
        """The code that the process ended with, negative for a signal; None while it lives."""
        with self._lock:
            if self._code is None:
                self._code = _take_code(self.pid)
                if self._code is not None:
                    self._finalizer.detach()
            return self._code

    def kill_tree(self) -> None:
        """Kill all that the process has started and what came of that, in whatever session, and then the process."""
        with self._lock:
            if self.exitcode is None:
                _kill_descendants(self.pid)
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
            self.kill()

    def kill(self) -> None:
        """Kill the process, unless it has ended: its number may belong to another one then."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self.exitcode is None:
                os.kill(self.pid, signal.SIGKILL)

    def join(self) -> None:
        """Wait until the process has ended."""
        while self.exitcode is None:
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)


def _take_code(pid: int) -> int | None:
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return UNKNOWN_CODE
    return os.waitstatus_to_exitcode(status) if found else None


def _kill_descendants(pid: int) -> None:
    """Kill what comes of a process, which keeps those whose parents have ended (PR_SET_CHILD_SUBREAPER).

    All are stopped before, so that none starts another one meanwhile.
    """
    _send(signal.SIGSTOP, {pid})
    known: set[int] = set()
    for _ in range(MOST_ROUNDS):
        new = _find_descendants(pid) - known
        if not new:
            break
        _send(signal.SIGSTOP, new)
        known |= new
    _send(signal.SIGKILL, known)


def _send(number: int, processes: Iterable[int]) -> None:
    for process in processes:
        with contextlib.suppress(OSError):  # It has ended since, or is another user's.
            os.kill(process, number)


def _find_descendants(pid: int) -> set[int]:
    children: defaultdict[int, set[int]] = defaultdict(set)
    for name in filter(str.isdecimal, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()[1]
            children[int(parent)].add(int(name))
    found, new = set[int](), children[pid]
    while new:
        found |= new
        new = set[int]().union(*(children[each] for each in new)) - found
    return found


def _end(pid: int, parent: int) -> None:
    if os.getpid() == parent:  # In a process that was forked from the parent it is no child.
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
