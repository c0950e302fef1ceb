"""One segment of a reply: the functions in it, whom they call, and what they need from elsewhere.

In: a `Segment`. Out: a `CodeUnit`, and answers about it: which functions the wanted ones reach, what is there only to
test them, which pieces of other segments they use. Non-goal: writing code; `adopt` does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from symbiont_jit.llm.replies.blocks import Segment, Strength
from symbiont_jit.llm.replies.outline import TYPE_WORDS, Piece, Scan, find_calls, find_words, scan

__all__ = [
    "MAX_QUOTE",
    "CodeUnit",
    "FoundCode",
    "MissingCode",
    "borrow_pieces",
    "drop_tests",
    "find_reachable",
    "find_tests",
    "quote_names",
    "scan_segment",
]

MAX_NAMES: Final = 6
MAX_QUOTE: Final = 80
#: Functions that a test program calls and wanted code never needs.
_INPUT_OUTPUT: Final = frozenset(
    "printf fprintf sprintf snprintf vprintf puts fputs putchar putc fputc fflush perror scanf fscanf sscanf getchar "
    "fgets fopen fclose fread fwrite assert abort exit atexit system getenv time clock clock_gettime gettimeofday "
    "rand srand rand_r random srandom drand48 omp_get_wtime atoi atof strtol strtod".split()
)


@dataclass(frozen=True, slots=True)
class FoundCode:
    """The C that was found in a reply.

    Attributes:
        code: C text for `canonical_source`.
        how: What was done to the reply to get it, in words.
    """

    code: str
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingCode:
    """The reason why a reply has no usable code.

    Attributes:
        kind: `no_code`, or `truncated` where the reply breaks off.
        message: What the model is told.
    """

    kind: Literal["no_code", "truncated"]
    message: str


@dataclass(frozen=True, slots=True)
class CodeUnit:
    """A segment of a reply and the scan of the C in it."""

    segment: Segment
    scan: Scan

    @property
    def functions(self) -> list[Piece]:
        """The definitions of functions, in their order."""
        return self.scan.functions

    def defines(self, name: str, *, in_full: bool = False) -> bool:
        """Whether a function is defined here; `in_full` does not count an abridged one."""
        return any(f.name == name and not (in_full and self.is_abridged(f)) for f in self.functions)

    def is_abridged(self, function: Piece) -> bool:
        """Whether a part of a function is only hinted at, as in `double f(double x) { ... }`."""
        return _DOTS.search(self.scan.text, function.start, function.end) is not None


_DOTS: Final = re.compile(r"^[ \t]*(?:/[/*][ \t]*)?\.\.\.|\{[ \t]*\.\.\.|\([ \t]*\.\.\.[ \t]*\)", re.MULTILINE)


def scan_segment(segment: Segment) -> CodeUnit:
    """Find the pieces of C in a segment."""
    # In a block of another language C is a literal, if it is there at all, so that block is read as prose is.
    return CodeUnit(segment, scan(segment.text, prose=segment.strength <= Strength.PROSE))


def quote_names(names: Iterable[str]) -> str:
    """Write names between quotes; long ones are cut, and past the sixth only their number is given."""
    given = list(names)
    more = f" and {len(given) - MAX_NAMES} more" if len(given) > MAX_NAMES else ""
    return ", ".join(f"'{name[:MAX_QUOTE]}'" for name in given[:MAX_NAMES]) + more


def map_calls(unit: CodeUnit) -> dict[str, set[str]]:
    """Map each function to the names that it calls."""
    found: dict[str, set[str]] = {}
    for f in unit.functions:
        found.setdefault(f.name, set()).update(find_calls(unit.scan.bare[f.brace : f.end]))
    return found


def find_reachable(unit: CodeUnit, names: Iterable[str]) -> set[str]:
    """Find the functions that some functions call, directly, through others or through macros; they are included."""
    called = map_calls(unit)
    for piece in unit.scan.pieces:
        if piece.kind == "directive" and piece.name:
            called.setdefault(piece.name, set()).update(find_words(unit.scan.bare[piece.start : piece.end]))
    reached: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += called.get(name, ())
    return reached


def find_tests(unit: CodeUnit, needed: set[str], wanted: Sequence[str]) -> tuple[set[Piece], list[str]]:
    """Find what is only there to test the wanted functions, and words for what was left out.

    Tests are `main`, functions that do input or output, their callers, and what exists for these alone.
    """
    spare = [f for f in unit.functions if f.name not in needed and f.name not in wanted]
    called = map_calls(unit)
    callers: dict[str, list[str]] = {}
    for f in spare:
        for name in called[f.name]:
            callers.setdefault(name, []).append(f.name)
    names: dict[str, None] = {}
    todo = [f.name for f in spare if f.name == "main" or f.is_open or called[f.name] & _INPUT_OUTPUT]
    while todo:
        name = todo.pop()
        if name not in names:
            names[name] = None
            todo += callers.get(name, ())
    dropped = {f for f in spare if f.name in names}
    kept = find_words(" ".join(unit.scan.bare[f.start : f.end] for f in unit.functions if f not in dropped))
    used = find_words(" ".join(unit.scan.bare[f.start : f.end] for f in dropped)) - kept
    for piece in unit.scan.pieces:
        is_spare = _is_variable(unit, piece) and not used.isdisjoint(piece.names) and kept.isdisjoint(piece.names)
        if piece.is_open or is_spare or (piece.kind == "prototype" and piece.name in names):
            dropped |= {piece} if piece.kind in ("prototype", "declaration") else set()
    if names:
        includes = (p for p in unit.scan.pieces if is_include(unit, p))
        dropped |= {p for p in includes if _TEST_HEADER.search(unit.scan.text, p.start, p.end)}
    return dropped, [f"left out {name}" for name in names]


_TEST_HEADER: Final = re.compile(r"[<\"](?:time|sys/time|sys/resource|unistd|errno|omp|locale|signal)\.h[>\"]")
_TYPE: Final = re.compile(r"\s*(?:typedef|struct|union|enum)\b")


def _is_variable(unit: CodeUnit, piece: Piece) -> bool:
    """Whether a piece declares a variable or a table, and not a type."""
    return piece.kind == "declaration" and not _TYPE.match(unit.scan.bare, piece.start)


def drop_tests(unit: CodeUnit) -> list[Piece]:
    """List the functions that are neither `main` nor do input or output."""
    called = map_calls(unit)
    return [f for f in unit.functions if f.name != "main" and not called[f.name] & _INPUT_OUTPUT]


_LASTING: Final = re.compile(r"\b(?:typedef|struct|union|enum|const)\b")


def _can_be_borrowed(unit: CodeUnit, piece: Piece) -> bool:
    """Whether a piece is a function, macro, type or constant; variables of a fragment of code are none of these."""
    if piece.kind == "declaration":
        return _LASTING.search(unit.scan.bare, piece.start, min(piece.end, piece.start + MAX_QUOTE)) is not None
    return piece.kind in ("function", "directive")


def borrow_pieces(code: str, others: list[CodeUnit], wanted: Sequence[str]) -> list[tuple[CodeUnit, Piece]]:
    """Find pieces of other units that the code uses and does not have: helpers, macros, types, tables, each once."""
    own = scan(code)
    has = {name for p in own.pieces for name in p.names if p.kind != "prototype"} | set(wanted)
    offered: dict[str, tuple[int, CodeUnit, Piece]] = {}
    for number, unit in enumerate(others):
        for piece in unit.scan.pieces:
            if not piece.is_open and _can_be_borrowed(unit, piece):
                for name in piece.names:
                    offered[name] = (number, unit, piece)
    taken: dict[tuple[int, int], tuple[CodeUnit, Piece]] = {}
    todo = list(_find_used(own.bare))
    while todo:
        name = todo.pop()
        if name in has or name not in offered:
            continue
        number, unit, piece = offered[name]
        has |= set(piece.names)
        taken[number, piece.start] = (unit, piece)
        todo += _find_used(unit.scan.bare[piece.start : piece.end])
    sources = {number for number, _ in taken}
    for number, unit in enumerate(others):
        if number in sources:
            taken |= {(number, p.start): (unit, p) for p in unit.scan.pieces if is_include(unit, p)}
    return [taken[key] for key in sorted(taken)]


_DECLARED_HERE: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(TYPE_WORDS))}|\w+_t)\b[\s*]{{1,40}}+([A-Za-z_]\w*+)\s*+[=;,)\[]"
)
_TAGGED: Final = re.compile(r"\b(?:struct|union|enum)\s+([A-Za-z_]\w*+)")


def _find_used(bare: str) -> set[str]:
    """Find names that may be defined elsewhere; those that are declared on the spot are left out."""
    declared = {m[1] for m in _DECLARED_HERE.finditer(bare)}
    return (find_words(bare) - declared) | find_calls(bare) | {m[1] for m in _TAGGED.finditer(bare)}


def is_include(unit: CodeUnit, piece: Piece) -> bool:
    return piece.kind == "directive" and "include" in unit.scan.bare[piece.start : piece.end][:40]
