"""Child processes that compile: how each is started, limited, written to, read and ended.

In: a command. Out: a `Child`, which nothing of the user's environment and no Ctrl-C reaches, and whose every answer is
bounded in time and size. No forked child of this process keeps one of their pipes open.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.uninterrupted import step

__all__ = ["MAX_MESSAGES", "MAX_OUTPUT", "TIMEOUT", "Child", "ChildError", "Deadline", "spawn"]

#: The seconds for one unit of C, and the bytes of memory for the process that works on it.
TIMEOUT: Final = 10.0
MEMORY: Final = 1 << 30
MAX_OUTPUT: Final = 16 << 20
MAX_MESSAGES: Final = 64 << 10
#: The variables of the environment that a compiler needs: where programs and their libraries are.
_PASSED: Final = ("PATH", "LD_LIBRARY_PATH")

#: The children that a fork has to close the pipes of; they are started and forgotten in steps.
_KNOWN: Final[set[Child]] = set()


class ChildError(Exception):
    """Raised where a child ended, was too slow, or wrote too much or nonsense: the rule and message of a finding."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule

    def finding(self, stage: Stage = Stage.LOWER, advice: str = "") -> Diagnostic:
        """Return the finding on the candidate, whose text has brought the child to that."""
        return Diagnostic(stage, self.rule, f"{self}{advice}")


class Deadline:
    """The time by which something has to be done, and the seconds that it was given."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """The seconds until then, 0 when they are over."""
        return max(0.0, self._at - time.monotonic())

    def passes_before(self, ready: select.poll) -> bool:
        """Wait until a descriptor is ready, and say whether the time was over first."""
        return not ready.poll(self.seconds_left * 1000) or self.seconds_left == 0.0


@dataclass(slots=True, eq=False)
class Child:
    """A child process, what it has written to its output, and its messages.

    `name` is what people know it by, and `task` what it does. The pipes do not block, and have no buffers: a buffer
    would be flushed once more, and its lock be waited for, in every child of a fork.
    """

    process: subprocess.Popen[bytes]
    name: str
    task: str
    output: bytearray = field(default_factory=bytearray)
    messages: bytearray = field(default_factory=bytearray)
    _readable: select.poll = field(default_factory=select.poll)
    _open: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        for pipe in self._pipes[1:]:
            self._readable.register(pipe, select.POLLIN)
            self._open.add(pipe.fileno())

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs and is this process's own child, not one of a parent that forked this one."""
        return self._has_ended is False

    @property
    def _has_ended(self) -> bool | None:
        """Whether the process has ended, without waiting for it, so that its number is still its own; None where not.

        The number is another's where somebody has waited, where the process is a parent's, and where SIGCHLD is ignored
        and the process has ended.
        """
        if self.process.returncode is not None:
            return None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return None

    @property
    def is_silent(self) -> bool:
        """Whether the process has closed its output and its messages."""
        return not self._open

    @property
    def has_closed_output(self) -> bool:
        """Whether no more output will come."""
        return self._pipes[1].fileno() not in self._open

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        pipes = self.process.stdin, self.process.stdout, self.process.stderr
        assert pipes[0] is not None
        assert pipes[1] is not None
        assert pipes[2] is not None
        return pipes[0], pipes[1], pipes[2]

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write to the input of a process that reads it in time; of one that has died, `read` will tell."""
        pipe, rest = self._pipes[0].fileno(), memoryview(data)
        writable = _poll_for(pipe, select.POLLOUT)
        with contextlib.suppress(BrokenPipeError):
            while rest:
                if deadline.passes_before(writable):
                    raise ChildError("limit", f"{self.name} has not read its input within {deadline.seconds:g} seconds")
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(pipe, rest) :]

    def close_input(self) -> None:
        """Let the process see the end of its input."""
        self._pipes[0].close()

    def read(self, deadline: Deadline) -> None:
        """Take what there is of output and messages, or wait for some."""
        if deadline.passes_before(self._readable):
            raise self._too_slow(deadline)
        for pipe, _ in self._readable.poll(0):
            self._take(pipe)

    def read_messages(self) -> None:
        """Take the messages that are in the pipe, without waiting for more."""
        pipe = self._pipes[2].fileno()
        while pipe in self._open and _poll_for(pipe, select.POLLIN).poll(0):
            self._take(pipe)

    def _take(self, pipe: int) -> None:
        is_output = pipe == self._pipes[1].fileno()
        kept, limit = (self.output, MAX_OUTPUT) if is_output else (self.messages, MAX_MESSAGES)
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            self._readable.unregister(pipe)
            self._open.discard(pipe)
        kept += chunk
        if len(kept) > limit:
            raise ChildError("limit", f"{self.name} wrote more than {limit >> 10} KiB")

    def read_all(self, deadline: Deadline) -> int:
        """Read output and messages to their ends, and return how the process ended."""
        while not self.is_silent:
            self.read(deadline)
        return self.wait(deadline)

    def wait(self, deadline: Deadline) -> int:
        """Return how a process ended that has closed its pipes; it may not live on after them."""
        with contextlib.suppress(OSError, AttributeError):  # Only Linux has such descriptors; elsewhere `wait` sleeps.
            ended = os.pidfd_open(self.pid)
            try:
                deadline.passes_before(_poll_for(ended, select.POLLIN))
            finally:
                os.close(ended)
        if self._has_ended:
            self.kill()  # What it has started shall not go on without it.
        try:
            return self.process.wait(deadline.seconds_left)
        except subprocess.TimeoutExpired:
            raise self._too_slow(deadline) from None

    def _too_slow(self, deadline: Deadline) -> ChildError:
        return ChildError("limit", f"{self.task} took longer than {deadline.seconds:g} seconds")

    def describe_failure(self, returncode: int) -> str:
        """Describe how the process ended, which did not do its work, and the first thing that it said."""
        first = next(iter(self.messages.decode("utf-8", "replace").splitlines()), "")[:200]
        how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
        return f"{self.name} failed ({how}){': ' + first if first else ''}; write the function more plainly"

    def kill(self) -> None:
        """Kill the process and what it has started; whoever reads from it sees the end of its output."""
        if self._has_ended is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process, close its pipes and wait for its end; a second time does nothing."""
        self.kill()
        self.drop()
        self.process.wait()
        with step():
            _KNOWN.discard(self)

    def drop(self) -> None:
        """Close the pipes."""
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()


