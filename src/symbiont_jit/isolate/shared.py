"""The files that a worker and its parent share: what it writes, what it is doing, and the clock of its deadline.

In: nothing. Out: descriptors for a child, and what is to be read of it in the parent. A child may do to these files
whatever it is let, so no error of theirs leaves this module: a file that is not as it was is replaced.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import tempfile
import weakref
from typing import Final

from symbiont_jit.errors import UsageError
from symbiont_jit.isolate.child import MAX_PHASE, PAUSES, WorkerFiles
from symbiont_jit.isolate.descriptors import OwnDescriptor
from symbiont_jit.isolate.mappings import FAILED, memory_library
from symbiont_jit.isolate.messages import clean_text
from symbiont_jit.uninterrupted import uninterrupted

__all__ = ["MAX_LAST_WORDS", "SHARED_NAME", "SharedFiles", "open_shared_file"]

#: The name of what a worker and its parent share: what is being done, and the clock of the deadline.
SHARED_NAME: Final = "worker phase"
MAX_LAST_WORDS: Final = 300


@uninterrupted
def open_shared_file(name: str, can_seal: bool = False) -> OwnDescriptor:
    """Open a file for this process and its children: in memory where the system has such files, else without a name.

    Ctrl-C does not come between the file and the object that closes it.

    Args:
        name: What the system shows as the file's name.
        can_seal: Whether somebody can forbid for good that the file is written or made shorter. That is for who opens
            it, and who forbids further seals at once: a child would do it to its parent.

    Returns:
        The file's descriptor, which is closed with the object.

    Raises:
        UsageError: The system opens no more files.
    """
    try:
        if hasattr(os, "memfd_create"):
            with contextlib.suppress(OSError):  # A sandbox refuses the call, or the system does not know it.
                return OwnDescriptor(os.memfd_create(name, os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if can_seal else 0)))
        with tempfile.TemporaryFile() as file:
            return OwnDescriptor(os.dup(file.fileno()))
    except OSError as error:
        raise UsageError(f"a worker needs a file, and the system opens none ({error.strerror})") from error


class SharedFiles:
    """The files of one worker, as its parent sees them."""

    def __init__(self) -> None:
        self._output = open_shared_file("worker output")
        self._words = open_shared_file(SHARED_NAME, can_seal=True)
        self._has_lost = False
        #: What the child notes of what it does, and of its clock.
        self.phase = _map_sealed(self._words.number, MAX_PHASE + PAUSES.size)

    @property
    def descriptors(self) -> WorkerFiles:
        """What a child gets."""
        return WorkerFiles(self._output.number, self._words.number)

    @property
    def are_whole(self) -> bool:
        """Whether both files are as they were; if not, the next child needs others."""
        return not self._has_lost and self._output.is_whole and self._words.is_whole

    def start_clock(self) -> None:
        """Let the clock of a deadline run from now on, and forget what the child did before."""
        PAUSES.pack_into(self.phase, MAX_PHASE, 0, 0)
        ctypes.memset(self.phase, 0, MAX_PHASE)

    def read_phase(self) -> str:
        """Return the child's words for what it is doing."""
        words = self.phase.raw[:MAX_PHASE].rstrip(b"\0").decode("ascii", "replace")
        return clean_text(" ".join(words.split()))

    def take_last_words(self) -> str:
        """Return the last characters that the child wrote to its standard output and error, in brackets; forget all."""
        text = ""
        with contextlib.suppress(OSError):
            output = self._output.require()
            size = os.fstat(output).st_size
            last = os.pread(output, MAX_LAST_WORDS, max(0, size - MAX_LAST_WORDS))
            words = last.replace(b"\0", b"").decode("utf-8", "replace").split()
            text = clean_text(" ".join(words))
        self.forget_output()
        return f" ({text})" if text else ""

    def forget_output(self) -> None:
        """Make the output empty."""
        try:
            output = self._output.require()
            if os.fstat(output).st_size:
                os.ftruncate(output, 0)
                os.lseek(output, 0, os.SEEK_SET)  # Parent and child share one file position.
        except OSError:
            self._has_lost = True

    def close(self) -> None:
        """Close this process's descriptors."""
        self._output.close()
        self._words.close()


def _map_sealed(file: int, size: int) -> ctypes.Array[ctypes.c_char]:
    """Map a file of a size that stays as it is: whoever made it shorter would end whoever reads it.

    Python's own `mmap` keeps another descriptor of the file, which other workers would inherit, and whose number it
    closes whatever is behind it by then.
    """
    try:
        os.ftruncate(file, size)
    except OSError as error:
        raise UsageError(f"a worker needs a file of a page, and the system allows none ({error.strerror})") from error
    with contextlib.suppress(OSError):  # A file without a name on a disk has no seals.
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    libc = memory_library()
    address = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, file, 0)
    if address == FAILED:
        raise UsageError(
            f"a worker needs a page of memory, and the system gives none ({os.strerror(ctypes.get_errno())})"
        )
    mapped = (ctypes.c_char * size).from_address(address)
    # The end of the process ends the mapping, too, and until then another thread may look at it.
    weakref.finalize(mapped, libc.munmap, address, size).atexit = False
    return mapped
