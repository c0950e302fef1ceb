"""Keys: kept in an object that does not show them, and taken out of every text that a server wrote.

In: a key, and texts that may repeat it. Out: the same texts without it. Nothing in here writes a key anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from symbiont_jit.errors import AgentError

__all__ = ["Secret", "redact", "redact_pieces"]

MARK: Final = "[key]"
#: Shorter texts are words before they are secrets: without "x" no message can be read.
SHORTEST: Final = 4
#: Servers repeat keys in part; so many characters in a row are no accident.
PIECE: Final = 8
#: A masked echo, which shows a key's ends: `sk-ab*****wxyz`, or `sk-ab...wxyz` where the end is the key's.
_STARRED: Final = re.compile(r"[\w-]*\*{3,}[\w-]*")
_DOTS: Final = r"[\w-]*(?:\.{2,}|\u2026)"
END: Final = 4


class Secret:
    """A text that is used, never shown: not by repr, not by pickle.

    What comes out of a pickle is lost; `reveal` then reads the environment's `variable` again.
    """

    __slots__ = ("_text", "_variable")

    def __init__(self, text: str | None, variable: str = "") -> None:
        self._text = text
        self._variable = variable

    def reveal(self) -> str:
        """The text itself. Raises `AgentError` where it was lost."""
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
    """A text without the secrets that it repeats in full."""
    for known in _find_texts(secrets):
        text = text.replace(known, MARK)
    return text


def redact_pieces(text: str, secrets: Iterable[Secret]) -> str:
    """A text without the secrets and without parts and masked echoes of them: for what servers say about errors."""
    text = _STARRED.sub(MARK, text)
    for known in _find_texts(secrets):
        text = re.sub(_DOTS + re.escape(known[-END:]), MARK, text)
        text = _remove_pieces(text, known)
    return text


def _find_texts(secrets: Iterable[Secret]) -> list[str]:
    """The secrets that are long enough, the longest first, so that none is cut by a part of it."""
    texts = {secret._text for secret in secrets if secret._text and len(secret._text) >= SHORTEST}
    return sorted(texts, key=lambda text: (-len(text), text))


def _remove_pieces(text: str, known: str) -> str:
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
