"""Running something that may hang or crash in a forked child, and telling how that ended."""

from __future__ import annotations

import faulthandler
import os
import resource
import select
import signal
import time
from collections.abc import Callable

from symbiont_jit import catch_faults

MEMORY = 4 << 30


def in_child(act: Callable[[], str], seconds: float = 15.0) -> str:
    """What a function says in a forked child, or how the child ended: `HANGS`, `CRASHED SIGSEGV`."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        serve(act, writer)
    os.close(writer)
    answer = read_until(reader, time.monotonic() + seconds)
    os.close(reader)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if answer is None:
        return "HANGS"
    return f"CRASHED {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else answer


def serve(act: Callable[[], str], writer: int) -> None:
    """Write what a function says, within limits on memory and without noise, and end the process."""
    faulthandler.disable()
    catch_faults(False)  # The net below the checks must not hide that there is a hole in them.
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            answer = act()
        except BaseException as error:
            answer = f"EXCEPTION {type(error).__name__}: {error}"
        os.write(writer, answer.encode()[:4000])
    finally:
        os._exit(0)


def read_until(reader: int, deadline: float) -> str | None:
    """All that comes from a pipe until it is closed; None if that takes longer than the deadline."""
    answer = b""
    while select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            return answer.decode()
        answer += chunk
    return None
