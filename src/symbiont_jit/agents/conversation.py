"""A conversation's name: the same messages have the same digest, in every process.

In: messages. Out: a hexadecimal SHA-256 of their JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from symbiont_jit.agents.protocol import Message

__all__ = ["digest_of", "plain"]


def digest_of(messages: Sequence[Message]) -> str:
    """The digest; the order of a message's keys does not count."""
    text = json.dumps(plain(messages), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A value as JSON has it: mappings become dictionaries, sequences lists, what is unknown its text."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(part) for part in value]
    return str(value)
