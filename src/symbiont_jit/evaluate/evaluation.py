"""What became of a candidate: an ordered status, scores, findings and timings."""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from symbiont_jit.errors import CandidateError, Diagnostic, Stage
from symbiont_jit.evaluate.intervals import Interval
from symbiont_jit.isolate.messages import clean_text
from symbiont_jit.runtime.panics import Panic

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Evaluation", "Status", "Timings", "make_failed_evaluation"]


class Status(enum.IntEnum):
    """How far a candidate got; a candidate with a higher status got further.

    Example:
        `evaluation.status >= Status.PANICKED` says that the candidate was compiled and run.
    """

    #: There was no text.
    NO_CODE = 0
    #: The text is no C that the parser reads.
    UNPARSED = 1
    #: A rule forbids something in the text, or its signature is another one.
    REJECTED = 2
    #: The compiler or the linker refused the text.
    UNLOWERED = 3
    #: A check failed while the checked code ran.
    PANICKED = 4
    #: The worker's process ended while the code ran.
    CRASHED = 5
    #: There was no result within the deadline.
    TIMED_OUT = 6
    #: A result differs from the reference's, or the metric gave no finite number.
    WRONG = 7
    #: The candidate has a score.
    VALID = 8


@dataclass(frozen=True, slots=True)
class Timings:
    """What an evaluation took, and what it measured.

    Attributes:
        compile_seconds: Wall time from text to object code, in seconds.
        worker_seconds: Wall time in the worker, in seconds; 0 where equal code had been evaluated before.
        reference_ns: The reference's CPU time a call in nanoseconds, one entry for each round.
        candidate_ns: The candidate's CPU time a call in nanoseconds, measured in turns with the reference's.
    """

    compile_seconds: float = 0.0
    worker_seconds: float = 0.0
    reference_ns: tuple[float, ...] = ()
    candidate_ns: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of one candidate.

    Attributes:
        status: How far the candidate got.
        source: Canonical C where the candidate is VALID or WRONG; else its author's text, whose lines are counted in
            diagnostics.
        score: The metric's number, or the first of several; None unless the status is VALID.
        scores: All numbers of the metric by name.
        diagnostics: What was found, in the order of the text.
        panic: The `Panic` of a candidate that panicked.
        timings: What the evaluation took, and what it measured.
        code: The SHA-256 of the object code, with checks and without, which is equal for candidates that compile to the
            same.
        release_code: The SHA-256 of the object code without checks.
        gains: For a candidate that was measured again at the end of a search: how many times as fast it is as others,
            by their names, with 99 % intervals.
        counterexample: For a WRONG candidate, the smallest call that was found to show it, where one was.

    Example:
        `evaluation = evolution.evaluate(source)`, then `evaluation.is_valid` and `print(evaluation)`.
    """

    status: Status
    source: str
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    panic: Panic | None = None
    timings: Timings = field(default_factory=Timings)
    code: str = ""
    release_code: str = ""
    gains: Mapping[str, Interval] = field(default_factory=dict)
    counterexample: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether the candidate passed and has a score."""
        return self.status is Status.VALID

    def without_scores(self, names: Collection[str]) -> Evaluation:
        """Return the evaluation without the scores of some names."""
        hidden = set(map(clean_text, names))  # What comes of a worker is cleaned, the names as well.
        kept = {name: score for name, score in self.scores.items() if name not in hidden}
        return replace(self, scores=kept) if len(kept) < len(self.scores) else self

    def to_row(self) -> dict[str, Any]:
        """Return the evaluation as a dictionary of texts, numbers, lists and dictionaries, as JSON has them.

        Numbers that are not finite are texts, `"nan"` or `"inf"`.
        """
        found: dict[str, Any] = _plain(self)
        return found | {"status": self.status.name}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Evaluation:
        """Return the evaluation that `to_row` has made a row of.

        Raises:
            ValueError: The row is none of an evaluation.
        """
        return _adapter().validate_python({**row, "status": _status_named(row.get("status"))})

    def __str__(self) -> str:
        score = "" if self.score is None else f", score {self.score:.4g}"
        findings = "".join(f"\n{d.render(self.source)}" for d in self.diagnostics[:5])
        return f"{self.status.name}{score}{findings}"


def _plain(value: Any) -> Any:
    """Return a record as what JSON has."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


def _status_named(name: Any) -> Status:
    if name not in Status.__members__:
        raise ValueError(
            f"a row of an evaluation has one of {', '.join(Status.__members__)} as status, not {name!r:.80}"
        )
    return Status[name]


@functools.cache
def _adapter() -> TypeAdapter[Evaluation]:
    from pydantic import TypeAdapter  # Few programs read rows, and it takes as long to import as half of this package.

    return TypeAdapter(Evaluation)


_STATUS_OF_STAGE: Mapping[Stage, Status] = {
    Stage.READ: Status.UNPARSED,
    Stage.PREPROCESS: Status.UNPARSED,
    Stage.PARSE: Status.UNPARSED,
    Stage.CHECK: Status.REJECTED,
    Stage.LOWER: Status.UNLOWERED,
    Stage.LINK: Status.UNLOWERED,
}


def make_failed_evaluation(error: CandidateError) -> Evaluation:
    """Make the evaluation of a text that could not be compiled; the stage of the error decides the status."""
    is_empty = any(d.rule == "empty" for d in error.diagnostics)
    status = Status.NO_CODE if is_empty else _STATUS_OF_STAGE[error.stage]
    return Evaluation(status, error.source, diagnostics=error.diagnostics)
