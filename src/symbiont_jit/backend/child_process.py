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
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from symbiont_jit.backend.pipe_ends import PipeEnd, close_ends, make_pipes
from symbiont_jit.errors import Diagnostic, Stage, ToolchainError
from symbiont_jit.identity import close_own, identify, read_birth
from symbiont_jit.uninterrupted import step

__all__ = [
    "MAX_MESSAGES",
    "MAX_OUTPUT",
    "TIMEOUT",
    "Child",
    "ChildError",
    "Deadline",
    "LostPipesError",
    "again_where_lost",
    "spawn",
]

_T = TypeVar("_T")

#: The seconds for one unit of C, and the bytes of memory for the process that works on it.
TIMEOUT: Final = 10.0
MEMORY: Final = 1 << 30
MAX_OUTPUT: Final = 16 << 20
MAX_MESSAGES: Final = 64 << 10
#: Seconds after which whoever waits looks at the clock, and after which it is asked again what cannot be waited for.
LOOK_SECONDS: Final = 0.5
POLL_SECONDS: Final = 0.005
#: Seconds in which a process that was killed has to end.
KILL_SECONDS: Final = 2.0
#: How often work is begun anew whose pipes this program has closed meanwhile.
MOST_LOST: Final = 3
#: The variables of the environment that a compiler needs: where programs and their libraries are.
_PASSED: Final = ("PATH", "LD_LIBRARY_PATH")

_KNOWN: Final[set[Child]] = set()


class ChildError(Exception):
    """Raised where a child ended, was too slow, or wrote too much or nonsense: the rule and message of a finding."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule

    def finding(self, stage: Stage = Stage.LOWER, advice: str = "") -> Diagnostic:
        """Return the finding on the candidate, whose text has brought the child to that."""
        return Diagnostic(stage, self.rule, f"{self}{advice}")


class LostPipesError(ToolchainError):
    """Raised where this program has closed the pipes of a child, as one does that becomes a daemon.

    It says nothing of what the child had to do, and nothing more can be asked of the child.
    """


def again_where_lost(work: Callable[[], _T]) -> _T:
    """Do some work, and do it anew with other children where the pipes of one were lost.

    Raises:
        LostPipesError: They are lost again and again.
    """
    for _ in range(MOST_LOST):
        with contextlib.suppress(LostPipesError):
            return work()
    return work()


class Deadline:
    """The time in which something has to be done: so many seconds, by default those of a unit, while somebody waits.

    While this process is stopped, as by Ctrl-Z or a debugger, nobody waits: then most of that time does not count.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = TIMEOUT if seconds is None else seconds
        self._left = self.seconds
        self._seen = time.monotonic()

    def count(self) -> float:
        """Return the seconds that are left, 0 when they are over."""
        now = time.monotonic()
        self._left = max(0.0, self._left - min(now - self._seen, 2 * LOOK_SECONDS))
        self._seen = now
        return self._left

    def passes_before(self, ready: select.poll) -> bool:
        """Wait until a descriptor is ready, and say whether the time was over first."""
        while (left := self.count()) > 0.0:
            if ready.poll(min(left, LOOK_SECONDS) * 1000):
                return False
        return True

    def passes_while(self, goes_on: Callable[[], bool]) -> bool:
        """Wait until something goes on no more, and say whether the time was over first."""
        while goes_on():
            if self.count() == 0.0:
                return True
            time.sleep(POLL_SECONDS)
        return False


