"""Which variables of an environment are nobody else's business: those that hold a key, a password or a token.

In: an environment, and the texts of secrets that this program uses. Out: the environment without them. A name says much
("API_KEY"), an address can hold a password, and a text that is used as a key is one under any name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["is_secret", "note_secret", "strip_secrets"]

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


def note_secret(text: str) -> None:
    """Take a text for a secret from now on, whatever the variable is called that has it."""
    if len(text) >= _SHORTEST:
        _KNOWN.add(text)


def is_secret(name: str, value: str) -> bool:
    """Whether a variable is named like a secret, is an address with one in it, or has one that was noted."""
    return bool(_NAMES.search(name) or _VALUES.search(value)) or any(map(value.__contains__, tuple(_KNOWN)))


def strip_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment without the variables that are secrets."""
    return {name: value for name, value in environment.items() if not is_secret(name, value)}
