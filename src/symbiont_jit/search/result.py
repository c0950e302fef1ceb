"""What a search tells: after each candidate, and at its end.

In: evaluations. Out: records that print as one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbiont_jit.evaluate.confirm import NOISE, is_gain
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.evaluate.intervals import Interval
from symbiont_jit.propose.base import Candidate

__all__ = ["EvolutionResult", "Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a search after a candidate was evaluated.

    Attributes:
        candidate: The candidate.
        evaluation: What became of it.
        evaluated: How many candidates of this run have been evaluated.
        seconds: The wall time since the run began.
        best: The best score so far, if there is one.
        revision: The candidate's revision where it was activated, else None.
    """

    candidate: Candidate
    evaluation: Evaluation
    evaluated: int
    seconds: float
    best: float | None
    revision: Any | None


@dataclass(frozen=True, slots=True)
class EvolutionResult:
    """The outcome of a run; it prints as one line.

    Attributes:
        best: The best valid evaluation, measured again at the end of the run; None if there is none.
        revision: The kernel's active revision: that of `best`, or what was active before where nothing is better.
        baseline: The evaluation of the C that the search began with; None where there was no C.
        evaluated: How many candidates were evaluated in this run.
        seconds: The wall time of this run.
        counts: How many candidates of the whole search ended with each status.
    """

    best: Evaluation | None
    revision: Any | None
    baseline: Evaluation | None
    evaluated: int
    seconds: float
    counts: dict[Status, int]

    @property
    def gains(self) -> Mapping[str, Interval]:
        """How many times as fast as others `best` is, by their names; empty where times are not the score."""
        return {} if self.best is None else {name: i for name, i in self.best.gains.items() if name != NOISE}

    @property
    def is_gain(self) -> bool | None:
        """Whether `best` is faster than what was active, by more than the noise; None where times are not the score."""
        return is_gain(self.best) if self.best is not None and self.best.gains else None

    @property
    def rate(self) -> float:
        """Candidates per second."""
        return self.evaluated / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        found = "nothing valid" if self.best is None else f"best {self.best.score:.4g}"
        if self.is_gain is False:
            found = f"no significant gain, {found}"
        return f"{found} of {self.evaluated} candidates in {self.seconds:.1f} s ({self.rate:.1f} a second)"
