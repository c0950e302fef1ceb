"""A worker's pipe as its parent sees it: messages that are sent and received while patience lasts.

In: a message, or nothing, and the time that the child has. Out: the bytes of the answer, or that the time is over. This
end never blocks: whatever a child does to its own end, a look at the clock follows.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import math
import os
import pickle
import select
import socket
import struct
import termios
import time
from multiprocessing.connection import Connection
from typing import Any, Final

from symbiont_jit.isolate.child import MAX_PHASE, PAUSES, longest
from symbiont_jit.isolate.descriptors import OwnDescriptor, lift_descriptor

__all__ = ["MAX_REPLY", "ParentsEnd", "Patience", "open_pipe"]

MAX_REPLY: Final = 1 << 22
#: The most bytes that are read at a time: room for a whole answer that is only announced would be made in vain.
_CHUNK: Final = 1 << 18
#: The longest wait before another look at the clock, which `poll` counts in milliseconds that fit 31 bits.
_LONGEST_WAIT: Final = 3600.0
#: Seconds until another look at a pipe that is ready, and cannot be read.
_PAUSE: Final = 0.001


class Patience:
    """The time that a child has left: it counts no time in which the child has stopped the clock, up to a limit.

    Args:
        seconds: The time, which may be infinite.
        shared: What the child notes of its clock.
        most: The seconds after which it is at an end in any case.
    """

    def __init__(self, seconds: float, shared: ctypes.Array[ctypes.c_char], most: float = math.inf) -> None:
        self._seconds = seconds
        self._most = min(longest(seconds), most)
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
        return max(0.0, min(self._seconds - counts, self._most - waited))


def open_pipe() -> tuple[ParentsEnd, Connection]:
    """Open a pipe for messages in both directions: this side's end, and the child's."""
    here, there = socket.socketpair()
    return ParentsEnd(here.detach()), Connection(lift_descriptor(there.detach()))


class ParentsEnd:
    """The parent's end of a pipe, which does not block.

    Args:
        number: A descriptor, which is this object's from now on.
    """

    def __init__(self, number: int) -> None:
        self._own = OwnDescriptor(number)
        os.set_blocking(self._own.number, False)
        self._polls = {event: select.poll() for event in (select.POLLIN, select.POLLOUT)}
        for event, poll in self._polls.items():  # `select.select` knows no descriptors beyond 1,024.
            poll.register(self._own.number, event)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for, as an answer too many, or the end."""
        return self._own.is_whole and not self._polls[select.POLLIN].poll(0)

    @property
    def has_unread(self) -> bool:
        """Whether the other side has not read all that was sent, as far as the system says."""
        unread = bytearray(4)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._own.require(), termios.TIOCOUTQ, unread)
        return any(unread)

    def close(self) -> None:
        """Close this end; who is about to read from it finds nothing, and no file that got its number."""
        self._own.close()
        self._own.number = -1

    def send(self, message: Any, patience: Patience) -> bool:
        """Write a message as `Connection.send` does, and say whether the child has read it in time.

        Raises:
            LostDescriptorError: This program has closed this end.
            OSError: The pipe is broken.
        """
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        rest = memoryview(_frame(len(data)) + data)
        while rest:
            with contextlib.suppress(BlockingIOError):
                rest = rest[self._send_some(rest) :]
            if rest and not self._await(select.POLLOUT, patience):
                return False
        return True

    def _send_some(self, data: memoryview) -> int:
        """Write what fits, without the signal by which a closed end would end a program that does not ignore it."""
        borrowed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=self._own.require())
        try:
            return borrowed.send(data, socket.MSG_NOSIGNAL)
        finally:
            borrowed.detach()

    def receive(self, patience: Patience) -> bytes | None:
        """Read the next message as bytes; the result is None once patience is at an end.

        `Connection.recv` would wait for the rest of a message that never comes. The framing read here is that of
        `Connection`: four bytes of length, or -1 and eight bytes of length.

        Raises:
            EOFError: The child has closed its end.
            LostDescriptorError: This program has closed this end.
            OSError: The pipe is broken.
            ValueError: The message is longer than any answer.
        """
        size = self._read_size("!i", patience)
        if size == -1:
            size = self._read_size("!Q", patience)
        if size is None:
            return None
        if not 0 <= size <= MAX_REPLY:
            raise ValueError(f"an answer of {size} bytes")
        return self._read_bytes(size, patience)

    def _read_size(self, form: str, patience: Patience) -> int | None:
        head = self._read_bytes(struct.calcsize(form), patience)
        return None if head is None else int(struct.unpack(form, head)[0])

    def _read_bytes(self, count: int, patience: Patience) -> bytes | None:
        """Read some bytes. What is there at the first look counts, however late it is; more has to come in time."""
        data = bytearray()
        while len(data) < count:
            if data and patience.left == 0.0:
                return None
            chunk = self._read_some(min(count - len(data), _CHUNK), patience)
            if chunk is None:
                return None
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _read_some(self, most: int, patience: Patience) -> bytes | None:
        while True:
            with contextlib.suppress(BlockingIOError):
                return os.read(self._own.require(), most)
            if not self._await(select.POLLIN, patience):
                return None
            with contextlib.suppress(BlockingIOError):
                return os.read(self._own.require(), most)
            time.sleep(_PAUSE)  # Bytes that are sent out of band make a pipe ready, and are never read.

    def _await(self, event: int, patience: Patience) -> bool:
        """Wait until the pipe seems to be ready, or for a while, and say whether patience was left."""
        left = patience.left  # The clock may have been stopped since the last look.
        if left == 0.0:
            return False
        self._polls[event].poll(math.ceil(1000 * min(left, _LONGEST_WAIT)))
        return True


def _frame(size: int) -> bytes:
    return struct.pack("!i", size) if size < 1 << 31 else struct.pack("!iQ", -1, size)
