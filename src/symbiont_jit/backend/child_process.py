"""Child processes that compile: how each is started, limited and ended.

In: a command. Out: a process with pipes, which nothing of the user's environment and no Ctrl-C reaches.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import subprocess
import time
from collections.abc import Sequence
from typing import Final

__all__ = [
    "MAX_MESSAGES",
    "MAX_OUTPUT",
    "TIMEOUT",
    "describe_failure",
    "drop",
    "end",
    "limit_memory",
    "spawn",
    "write_all",
]

#: The seconds for one unit of C, and the bytes of memory for the process that works on it.
TIMEOUT: Final = 10.0
MEMORY: Final = 1 << 30
MAX_OUTPUT: Final = 16 << 20
MAX_MESSAGES: Final = 64 << 10
#: The variables of the environment that a compiler needs: where programs and their libraries are.
_PASSED: Final = ("PATH", "LD_LIBRARY_PATH")


def spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a child with pipes for its input, output and messages; raise `OSError` where that fails."""
    # The C locale keeps the messages parsable.
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | {"LC_ALL": "C"}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A buffer would be flushed once more, and its lock be waited for, in every child of a fork.
        bufsize=0,
        env=environment,
        cwd="/",
        # Ctrl-C must not reach the child: a compilation that Ctrl-C ended would count as the candidate's failure.
        process_group=0,
    )


def write_all(process: subprocess.Popen[bytes], data: bytes, seconds: float) -> None:
    """Write to a process's input; raise `BrokenPipeError` where it has ended, `TimeoutError` where it does not read."""
    assert process.stdin is not None
    pipe, rest, deadline = process.stdin.fileno(), memoryview(data), time.monotonic() + seconds
    os.set_blocking(pipe, False)
    poll = select.poll()
    poll.register(pipe, select.POLLOUT)
    while rest:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError(f"a process has not read its input within {seconds:g} seconds")
        with contextlib.suppress(BlockingIOError):
            rest = rest[os.write(pipe, rest) :]


def limit_memory(pid: int) -> None:
    """Let a process have `MEMORY` bytes of addresses."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, close its pipes and wait for its end; a second time does nothing."""
    process.kill()
    _close_pipes(process)
    process.wait()


def drop(process: subprocess.Popen[bytes]) -> None:
    """Close a forked child's copies of a process's pipes."""
    _close_pipes(process)
    # After a fork the process is the parent's child: nobody here may wait for it or warn about it.
    process.returncode = 0


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):  # Closing may flush a part of a unit that nobody reads any more.
                pipe.close()


def describe_failure(what: str, returncode: int, messages: bytes) -> str:
    """Describe how a compiler ended that did not do its work, and the first thing that it said."""
    first = next(iter(messages.decode("utf-8", "replace").splitlines()), "")[:200]
    how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
    return f"{what} failed ({how}){': ' + first if first else ''}; write the function more plainly"
