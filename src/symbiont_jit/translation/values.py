"""What an expression is while it is translated: a number in C, an array by its elements, or something known by now.

In: C text and types. Out: frozen records. An array is never text: it is a function from indices to the number there, so
that what is done to arrays is done to single elements, in one loop, until somebody needs the elements to exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.translation.extents import Extent

__all__ = [
    "ADDITIVE",
    "ATOMIC",
    "CONDITIONAL",
    "MULTIPLICATIVE",
    "UNARY",
    "Grid",
    "Known",
    "Walk",
    "Storage",
    "Tuple",
    "Quantity",
    "bracketed",
]

#: How tightly C's operators bind, from names to conditional expressions.
ATOMIC: Final = 15
UNARY: Final = 14
MULTIPLICATIVE: Final = 13
ADDITIVE: Final = 12
CONDITIONAL: Final = 3


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number: its C text, its type, and how tightly the text binds.

    `constant` is the value where it stands in the text; `extent` is the value as a sum, where the names in it keep what
    they are; `low` is what the value is at least, where that is known.
    """

    text: str
    type: Any
    level: int = ATOMIC
    constant: Any = None
    extent: Extent | None = None
    low: int | None = None

    @property
    def is_simple(self) -> bool:
        """Whether it can be written twice: a name or a number."""
        return self.level == ATOMIC and self.text.replace("_", "").replace(".", "").isalnum()


def bracketed(value: Quantity, level: int) -> str:
    """Return a number's text as an operand of an operator that binds so tightly."""
    return value.text if value.level >= level else f"({value.text})"


@dataclass(frozen=True, slots=True)
class Known:
    """Anything that is known now and has no C of its own: a module, a function, a type, None, a text."""

    value: Any


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several things in a row."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """Elements in memory, in C order: `name` is how C calls them.

    `is_flat` says that C knows it as one row, whatever its shape. `is_moving` says that the name leads to other
    elements later, `is_shared` that other names may lead to them too. `base` is the same memory in the shape that it
    was made in.
    """

    name: str
    dtype: Any
    shape: tuple[Extent, ...]
    is_flat: bool = False
    is_const: bool = False
    is_moving: bool = False
    is_shared: bool = False
    base: Storage | None = None

    @property
    def root(self) -> Storage:
        """The memory itself, in whatever shape it is looked at."""
        return self if self.base is None else self.base.root


@dataclass(frozen=True, slots=True)
class Walk:
    """How an axis of a storage is walked through: it begins at `start` and follows `axis` of the result with a `step`.

    An axis of None stays where it is.
    """

    start: Extent
    axis: int | None = None
    step: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """An array: its shape, and what stands at each place.

    Attributes:
        dtype: The type of an element of the array that NumPy would make.
        shape: The lengths.
        at: The number at some indices, before it is converted to `dtype`.
        storage: The memory that the elements are in, where they are.
        places: How each axis of that memory is walked through; None where it is not by steps.
        reads: All memory that the elements are computed from.
        fill: `zeros` or `nothing` where all elements are that, and there is no memory yet.
    """

    dtype: Any
    shape: tuple[Extent, ...]
    at: Callable[[Sequence[Quantity]], Quantity]
    storage: Storage | None = None
    places: tuple[Walk, ...] | None = None
    reads: tuple[Grid, ...] = ()
    fill: str = ""

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its memory, in order."""
        if self.storage is None or self.places is None or len(self.places) != self.rank:
            return False
        straight = all(p.axis == i and p.step == 1 and p.start == Extent() for i, p in enumerate(self.places))
        return straight and self.shape == self.storage.shape

    def sources(self) -> tuple[Grid, ...]:
        """Return the grids in memory that it reads."""
        return (self,) if self.storage is not None else self.reads
