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

    `kind` is `accepted` or what failed; `decision` is what the loop did about it (`accept`, `correct`, `reset`,
    `give up`) and `why`. `stages` are seconds: model, read, parse, validate, clang, load, check. clang makes machine
    code itself, so its stage has code generation in it. `seen` is how many messages the model was sent, `added` how
    many of the conversation's are this attempt's.
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
        """All but the waiting for the model: what the harness itself takes."""
        return max(self.seconds - self.stages.get("model", 0.0) - self.stages.get("waiting", 0.0), 0.0)


@dataclass(slots=True)
class Trace:
    """One lane from its first prompt to its end.

    `outcome` is `running`, `accepted`, `failed` or `cancelled`; `messages` is the whole conversation in order, also
    what a reset no longer sends; `system` is the system prompt.
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
        """Tokens of all attempts."""
        return sum((a.usage for a in self.attempts), Usage())

    def to_dict(self) -> dict[str, Any]:
        """As plain data, which `from_dict` reads."""
        return asdict(self)

    def to_json(self, indent: int | None = None) -> str:
        """As one JSON document."""
        return json.dumps(self.to_dict(), indent=indent, default=str)

    def to_jsonl(self) -> str:
        """A line for the lane and one for each attempt, for tools that read lines."""
        whole = self.to_dict()
        attempts, _ = whole.pop("attempts"), whole.pop("messages")
        rows = [{"type": "lane", **whole}, *({"type": "attempt", "lane": self.lane, **a} for a in attempts)]
        return "".join(json.dumps(row, default=str) + "\n" for row in rows)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trace:
        """A trace from its plain data; raises `UsageError` for anything else."""
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
        """A trace from `to_json`."""
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
