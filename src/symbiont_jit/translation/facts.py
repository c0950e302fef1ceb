"""What a translation is about: names, words, and what was learnt of them.

In: a function. Out: its `Frame`, whose names have words in C, and `Facts`, which outlive an attempt to translate it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.c import vocabulary
from symbiont_jit.signature.elements import C_KEYWORDS, RESERVED_PREFIXES
from symbiont_jit.translation.liveness import Liveness, count_stores
from symbiont_jit.translation.source import PythonFunction

__all__ = ["MOST_ATTEMPTS", "Facts", "Frame", "Names", "RestartError", "BoundNumber"]


#: After so many attempts there is nothing more to be learnt.
MOST_ATTEMPTS: Final = 60


class RestartError(Exception):
    """Raised where something was learnt that lines which are already written should have known."""


@dataclass(frozen=True, slots=True)
class BoundNumber:
    """What a name means that is a number: its type now, and what it is at least."""

    type: Any
    low: int | None = None


class Names:
    """The words of a text that are taken."""

    #: Words that a name may not be.
    RESERVED: Final = (
        frozenset(C_KEYWORDS) | frozenset(vocabulary.PRELUDE) | frozenset(vocabulary.CONSTANTS) | {"main", "I"}
    )

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Return a word that nobody has: the one that is wanted, or one like it."""
        wanted = wanted.lstrip("_") or "value"
        if not wanted.isascii():
            wanted = wanted.encode("ascii", "ignore").decode() or "value"
        if wanted in self.RESERVED or wanted.startswith(RESERVED_PREFIXES) or wanted[0].isdigit():
            wanted = f"{wanted}_" if not wanted[0].isdigit() else f"v{wanted}"
        found, number = wanted, 1
        while found in self._taken or found in self.RESERVED:
            number += 1
            found = f"{wanted}_{number}" if not wanted.endswith("_") else f"{wanted}{number}"
        self._taken.add(found)
        return found

    def copy(self) -> Names:
        """Return the same words, to which a function of its own adds."""
        made = Names()
        made._taken = set(self._taken)
        return made

    def is_taken(self, word: str) -> bool:
        """Whether somebody has a word."""
        return word in self._taken or word in self.RESERVED

    def reserve(self, word: str) -> None:
        """Take a word that has to be just that."""
        self._taken.add(word)


@dataclass(slots=True)
class Facts:
    """What is learnt of a function; each changes once from what is assumed, so that there is an end."""

    #: The types that a name is read in, by the frame and the name.
    used: dict[Hashable, set[Any]] = field(default_factory=dict)
    #: The types of names at the head of a loop, and what they are at least.
    heads: dict[Hashable, dict[str, BoundNumber]] = field(default_factory=dict)
    #: Arrays that a name leads to one after the other, and whether their shapes differ.
    moving: dict[Hashable, str] = field(default_factory=dict)
    #: Names of arrays that other names lead to as well.
    shared: set[Hashable] = field(default_factory=set)
    #: What is returned, by the place where it is made.
    outputs: dict[Hashable, str] = field(default_factory=dict)
    #: CallArguments that are written to, where nobody has declared which are.
    written: dict[str, bool] = field(default_factory=dict)
    #: Lengths of arguments that are taken for equal, which is tried where nobody has declared them.
    unites: bool = False
    equal: dict[str, str] = field(default_factory=dict)
    #: Pointers to what is only read.
    read_only: dict[Hashable, bool] = field(default_factory=dict)
    #: What results are called, by their places.
    result_names: dict[int, str] = field(default_factory=dict)


class Frame:
    """The names of one function: the one that is translated, or one that it calls and whose lines stand in it."""

    def __init__(self, function: PythonFunction, key: tuple[Any, ...], names: Names) -> None:
        self.function = function
        self.key = key
        self.bindings: dict[str, Any] = {}
        self.liveness = Liveness.of(function.tree.body)
        self.stores = count_stores(function.tree.body)
        for name in function.parameters:
            self.stores[name] = self.stores.get(name, 0) + 1
        self.words: dict[str, str] = {}
        self.names = names
        self.commented: set[int] = set()
        #: What a `return` does.
        self.give: Any = None

    def word(self, name: str) -> str:
        """Return the C word of a name."""
        if name not in self.words:
            self.words[name] = self.names.take(name.split(" ")[0])
        return self.words[name]

    def is_stable(self, name: str) -> bool:
        """Whether a name keeps its value once it has one."""
        return self.stores.get(name, 0) <= 1
