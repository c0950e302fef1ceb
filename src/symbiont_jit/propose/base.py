"""A proposed text and where it came from; and what a proposer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from symbiont_jit.signature import Signature

__all__ = ["Candidate", "Parent", "Proposer"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """C text that somebody proposed: `origin` says who and how, `steps` what was done to the parent."""

    source: str
    origin: str
    number: int = 0
    parent: int | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """A survivor that new candidates are made of: its canonical source, best first when several are given."""

    source: str
    score: float
    number: int | None = None


class Proposer(Protocol):
    """Something that turns parents into new candidates, and learns what became of them."""

    def propose(self, signature: Signature, parents: Sequence[Parent], rng: np.random.Generator) -> Candidate | None:
        """A new candidate from `parents` (best first), or None where nothing new can be made of them."""

    def learn(self, candidate: Candidate, was_valid: bool, gain: float | None) -> None:
        """What became of a candidate; `gain` is its score over its parent's, None where it has none."""
