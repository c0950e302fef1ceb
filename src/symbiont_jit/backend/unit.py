"""What is compiled: a `Unit` is one text of C with all that clang is told about it.

In: canonical or generated C, the project's own C around it, the functions to be called. Out: the text that clang reads,
and a digest that is equal for equal units only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from symbiont_jit.c import vocabulary

__all__ = ["Unit", "digest_of"]

#: The file to which the candidate's lines belong: clang counts them from 1, whatever stands before the text.
CANDIDATE_FILE: Final = "candidate.c"
#: The file to which lines of generated C belong, which are not the candidate's.
GENERATED_FILE: Final = "instrumented.c"


@dataclass(frozen=True, slots=True)
class Unit:
    """One translation unit of C.

    `text` is canonical or generated C, `entries` are its functions to be called, `may_need` the names that it may leave
    undefined besides those of the table of library functions. `prologue` and `epilogue` are C of the project's own
    before and behind the text, `flags` further clang options. `original` is the canonical C from which `text` was
    generated, under other names: clang checks it too, so that its diagnostics use the candidate's lines. Code of a unit
    that `is_audited` is refused where the optimiser has concluded something from undefined behaviour.
    """

    text: str
    entries: tuple[str, ...]
    may_need: frozenset[str] = frozenset()
    prologue: str = ""
    epilogue: str = ""
    flags: tuple[str, ...] = ()
    original: str = ""
    is_audited: bool = False

    def c_text(self, already_checked: bool = False) -> str:
        """Return all that clang reads; without the original where that was `already_checked`."""
        before = self.prologue if already_checked else self.original + self.prologue
        prelude = vocabulary.prelude(before + self.text + self.epilogue)
        file = GENERATED_FILE if self.original else CANDIDATE_FILE
        return f'{prelude}{before}# 1 "{file}"\n{self.text}# 1 "entries.c"\n{self.epilogue}'

    def digest(self, circumstances: str = "") -> str:
        """Return a key that is equal for equal units under equal circumstances, and only for those."""
        about = (
            self.text,
            self.entries,
            sorted(self.may_need),
            self.prologue,
            self.epilogue,
            self.flags,
            self.original,
            "audited" if self.is_audited else "",
        )
        return digest_of((*about, circumstances))


def digest_of(fields: Iterable[str | Iterable[str]]) -> str:
    """Hash texts and groups of texts (SHA-256), each with its length in front, so that no two splits are the same."""
    digest = hashlib.sha256()
    for field in fields:
        parts = [part.encode() for part in ((field,) if isinstance(field, str) else field)]
        lengths = ":".join(str(len(part)) for part in parts)
        digest.update(f"{len(parts)};{lengths};".encode() + b"".join(parts))
    return digest.hexdigest()
