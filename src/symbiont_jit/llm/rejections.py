"""Why an answer was not taken, in the kinds that corrections are written for.

In: a `CandidateError`, or a user's check and a candidate. Out: a `Rejection`, or nothing where the check accepts the
candidate. What a check raises is the user's own, and no verdict.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.errors import CandidateError, Stage, render_diagnostics
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.options import is_number

__all__ = ["CheckFunction", "Rejection", "ask_check", "reject_error", "reject_verdict"]

#: A function of a candidate's source that judges it, async or not; `reject_verdict` says what it may give.
CheckFunction = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why an answer was not taken.

    Attributes:
        kind: What was wrong: a key of `CORRECTIONS`.
        message: What the model is told, with lines of its code.
        code: The C that was refused.
        finding: What was wrong in one sentence, without lines of code.
    """

    kind: str
    message: str
    code: str = ""
    finding: str = ""

    @property
    def brief(self) -> str:
        """The first line of what was wrong."""
        return (self.finding or self.message).partition("\n")[0]


#: The kind of rejection by the stage that found it; a wrong signature is told apart by its rule.
_KIND_OF_STAGE: Final = {
    Stage.READ: "parse",
    Stage.PREPROCESS: "parse",
    Stage.PARSE: "parse",
    Stage.CHECK: "forbidden",
    Stage.LOWER: "compile",
    Stage.LINK: "compile",
}

#: The kind of rejection by an evaluation's status.
_KIND_OF_STATUS: Final = {
    Status.NO_CODE: "no_code",
    Status.UNPARSED: "parse",
    Status.REJECTED: "forbidden",
    Status.UNLOWERED: "compile",
    Status.PANICKED: "panic",
    Status.CRASHED: "crash",
    Status.TIMED_OUT: "timeout",
    Status.WRONG: "wrong",
}


def reject_error(error: CandidateError, code: str) -> Rejection:
    """Make the rejection of code that does not compile."""
    first = error.diagnostics[0]
    kind = "signature" if first.rule == "signature" else _KIND_OF_STAGE[error.stage]
    return Rejection(kind, render_diagnostics(error.diagnostics, error.source), code, first.message)


async def ask_check(check: CheckFunction, source: str) -> Any:
    """Ask the user's check for its verdict; one that is not async runs in a thread, so that other lanes go on."""
    verdict = check(source) if inspect.iscoroutinefunction(check) else await asyncio.to_thread(check, source)
    return await verdict if inspect.isawaitable(verdict) else verdict


def reject_verdict(verdict: Any, source: str) -> Rejection | None:
    """Make the rejection that a verdict is; None where it accepts the candidate.

    None, True and a finite number, which is a score, accept it; an evaluation does where it is valid. False, a text
    that says what is wrong, and a number that is none, do not.
    """
    if hasattr(verdict, "dtype") and getattr(verdict, "ndim", 1) == 0:  # It is a number or a truth of NumPy's.
        verdict = verdict.item()
    if verdict is None or verdict is True:
        return None
    if isinstance(verdict, Evaluation):
        return _reject_evaluation(verdict, source)
    if is_number(verdict) and math.isfinite(verdict):
        return None
    return Rejection("wrong", verdict if isinstance(verdict, str) else f"the check said {verdict!r}", source)


def _reject_evaluation(evaluation: Evaluation, source: str) -> Rejection | None:
    if evaluation.is_valid:
        return None
    message = render_diagnostics(evaluation.diagnostics, evaluation.source)
    if evaluation.counterexample:
        message = f"{message}\nThe smallest call that was found to show it: {evaluation.counterexample}"
    finding = evaluation.diagnostics[0].message if evaluation.diagnostics else evaluation.status.name
    return Rejection(_KIND_OF_STATUS[evaluation.status], message, source, finding)
