"""The arguments of a call, by their places and by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbiont_jit.translation.conversions import UntranslatableError

__all__ = ["CallArguments"]


@dataclass(frozen=True, slots=True)
class CallArguments:
    """What a call passes, translated."""

    positional: tuple[Any, ...]
    named: Mapping[str, Any]

    def take(self, names: Sequence[str], needed: int) -> list[Any]:
        """Return the arguments of some names in their order; None stands for one that is left out.

        Raises:
            UntranslatableError: One that is needed is missing, or there are more.
        """
        if len(self.positional) > len(names):
            raise UntranslatableError(f"more arguments than {', '.join(names)} have no C form")
        extra = sorted(set(self.named) - set(names))
        if extra:
            raise UntranslatableError(f"the argument {extra[0]!r} has no C form here")
        found = [*self.positional, *[None] * (len(names) - len(self.positional))]
        for at, name in enumerate(names):
            if name in self.named:
                found[at] = self.named[name]
        missing = [name for name, value in zip(names[:needed], found, strict=False) if value is None]
        if missing:
            raise UntranslatableError(f"the argument {missing[0]!r} is missing")
        return found
