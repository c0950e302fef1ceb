"""Which variables of an environment are nobody else's business: those that hold a key, a password or a token.

In: an environment, and the texts of secrets that this program uses. Out: the environment without them. A name says much
("API_KEY"), an address can hold a password, and a text that is used as a key is one under any name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["is_secret", "list_secrets", "note_secret", "note_secret_names", "strip_secrets"]

_NAMES: Final = re.compile(
    r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|BEARER|COOKIE|WEBHOOK|DSN|_PWD$|(^|_)PAT($|_)", re.IGNORECASE
)
#: An address with a password or a token in it, and what clouds call a connection string or sign an address with.
_VALUES: Final = re.compile(
    r"://[^/@\s]+@|\b(AccountKey|SharedAccessKey|Password|Pwd)="
    r"|[?&](sig|signature|sas|token|access_token|key|api[_-]?key|password|code)=",
    re.IGNORECASE,
)
#: The fewest characters of a text that is looked for: every second variable has an "x".
_SHORTEST: Final = 8
_KNOWN: Final[set[str]] = set()
_KNOWN_NAMES: Final[set[str]] = set()


def note_secret(text: str) -> None:
    """Take a text for a secret from now on, and each word of it (`Bearer ...`), whatever variable has it."""
    _KNOWN.update(word for word in (text, *text.split()) if len(word) >= _SHORTEST)


def note_secret_names(names: Iterable[str]) -> None:
    """Take the variables of some names for secrets from now on: another process, which knows the texts, says so."""
    _KNOWN_NAMES.update(names)


def is_secret(name: str, value: str) -> bool:
    """Whether a variable is named like a secret, is an address with one in it, or has one that was noted."""
    if name in _KNOWN_NAMES or _NAMES.search(name) or _VALUES.search(value):
        return True
    return any(map(value.__contains__, tuple(_KNOWN)))


def list_secrets(environment: Mapping[str, str]) -> list[str]:
    """List the names of the variables that are secrets."""
    return [name for name, value in environment.items() if is_secret(name, value)]


def strip_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment without the variables that are secrets."""
    return {name: value for name, value in environment.items() if not is_secret(name, value)}
