"""Where LLVM's bitcode ends, which says that whoever writes it is done.

In: the first bytes of a stream. Out: how many of them are one module (LLVM Bitcode File Format, "Bitstream Format").
"""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["bitcode_size"]

_MAGIC: Final = b"BC\xc0\xde"
_WORDS: Final = struct.Struct("<II")
#: A block begins with two bits that say so, and eight with its kind; the second word is its length in words.
_ENTER_BLOCK: Final = 1
#: The names of all functions and variables, which come last.
_STRING_TABLE: Final = 23


def bitcode_size(data: bytes | bytearray) -> int | None:
    """Return how many bytes the first module has; None where its end is not there yet.

    Raises:
        ValueError: This is no bitcode.
    """
    if not _MAGIC.startswith(data[:4]):
        raise ValueError(f"bitcode begins with {_MAGIC!r}, not {bytes(data[:4])!r}")
    at = 4
    while at + 8 <= len(data):
        head, words = _WORDS.unpack_from(data, at)
        if head & 3 != _ENTER_BLOCK:
            raise ValueError(f"there is no block of bitcode at byte {at}")
        at += 8 + 4 * words
        if (head >> 2) & 0xFF == _STRING_TABLE:
            return at if at <= len(data) else None
    return None
