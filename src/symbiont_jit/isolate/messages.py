"""What a worker says to its parent: a kind and JSON, read as one type and nothing else.

In: in the child, what its function returned. Out: in the parent, a value of the type that was agreed on. Whatever runs
in a child can write to the pipe, so the parent never unpickles: a pickle can call anything, and JSON of a known type
only has values that this type has. The other way goes what the parent made itself, as pickles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

__all__ = ["NotReady", "Ready", "Complaint", "ReplyReader", "WorkerReply", "write_message"]

#: The longest end of a message that cannot be read which is quoted.
MAX_FAULT: Final = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """The child can serve."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """The child cannot serve; `reason` is the traceback."""

    reason: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """The child's function raised `UsageError`: a request fails by no candidate's fault, and `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class WorkerReply:
    """The value that the child's function returned."""

    value: Any


def write_message(message: Ready | NotReady | Complaint | WorkerReply) -> bytes:
    """Write a message in the child.

    Raises:
        pydantic_core.PydanticSerializationError: JSON has no form for the value.
    """
    match message:
        case Ready():
            return b"+"
        case NotReady(reason):
            return b"-" + reason.encode(errors="replace")
        case Complaint(reason):
            return b"!" + reason.encode(errors="replace")
        case WorkerReply(value):
            return b"=" + _encode(value)


def _encode(value: Any) -> bytes:
    try:
        return to_json(value, inf_nan_mode="constants")
    except PydanticSerializationError:
        return to_json(_replace_surrogates(to_jsonable_python(value)), inf_nan_mode="constants")


def _replace_surrogates(value: Any) -> Any:
    """Replace what no encoding has by question marks; a candidate's text and an exception's words may have it."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list():
            return [_replace_surrogates(each) for each in value]
        case dict():
            return {name: _replace_surrogates(each) for name, each in value.items()}
    return value


class ReplyReader:
    """Reads a child's messages, whose values are of one type.

    Args:
        value_type: The type of the values; pydantic checks them against it.
    """

    def __init__(self, value_type: Any = Any) -> None:
        self._values: TypeAdapter[Any] = TypeAdapter(value_type)

    def read(self, data: bytes) -> Ready | NotReady | Complaint | WorkerReply:
        """Read a message in the parent.

        Raises:
            ValueError: It is none; the error's text says why, shortly.
        """
        kind, rest = data[:1], data[1:]
        if data == b"+":
            return Ready()
        if kind == b"-":
            return NotReady(rest.decode(errors="replace"))
        if kind == b"!":
            return Complaint(rest.decode(errors="replace"))
        if kind != b"=":
            raise ValueError(f"it begins with {kind!r}")
        try:
            return WorkerReply(self._values.validate_json(rest))
        except ValidationError as error:
            raise ValueError(_describe(error)) from None


def _describe(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}"[:MAX_FAULT] if place else first["msg"][:MAX_FAULT]
