"""What became of a candidate: an ordered status, scores, findings and timings."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from symbiont_jit.errors import CandidateError, Diagnostic, Stage

__all__ = ["Evaluation", "Status", "Timings", "failed_evaluation"]


class Status(enum.IntEnum):
    """How far a candidate got; a higher one got further."""

    NO_CODE = 0
    UNPARSED = 1
    REJECTED = 2
    UNLOWERED = 3
    PANICKED = 4
    CRASHED = 5
    TIMED_OUT = 6
    WRONG = 7
    VALID = 8


@dataclass(frozen=True, slots=True)
class Timings:
    """What an evaluation took and measured.

    `compile_seconds` and `judge_seconds` are wall time; `reference_ns` and `candidate_ns` are CPU time a call, one
    entry for each round, measured in turns.
    """

    compile_seconds: float = 0.0
    judge_seconds: float = 0.0
    reference_ns: tuple[float, ...] = ()
    candidate_ns: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome for one candidate.

    `score` is None unless the status is VALID. `source` is what the diagnostics' lines count: canonical once the checks
    have passed. `code` is the SHA-256 of the object code: equal for candidates that compile to the same.
    """

    status: Status
    source: str
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    panic: object | None = None
    timings: Timings = field(default_factory=Timings)
    code: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether the candidate passed and has a score."""
        return self.status is Status.VALID

    def __str__(self) -> str:
        score = "" if self.score is None else f", score {self.score:.4g}"
        findings = "".join(f"\n{d.render(self.source)}" for d in self.diagnostics[:5])
        return f"{self.status.name}{score}{findings}"


_STATUS_OF_STAGE: Mapping[Stage, Status] = {
    Stage.READ: Status.UNPARSED,
    Stage.PREPROCESS: Status.UNPARSED,
    Stage.PARSE: Status.UNPARSED,
    Stage.CHECK: Status.REJECTED,
    Stage.LOWER: Status.UNLOWERED,
    Stage.LINK: Status.UNLOWERED,
}


def failed_evaluation(error: CandidateError) -> Evaluation:
    """The evaluation of a text that could not be compiled."""
    is_empty = any(d.rule == "empty" for d in error.diagnostics)
    status = Status.NO_CODE if is_empty else _STATUS_OF_STAGE[error.stage]
    return Evaluation(status, error.source, diagnostics=error.diagnostics)
