"""What a unit became, in words: LLVM's IR, assembly, and what clang's optimiser did and did not do.

In: a `Unit`. Out: text of bounded length; where something was left out, the last line says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from symbiont_jit.backend.clang import REMARKS, clang
from symbiont_jit.backend.codegen import ASSEMBLY, IR, code_generators
from symbiont_jit.backend.objects import bitcode_of
from symbiont_jit.backend.unit import CANDIDATE_FILE, Unit
from symbiont_jit.errors import CandidateError, Stage

__all__ = ["TranslatePosition", "assembly", "llvm_ir", "remarks"]

#: The most bytes of a text, and the most remarks, that are shown.
MAX_TEXT: Final = 1 << 20
MAX_REMARKS: Final = 200

#: The passes that are remarked on, by LLVM's names.
PASSES: Final = frozenset(
    (
        "inline licm loop-delete loop-distribute loop-idiom loop-interchange loop-unroll loop-vectorize slp-vectorizer"
    ).split()
)

#: Line and column of the unit's text -> those of the text that the reader knows.
TranslatePosition = Callable[[int, int], tuple[int, int]]

#: A record of LLVM's in YAML: a kind, the pass, a place, and the pieces of its message.
_RECORD: Final = re.compile(r"^--- !(?P<kind>\w+)\n(?P<body>.*?)^\.\.\.$", re.MULTILINE | re.DOTALL)
_PASS: Final = re.compile(r"^Pass: +(\S+)$", re.MULTILINE)
_PLACE: Final = re.compile(
    r"^DebugLoc: +\{ File: '?(?P<file>[^',]+)'?, Line: (?P<line>\d+), Column: (?P<column>\d+) \}", re.MULTILINE
)
_PIECE: Final = re.compile(r"^  - \w+: *(?P<value>.*)$", re.MULTILINE)
_LOCATION: Final = re.compile(rf"{re.escape(CANDIDATE_FILE)}:(\d+):(\d+)")
#: The place of a call as a line within its function, which the remark's own place says better.
_CALL_SITE: Final = re.compile(r" at callsite [^;]*;")
#: What a record's kind says of its pass; the other kinds are of the third sort too.
_KINDS: Final = {"Passed": "done", "Missed": "not done"}
_BECAUSE: Final = "because"


@dataclass(frozen=True, slots=True)
class _Remark:
    """One remark of the optimiser about a place in the unit's text."""

    line: int
    column: int
    name: str
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.name}, {self.kind}: {self.message}"


def llvm_ir(unit: Unit) -> str:
    """Return the text of a unit's optimised IR; raise `CandidateError` where the unit cannot be lowered."""
    return _generate(unit, IR)


def assembly(unit: Unit) -> str:
    """Return a unit's machine code as assembly; raise `CandidateError` where it cannot be lowered."""
    return _generate(unit, ASSEMBLY)


def remarks(unit: Unit, position: TranslatePosition = lambda line, column: (line, column)) -> str:
    """Return what clang's optimiser says of a unit's text, one remark a line, in the order of the text.

    A line is `line:column: pass, done | not done | because: message`.

    Raises:
        CandidateError: clang refuses the unit.
    """
    found = list(dict.fromkeys(_collect_remarks(unit, position)))
    found.sort(key=lambda remark: (remark.line, remark.column))
    lines = [str(remark) for remark in found[:MAX_REMARKS]]
    if len(found) > MAX_REMARKS:
        lines.append(f"... and {len(found) - MAX_REMARKS} more remarks")
    return "\n".join(lines)


def _generate(unit: Unit, kind: bytes) -> str:
    outcome = code_generators().generate(kind, bitcode_of(unit))
    code_generators().report_refusals()
    if isinstance(outcome, list):
        raise CandidateError(Stage.LOWER, outcome, unit.text)
    return _cut_off(outcome.decode("utf-8", "replace"))


def _cut_off(text: str) -> str:
    """Cut a text off behind the last line that ends within `MAX_TEXT`."""
    if len(text) <= MAX_TEXT:
        return text
    kept = text[: text.rindex("\n", 0, MAX_TEXT) + 1]
    return f"{kept}... and {len(text) - len(kept):,} more characters\n"


def _collect_remarks(unit: Unit, position: TranslatePosition) -> Iterator[_Remark]:
    told = clang().lower(unit.c_text(already_checked=True), REMARKS, unit.flags)
    if isinstance(told, list):
        raise CandidateError(Stage.LOWER, told, unit.text)
    for record in _RECORD.finditer(told.decode("utf-8", "replace")):
        name, place = _PASS.search(record["body"]), _PLACE.search(record["body"])
        if name and place and name[1] in PASSES and place["file"] == CANDIDATE_FILE:
            line, column = position(int(place["line"]), int(place["column"]))
            message = _message(record["body"], position)
            yield _Remark(line, column, name[1], _KINDS.get(record["kind"], _BECAUSE), message)


def _message(body: str, position: TranslatePosition) -> str:
    """Join the pieces of a record's message in one line, with the places that it names as the reader knows them."""
    text = "".join(_unquote(piece["value"]) for piece in _PIECE.finditer(body))

    def translate(place: re.Match[str]) -> str:
        line, column = position(int(place[1]), int(place[2]))
        return f"{line}:{column}"

    return " ".join(_LOCATION.sub(translate, _CALL_SITE.sub("", text)).split())


def _unquote(value: str) -> str:
    """Read a YAML scalar as LLVM writes it: plain, in single quotes, or in double quotes with escapes."""
    if value.startswith("'"):
        return value[1:-1].replace("''", "'")
    if value.startswith('"'):
        return value[1:-1].replace("\\n", " ").replace('\\"', '"')
    return value
