"""The end of a search: who has won, in the simplest words, or that nothing is better than what there was.

In: the survivors. Out: the one to be activated, or none. Survivors of a search that measures times are measured again,
side by side: the luckiest measurement is not the best candidate.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from symbiont_jit.engine.builds import Build
from symbiont_jit.evaluate.confirm import has_same_speed, is_gain
from symbiont_jit.evaluate.evaluation import Evaluation
from symbiont_jit.evaluate.evaluator import Evaluator
from symbiont_jit.search.archive import Archive, Elite
from symbiont_jit.search.reduce import reduce_winner

__all__ = ["Ending"]

#: How many survivors are measured again.
FINALISTS: Final = 4
#: The share of a run's time that its winner may be simplified for, and the seconds that it may be in any case.
REDUCTION: Final = 0.1
LEAST_REDUCTION: Final = 5.0
#: How much slower a simpler text may seem at first; whether it is decides at the end, side by side.
SLOWER: Final = 0.98


@dataclass(frozen=True, slots=True)
class Ending:
    """What a search ends with.

    `evaluate` evaluates a text as a candidate of a number; `is_timed` says that scores are measured times; `before` is
    the code that was active before, where that was C.
    """

    archive: Archive
    evaluator: Evaluator
    evaluate: Callable[[str, int], Evaluation]
    is_timed: bool
    before: Build | None

    def choose_winner(self, has_before: bool, seconds: float) -> Elite | None:
        """Choose the survivor to be activated, simplified; None where nothing is better than what was active.

        Args:
            has_before: Whether anything was active before the search.
            seconds: How long the search has taken.
        """
        if self.is_timed:
            self._confirm([elite.evaluation for elite in self.archive.elites[:FINALISTS]])
        best = self.archive.best
        if best is None:
            return None
        is_better = is_gain(best.evaluation) if self.is_timed else best.number is not None
        if has_before and not is_better:
            return None
        if best.number is not None:
            self._simplify(best, best.number, max(LEAST_REDUCTION, REDUCTION * seconds))
        return self.archive.best

    def _confirm(self, finalists: Sequence[Evaluation]) -> None:
        """Measure evaluations again, side by side, and keep them in the order of their new scores."""
        if finalists:
            found = self.evaluator.confirm([each.source for each in finalists], self.before)
            self.archive.replace([replace(c, code=f.code) for c, f in zip(found, finalists, strict=True)])

    def _simplify(self, best: Elite, number: int, seconds: float) -> None:
        """Put a simpler text in the winner's place, if there is one that is as good."""
        evaluate = functools.partial(self._evaluate, number)
        simpler = reduce_winner(best.evaluation, evaluate, self._is_as_good, seconds)
        confirmed = self._confirm_simpler(best.evaluation, simpler) if self.is_timed else simpler
        if confirmed is None:  # What has the winner's machine code needs no measuring.
            simpler = reduce_winner(best.evaluation, evaluate, _is_never_as_good, seconds)
            confirmed = replace(best.evaluation, source=simpler.source)
        self.archive.elites[0] = replace(best, evaluation=confirmed)

    def _confirm_simpler(self, winner: Evaluation, simpler: Evaluation) -> Evaluation | None:
        """Measure a simpler text side by side with the winner; None where it is slower, or wrong on new inputs."""
        if simpler.code == winner.code:
            return replace(winner, source=simpler.source)
        again, found = self.evaluator.confirm([winner.source, simpler.source], self.before)
        is_as_good = found.is_valid and has_same_speed(again, found)
        return replace(found, code=simpler.code) if is_as_good else None

    def _evaluate(self, number: int, text: str) -> Evaluation:
        return self.evaluate(text, number)

    def _is_as_good(self, winner: Evaluation, other: Evaluation) -> bool:
        """Whether a simpler text is no worse than the winner, as far as a few turns tell."""
        assert winner.score is not None
        assert other.score is not None
        if self.is_timed:
            return other.score >= SLOWER * winner.score
        return not self.archive.better(winner.score, other.score)


def _is_never_as_good(winner: Evaluation, other: Evaluation) -> bool:
    return False