@dataclass(slots=True, eq=False)
class Child:
    """A child process, what it has written to its output, and its messages.

    `name` is what people know it by, and `task` what it does; `pipes` are this side's ends of its input, its output and
    its messages, and `inputs` those of further inputs, none of which blocks; `names` are the descriptors by which the
    process knows these. `returncode` says how it ended, once somebody has waited for that.
    """

    pid: int
    pipes: tuple[PipeEnd, PipeEnd, PipeEnd]
    name: str
    task: str
    inputs: tuple[PipeEnd, ...] = ()
    names: tuple[int, ...] = ()
    returncode: int | None = None
    output: bytearray = field(default_factory=bytearray)
    messages: bytearray = field(default_factory=bytearray)
    parent: int = field(default_factory=os.getpid)
    _readable: select.poll = field(default_factory=select.poll)
    _open: set[PipeEnd] = field(default_factory=set)
    _birth: str = ""

    def __post_init__(self) -> None:
        self._birth = read_birth(self.pid)
        for pipe in (*self.pipes, *self.inputs):
            os.set_blocking(pipe.number, False)
        for pipe in self.pipes[1:]:
            self._readable.register(pipe.number, select.POLLIN)
        self._open.update(self.pipes, self.inputs)

    @property
    def is_ours(self) -> bool:
        """Whether this process started the child, and not one that forked this process."""
        return self.parent == os.getpid()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, and is this process's own."""
        return self._has_ended is False

    @property
    def is_usable(self) -> bool:
        """Whether the process runs, and none of its pipes was closed that this side did not close itself."""
        return self.is_alive and all(pipe.is_whole for pipe in tuple(self._open))

    @property
    def _has_ended(self) -> bool | None:
        """Whether the process has ended, without waiting for it, so that its number is still its own; None where not.

        The number is another's where somebody has waited, where the process is a parent's, and where SIGCHLD is ignored
        and the process has ended; a later child of this process may have it then.
        """
        if self.returncode is not None or not self.is_ours or read_birth(self.pid) != self._birth:
            return None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return None

    @property
    def was_killed(self) -> bool:
        """Whether it has been found out that the process was killed, which it does not do itself."""
        return self.returncode == -signal.SIGKILL

    @property
    def is_silent(self) -> bool:
        """Whether the process has closed its output and its messages."""
        return self._open.isdisjoint(self.pipes[1:])

    @property
    def has_closed_output(self) -> bool:
        """Whether no more output will come."""
        return self.pipes[1] not in self._open

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write to the input of a process that reads it in time; of one that has died, `read` will tell."""
        self._write(self.pipes[0], data, deadline)

    def feed(self, number: int, data: bytes, deadline: Deadline) -> None:
        """Write to one of the further inputs as `write` does, and let the process see its end."""
        self._write(self.inputs[number], data, deadline)
        self._close(self.inputs[number])

    def _write(self, pipe: PipeEnd, data: bytes, deadline: Deadline) -> None:
        rest = memoryview(data)
        writable = _poll_for(pipe.number, select.POLLOUT)
        with contextlib.suppress(BrokenPipeError):
            while rest:
                if deadline.passes_before(writable):
                    raise self._too_slow(deadline)
                self._require(pipe)
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(pipe.number, rest) :]

    def _require(self, pipe: PipeEnd) -> None:
        """Raise `LostPipesError` where the number of a pipe is nothing, or somebody else's, by now."""
        if not pipe.is_whole:
            raise LostPipesError(f"this program has closed the pipes to {self.name}, which are not its own")

    def end_input(self) -> None:
        """Let the process see the end of its input."""
        self._close(self.pipes[0])

    def limit_work(self, seconds: int) -> None:
        """Let the process end after so many seconds of work in all, should this one be killed meanwhile."""
        if hasattr(resource, "prlimit"):
            with contextlib.suppress(OSError):
                _, most = resource.prlimit(self.pid, resource.RLIMIT_CPU)
                resource.prlimit(self.pid, resource.RLIMIT_CPU, (min(seconds, most), most))

    def read(self, deadline: Deadline) -> None:
        """Take what there is of output and messages, or wait for some."""
        if deadline.passes_before(self._readable):
            raise self._too_slow(deadline)
        ready = {number for number, _ in self._readable.poll(0)}
        for pipe in self.pipes[1:]:
            if pipe.number in ready and pipe in self._open:
                self._take(pipe)

    def read_messages(self) -> None:
        """Take the messages that are in the pipe, without waiting for more."""
        pipe = self.pipes[2]
        while pipe in self._open and _poll_for(pipe.number, select.POLLIN).poll(0):
            self._take(pipe)

    def _take(self, pipe: PipeEnd) -> None:
        self._require(pipe)
        kept, limit = (self.output, MAX_OUTPUT) if pipe == self.pipes[1] else (self.messages, MAX_MESSAGES)
        try:
            chunk = os.read(pipe.number, 1 << 16)
        except OSError as error:
            raise ToolchainError(f"the system does not let {self.name} be read: {error}") from error
        if not chunk:
            self._readable.unregister(pipe.number)
            self._close(pipe)
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
        if not self._ends_before(deadline):
            raise self._too_slow(deadline)
        self.kill()  # What it has started shall not go on without it.
        return self._reap()

    def _ends_before(self, deadline: Deadline) -> bool:
        """Wait for the end of a process, and say whether it came in time."""
        if self._has_ended is not False:
            return True
        try:
            ended = os.pidfd_open(self.pid)
        except ProcessLookupError:  # It has ended since, where SIGCHLD is ignored.
            return True
        except OSError:  # Linux is older than 5.3, a filter of system calls forbids it, or descriptors are used up.
            return not deadline.passes_while(lambda: self._has_ended is False)
        identity = identify(ended)
        try:
            return not deadline.passes_before(_poll_for(ended, select.POLLIN))
        finally:
            close_own(ended, identity)

    def _reap(self) -> int:
        """Take note of how a process ended that has ended or was killed."""
        if self.returncode is None:
            try:
                # A process that has become another user's cannot be killed, so waiting for it could last for ever.
                has_ended = self.is_ours and self._ends_before(Deadline(KILL_SECONDS))
                self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) if has_ended else 0
            except ChildProcessError:  # SIGCHLD is ignored: nobody will know.
                self.returncode = 0
        return self.returncode

    def _too_slow(self, deadline: Deadline) -> ChildError:
        return ChildError("limit", f"{self.task} took longer than {deadline.seconds:g} seconds")

    def describe_failure(self, returncode: int) -> str:
        """Describe how the process ended, which did not do its work, and the first thing that it said."""
        first = next(iter(self.messages.decode("utf-8", "replace").splitlines()), "")[:200]
        how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
        return f"{self.name} failed ({how}){': ' + first if first else ''}; write the function more plainly"

    def kill(self) -> None:
        """Kill the process and what it has started; whoever reads from it sees the end of its output."""
        for send in (os.killpg, os.kill) if self._has_ended is not None else ():  # It may have left its group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process, close its pipes and wait for its end; a second time does nothing."""
        self.kill()
        close_ends(*tuple(self._open))
        self._open.clear()
        self._reap()
        with step():
            _KNOWN.discard(self)

    def _close(self, pipe: PipeEnd) -> None:
        if pipe in self._open:
            self._open.discard(pipe)
            close_ends(pipe)


