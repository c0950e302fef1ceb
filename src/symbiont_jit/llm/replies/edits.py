"""Edits in a reply -> the edited source.

In: an answer with unified diffs or SEARCH/REPLACE blocks, and the text they are about. Out: the new text, or what did
not fit. Line numbers are hints, blanks and empty lines do not matter: models count badly and indent freely.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Edit", "Misfit", "apply_edits", "find_hunks", "write_new_side", "find_search_blocks"]

MAX_EDITS: Final = 100
#: Lines of context that may be wrong at either end of a hunk.
MAX_FUZZ: Final = 2
MAX_QUOTE: Final = 80


@dataclass(slots=True)
class Edit:
    """One change to a source.

    Attributes:
        lines: Pairs of a mark (` `, `-` or `+`) and the line behind it.
        line: Where the change begins, counted from 1; 0 where the reply does not say.
        is_complete: False where the reply ends inside of the edit.
    """

    lines: list[tuple[str, str]] = field(default_factory=list)
    line: int = 0
    is_complete: bool = True

    @property
    def old(self) -> list[str]:
        """The lines that the source has before the edit."""
        return [text for mark, text in self.lines if mark != "+"]

    @property
    def new(self) -> list[str]:
        """The lines that the source has after the edit."""
        return [text for mark, text in self.lines if mark != "-"]


@dataclass(frozen=True, slots=True)
class Misfit:
    """The edit that could not be made, counted from 1, and its first line that the source does not have."""

    number: int
    line: str


# -- reading --------------------------------------------------------------------------------------------------------

_SEARCH: Final = re.compile(r"\s{0,8}<{5,9}\s?(?:SEARCH|ORIGINAL|OLD|HEAD|CURRENT)\b", re.IGNORECASE)
_DIVIDER: Final = re.compile(r"\s{0,8}={5,9}\s*+$")
_REPLACE: Final = re.compile(r"\s{0,8}>{5,9}(?:\s?(?:REPLACE|UPDATED|NEW|MODIFIED)\b|\s|$)", re.IGNORECASE)
_FENCE_LINE: Final = re.compile(r"[ \t]{0,8}(?:```|~~~)[\w+-]{0,12}[ \t]*+$")


def find_search_blocks(text: str) -> list[Edit]:
    """Read the SEARCH/REPLACE blocks of a text; the last is not complete where the text ends inside of it."""
    found: list[Edit] = []
    edit: Edit | None = None
    mark = "-"
    for line in text.split("\n"):
        if _SEARCH.match(line):
            edit, mark = Edit(is_complete=False), "-"
            found.append(edit)
        elif edit is None or _FENCE_LINE.match(line):
            continue
        elif mark == "-" and _DIVIDER.match(line):
            mark = "+"
        elif mark == "+" and _REPLACE.match(line):
            edit.is_complete = True
            edit = None
        else:
            edit.lines.append((mark, line))
    return found


_HUNK: Final = re.compile(r"@@(?:\s*-(?P<line>\d{1,9})(?:,\d{1,9})?\s*\+\d{1,9}(?:,\d{1,9})?\s*@@|.*@@|\s*$|\s*\.\.\.)")
_FILE: Final = re.compile(r"(?:---|\+\+\+) |diff --git |index [0-9a-f]|\*\*\* |new file mode|=== ")


def find_hunks(text: str, *, is_diff: bool = False, is_fenced: bool = True) -> list[Edit]:
    """Read the hunks of a unified diff in a text; `is_diff` says that the text is one even without a header.

    Outside of a fence a line without a mark ends its hunk; inside of one it is context whose blank was forgotten.
    """
    lines = text.split("\n")
    has_hunks = any(_HUNK.match(line) for line in lines)
    has_files = any(a.startswith("--- ") and b.startswith("+++ ") for a, b in itertools.pairwise(lines))
    if not (has_hunks or has_files or is_diff):
        return []
    found: list[Edit] = []
    edit = Edit() if not has_hunks and not has_files else None
    for number, line in enumerate(lines):
        header = _HUNK.match(line)
        if header is not None:
            edit = Edit(line=int(header["line"] or 0))
        elif _is_file_line(lines, number):
            edit = None if has_hunks else Edit()
        elif edit is None or line.startswith("\\"):
            continue
        elif line[:1] in (" ", "+", "-"):
            edit.lines.append((line[0], line[1:]))
        elif not line.strip() or is_fenced:
            edit.lines.append((" ", line))
        else:
            edit = None
        if edit is not None and (not found or found[-1] is not edit):
            found.append(edit)
    return [e for e in found if any(mark != " " and line.strip() for mark, line in e.lines)]


def _is_file_line(lines: Sequence[str], number: int) -> bool:
    """Whether a line is a diff's header: `--- a` is one where `+++ b` follows; alone it takes a line `-- a;` away."""
    line = lines[number]
    if line.startswith("--- "):
        return lines[number + 1 : number + 2] != [] and lines[number + 1].startswith("+++ ")
    if line.startswith("+++ "):
        return number > 0 and lines[number - 1].startswith("--- ")
    return _FILE.match(line) is not None


