"""What people give as options: whether a value is a number of a kind, and the error where it is not.

In: a value of any type. Out: whether it will do, or `UsageError`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from symbiont_jit.errors import UsageError

__all__ = ["is_number", "require", "require_callable", "require_limit", "require_methods", "require_names"]


def require(condition: bool, message: str) -> None:
    """Raise `UsageError` with a message unless a condition holds."""
    if not condition:
        raise UsageError(message)


def require_limit(name: str, value: Any, kind: type) -> None:
    """Raise `UsageError` for anything but None and a number above 0, a whole one where `kind` is `int`."""
    words = "a whole number" if kind is int else "a number of seconds"
    is_limit = value is None or (is_number(value, kind) and value > 0)
    require(is_limit, f"{name} is {words} above 0, not {value!r:.80}")


def require_names(name: str, value: Any) -> frozenset[str]:
    """Return names as a set; raise `UsageError` for anything but texts in a list, a set or the like."""
    is_iterable = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    names: list[Any] = list(value) if is_iterable else [None]
    require(all(isinstance(each, str) for each in names), f"{name} is a list of names, not {value!r:.80}")
    return frozenset(names)


def require_callable(name: str, value: Any) -> None:
    """Raise `UsageError` for anything but None and what can be called."""
    require(value is None or callable(value), f"{name} is a function, not {value!r:.80}")


def require_methods(name: str, value: Any, *methods: str) -> None:
    """Raise `UsageError` for anything but None and an object, no class, that has some methods."""
    has_all = all(callable(getattr(value, method, None)) for method in methods)
    is_one = value is None or (has_all and not isinstance(value, type))
    require(is_one, f"{name} is an object with {' and '.join(methods)}, not {value!r:.80}")


def is_number(value: Any, kind: type = float) -> bool:
    """Whether a value is a number, a whole one where `kind` is `int`, and one that a float holds otherwise."""
    kinds = (int, np.integer) if kind is int else (int, float, np.integer, np.floating)
    if not isinstance(value, kinds) or isinstance(value, bool):
        return False
    return kind is int or not isinstance(value, int) or abs(value) <= sys.float_info.max
