"""A streamed completion, put together: some models answer in pieces only.

In: the pieces, as servers write them. Out: the JSON of a completion, as if it had come at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["StreamedCompletion"]

#: The most characters of an answer that are kept; a server that goes on without an end is left.
LONGEST: Final = 4_000_000
#: Fields of a piece whose texts are joined.
_JOINED: Final = ("content", "reasoning_content", "reasoning", "refusal")


class StreamedCompletion:
    """What has come of a completion so far."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._length = 0
        self._finish: str | None = None
        self._rest: dict[str, Any] = {}

    @property
    def is_too_long(self) -> bool:
        """Whether more has come than any answer has."""
        return self._length > LONGEST

    def add(self, piece: object) -> None:
        """Take in a piece, which may be anything; the last one has the usage, and no choices."""
        if not isinstance(piece, Mapping):
            return
        for name in ("id", "model", "usage", "error"):
            if piece.get(name) is not None:
                self._rest[name] = piece[name]
        choices = piece.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta")
        if not isinstance(delta, Mapping):
            return
        for name in _JOINED:
            if isinstance(text := delta.get(name), str):
                self._texts.setdefault(name, []).append(text)
                self._length += len(text)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                self._add_call(call)

    def _add_call(self, piece: Mapping[str, Any]) -> None:
        """Take in a piece of a call, whose name comes once and whose arguments come bit by bit."""
        index = piece.get("index")
        call = self._calls.setdefault(index if isinstance(index, int) else len(self._calls), {"function": {}})
        function = piece.get("function")
        for name, value in piece.items():
            if value is not None and name not in ("index", "function"):
                call[name] = value
                self._length += len(str(value))
        for name, value in function.items() if isinstance(function, Mapping) else ():
            if name == "arguments" and isinstance(value, str):
                call["function"][name] = call["function"].get(name, "") + value
                self._length += len(value)
            elif value is not None:
                call["function"][name] = value
                self._length += len(str(value))

    def finish(self) -> dict[str, Any]:
        """Return the completion; one that was too long has been cut off by its length."""
        message: dict[str, Any] = {"role": "assistant", "content": None}
        message |= {name: "".join(texts) for name, texts in self._texts.items()}
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        finish = "length" if self.is_too_long else self._finish
        choices = [{"index": 0, "finish_reason": finish, "message": message}]
        return {**self._rest, "choices": choices if self._texts or self._calls or finish else []}
