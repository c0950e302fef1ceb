"""The end of a search: who has won, in the simplest words, or that nothing is better than what there was.

In: the survivors. Out: the one to be activated, or none. Survivors of a search that measures times are measured again,
side by side: the luckiest measurement is not the best candidate.
"""

from __future__ import annotations

import functools
import re
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
LEAST_REDUCTION: Final = 2.0
#: How much slower a simpler text may seem at first; whether it is decides at the end, side by side.
SLOWER: Final = 0.98
_PRAGMA: Final = re.compile(r"(?m)^\s*#pragma[^\n]*\n")


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
            self.archive.replace(
                [replace(c, code=f.code, release_code=f.release_code) for c, f in zip(found, finalists, strict=True)]
            )

    def _simplify(self, best: Elite, number: int, seconds: float) -> None:
        """Put a simpler text in the winner's place, if there is one that is as good.

        Where correctness is that of a reference, only what changes no machine code is left out, and hints: what the
        inputs of a search do not need, such as the rest of an unrolled loop, others may need.
        """
        evaluate = functools.partial(self._evaluate, number)
        if self.is_timed:
            simpler = reduce_winner(best.evaluation, evaluate, _is_never_as_good, seconds)
            simpler = replace(best.evaluation, source=simpler.source)
            simpler = self._confirm_simpler(simpler, reduce_winner(simpler, evaluate, _is_as_fast, seconds))
        else:
            simpler = reduce_winner(best.evaluation, evaluate, self._is_as_good, seconds)
        self.archive.elites[0] = replace(best, evaluation=simpler)

    def _confirm_simpler(self, winner: Evaluation, simpler: Evaluation) -> Evaluation:
        """Measure a simpler text side by side with the winner; return the winner where it is slower, or wrong."""
        if simpler.source == winner.source:
            return winner
        again, found = self.evaluator.confirm([winner.source, simpler.source], self.before)
        is_as_good = found.is_valid and has_same_speed(again, found)
        return replace(found, code=simpler.code, release_code=simpler.release_code) if is_as_good else winner

    def _evaluate(self, number: int, text: str) -> Evaluation:
        return self.evaluate(text, number)

    def _is_as_good(self, winner: Evaluation, other: Evaluation) -> bool:
        """Whether a simpler text is no worse by the user's own metric, which is all that is known of what is right."""
        assert winner.score is not None
        assert other.score is not None
        return not self.archive.better(winner.score, other.score)


def _is_as_fast(winner: Evaluation, other: Evaluation) -> bool:
    """Whether a text differs in hints alone, and seems to be no slower; whether it is decides at the end."""
    assert winner.score is not None
    assert other.score is not None
    has_same_code = _PRAGMA.sub("", winner.source) == _PRAGMA.sub("", other.source)
    return has_same_code and other.score >= SLOWER * winner.score


def _is_never_as_good(winner: Evaluation, other: Evaluation) -> bool:
    return False
