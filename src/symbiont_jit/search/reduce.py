"""The winner without what does not matter: each change that makes it simpler and no worse is kept.

In: a winner, a way to evaluate texts, and what counts as no worse. Out: the winner, or a simpler evaluation that is as
good. A text whose machine code is the winner's needs no measuring.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Final

from symbiont_jit.evaluate.evaluation import Evaluation
from symbiont_jit.propose.simplify import list_simpler

__all__ = ["reduce_winner"]

#: How many simpler texts are tried.
TRIALS: Final = 200


def reduce_winner(
    winner: Evaluation,
    evaluate: Callable[[str], Evaluation],
    is_as_good: Callable[[Evaluation, Evaluation], bool],
    seconds: float,
) -> Evaluation:
    """Simplify a winner for as long as something can be left out, and there is time.

    Args:
        winner: A valid evaluation.
        evaluate: Evaluates a text; a bad one has a status and raises nothing.
        is_as_good: Whether the second evaluation is no worse than the first; machine code that is equal always is.
        seconds: When to stop, in seconds from now; after `TRIALS` texts it ends in any case.

    Returns:
        The simplest evaluation that was found; the winner itself where nothing can be left out.
    """
    until = time.monotonic() + seconds
    best, tried = winner, itertools.count()

    def is_over() -> bool:
        return next(tried) >= TRIALS or time.monotonic() >= until

    def is_better(found: Evaluation) -> bool:
        is_shorter = found.is_valid and len(found.source) < len(best.source)
        return is_shorter and (found.release_code == winner.release_code or is_as_good(winner, found))

    while True:
        texts = itertools.takewhile(lambda _: not is_over(), list_simpler(best.source))
        simpler = next(filter(is_better, map(evaluate, texts)), None)
        if simpler is None:
            return best
        best = simpler
