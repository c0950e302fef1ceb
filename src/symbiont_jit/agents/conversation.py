"""A conversation as JSON: its digest, and values that can be sent.

In: messages, or a server's text. Out: a digest that is equal for equal messages in every process; JSON that a request
can hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from symbiont_jit.agents.protocol import Message

__all__ = ["digest_of", "parse_json", "replace_surrogates", "to_plain"]

#: The most levels of lists and objects in a server's JSON; an answer has about ten.
MAX_DEPTH: Final = 100


def digest_of(messages: Sequence[Message]) -> str:
    """Compute the digest of a conversation; the order of a message's keys does not count."""
    text = json.dumps(to_plain(messages), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def parse_json(text: str) -> Any:
    """Read a server's JSON as a value that could be sent back; None where the text is no JSON, or is too deep."""
    try:
        value = json.loads(text, parse_constant=lambda constant: None)
        # A surrogate, which is half a character, can only come from an escape.
        if "\\ud" in text.lower():
            value = json.loads(replace_surrogates(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return None if _is_deep(value) else value


def _is_deep(value: Any) -> bool:
    """Whether a value has more levels than `MAX_DEPTH`: what walks through it calls itself once for each."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        parts = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [part for several in parts for part in several]
    return bool(level)


def replace_surrogates(text: str) -> str:
    """Replace surrogates by question marks: JSON can write these halves of characters, and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def to_plain(value: Any) -> Any:
    """Turn a value into JSON's types: mappings become dictionaries, sequences lists, what is unknown its text."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [to_plain(part) for part in value]
    return str(value)
