"""Everything that happened in a lane, as data: every attempt with prompt, reply, tokens, times and the decision.

In: records that the loop fills. Out: JSON, JSON lines, and text for people. The conversation is stored once; an attempt
says which of its messages it added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from symbiont_jit.agents.protocol import Retry, Usage
from symbiont_jit.errors import UsageError, pluralize

__all__ = ["Attempt", "Trace"]

MAX_SHOWN: Final = 400


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for code and what became of it.

    Attributes:
        number: The number of the attempt in its lane, from 1.
        prompt: The newest message to the model.
        reply: The model's answer.
        kind: `accepted`, or what was wrong with the answer: a key of `CORRECTIONS`, `repeated`, `context_overflow`,
            `error` or `cancelled`.
        diagnostics: What was wrong, as the model was told it.
        code: The C that was found in the reply; the canonical C where it was accepted.
        decision: What the loop did: `accept`, `correct`, `reset` or `give up`.
        why: The reason for the decision.
        model: The name of the model that answered.
        finish: Why the model stopped, as its server says it.
        usage: The tokens of the attempt.
        requests: How many requests the agent sent, failed ones included.
        retries: The failed requests that were sent again, each with its wait in seconds.
        stages: Seconds by stage: waiting, model, read, parse, validate, clang, load, check. Code generation is in
            clang's.
        seconds: Seconds from the beginning of the attempt to its end.
        seen: How many messages the model was sent.
        added: How many of the lane's messages this attempt added.
    """

    number: int
    prompt: str
    reply: str = ""
    kind: str = ""
    diagnostics: str = ""
    code: str = ""
    decision: str = ""
    why: str = ""
    model: str = ""
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    requests: int = 0
    retries: tuple[Retry, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    seen: int = 0
    added: int = 0

    @property
    def own_seconds(self) -> float:
        """The seconds that the project itself took: all but waiting for a turn and for the model."""
        return max(self.seconds - self.stages.get("model", 0.0) - self.stages.get("waiting", 0.0), 0.0)


@dataclass(slots=True)
class Trace:
    """One lane from its first prompt to its end.

    Attributes:
        lane: The number of the lane in its call, from 0.
        prompt: The user's prompt.
        system: The system prompt.
        attempts: The attempts in their order.
        messages: The whole conversation in order, also what is no longer sent after a reset.
        outcome: `running`, `accepted`, `failed` or `cancelled`.
        reason: Why the lane failed.
        revision: The number of the accepted revision; None where there is none.
        seconds: Seconds from the lane's beginning to its end.

    Example:
        >>> print(result.trace)
        >>> again = sj.Trace.from_json(result.trace.to_json())
    """

    lane: int
    prompt: str
    system: str
    attempts: list[Attempt] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    outcome: str = "running"
    reason: str = ""
    revision: int | None = None
    seconds: float = 0.0

    @property
    def usage(self) -> Usage:
        """The tokens of all attempts."""
        return sum((a.usage for a in self.attempts), Usage())

    def to_dict(self) -> dict[str, Any]:
        """Write the trace as plain data, which `from_dict` reads."""
        return asdict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Write the trace as one JSON document.

        Args:
            indent: Spaces by which inner parts are indented; None writes one line.

        Returns:
            JSON text, which `from_json` reads.
        """
        return json.dumps(self.to_dict(), indent=indent, default=str)

    def to_jsonl(self) -> str:
        """Write a line of JSON for the lane and one for each attempt, for tools that read lines."""
        whole = self.to_dict()
        attempts, _ = whole.pop("attempts"), whole.pop("messages")
        rows = [{"type": "lane", **whole}, *({"type": "attempt", "lane": self.lane, **a} for a in attempts)]
        return "".join(json.dumps(row, default=str) + "\n" for row in rows)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trace:
        """Read a trace from its plain data.

        Args:
            data: What `to_dict` gave.

        Returns:
            A trace that is equal to the one that was written.

        Raises:
            UsageError: The data is not that of a trace.
        """
        try:
            attempts = [
                Attempt(
                    **{
                        **a,
                        "usage": Usage(**a["usage"]),
                        "retries": tuple(Retry(**r) for r in a["retries"]),
                    }
                )
                for a in data["attempts"]
            ]
            return cls(**{**data, "attempts": attempts})
        except (KeyError, TypeError) as error:
            raise UsageError(f"this is not a trace's data: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """Read a trace from JSON.

        Args:
            text: What `to_json` gave.

        Returns:
            A trace that is equal to the one that was written.

        Raises:
            UsageError: The text is not JSON, or not that of a trace.
        """
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise UsageError(f"this is not a trace's JSON: {error}") from error

    def __str__(self) -> str:
        return "\n".join(self._write_lines())

    def _write_lines(self) -> Iterable[str]:
        yield f"lane {self.lane}: {self.outcome} after {pluralize(len(self.attempts), 'attempt')}, {self.seconds:.2f} s"
        if self.reason:
            yield f"  {_shorten(self.reason)}"
        for a in self.attempts:
            yield f"  attempt {a.number}: {a.kind} -> {a.decision}{f' ({a.why})' if a.why else ''}"
            usage = (
                f"{a.usage.input} in ({a.usage.cached} cached), {a.usage.output} out ({a.usage.reasoning} reasoning)"
            )
            known = usage if a.usage.is_known else "tokens unknown"
            yield f"    {a.model or 'model'}: {pluralize(a.requests, 'request')}, {known}"
            yield "    " + ", ".join(f"{name} {1000 * seconds:.1f} ms" for name, seconds in a.stages.items())
            for retry in a.retries:
                yield f"    waited {retry.seconds:.2f} s after {retry.reason}"
            if a.diagnostics:
                yield "    " + _shorten(a.diagnostics).replace("\n", "\n    ")


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