def _poll_for(descriptor: int, event: int) -> select.poll:
    poll = select.poll()
    poll.register(descriptor, event)
    return poll


def spawn(command: Sequence[str], name: str, task: str, cpu_seconds: int | None = None, inputs: int = 0) -> Child:
    """Start a child with pipes for its input, output and messages; raise `OSError` where that fails.

    Args:
        command: The program and its arguments.
        name: What people know it by.
        task: What it does.
        cpu_seconds: The work after which it ends if it outlives this process, because this one was killed.
        inputs: How many further inputs it has.
    """
    with step():
        ends = make_pipes(3 + inputs)
        theirs, ours = (ends[0], ends[3], ends[5]), (ends[1], ends[2], ends[4])
        read, written = tuple(ends[6::2]), tuple(ends[7::2])
        try:
            pid = _start(command, [end.number for end in theirs], [end.number for end in read])
        except BaseException:
            close_ends(*ours, *written)
            raise
        finally:
            close_ends(*theirs, *read)
        child = Child(pid, ours, name, task, written, tuple(end.number for end in read))
        _KNOWN.add(child)
    _limit(pid, resource.RLIMIT_AS, MEMORY)
    if cpu_seconds is not None:
        _limit(pid, resource.RLIMIT_CPU, cpu_seconds)
    return child


def _start(command: Sequence[str], pipes: Sequence[int], inputs: Sequence[int]) -> int:
    """Start a program with these ends of pipes, the further ones under their own numbers, and with no other descriptor.

    Python's lock is held meanwhile.
    """
    # The C locale keeps the messages parsable.
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | {"LC_ALL": "C"}
    moved = [(os.POSIX_SPAWN_DUP2, pipe, number) for number, pipe in enumerate(pipes)]
    kept = [(os.POSIX_SPAWN_DUP2, pipe, pipe) for pipe in inputs]  # That takes away the mark that closes it.
    closed = [(os.POSIX_SPAWN_CLOSE, number) for number in _inheritable()]
    return os.posix_spawnp(
        command[0],
        list(command),
        environment,
        file_actions=[*moved, *closed, *kept],
        # Ctrl-C must not reach the child: a compilation that Ctrl-C ended would count as the candidate's failure.
        setpgroup=0,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGXCPU, signal.SIGALRM),
    )


def _inheritable() -> list[int]:
    """List the descriptors that a program which is started would get besides the standard streams."""
    numbers = [int(name) for name in os.listdir("/proc/self/fd")] if os.path.isdir("/proc/self/fd") else []
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found = []
    for number in numbers:
        with contextlib.suppress(OSError):  # Another thread has closed it since.
            if 2 < number < limit and os.get_inheritable(number):
                found.append(number)
    return found


def _limit(pid: int, what: int, limit: int) -> None:
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, what, (limit, limit))


def _forget_all() -> None:
    """Forget in a forked child the processes, which are its parent's; their pipes are closed there."""
    for child in _KNOWN:
        child._open.clear()
    _KNOWN.clear()


@atexit.register
def _kill_all() -> None:
    """Let no compilation outlive the process, whose clock it runs by."""
    with step():
        for child in _KNOWN:
            child.kill()


os.register_at_fork(after_in_child=_forget_all)
