"""The survivors that a search draws parents from: the best few, no two of which compile to the same code.

In: evaluations. Out: the best valid ones, best first. Nothing in here knows kernels or compilers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from symbiont_jit.evaluate.evaluation import Evaluation

__all__ = ["Archive", "Elite"]


@dataclass(frozen=True, slots=True)
class Elite:
    """A survivor: its evaluation, and its number as a candidate (None for what the search began with)."""

    evaluation: Evaluation
    number: int | None

    @property
    def score(self) -> float:
        """The score, which every survivor has."""
        assert self.evaluation.score is not None
        return self.evaluation.score


@dataclass(slots=True)
class Archive:
    """The best `size` evaluations; `better(a, b)` says whether score a beats score b."""

    better: Callable[[float, float], bool]
    size: int = 12
    elites: list[Elite] = field(default_factory=list)

    @property
    def best(self) -> Elite | None:
        """The best survivor, if there is one."""
        return self.elites[0] if self.elites else None

    @property
    def best_score(self) -> float | None:
        """The best score, if there is one."""
        return self.elites[0].score if self.elites else None

    def add(self, evaluation: Evaluation, number: int | None) -> bool:
        """Take in an evaluation, if it is valid and good enough.

        Args:
            evaluation: What became of a candidate.
            number: The candidate's number.

        Returns:
            Whether it is the new best.
        """
        if not evaluation.is_valid or evaluation.score is None:
            return False
        if any(e.evaluation.code == evaluation.code for e in self.elites):
            return False
        elite = Elite(evaluation, number)
        place = next((i for i, e in enumerate(self.elites) if self.better(elite.score, e.score)), len(self.elites))
        self.elites.insert(place, elite)
        del self.elites[self.size :]
        return place == 0

    def replace(self, evaluations: list[Evaluation]) -> None:
        """Keep the survivors that were measured again, in the order of their new scores.

        The others' scores are not comparable: each survived by its luckiest measurement.
        """
        newer = {e.source: e for e in evaluations if e.is_valid}
        known, self.elites = self.elites, []
        for elite in known:
            if elite.evaluation.source in newer:
                self.add(newer[elite.evaluation.source], elite.number)
