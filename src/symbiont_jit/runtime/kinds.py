"""What guarded code can panic of, in words: for prompts and documentation. The numbers come in with the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["PANICS"]

PANICS: Final[Mapping[str, str]] = {
    "index": "a subscript outside of its array",
    "pointer": "an access through a pointer outside of the array that it came from, or through a null pointer",
    "memory": "memcpy, memmove, memset or memcmp of more bytes than an array has",
    "division": "an integer division by zero, or of the least integer by -1",
    "overflow": "a signed integer overflow",
    "shift": "a shift by a negative count or by the width of the type",
    "conversion": "a floating value that does not fit the integer that it becomes",
    "alignment": "an access at an address that is no multiple of the type's alignment",
    "endless": "a loop or recursion that makes too many steps",
    "recursion": "a recursion that is too deep",
    "length": "a local array of a negative or very large length",
    "stack": "local arrays that are too large for the stack",
    "allocation": "more memory than a call has",
    "free": "free or realloc of what malloc did not give",
    "freed": "an access to a freed block",
    "unreachable": "__builtin_unreachable() that is reached",
    "assumption": "__builtin_assume of what does not hold",
}
