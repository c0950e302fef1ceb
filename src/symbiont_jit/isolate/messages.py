"""What a worker says to its parent: a kind and JSON, read as one type and nothing else.

In: in the child, what its function returned. Out: in the parent, a value of the type that was agreed on. Whatever runs
in a child can write to the pipe, so the parent never unpickles: a pickle can call anything, and JSON of a known type
only has values that this type has. Texts end on somebody's terminal, so they are cleaned and bounded. The other way
goes what the parent made itself, as pickles. Before an answer stands the nonce of its request, because code that ran
for an earlier one may still be there, and write.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_origin

from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json, to_jsonable_python

from symbiont_jit.uninterrupted import uninterrupted

__all__ = [
    "MAX_NAMES",
    "MAX_PARTS",
    "MAX_REASON",
    "MAX_TEXT",
    "MAX_TEXTS",
    "Complaint",
    "NotReady",
    "Ready",
    "ReplyReader",
    "WorkerReply",
    "clean_text",
    "make_nonce",
    "write_message",
]

NONCE_BYTES: Final = 16
#: The longest end of a message that cannot be read which is quoted.
MAX_FAULT: Final = 200
#: The longest reason of a child that cannot serve, in characters.
MAX_REASON: Final = 3000
#: The characters that a text of a reply may have, and all of them together; what is longer is cut.
MAX_TEXT: Final = 1 << 16
MAX_TEXTS: Final = 1 << 18
#: The characters that the names in an object of a reply may have together.
MAX_NAMES: Final = 1 << 17
_CUT: Final = " ..."
#: The largest integer that a reply may have; a number of thousands of digits cannot even be printed.
_MOST: Final = (1 << 64) - 1

#: Characters by which a text could give orders to a terminal, or show itself in another order than it has.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_MANY_DIGITS: Final = b"0" * 19


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


def clean_text(text: str) -> str:
    """Replace what could give orders to a terminal: all control characters but ends of lines and tabs."""
    return _CONTROLS.sub("?", text.replace("\r\n", "\n"))


def make_nonce() -> bytes:
    """Make what an answer to a request begins with, and no other one."""
    return secrets.token_bytes(NONCE_BYTES)


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


#: The most parts of an answer, and the most faults of one that are looked at: each takes time and memory of the parent.
MAX_PARTS: Final = 25_000
MAX_FAULTS: Final = 100
#: Texts in JSON, also one that nobody ends: whatever the bytes are, each is looked at once.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


class ReplyReader:
    """Reads a child's messages, whose values are of one type.

    Args:
        value_type: The type of the values; pydantic checks them against it.
    """

    def __init__(self, value_type: Any = Any) -> None:
        self._values = _make_adapter(value_type)

    def read(self, data: bytes, nonce: bytes = b"") -> Ready | NotReady | Complaint | WorkerReply:
        """Read a message in the parent.

        Args:
            data: The message.
            nonce: That of the request; nothing for what a child says before the first one.

        Raises:
            ValueError: It is none; the error's text says why, shortly.
        """
        if not data.startswith(nonce):
            raise ValueError("it answers no request, or another one")
        return self._read(data.removeprefix(nonce))

    def _read(self, data: bytes) -> Ready | NotReady | Complaint | WorkerReply:
        kind, rest = data[:1], data[1:]
        if data == b"+":
            return Ready()
        if kind == b"-":
            return NotReady(_read_reason(rest))
        if kind == b"!":
            return Complaint(_read_reason(rest))
        if kind != b"=":
            raise ValueError(f"it begins with {kind!r}")
        if _has_many_parts(rest):
            raise ValueError(f"it has more than {MAX_PARTS:,} parts")
        try:
            return WorkerReply(self._values.validate_json(_clean_json(rest)))
        except ValidationError as error:
            raise ValueError(_describe(error)) from None


@uninterrupted
def _make_adapter(value_type: Any) -> TypeAdapter[Any]:
    """Make what checks values; of an exception that a signal handler raises meanwhile pydantic would make its own."""
    # Of a list only the first value that is none is told of, because all the others would take seconds.
    return TypeAdapter(Annotated[value_type, FailFast()] if get_origin(value_type) is list else value_type)


def _has_many_parts(data: bytes) -> bool:
    """Whether some JSON has more than `MAX_PARTS` parts; each has at most a name and a text."""
    if data.count(b'"') - data.count(b'\\"') > 4 * (MAX_PARTS + 1):
        return True
    return _count_parts(data) > MAX_PARTS and _count_parts(_STRINGS.sub(b"", data)) > MAX_PARTS


def _count_parts(data: bytes) -> int:
    """Count what separates or opens parts, also where it stands in a text."""
    return sum(map(data.count, (b",", b"[", b"{")))


def _read_reason(data: bytes) -> str:
    return clean_text(data.decode(errors="replace")[-MAX_REASON:])


def _clean_json(data: bytes) -> bytes:
    """Clean all texts in some JSON, the names of fields too, and cut what is too long.

    Raises:
        ValueError: It is no JSON, or has an integer that nobody needs.
    """
    if _is_plain(data):
        return data
    try:
        value = from_json(data)
    except ValueError as error:
        raise ValueError(clean_text(str(error))[:MAX_FAULT]) from None
    return to_json(_Cleaner().clean(value), inf_nan_mode="constants")


def _is_plain(data: bytes) -> bool:
    """Whether JSON can have no text and no integer to be cleaned; most answers are like that, and this is quick."""
    is_short = len(data) <= MAX_TEXT and _MANY_DIGITS not in data.translate(_AS_ZEROS)
    return is_short and data.isascii() and b"\\" not in data and b"\x7f" not in data


class _Cleaner:
    """Makes copies of values of JSON whose texts are clean, and together not too long."""

    def __init__(self) -> None:
        self._left = MAX_TEXTS

    def clean(self, value: Any) -> Any:
        """Copy a value.

        Raises:
            ValueError: It has an integer that is too large, or names that are too long or the same.
        """
        match value:
            case str():
                return self._clean_text(value)
            case list():
                return [self.clean(each) for each in value]
            case dict():
                return dict(zip(_clean_names(value), map(self.clean, value.values()), strict=True))
            case int() if abs(value) > _MOST:
                raise ValueError("an integer of more than 64 bits")
        return value

    def _clean_text(self, text: str) -> str:
        length = min(len(text), MAX_TEXT, self._left)
        self._left -= length
        return clean_text(text if length == len(text) else text[:length] + _CUT)


def _clean_names(names: Collection[str]) -> list[str]:
    """Clean names, of which none is cut: two that are the same then would be one."""
    clean = list(map(clean_text, names))
    if len(set(clean)) < len(clean):
        raise ValueError("two names that are the same without what gives orders to a terminal")
    if sum(map(len, clean)) > MAX_NAMES:
        raise ValueError(f"names of more than {MAX_NAMES:,} characters")
    return clean


def _describe(error: ValidationError) -> str:
    if error.error_count() > MAX_FAULTS:
        return f"it has {error.error_count():,} faults"
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return clean_text(f"{place}: {first['msg']}" if place else first["msg"])[:MAX_FAULT]
