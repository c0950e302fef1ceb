"""A child process as its parent sees it: whether it lives, how it ended, and how it is ended.

In: the id of a child of this process. Out: its exit code, also where nobody can say any more what it was: a program
that ignores SIGCHLD, or in which something else waits for all children, takes the code away. Its number is given out
again then, so whoever has it is only waited for, or killed, while he is the one who was born as the child.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from symbiont_jit.identity import read_birth, read_status

__all__ = ["UNKNOWN_CODE", "Process"]

#: The exit code of a process that has ended, and whose code somebody else took; no process ends with it.
UNKNOWN_CODE: Final = 1 << 16

#: The seconds for which processes are killed that start others.
MOST_SECONDS: Final = 5.0
#: How many are killed before the second look at what there is: there may be thousands that have ended long ago.
FIRST_AT_ONCE: Final = 32
_LOG: Final = logging.getLogger("symbiont_jit.isolate")


class Process:
    """A child of this process, which does not outlive this object.

    Args:
        pid: The child's id. Nobody else in this program should wait for it.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._birth = read_birth(pid)
        self._code: int | None = None
        # It is re-entrant, because a signal's handler may kill what the interrupted thread is looking at.
        self._lock = threading.RLock()
        self._finalizer = weakref.finalize(self, _end, pid, self._birth, os.getpid())

    @property
    def exitcode(self) -> int | None:
        """The code that the process ended with, negative for a signal; None while it lives."""
        with self._lock:
            if self._code is None:
                self._code = _take_code(self.pid, self._birth)
                if self._code is not None:
                    self._finalizer.detach()
            return self._code

    def kill_tree(self) -> None:
        """Kill all that the process has started and what came of that, in whatever session, and then the process."""
        with self._lock:
            if self.exitcode is None:
                _kill_descendants(self.pid)
                _kill_group(self.pid)
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


def _take_code(pid: int, birth: str) -> int | None:
    """Take the exit code of a child, and end what is in its group before its number can be given out again."""
    try:
        if read_birth(pid) != birth:
            return UNKNOWN_CODE
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        _kill_group(pid)
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return UNKNOWN_CODE
    return os.waitstatus_to_exitcode(status) if found else None


def _kill_group(leader: int) -> None:
    """Kill the group that has the number of a process which nobody has waited for; there may be none."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def _kill_descendants(pid: int) -> None:
    """Kill what comes of a process, which keeps those whose parents have ended (PR_SET_CHILD_SUBREAPER).

    A child that is killed leaves its own children to the process, so they are looked for until all that it has are
    dead. Some may start the next one, and end, faster than anybody can look: so the youngest are killed first, and
    their groups as a whole, which no fork escapes.
    """
    _send(signal.SIGSTOP, {pid})
    until = time.monotonic() + MOST_SECONDS
    known, dying, most = set[int](), set[int](), FIRST_AT_ONCE
    while time.monotonic() < until:
        # One that has ended has left its own children to the process before: they are among those that are found next.
        dying = {child for child in dying if not _has_ended(child)}
        new = [child for child in _find_children(pid) if child not in known][-most:]
        if not new and not dying:
            return
        for group in _find_groups(new) - {pid}:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        _send(signal.SIGKILL, new)
        known.update(new)
        dying.update(new)
        most *= 2
    _LOG.warning("a worker has started processes that start others as fast as they are killed; these go on")


def _find_groups(processes: Iterable[int]) -> set[int]:
    """Find the groups of some processes, but for those of this program's session."""
    own, found = os.getsid(0), set[int]()
    for process in processes:
        group, session = map(int, read_status(process)[2:4] or (0, own))
        if session != own:
            found.add(group)
    return found


def _has_ended(pid: int) -> bool:
    fields = read_status(pid)
    return not fields or fields[0] in ("Z", "X")


def _find_children(pid: int) -> list[int]:
    """Find the children of a process, the youngest last; dead ones too, as long as they have not been waited for."""
    try:
        of_threads = [Path(f"/proc/{pid}/task/{name}/children").read_text() for name in os.listdir(f"/proc/{pid}/task")]
        return list(map(int, " ".join(of_threads).split()))
    except OSError:  # Not every kernel keeps such lists.
        names = filter(str.isdecimal, os.listdir("/proc") if os.path.isdir("/proc") else ())
        return [int(name) for name in names if read_status(name)[1:2] == [str(pid)]]


def _send(number: int, processes: Iterable[int]) -> None:
    for process in processes:
        with contextlib.suppress(OSError):  # It has ended since, or is another user's.
            os.kill(process, number)


def _end(pid: int, birth: str, parent: int) -> None:
    # In a process that was forked from the parent it is no child.
    if os.getpid() == parent and read_birth(pid) == birth:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