def write_new_side(edits: Iterable[Edit]) -> str:
    """Write what the edits would leave, taken alone: a whole function where the hunk held one."""
    return "\n".join(line for edit in edits for line in edit.new)


# -- applying -------------------------------------------------------------------------------------------------------


def apply_edits(source: str, edits: Sequence[Edit]) -> str | Misfit:
    """Make all edits, one after the other; gives the new source, or the edit that does not fit."""
    shift = 0
    for number, edit in enumerate(edits, 1):
        if number > MAX_EDITS:
            return Misfit(number, f"more than {MAX_EDITS} edits")
        lines = source.split("\n")
        changed = _apply(lines, edit, edit.line + shift if edit.line else 0)
        if changed is None:
            replaced = _replace_inside(source, edit)
            if replaced is None:
                return Misfit(number, _find_missing(lines, edit))
            source = replaced
        else:
            shift += len(changed) - len(lines)
            source = "\n".join(changed)
    return source


def _strip_blanks(line: str) -> str:
    """Reduce a line to what has to agree: all but its blanks."""
    return "".join(line.split())


def _apply(lines: list[str], edit: Edit, near: int) -> list[str] | None:
    """Make one edit by whole lines, with as much of its context as agrees; None where nothing does."""
    if not any(_strip_blanks(line) for line in edit.old):
        return _insert(lines, edit, near)
    marked = [(mark, text) for mark, text in edit.lines if mark == "+" or _strip_blanks(text)]
    for front, back in _FUZZ:
        trimmed = _trim(marked, front, back)
        if trimmed is None:
            continue
        at = _find_place(lines, [_strip_blanks(text) for mark, text in trimmed if mark != "+"], near + front)
        if at is not None:
            return _splice(lines, trimmed, at)
    return None


#: How many lines of context are left out at the front and at the back, the fewest first.
_FUZZ: Final = sorted(((f, b) for f in range(MAX_FUZZ + 1) for b in range(MAX_FUZZ + 1)), key=sum)


def _trim(marked: list[tuple[str, str]], front: int, back: int) -> list[tuple[str, str]] | None:
    """Leave out some lines of context at a hunk's ends; None where there are not as many."""
    end = len(marked) - back
    cut = marked[:front] + marked[end:]
    kept = marked[front:end]
    if any(mark != " " for mark, _ in cut) or not any(mark != "+" for mark, _ in kept):
        return None
    return kept


def _find_place(lines: list[str], old: list[str], near: int) -> list[int] | None:
    """Find the numbers of the lines that agree, empty ones left out; of several places the one nearest to `near`."""
    full = [(number, key) for number, line in enumerate(lines) if (key := _strip_blanks(line))]
    keys = [key for _, key in full]
    places = [i for i, key in enumerate(keys) if key == old[0] and keys[i : i + len(old)] == old]
    if not places:
        return None
    best = min(places, key=lambda i: abs(full[i][0] + 1 - near)) if near else places[0]
    return [number for number, _ in full[best : best + len(old)]]


def _splice(lines: list[str], marked: list[tuple[str, str]], at: list[int]) -> list[str]:
    """Make a hunk at its place; context keeps the source's own spelling."""
    out = lines[: at[0]]
    position, known = at[0], iter(at)
    for mark, text in marked:
        if mark == "+":
            out.append(text)
            continue
        number = next(known)
        out.extend(lines[position:number])  # These are empty lines in between.
        if mark == " ":
            out.append(lines[number])
        position = number + 1
    return out + lines[position:]


def _insert(lines: list[str], edit: Edit, near: int) -> list[str] | None:
    """Insert lines that have no context where the header says; None where it does not say."""
    if not near:
        return None
    at = min(near - 1, len(lines))
    return [*lines[:at], *edit.new, *lines[at:]]


def _replace_inside(source: str, edit: Edit) -> str | None:
    """Replace a text that is part of a line and stands in the source once."""
    old, new = "\n".join(edit.old).strip(), "\n".join(edit.new).strip()
    return source.replace(old, new) if old and source.count(old) == 1 else None


def _find_missing(lines: list[str], edit: Edit) -> str:
    """Find the first line of an edit that the source does not have, or the edit's first line where it has all."""
    known = {_strip_blanks(line) for line in lines}
    old = [line.strip() for line in edit.old if line.strip()]
    return next((line for line in old if _strip_blanks(line) not in known), old[0] if old else "")[:MAX_QUOTE]