def _poll_for(descriptor: int, event: int) -> select.poll:
    poll = select.poll()
    poll.register(descriptor, event)
    return poll


def spawn(command: Sequence[str], name: str, task: str, cpu_seconds: int | None = None) -> Child:
    """Start a child with pipes for its input, output and messages; raise `OSError` where that fails.

    A child that outlives this process, because this one was killed, ends after `cpu_seconds` of work.
    """
    # The C locale keeps the messages parsable.
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | {"LC_ALL": "C"}
    with step():
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            cwd="/",
            # Ctrl-C must not reach the child: a compilation that Ctrl-C ended would count as the candidate's failure.
            process_group=0,
        )
        child = Child(process, name, task)
        _KNOWN.add(child)
    _limit(process.pid, resource.RLIMIT_AS, MEMORY)
    if cpu_seconds is not None:
        _limit(process.pid, resource.RLIMIT_CPU, cpu_seconds)
    return child


def _limit(pid: int, what: int, limit: int) -> None:
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, what, (limit, limit))


def _drop_all() -> None:
    """Close a forked child's copies of all pipes; the processes are its parent's, which it cannot wait for."""
    for child in _KNOWN:
        child.drop()
        child.process.returncode = 0
    _KNOWN.clear()


@atexit.register
def _kill_all() -> None:
    """Let no compilation outlive the process, whose clock it runs by."""
    with step():
        for child in _KNOWN:
            child.kill()


os.register_at_fork(after_in_child=_drop_all)
