"""What callers say when they declare a function: the names of the profiles, clang options, what follows a panic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symbiont_jit.engine.engine import OnPanic
from symbiont_jit.errors import UsageError

__all__ = ["require_flags", "require_on_panic", "require_profile"]

PROFILES: Final = ("safe", "checked", "release")


def require_profile(name: str | None) -> str:
    """Return a profile's name; raise `UsageError` for one that does not exist."""
    if name is None or name in PROFILES:
        return name or "safe"
    raise UsageError(f"there is no profile {name!r}; use one of {', '.join(PROFILES)}")


def require_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """Return clang options as a tuple; raise `UsageError` for anything else."""
    if isinstance(flags, str) or not all(isinstance(f, str) for f in flags):
        raise UsageError(f"flags is a list of clang options like ['-O2'], not {flags!r}")
    return tuple(flags)


def require_on_panic(name: str) -> OnPanic:
    """Return what follows a panic; raise `UsageError` for anything else."""
    try:
        return OnPanic(name)
    except ValueError:
        raise UsageError(f"there is no on_panic={name!r}; use one of {', '.join(OnPanic)}") from None
