"""Secrets: keys are kept in an object that does not show them, and taken out of every text that a server wrote.

In: a key, and texts that may repeat it. Out: the texts without the key. Nothing in this module writes a key anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from symbiont_jit.environment import note_secret
from symbiont_jit.errors import AgentError

__all__ = ["Secret", "redact", "redact_pieces"]

MARK: Final = "[key]"
#: The fewest characters of a secret that is looked for: a message without "x" could not be read.
SHORTEST: Final = 4
#: How many characters of a key in a row are no accident: servers repeat keys in part.
PIECE: Final = 8
#: Masked echoes, which show a key's ends: `sk-ab*****wxyz`, or `sk-ab...wxyz` where the end is the key's.
_STARRED: Final = re.compile(r"[\w-]*\*{3,}[\w-]*")
_DOTS: Final = r"[\w-]*(?:\.{2,}|\u2026)"
END: Final = 4


class Secret:
    """A text that is used and never shown, neither by repr nor by pickle.

    A secret that comes out of a pickle has lost its text; `reveal` then reads the environment's `variable` again. From
    now on no worker has the text in its environment.
    """

    __slots__ = ("_text", "_variable")

    def __init__(self, text: str | None, variable: str = "") -> None:
        self._text = text
        self._variable = variable
        note_secret(text or "")

    def reveal(self) -> str:
        """Give the text itself; raises `AgentError` where it was lost."""
        text = self._text or os.environ.get(self._variable)
        if not text:
            where = f"set {self._variable}, or " if self._variable else ""
            raise AgentError(
                f"a key is never pickled and has to be given again: {where}make the agent where it is used"
            )
        return text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> tuple[type[Secret], tuple[None, str]]:
        return Secret, (None, self._variable)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Take secrets that a text repeats in full out of it."""
    for known in _find_texts(secrets):
        text = text.replace(known, MARK)
    return text


def redact_pieces(text: str, secrets: Iterable[Secret]) -> str:
    """Take secrets, parts of them and masked echoes out of a text: servers repeat keys so in their errors."""
    text = _STARRED.sub(MARK, text)
    for known in _find_texts(secrets):
        text = re.sub(_DOTS + re.escape(known[-END:]), MARK, text)
        text = _remove_pieces(text, known)
    return text


def _find_texts(secrets: Iterable[Secret]) -> list[str]:
    """List the secrets that are long enough, the longest first, so that none is cut by a part of it."""
    texts = {secret._text for secret in secrets if secret._text and len(secret._text) >= SHORTEST}
    return sorted(texts, key=lambda text: (-len(text), text))


def _remove_pieces(text: str, known: str) -> str:
    """Take every run of a secret's characters that is no accident out of a text."""
    kept: list[str] = []
    at, least = 0, min(PIECE, len(known))
    while at < len(text):
        end = at + least
        if text[at:end] not in known or end > len(text):
            kept.append(text[at])
            at += 1
            continue
        while end < len(text) and text[at : end + 1] in known:
            end += 1
        kept.append(MARK)
        at = end
    return "".join(kept)
