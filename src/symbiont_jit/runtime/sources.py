"""The runtime's C as files of the package: reading them, including one in another, taking headers apart.

In: names of files relative to the package (`runtime/checks.h`), as a C compiler with `-I src/symbiont_jit` finds them.
Out: text for a compiler that reads its standard input and knows no directory. Comments are left out. System headers are
too, because every text gets the declarations that it uses in front (`c/vocabulary.py`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from symbiont_jit.c.vocabulary import PRELUDE

__all__ = ["NUMBERS", "ROOT", "expand", "include", "list_included", "own_words", "select"]

#: The folder that `#include "..."` starts from.
ROOT: Final = Path(__file__).parents[1]

_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DROPPED: Final = re.compile(r"(?m)^(?:#include <.*>|#pragma once|[ \t]*)\n|[ \t]+$")
_INCLUDE: Final = re.compile(r'(?m)^#include "([^"\n]+)"\n')

#: Everything at file scope begins in the first column, except braces.
_PIECE: Final = re.compile(r"(?m)^(?=[^\s{}])")
_NAME_OF_PIECE: Final = re.compile(r"#define (SJ_\w+)|SJ_[A-Z]+\((sj_\w+)|.*?\b(sj_\w+)\s*[\[({;]", re.DOTALL)
#: Words of attributes and pragmas that stand around a candidate, besides those of the package's C.
_ATTRIBUTES: Final = frozenset("apply_to cleanup function internal_linkage noinline pop push".split())
_WORD: Final = re.compile(r"\b[A-Za-z_]\w*")
_NAME: Final = re.compile(r"\b(?:sj|SJ)_\w+")


@functools.cache
def _read(name: str) -> str:
    text = _COMMENT.sub("", (ROOT / name).read_text(encoding="utf-8"))
    return _DROPPED.sub("", text)


def expand(text: str, given: Collection[str] = ()) -> str:
    """Put files of the package in place of the lines that include them: each once, and none that is `given` already."""
    seen = set(given)

    def content(match: re.Match[str]) -> str:
        if match[1] in seen:
            return ""
        seen.add(match[1])
        return _INCLUDE.sub(content, _read(match[1]))

    return _INCLUDE.sub(content, text)


@functools.cache
def include(*names: str, given: frozenset[str] = frozenset()) -> str:
    """Return the text of files with all that they include, but for the files that are `given`."""
    return expand("".join(f'#include "{name}"\n' for name in names), given)


@functools.cache
def own_words() -> frozenset[str]:
    """List all words of the package's C, and of what it declares: a macro would make something else of them."""
    names = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*.[ch]"))
    return frozenset(PRELUDE).union(_ATTRIBUTES, *(_WORD.findall(_read(name)) for name in names))


@functools.cache
def list_included(name: str) -> frozenset[str]:
    """List a file and all files that it includes."""
    direct = _INCLUDE.findall(_read(name))
    return frozenset([name]).union(*map(list_included, direct))


@functools.cache
def _pieces(name: str) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Return what a header and its includes define, by name: the text of each and the names that it needs."""
    pieces = {}
    for piece in filter(str.strip, _PIECE.split(include(name))):
        match = _NAME_OF_PIECE.match(piece)
        assert match is not None, f"a piece of {name} defines no name: {piece}"
        pieces[next(filter(None, match.groups()))] = piece, frozenset(_NAME.findall(piece))
    return pieces


def select(text: str, name: str) -> str:
    """Return the part of a header, and of its includes, that a text needs in front of it."""
    pieces = _pieces(name)
    needed: set[str] = set()
    new = set(_NAME.findall(text))
    while new:
        needed |= new
        new = {other for known in new & pieces.keys() for other in pieces[known][1]} - needed
    return "".join(piece for known, (piece, _) in pieces.items() if known in needed)


#: The numbers that C and Python share.
NUMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {name: int(value) for name, value in re.findall(r"(?m)^#define (SJ_\w+) \(?(-?\d+)\)?$", _read("runtime/limits.h"))}
)
