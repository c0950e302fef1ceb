"""One segment of a reply -> the C of the wanted functions in it, without what does not belong to them.

In: a `CodeUnit` and the names of the wanted functions, or a signature and statements without a head. Out: `FoundCode`,
a body, or `MissingCode` where the text breaks off. What is kept is what the model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from symbiont_jit.llm.replies.blocks import Strength
from symbiont_jit.llm.replies.outline import Piece, find_brace_groups, find_words, is_prose
from symbiont_jit.llm.replies.units import (
    MAX_QUOTE,
    CodeUnit,
    FoundCode,
    MissingCode,
    find_reachable,
    find_tests,
    quote_names,
)
from symbiont_jit.signature import ArrayType, Mode, Signature

__all__ = ["adopt_unit", "find_body", "replace_spots", "report_broken"]

MAX_BODIES: Final = 50


def adopt_unit(unit: CodeUnit, wanted: Sequence[str], taken: set[str]) -> FoundCode | MissingCode:
    """Take from a unit what belongs to the wanted functions; functions in `taken` are supplied by other units."""
    pieces = unit.scan.pieces
    needed = find_reachable(unit, [n for n in wanted if n not in taken])
    broken = [p for p in unit.functions if p.is_open and p.name in needed]
    if broken:
        return report_broken(unit, broken[0])
    if not unit.segment.is_closed:
        there = {f.name for f in unit.functions}
        pending = [p.name for p in pieces if p.kind == "prototype" and p.name in needed and p.name not in there]
        if pending:
            message = (
                f"the code breaks off before the function {quote_names(pending)} that it calls; give all of it, shorter"
            )
            return MissingCode("truncated", message)
    dropped, how = find_tests(unit, needed, wanted)
    repeated = _find_repeated(unit, dropped)
    dropped |= repeated
    dropped |= {f for f in unit.functions if f.name in taken}
    linkage = {p for p in pieces if p.kind == "linkage"}
    prose = {p for p in pieces if p.kind == "junk" and _is_left_out(unit, p)}
    dropped |= linkage | prose
    how += [f"kept the last {name}" for name in sorted({p.name for p in repeated})]
    how += ['took extern "C" off'] if linkage else []
    if unit.segment.strength <= Strength.PROSE:
        return FoundCode("\n".join(_keep_code(unit, dropped)), tuple(how))
    how += ["left out prose"] if prose else []
    changes = [(p.start, p.end, "") for p in dropped]
    for function in unit.functions:
        if function not in dropped:
            bared, words = _bare_head(unit, function)
            changes += bared
            how += words
    return FoundCode(replace_spots(unit.scan.text, changes).strip("\n"), tuple(dict.fromkeys(how)))


def replace_spots(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """Replace some places of a text; a place inside another one goes with it."""
    parts: list[str] = []
    position = 0
    for start, end, new in sorted(changes):
        if start >= position:
            parts += [text[position:start], new]
            position = end
    return "".join(parts) + text[position:]


def _keep_code(unit: CodeUnit, dropped: set[Piece]) -> Iterator[str]:
    """Yield the C between sentences; a function's declaration is kept only where its definition is."""
    defined = {f.name for f in unit.functions if f not in dropped}
    for piece in unit.scan.pieces:
        if piece in dropped or piece.kind == "junk" or (piece.kind == "prototype" and piece.name not in defined):
            continue
        yield unit.scan.text[piece.start : piece.end].strip("\n")


def _is_left_out(unit: CodeUnit, piece: Piece) -> bool:
    """Whether a piece of junk is left out: a sentence, or the end of a block that breaks off."""
    is_last = piece is unit.scan.pieces[-1] and not unit.segment.is_closed
    return is_last or is_prose(unit.scan.bare[piece.start : piece.end])


_HEAD_EXTRAS: Final = re.compile(
    r"(?P<extern>\bextern\b(?:\s*\"C\")?\s*)|(?P<inline>\b__inline(?:__)?\b)"
    r"|(?P<attribute>\b(?:__attribute(?:__)?|__declspec)\b\s*(?=\()|(?=\[\[))"
)
#: Longer heads are left as they are; the frontend says what is wrong with them.
MAX_HEAD: Final = 2000


