"""Lengths and indices as sums: `n - 2`, `i + 1`, `rows * cols`.

In: names, products of them, and numbers. Out: `Extent`s, which can be added, compared for being equal in every call,
and printed in C and in Python. Two lengths are known to be equal exactly where their sums are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Atom", "Extent", "ONE", "ZERO", "extent_of", "named_extent", "product"]


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """A summand: its C text, which binds as tightly as a product does, and its Python text where it has one.

    It is at least `low`, where that is known.
    """

    c: str
    python: str = field(default="", compare=False)
    low: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Extent:
    """A sum of atoms with whole coefficients and a number."""

    terms: tuple[tuple[Atom, int], ...] = ()
    constant: int = 0

    @classmethod
    def of(cls, terms: Mapping[Atom, int], constant: int) -> Extent:
        """Make a sum, without the atoms that have cancelled out."""
        return cls(tuple(sorted((atom, count) for atom, count in terms.items() if count)), constant)

    @property
    def number(self) -> int | None:
        """The value, where it is the same in every call."""
        return None if self.terms else self.constant

    @property
    def low(self) -> int | None:
        """What it is at least; None where that is not known."""
        total = self.constant
        for atom, count in self.terms:
            if atom.low is None or count < 0:
                return None
            total += atom.low * count
        return total

    def __add__(self, other: Extent) -> Extent:
        terms = dict(self.terms)
        for atom, count in other.terms:
            terms[atom] = terms.get(atom, 0) + count
        return Extent.of(terms, self.constant + other.constant)

    def __sub__(self, other: Extent) -> Extent:
        return self + other.times(-1)

    def times(self, factor: int) -> Extent:
        """Multiply by a number."""
        return Extent.of({atom: count * factor for atom, count in self.terms}, self.constant * factor)

    def replacing(self, atom: Atom, given: Extent) -> Extent:
        """Put a sum where an atom stands, if it does."""
        terms = dict(self.terms)
        count = terms.pop(atom, 0)
        return Extent.of(terms, self.constant) + given.times(count)

    @property
    def words(self) -> set[str]:
        """The names in its C text."""
        return {word for atom, _ in self.terms for word in re.findall(r"[A-Za-z_]\w*", atom.c)}

    @property
    def is_sum(self) -> bool:
        """Whether brackets are needed around it as a factor."""
        return len(self.terms) + bool(self.constant) > 1 or (bool(self.terms) and self.terms[0][1] < 0)

    @property
    def c(self) -> str:
        """The C text."""
        return self._print([atom.c for atom, _ in self.terms])

    @property
    def python(self) -> str:
        """The Python text; empty where it depends on more than the arguments of a call."""
        texts = [atom.python for atom, _ in self.terms]
        return self._print(texts) if all(texts) else ""

    @property
    def depends_on_data(self) -> bool:
        """Whether the caller cannot know it."""
        return not all(atom.python for atom, _ in self.terms)

    def _print(self, names: list[str]) -> str:
        parts: list[str] = []
        # What is added comes before what is taken away: `n - 2`, never `-2 + n`.
        ordered = sorted(zip(names, self.terms, strict=True), key=lambda each: each[1][1] < 0)
        for name, (_, count) in ordered:
            shown = name if abs(count) == 1 else f"{abs(count)} * {_bracketed(name)}"
            parts.append(f" - {shown}" if count < 0 else f" + {shown}")
        if self.constant or not parts:
            sign = "-" if self.constant < 0 else "+"
            parts.append(f" {sign} {abs(self.constant)}")
        text = "".join(parts)
        return text[3:] if text.startswith(" + ") else f"-{text[3:]}"


def _bracketed(name: str) -> str:
    return name if name.replace("_", "").isalnum() else f"({name})"


ZERO: Final = Extent()
ONE: Final = Extent((), 1)


def extent_of(number: int) -> Extent:
    """Return a number as a sum."""
    return Extent((), number)


def named_extent(c: str, python: str = "", low: int | None = None) -> Extent:
    """Return a name, or another text that binds as tightly as a product, as a sum of its own."""
    return Extent.of({Atom(c, python, low): 1}, 0)


def product(left: Extent, right: Extent) -> Extent:
    """Multiply two sums; where neither is a number, the product becomes an atom."""
    for one, other in ((left, right), (right, left)):
        if one.number is not None:
            return other.times(one.number)
    factors = sorted([*_factors(left), *_factors(right)], key=lambda each: each.c)
    count = 1
    for side in (left, right):
        count *= side.terms[0][1] if _is_product(side) else 1
    low = 1
    for each in factors:
        low = -1 if each.low is None or each.low < 0 or low < 0 else low * each.low
    python = " * ".join(each.python for each in factors) if all(each.python for each in factors) else ""
    atom = Atom(" * ".join(each.c for each in factors), python, None if low < 0 else low)
    return Extent.of({atom: count}, 0)


def _is_product(extent: Extent) -> bool:
    return len(extent.terms) == 1 and not extent.constant


def _factors(extent: Extent) -> list[Atom]:
    """Return what a sum is a product of: itself in brackets, unless it is one."""
    if not _is_product(extent):
        return [Atom(_bracketed_sum(extent.c), _bracketed_sum(extent.python), extent.low)]
    (atom, _) = extent.terms[0]
    parts, pythons = atom.c.split(" * "), atom.python.split(" * ")
    if len(parts) == len(pythons) and all(part.isidentifier() for part in parts):
        return [
            Atom(c, python, 0 if atom.low is not None and atom.low >= 0 else None)
            for c, python in zip(parts, pythons, strict=True)
        ]
    return [atom]


def _bracketed_sum(text: str) -> str:
    return f"({text})" if text else ""
