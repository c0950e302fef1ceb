"""What people give as options: whether a value is a number of a kind, and the error where it is not.

In: a value of any type. Out: whether it will do, or `UsageError`.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from symbiont_jit.errors import UsageError

__all__ = ["is_number", "require", "require_limit"]


def require(condition: bool, message: str) -> None:
    """Raise `UsageError` with a message unless a condition holds."""
    if not condition:
        raise UsageError(message)


def require_limit(name: str, value: Any, kind: type) -> None:
    """Raise `UsageError` for anything but None and a number above 0, a whole one where `kind` is `int`."""
    words = "a whole number" if kind is int else "a number of seconds"
    is_limit = value is None or (is_number(value, kind) and value > 0)
    require(is_limit, f"{name} is {words} above 0, not {value!r:.80}")


def is_number(value: Any, kind: type = float) -> bool:
    """Whether a value is a number, a whole one where `kind` is `int`, and one that a float holds otherwise."""
    kinds = (int, np.integer) if kind is int else (int, float, np.integer, np.floating)
    if not isinstance(value, kinds) or isinstance(value, bool):
        return False
    return kind is int or not isinstance(value, int) or abs(value) <= sys.float_info.max
