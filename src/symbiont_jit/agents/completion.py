"""A chat completion as servers write it, read into what the project uses.

In: the JSON of a completion, from any server. Out: a `Completion`, or a `RequestFailure` where the JSON is none. The
reasoning of a model is not its answer: it is left out of the text, and its tokens are counted. Some servers put the
whole answer into its field, so where there is no other text, that is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.agents.failures import RequestFailure, message_of, read_failure
from symbiont_jit.agents.protocol import Message, Usage

__all__ = ["CUT_OFF", "REASONING", "Call", "Completion", "prepare_message", "read_completion", "usage_of"]

#: Fields of a message in which servers write what the model thought.
REASONING: Final = ("reasoning_content", "reasoning", "reasoning_details")
#: What goes back for an answer without a text, which servers refuse.
_NOTHING: Final = "(no answer)"
#: Why a model stopped that had more to say, as servers say it.
CUT_OFF: Final = ("length", "max_tokens")

#: Thinking that some servers leave in front of an answer; a template may have written the opening tag already.
_THOUGHT: Final = re.compile(r"\A\s*(?:<think>)?.*?</think>\s*", re.DOTALL)
_UNFINISHED_THOUGHT: Final = re.compile(r"\A\s*<think>.*\Z", re.DOTALL)

#: Where servers write each number of a `Usage`; the first place that has one counts.
_COUNTS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "input": (("prompt_tokens",), ("input_tokens",)),
    "cached": (("prompt_tokens_details", "cached_tokens"), ("prompt_cache_hit_tokens",), ("cached_tokens",)),
    "output": (("completion_tokens",), ("output_tokens",)),
    "reasoning": (("completion_tokens_details", "reasoning_tokens"), ("reasoning_tokens",)),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the model asks for; `arguments` is JSON, or what the model believes to be JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Completion:
    """One turn of the model.

    Attributes:
        text: The answer, without reasoning; empty where the model only calls tools.
        message: What goes into the conversation, with the reasoning; `prepare_message` says what a server gets of it.
        calls: The tools that the model wants called.
        usage: The tokens of the request.
        finish: Why the model stopped, as its server says it.
    """

    text: str
    message: Message
    calls: tuple[Call, ...]
    usage: Usage
    finish: str


def read_completion(data: object, redact: Callable[[str], str] = str) -> Completion | RequestFailure:
    """Read a completion's first choice; `redact` takes secrets out."""
    if not isinstance(data, Mapping):
        return _report_malformed("its JSON is not an object")
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    error = data.get("error") or (choice.get("error") if isinstance(choice, Mapping) else None)
    if error:
        return _read_error(error, redact)
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        return _report_malformed("it has no choices with a message")
    calls = message.get("tool_calls")
    raw = [dict(call) for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    finish = str(choice.get("finish_reason") or "stop")
    text = redact(_text_of(message) or ("" if raw else _thought_of(message, finish)))
    turn: dict[str, Any] = {"role": "assistant", "content": text or (None if raw else _NOTHING)}
    turn |= {name: _redact_parts(message[name], redact) for name in REASONING if message.get(name)}
    if raw:
        # Calls go back as they came, because some servers put signatures beside the arguments.
        turn["tool_calls"] = [
            {**call, "id": call.get("id") or f"call_{i}", "type": "function"} for i, call in enumerate(raw)
        ]
    found = tuple(_call_of(call) for call in turn.get("tool_calls", ()))
    return Completion(text, turn, found, usage_of(data.get("usage")), finish)


def prepare_message(message: Message, echo: Collection[str]) -> dict[str, Any]:
    """Prepare a message of a conversation for a server that wants only some fields of reasoning back."""
    kept = {name: value for name, value in message.items() if name not in REASONING or name in echo}
    if kept.get("role") == "assistant" and not kept.get("content") and not kept.get("tool_calls"):
        kept["content"] = _NOTHING
    return kept


def _redact_parts(value: Any, redact: Callable[[str], str]) -> Any:
    """Take secrets out of all texts in some JSON."""
    match value:
        case str():
            return redact(value)
        case list():
            return [_redact_parts(each, redact) for each in value]
        case Mapping():
            return {name: _redact_parts(each, redact) for name, each in value.items()}
    return value


def _thought_of(message: Mapping[str, Any], finish: str) -> str:
    """Read what the model thought, where that is all that there is; if it was cut off, as thinking without an end."""
    found = next((value for name in REASONING if isinstance(value := message.get(name), str) and value.strip()), "")
    return f"<think>{found}" if found and finish in CUT_OFF else found


def usage_of(data: object) -> Usage:
    """Read a server's count of tokens; where it gives none, `is_known` is false."""
    if not isinstance(data, Mapping):
        return Usage(is_known=False)
    counts = {name: _count(data, places) for name, places in _COUNTS.items()}
    is_known = counts["input"] is not None and counts["output"] is not None
    return Usage(**{name: count or 0 for name, count in counts.items()}, is_known=is_known)


def _count(data: Mapping[str, Any], places: Sequence[Sequence[str]]) -> int | None:
    """Read a number from the first of some places that has it."""
    for place in places:
        value: Any = data
        for key in place:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int) and value >= 0:
            return int(value)
    return None


def _text_of(message: Mapping[str, Any]) -> str:
    """Read the answer as text without reasoning; of a list of parts (Mistral's thinking models) those that are text."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        content = "".join(str(part.get("text") or "") for part in parts)
    text = str(content or message.get("refusal") or "")
    thought = _THOUGHT if "</think>" in text else _UNFINISHED_THOUGHT
    return thought.sub("", text, count=1)


def _call_of(call: Mapping[str, Any]) -> Call:
    function = call.get("function")
    inner: Mapping[str, Any] = function if isinstance(function, Mapping) else {}
    arguments = inner.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments if arguments is not None else {})
    return Call(str(call["id"]), str(inner.get("name") or ""), text)


def _read_error(error: object, redact: Callable[[str], str]) -> RequestFailure:
    """Read an error under status 200, as gateways report those of the servers behind them."""
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 502
    return read_failure(status, {"error": error}, redact(message_of(error)))


def _report_malformed(quote: str) -> RequestFailure:
    return RequestFailure("malformed", quote, 200, is_passing=True)
