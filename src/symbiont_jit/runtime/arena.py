"""`malloc` and its family in C: a bounded piece of memory for each thread, empty at the beginning of every call.

In: nothing. Out: texts that stand before a candidate's. In `checked`, freed blocks are used again only once the rest of
the arena is used up, so that an access to a freed block finds that it was freed.
"""

from __future__ import annotations

import re
from typing import Final

from symbiont_jit.c.vocabulary import ARENA_FUNCTIONS
from symbiont_jit.runtime.checks import HEADER
from symbiont_jit.runtime.sources import NUMBERS, include, list_included

__all__ = ["ARENA_BYTES", "INSTRUMENTED_ARENA", "RELEASE_ARENA", "allocates"]

#: Bytes that the blocks of one call can have together, with their headers.
ARENA_BYTES: Final = NUMBERS["SJ_ARENA_BYTES"]

_CALL: Final = re.compile(rf"\b({'|'.join(ARENA_FUNCTIONS)})\s*\(")


def allocates(text: str) -> bool:
    """Whether a canonical text calls the arena."""
    return bool(_CALL.search(text))


#: The arena of instrumented code; `checks.runtime` puts what the arena needs of the checks before it.
INSTRUMENTED_ARENA: Final = include("runtime/instrumented_arena.h", given=list_included(HEADER))

#: The arena where nothing is checked, complete, with the names that candidates call it by.
RELEASE_ARENA: Final = include("runtime/release_arena.h") + "".join(
    f"#define {name} sj_{name}\n" for name in ARENA_FUNCTIONS
)
