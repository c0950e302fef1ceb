"""The C that instrumented code calls: checks that either give their value or end the call with a panic.

In: an instrumented text. Out: the part of `runtime/checks.h` and `runtime/entry_shim.h` that has to stand before it. A
panic records its site and two values in the call's frame and jumps back to the shim (`__builtin_longjmp`), which
reports it and returns zero.
"""

from __future__ import annotations

from typing import Final

from symbiont_jit.runtime.sources import NUMBERS, select

__all__ = ["FAULT", "HEADER", "INTERRUPTED", "NO_ROOM", "UNEVOLVED", "runtime"]

#: The numbers that a panic has instead of a site: the call was interrupted, the thread has no stack left for it, the
#: function has no body, or the processor refused an instruction.
INTERRUPTED: Final = NUMBERS["SJ_INTERRUPTED"]
NO_ROOM: Final = NUMBERS["SJ_NO_ROOM"]
UNEVOLVED: Final = NUMBERS["SJ_UNEVOLVED"]
FAULT: Final = NUMBERS["SJ_FAULT"]

#: The header that includes all that an instrumented text may use, but for the arena.
HEADER: Final = "runtime/entry_shim.h"


def runtime(text: str) -> str:
    """Return what an instrumented text needs of the header: reading all of it takes clang longer than most texts."""
    return select(text, HEADER)