def _bare_head(unit: CodeUnit, function: Piece) -> tuple[list[tuple[int, int, str]], list[str]]:
    """Find what to take off a function's head: extern and attributes, which the frontend would refuse.

    Gives places with their new text, and words for what was taken off.
    """
    spots: list[tuple[int, int, str]] = []
    how: list[str] = []
    for start, end in ((function.start, function.head), (function.head + len(function.params), function.brace)):
        text = unit.scan.text[start:end]
        if len(text) > MAX_HEAD:
            continue
        for match in _HEAD_EXTRAS.finditer(text):
            if match["inline"] is not None:
                spots.append((start + match.start(), start + match.end(), "inline"))
                continue
            last = match.end() if match["extern"] is not None else _find_bracket_end(text, match.end())
            spots.append((start + match.start(), start + last, ""))
            how.append(f"took {'extern' if match['extern'] else 'attributes'} off {function.name}")
    return spots, how


def _find_bracket_end(text: str, at: int) -> int:
    """Find where the brackets that begin at a place are closed, and the blanks behind them end."""
    depth = 0
    for position in range(at, len(text)):
        depth += (text[position] in "([") - (text[position] in ")]")
        if depth == 0:
            return len(text) - len(text[position + 1 :].lstrip())
    return at


def _find_repeated(unit: CodeUnit, dropped: set[Piece]) -> set[Piece]:
    """Find definitions that a later one replaces; between those under #if the preprocessor chooses."""
    functions = [f for f in unit.functions if f not in dropped]
    last = {f.name: f for f in functions}
    return {f for f in functions if f is not last[f.name] and not f.is_conditional}


def find_body(unit: CodeUnit, signature: Signature) -> str | MissingCode | None:
    """Find statements that are a function's body without its head; gives them in braces."""
    bare, text = unit.scan.bare, unit.scan.text
    if unit.functions or unit.segment.strength is Strength.OTHER:
        return None
    is_prose_segment = unit.segment.strength is Strength.PROSE
    groups = list(find_brace_groups(bare))
    # In prose the last body counts; in a block nothing but comments and sentences comes before one.
    for start, end in reversed(groups[-MAX_BODIES:] if is_prose_segment else groups[:1]):
        head = bare[bare.rfind("\n", 0, start) + 1 : start] if is_prose_segment else bare[:start]
        if head.strip() and not all(line.strip() == "" or is_prose(line) for line in head.split("\n")):
            continue
        inner = bare[start : end if end > 0 else len(bare)]
        if end < 0 and not is_prose_segment and ";" in inner and signature.name not in find_words(inner):
            return _report_break("the body", text)
        if not _is_body(inner, signature) or '":' in text[start : end if end > 0 else len(text)][:200]:
            continue
        if end < 0:
            return _report_break("the body", text)
        return text[start:end]
    if is_prose_segment and not _is_all_code(bare):
        return None
    if not _is_body(bare, signature) or bare.rstrip()[-1:] not in (";", "}"):
        return None
    return "{\n" + text.strip("\n") + "\n}" if bare.count("{") == bare.count("}") else _report_break("the body", text)


def _is_body(bare: str, signature: Signature) -> bool:
    """Whether statements compute what the function returns or writes, and do not only call it."""
    used = find_words(bare)
    if ";" not in bare or signature.name in used:
        return False
    if signature.returns is not None:
        return "return" in used
    return any(p.name in used for p in signature.params if isinstance(p.type, ArrayType) and p.mode is not Mode.IN)


def _is_all_code(bare: str) -> bool:
    """Whether every line ends as lines of C do and none is a sentence."""
    lines = [line.strip() for line in bare.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and all(line[-1] in "{};,()+-*/&|=<>?:\\" and not is_prose(line) for line in lines)


def report_broken(unit: CodeUnit, function: Piece) -> MissingCode:
    """Say that the text ends inside of a function."""
    return _report_break(f"'{function.name[:MAX_QUOTE]}'", unit.scan.text)


def _report_break(what: str, text: str) -> MissingCode:
    lines = text.rstrip().split("\n")
    last = lines[-1].strip()[-MAX_QUOTE:]
    message = f"the code breaks off inside {what} after line {len(lines)}: '{last}'; give the whole function, shorter"
    return MissingCode("truncated", message)
