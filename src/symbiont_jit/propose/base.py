"""What is proposed, and what a proposer is.

In: survivors of a search, and a random generator. Out: candidates. What became of a candidate comes back to its
proposer as whatever the search calls an evaluation: this package knows only that it has a score where it is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from symbiont_jit.signature import Signature

__all__ = ["Candidate", "Parent", "Proposer", "Scored"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """C text that somebody proposed.

    Attributes:
        source: The text.
        origin: Who proposed it and how, in words.
        number: The candidate's number in its search, from 1; 0 where it has none yet.
        parent: The number of the candidate that it was made of; None for what the search began with.
        steps: The names of the transformations that were applied to the parent, in order.

    Example:
        `Candidate("double f(double x) { return x; }", "by hand")`.
    """

    source: str
    origin: str
    number: int = 0
    parent: int | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """A survivor that new candidates are made of: its canonical source, its score, and its number as a candidate."""

    source: str
    score: float
    number: int | None = None


class Scored(Protocol):
    """What a proposer is told of a candidate: an evaluation, of which it may know more than this."""

    @property
    def is_valid(self) -> bool:
        """Whether the candidate passed and has a score."""

    @property
    def score(self) -> float | None:
        """The candidate's score; None unless it is valid."""


class Proposer(Protocol):
    """Something that turns parents into new candidates, and learns what became of them."""

    def ask(self, signature: Signature, parents: Sequence[Parent], rng: np.random.Generator) -> Candidate | None:
        """Make a new candidate.

        Args:
            signature: The signature of the function that is searched.
            parents: The survivors, best first.
            rng: The search's random generator; whatever is random is drawn from it.

        Returns:
            A candidate without a number, or None where nothing new can be made.
        """

    def tell(self, candidate: Candidate, evaluation: Scored, gain: float | None) -> None:
        """Take in what became of a candidate.

        Args:
            candidate: A candidate of this proposer or of another one.
            evaluation: Its evaluation.
            gain: How many times better it is than its parent, in the search's direction; None where one of the two
                has no score above 0.
        """
