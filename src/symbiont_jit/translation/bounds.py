"""What is known of numbers before a program runs: that an index is not negative, that a slice ends inside its array.

In: sums of names, of which some count loops. Out: whether a sum is at least zero in every call. Where that is not
known, the translation asks at run time, as Numba does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symbiont_jit.translation.extents import Extent

__all__ = ["KnownBounds"]

#: How often a name is replaced by what bounds it, before the answer is "not known".
_MOST_STEPS = 6


@dataclass(slots=True)
class KnownBounds:
    """The least and the largest value of names that count loops, as sums of other names."""

    least: dict[str, Extent] = field(default_factory=dict)
    most: dict[str, Extent] = field(default_factory=dict)

    def note(self, word: str, least: Extent | None, most: Extent | None) -> None:
        """Remember what bounds a name."""
        for table, bound in ((self.least, least), (self.most, most)):
            table.pop(word, None)
            if bound is not None:
                table[word] = bound

    def is_natural(self, extent: Extent) -> bool:
        """Whether a sum is at least zero in every call."""
        for _ in range(_MOST_STEPS):
            if extent.low is not None and extent.low >= 0:
                return True
            lowered = self._lower(extent)
            if lowered is None:
                return False
            extent = lowered
        return False

    def _lower(self, extent: Extent) -> Extent | None:
        """Replace one name by its bound, so that the sum becomes smaller or stays; None where there is none."""
        for atom, count in extent.terms:
            bound = self.most.get(atom.c) if count < 0 else self.least.get(atom.c)
            if bound is None or (
                count > 0 and atom.low is not None and bound.number is not None and bound.number <= atom.low
            ):
                continue
            return extent.replacing(atom, bound)
        return None
