"""The C that instrumented code calls: checks that either give their value or end the call with a panic.

In: an instrumented text. Out: the part of `runtime/checks.h` and `runtime/entry_shim.h` that has to stand before it. A
panic records its site and two values in the call's frame and jumps back to the shim (`__builtin_longjmp`), which
reports it and returns zero.
"""

from __future__ import annotations

from typing import Final

from symbiont_jit.runtime.sources import NUMBERS, select

__all__ = ["ENTRY_SHIM", "FAULT", "HEADER", "INTERRUPTED", "NO_ROOM", "UNEVOLVED", "runtime"]

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


#: The native entry of an instrumented function. `longjmp` does not restore registers: whatever the landing block reads
#: must be volatile.
ENTRY_SHIM: Final = """{returns} {symbol}({params})
{{
  struct sj_thread *volatile sj_here = sj_current_thread();
  struct sj_frame *volatile sj_outer = sj_here->frame;{keep}
  struct sj_frame sj_f;
  sj_open_call(&sj_f, sj_here, {stack});
  if (SJ_UNLIKELY(__builtin_setjmp(sj_f.jump))) {{
    sj_abandon_call(&sj_f, sj_here, sj_outer);
    {zero}
  }}
  sj_begin_call(&sj_f, sj_here);
  {body}
  sj_end_call(sj_here, sj_outer);{give}
}}
"""
