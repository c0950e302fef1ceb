"""A model's reply -> the C in it that defines the wanted functions, or what was missing.

In: the text of a reply, the signatures whose functions it has to define, and the source that it may be a diff against.
Out: `Found`, text for `canonical_source`, or `Missing`, a message for the model. Nothing is checked here: what was
found is what the model wrote, without what is not part of it.

Segments are looked at from the strongest class to the weakest (C, C++, no tag, prose, other languages), and in a class
from the last to the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from symbiont_jit.llm.replies.blocks import Segment, Strength, clean, find_segments, strip_thinking
from symbiont_jit.llm.replies.edits import Edit, Misfit, apply_edits, diff_hunks, new_side, search_blocks
from symbiont_jit.llm.replies.outline import (
    TYPE_WORDS,
    Piece,
    Scan,
    brace_groups,
    find_calls,
    find_words,
    is_prose,
    scan,
)
from symbiont_jit.signature import ArrayType, Mode, Signature

__all__ = ["FoundCode", "MissingCode", "read_reply"]

#: Characters of a reply that are read, without its thinking; a candidate may have a fifth of that.
MAX_REPLY: Final = 500_000
MAX_NAMES: Final = 6
MAX_BODIES: Final = 50
MAX_QUOTE: Final = 80

#: Functions that wanted code never needs, and that a test program does.
_INPUT_OUTPUT: Final = frozenset(
    "printf fprintf sprintf snprintf vprintf puts fputs putchar putc fputc fflush perror scanf fscanf sscanf getchar "
    "fgets fopen fclose fread fwrite assert abort exit atexit system getenv time clock clock_gettime gettimeofday "
    "rand srand rand_r random srandom drand48 omp_get_wtime atoi atof strtol strtod".split()
)


@dataclass(frozen=True, slots=True)
class FoundCode:
    """The C that was found; `how` is what was done to the reply to get it, in words."""

    code: str
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingCode:
    """What was missing, told to the model: `kind` is no_code or truncated."""

    kind: Literal["no_code", "truncated"]
    message: str


def read_reply(
    text: str, signatures: Sequence[Signature], current: str | None = None, finish: str = "stop"
) -> FoundCode | MissingCode:
    """The code in a reply that defines all functions of `signatures`.

    `current` is the source that a diff in the reply is applied to; `finish` is why the model stopped.
    """
    answer, had_thinking, in_thinking = strip_thinking(clean(text))
    how = ("left out thinking",) if had_thinking else ()
    if len(answer) > MAX_REPLY:
        last = answer[-MAX_REPLY:]
        answer = last.partition("\n")[2] or last
        how = (*how, f"read the last {MAX_REPLY:,} characters")
    reading = _Reader(tuple(signatures), current, finish in ("length", "max_tokens"), in_thinking, had_thinking)
    outcome = reading.outcome(answer)
    return replace(outcome, how=(*how, *outcome.how)) if isinstance(outcome, FoundCode) else outcome


@dataclass(frozen=True, slots=True)
class CodeUnit:
    """A segment and what is in it."""

    segment: Segment
    scan: Scan

    @property
    def functions(self) -> list[Piece]:
        return self.scan.functions

    def defines(self, name: str, *, in_full: bool = False) -> bool:
        return any(f.name == name and not (in_full and self.is_abridged(f)) for f in self.functions)

    def is_abridged(self, function: Piece) -> bool:
        """Whether a part of it is only hinted at: `double f(double x) { ... }`."""
        return _DOTS.search(self.scan.text, function.start, function.end) is not None


_DOTS: Final = re.compile(r"^[ \t]*(?:/[/*][ \t]*)?\.\.\.|\{[ \t]*\.\.\.|\([ \t]*\.\.\.[ \t]*\)", re.MULTILINE)


def scan_segment(segment: Segment) -> CodeUnit:
    # In another language C is a literal, if it is there at all.
    return CodeUnit(segment, scan(segment.text, prose=segment.strength <= Strength.PROSE))


@dataclass(frozen=True, slots=True)
class _Reader:
    """What is wanted of a reply."""

    signatures: tuple[Signature, ...]
    current: str | None
    was_cut: bool
    in_thinking: bool
    had_thinking: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.signatures)

    @property
    def wanted(self) -> str:
        return "; ".join(s.c_prototype for s in self.signatures)

    def outcome(self, answer: str) -> FoundCode | MissingCode:
        found = find_segments(answer)
        units = [scan_segment(s) for s in found if not _is_edit(s)]
        code = self.by_class(u for u in units if u.segment.strength > Strength.PROSE)
        edited = self.edited(answer, found)
        if edited is not None and (code is None or self.repeats_current(code)):
            return edited
        if code is None:
            code = self.by_class(u for u in units if u.segment.strength <= Strength.PROSE)
        return code or self.renamed(units) or self.wrapped(units) or self.missing(answer, units)

    # -- whole functions ----------------------------------------------------------------------------------------

    def by_class(self, units: Iterable[CodeUnit]) -> FoundCode | MissingCode | None:
        """The last unit that has all functions, or several that have them together, of the strongest class."""
        given = list(units)
        for strength in sorted(Strength, reverse=True):
            same = [u for u in given if u.segment.strength is strength]
            chosen = self.chosen(same, in_full=True) or self.chosen(same)
            if chosen:
                return self.assembled(chosen, same)
        return None

    def chosen(self, units: list[CodeUnit], *, in_full: bool = False) -> list[CodeUnit]:
        """The units to take the functions from, in order; none where one of the functions is nowhere."""
        where = [[i for i, u in enumerate(units) if u.defines(name, in_full=in_full)] for name in self.names]
        common = set(where[0]).intersection(*where[1:]) if where else set()
        last = {max(common)} if common else {max(found, default=-1) for found in where}
        return [units[i] for i in sorted(last)] if last and min(last) >= 0 else []

    def assembled(self, chosen: list[CodeUnit], units: list[CodeUnit]) -> FoundCode | MissingCode:
        how = [*dict.fromkeys(words for unit in chosen for words in unit.segment.how)]
        parts: list[str] = []
        taken: set[str] = set()
        for unit in reversed(chosen):
            part = _part(unit, self.names, taken)
            if isinstance(part, MissingCode):
                return part
            taken |= {f.name for f in unit.functions}
            how += part.how
            parts.insert(0, part.code)
        code = "\n".join(parts)
        borrowed = _borrowed(code, [u for u in units if u not in chosen], self.names)
        count = len(chosen) + len({id(unit) for unit, _ in borrowed})
        if count > 1:
            how.append(f"put {count} blocks together")
        head = [unit.scan.text[p.start : p.end].strip("\n") for unit, p in borrowed]
        return FoundCode("\n".join([*head, code]) + "\n", tuple(dict.fromkeys(how)))

    # -- diffs --------------------------------------------------------------------------------------------------

    def edited(self, answer: str, found: list[Segment]) -> FoundCode | MissingCode | None:
        """The current source with the reply's edits, or the functions that the edits hold entirely."""
        edits = search_blocks(answer)
        what = "SEARCH/REPLACE block"
        if not edits:
            what = "hunk"
            edits = [edit for s in found for edit in _hunks(s)]
        if not edits:
            return None
        ends_inside = self.was_cut and _is_edit(found[-1]) and not (what == "hunk" and found[-1].is_closed)
        if ends_inside or not edits[-1].is_complete:
            return MissingCode("truncated", f"the reply breaks off inside {what} {len(edits)}; give the whole function")
        alone = self.by_class([scan_segment(Segment(new_side(edits), Strength.UNTAGGED))])
        if self.current is None:
            message = f"the reply is a diff, but there is no source that it could change; give all of {self.wanted}"
            return alone if isinstance(alone, FoundCode) else MissingCode("no_code", message)
        changed = apply_edits(self.current, edits)
        if isinstance(changed, Misfit):
            return alone if isinstance(alone, FoundCode) else self.misfit(changed, what)
        outcome = self.by_class([scan_segment(Segment(changed, Strength.C))])
        if isinstance(outcome, FoundCode):
            count = f"{len(edits)} {what}s" if len(edits) > 1 else f"a {what}"
            return replace(outcome, how=(f"applied {'a diff' if what == 'hunk' else count}", *outcome.how))
        return outcome or MissingCode(
            "no_code", f"the diff leaves no function {_quoted(self.names)}; give the whole code"
        )

    def misfit(self, misfit: Misfit, what: str) -> MissingCode:
        where = f"the current source has no line '{misfit.line}'" if misfit.line else "it does not say where"
        if misfit.line and any(misfit.line in line for line in (self.current or "").split("\n")):
            where = f"the lines around '{misfit.line}' are not like that in the current source"
        return MissingCode(
            "no_code", f"{what} {misfit.number} does not apply: {where}; give the whole function instead"
        )

    def repeats_current(self, code: FoundCode | MissingCode) -> bool:
        """Whether the code is what was there before, quoted."""
        if self.current is None or not isinstance(code, FoundCode):
            return False
        return "".join(code.code.split()) in "".join(self.current.split())

    # -- functions with another name, and bodies without one ----------------------------------------------------

    def renamed(self, units: list[CodeUnit]) -> FoundCode | MissingCode | None:
        """The only function in the code under the name that was asked for, if its parameters are as many."""
        if len(self.signatures) != 1:
            return None
        signature = self.signatures[0]
        for strength in sorted(set(Strength) - {Strength.OTHER}, reverse=True):
            same = [u for u in units if u.segment.strength is strength]
            names = {f.name for u in same for f in _without_tests(u)}
            if not names:
                continue
            if len(names) != 1:
                return None
            unit = next(u for u in reversed(same) if u.defines(*names))
            function = next(f for f in reversed(unit.functions) if f.name in names)
            count = len(signature.dimensions) + len(signature.params)
            return self.with_name(unit, function) if function.parameters == count else None
        return None

    def with_name(self, unit: CodeUnit, function: Piece) -> FoundCode | MissingCode | None:
        old, new = function.name, self.names[0]
        spots = [m.span() for m in re.finditer(rf"\b{re.escape(old)}\b", unit.scan.bare)]
        text = _edited(unit.scan.text, [(start, end, new) for start, end in spots])
        found = self.by_class([scan_segment(replace(unit.segment, text=text))])
        return replace(found, how=(*found.how, f"renamed {old} to {new}")) if isinstance(found, FoundCode) else found

    def wrapped(self, units: list[CodeUnit]) -> FoundCode | MissingCode | None:
        """The last body without a head, of the strongest class, under the prototype."""
        if len(self.signatures) != 1:
            return None
        for strength in sorted(Strength, reverse=True):
            for unit in reversed([u for u in units if u.segment.strength is strength]):
                body = _body(unit, self.signatures[0])
                if isinstance(body, MissingCode):
                    return body
                if body is not None:
                    code = f"{self.signatures[0].c_prototype}\n{body}\n"
                    return FoundCode(code, (*unit.segment.how, "wrapped a body"))
        return None

    # -- what was missing ---------------------------------------------------------------------------------------

    def missing(self, answer: str, units: list[CodeUnit]) -> MissingCode:
        if not answer.strip() and not self.had_thinking:
            return MissingCode("no_code", f"the reply is empty; answer with {self.wanted} in one block of C")
        broken = [(u, p) for u in units for p in u.functions if p.is_open and u.segment.strength > Strength.OTHER]
        if broken:
            return _broken_off(broken[-1][0], broken[-1][1])
        if self.in_thinking:
            return MissingCode(
                "truncated", f"the reply breaks off while thinking; answer with {self.wanted} in one block of C"
            )
        names = [f.name for u in units if u.segment.strength > Strength.OTHER for f in u.functions]
        absent = [name for name in self.names if name not in names]
        if names:
            others = f"; found: {_quoted(dict.fromkeys(names))}" if names else ""
            message = f"there is code, but no function {_quoted(absent)}{others}; define {self.wanted}"
        elif any(name in p.names for u in units for p in u.scan.pieces if p.kind == "prototype" for name in self.names):
            message = f"there is a declaration of {_quoted(absent)}, but no body; define {self.wanted}"
        elif any(u.segment.strength > Strength.PROSE for u in units):
            message = f"there is code, but no function {_quoted(absent)}; define {self.wanted}"
        else:
            where = " outside of its thinking" if self.had_thinking else ""
            message = f"the reply has no C code{where}; answer with {self.wanted} in one block of C"
        return (
            MissingCode("truncated", f"the reply was cut off; {message}")
            if self.was_cut
            else MissingCode("no_code", message)
        )


def _quoted(names: Iterable[str]) -> str:
    given = list(names)
    more = f" and {len(given) - MAX_NAMES} more" if len(given) > MAX_NAMES else ""
    return ", ".join(f"'{name[:MAX_QUOTE]}'" for name in given[:MAX_NAMES]) + more


def _is_edit(segment: Segment) -> bool:
    return bool(segment.is_diff or _hunks(segment) or search_blocks(segment.text))


def _hunks(segment: Segment) -> list[Edit]:
    if "@@" not in segment.text and "+++" not in segment.text and not segment.is_diff:
        return []
    return diff_hunks(segment.text, is_diff=segment.is_diff, is_fenced=segment.strength is not Strength.PROSE)


# -- one unit to code -------------------------------------------------------------------------------------------------


def _part(unit: CodeUnit, wanted: Sequence[str], taken: set[str]) -> FoundCode | MissingCode:
    """A unit's text without what does not belong to the wanted functions, and without functions that others supply."""
    pieces = unit.scan.pieces
    needed = _reached(unit, [n for n in wanted if n not in taken])
    broken = [p for p in unit.functions if p.is_open and p.name in needed]
    if broken:
        return _broken_off(unit, broken[0])
    if not unit.segment.is_closed:
        there = {f.name for f in unit.functions}
        pending = [p.name for p in pieces if p.kind == "prototype" and p.name in needed and p.name not in there]
        if pending:
            message = (
                f"the code breaks off before the function {_quoted(pending)} that it calls; give all of it, shorter"
            )
            return MissingCode("truncated", message)
    dropped, how = _tests(unit, needed, wanted)
    repeated = _repeated(unit, dropped)
    dropped |= repeated
    dropped |= {f for f in unit.functions if f.name in taken}
    linkage = {p for p in pieces if p.kind == "linkage"}
    prose = {p for p in pieces if p.kind == "junk" and _is_left_out(unit, p)}
    dropped |= linkage | prose
    how += [f"kept the last {name}" for name in sorted({p.name for p in repeated})]
    how += ['took extern "C" off'] if linkage else []
    if unit.segment.strength <= Strength.PROSE:
        return FoundCode("\n".join(_kept_of_prose(unit, dropped)), tuple(how))
    how += ["left out prose"] if prose else []
    changes = [(p.start, p.end, "") for p in dropped]
    for function in unit.functions:
        if function not in dropped:
            bared, words = _bared_head(unit, function)
            changes += bared
            how += words
    return FoundCode(_edited(unit.scan.text, changes).strip("\n"), tuple(dict.fromkeys(how)))


def _edited(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """The text with some places replaced; a place inside another is gone with it."""
    parts: list[str] = []
    position = 0
    for start, end, new in sorted(changes):
        if start >= position:
            parts += [text[position:start], new]
            position = end
    return "".join(parts) + text[position:]


def _kept_of_prose(unit: CodeUnit, dropped: set[Piece]) -> Iterator[str]:
    """What is C between sentences; declarations of functions only where the functions are there, too."""
    defined = {f.name for f in unit.functions if f not in dropped}
    for piece in unit.scan.pieces:
        if piece in dropped or piece.kind == "junk" or (piece.kind == "prototype" and piece.name not in defined):
            continue
        yield unit.scan.text[piece.start : piece.end].strip("\n")


def _is_left_out(unit: CodeUnit, piece: Piece) -> bool:
    """Sentences are left out; so is what follows the last piece of a block that breaks off."""
    is_last = piece is unit.scan.pieces[-1] and not unit.segment.is_closed
    return is_last or is_prose(unit.scan.bare[piece.start : piece.end])


_HEAD_EXTRAS: Final = re.compile(
    r"(?P<extern>\bextern\b(?:\s*\"C\")?\s*)|(?P<inline>\b__inline(?:__)?\b)"
    r"|(?P<attribute>\b(?:__attribute(?:__)?|__declspec)\b\s*(?=\()|(?=\[\[))"
)
#: Longer heads keep what they have: the frontend says what is wrong with it.
MAX_HEAD: Final = 2000


def _bared_head(unit: CodeUnit, function: Piece) -> tuple[list[tuple[int, int, str]], list[str]]:
    """What is taken off a function's head: extern, attributes and their like, which the frontend would refuse."""
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
            last = match.end() if match["extern"] is not None else _end_of_brackets(text, match.end())
            spots.append((start + match.start(), start + last, ""))
            how.append(f"took {'extern' if match['extern'] else 'attributes'} off {function.name}")
    return spots, how


def _end_of_brackets(text: str, at: int) -> int:
    """Where the brackets that begin at a place are closed, and the blanks behind them end."""
    depth = 0
    for position in range(at, len(text)):
        depth += (text[position] in "([") - (text[position] in ")]")
        if depth == 0:
            return len(text) - len(text[position + 1 :].lstrip())
    return at


def _repeated(unit: CodeUnit, dropped: set[Piece]) -> set[Piece]:
    """Definitions that a later one replaces; what stands under #if is for the preprocessor to choose."""
    functions = [f for f in unit.functions if f not in dropped]
    last = {f.name: f for f in functions}
    return {f for f in functions if f is not last[f.name] and not f.is_conditional}


# -- what belongs to the wanted functions -----------------------------------------------------------------------------


def _called(unit: CodeUnit) -> dict[str, set[str]]:
    """Whom each function calls."""
    found: dict[str, set[str]] = {}
    for f in unit.functions:
        found.setdefault(f.name, set()).update(find_calls(unit.scan.bare[f.brace : f.end]))
    return found


def _reached(unit: CodeUnit, names: Iterable[str]) -> set[str]:
    """The functions that some functions call, directly or not, themselves included; by way of macros, too."""
    called = _called(unit)
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


def _tests(unit: CodeUnit, needed: set[str], wanted: Sequence[str]) -> tuple[set[Piece], list[str]]:
    """`main`, what does input and output, what calls these, and what exists for these alone."""
    spare = [f for f in unit.functions if f.name not in needed and f.name not in wanted]
    called = _called(unit)
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
        includes = (p for p in unit.scan.pieces if _is_include(unit, p))
        dropped |= {p for p in includes if _TEST_HEADER.search(unit.scan.text, p.start, p.end)}
    return dropped, [f"left out {name}" for name in names]


_TEST_HEADER: Final = re.compile(r"[<\"](?:time|sys/time|sys/resource|unistd|errno|omp|locale|signal)\.h[>\"]")


_TYPE: Final = re.compile(r"\s*(?:typedef|struct|union|enum)\b")


def _is_variable(unit: CodeUnit, piece: Piece) -> bool:
    """Whether a declaration is of a variable or table, and not of a type."""
    return piece.kind == "declaration" and not _TYPE.match(unit.scan.bare, piece.start)


def _without_tests(unit: CodeUnit) -> list[Piece]:
    called = _called(unit)
    return [f for f in unit.functions if f.name != "main" and not called[f.name] & _INPUT_OUTPUT]


_LASTING: Final = re.compile(r"\b(?:typedef|struct|union|enum|const)\b")


def _can_be_borrowed(unit: CodeUnit, piece: Piece) -> bool:
    """Functions, macros, types and constants: the variables of a fragment of code are none of these."""
    if piece.kind == "declaration":
        return _LASTING.search(unit.scan.bare, piece.start, min(piece.end, piece.start + MAX_QUOTE)) is not None
    return piece.kind in ("function", "directive")


def _borrowed(code: str, others: list[CodeUnit], wanted: Sequence[str]) -> list[tuple[CodeUnit, Piece]]:
    """Pieces of other units that the code uses and does not have: helpers, macros, types and tables, in their order."""
    own = scan(code)
    has = {name for p in own.pieces for name in p.names if p.kind != "prototype"} | set(wanted)
    offered: dict[str, tuple[int, CodeUnit, Piece]] = {}
    for number, unit in enumerate(others):
        for piece in unit.scan.pieces:
            if not piece.is_open and _can_be_borrowed(unit, piece):
                for name in piece.names:
                    offered[name] = (number, unit, piece)
    taken: dict[tuple[int, int], tuple[CodeUnit, Piece]] = {}
    todo = list(_used(own.bare))
    while todo:
        name = todo.pop()
        if name in has or name not in offered:
            continue
        number, unit, piece = offered[name]
        has |= set(piece.names)
        taken[number, piece.start] = (unit, piece)
        todo += _used(unit.scan.bare[piece.start : piece.end])
    sources = {number for number, _ in taken}
    for number, unit in enumerate(others):
        if number in sources:
            taken |= {(number, p.start): (unit, p) for p in unit.scan.pieces if _is_include(unit, p)}
    return [taken[key] for key in sorted(taken)]


_DECLARED_HERE: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(TYPE_WORDS))}|\w+_t)\b[\s*]{{1,40}}+([A-Za-z_]\w*+)\s*+[=;,)\[]"
)
_TAGGED: Final = re.compile(r"\b(?:struct|union|enum)\s+([A-Za-z_]\w*+)")


def _used(bare: str) -> set[str]:
    """Names that may stand for something defined elsewhere: not those that are declared on the spot."""
    declared = {m[1] for m in _DECLARED_HERE.finditer(bare)}
    return (find_words(bare) - declared) | find_calls(bare) | {m[1] for m in _TAGGED.finditer(bare)}


def _is_include(unit: CodeUnit, piece: Piece) -> bool:
    return piece.kind == "directive" and "include" in unit.scan.bare[piece.start : piece.end][:40]


# -- bodies and ends --------------------------------------------------------------------------------------------------


def _body(unit: CodeUnit, signature: Signature) -> str | MissingCode | None:
    """The statements of a function without its head, in braces."""
    bare, text = unit.scan.bare, unit.scan.text
    if unit.functions or unit.segment.strength is Strength.OTHER:
        return None
    is_prose_segment = unit.segment.strength is Strength.PROSE
    groups = list(brace_groups(bare))
    # In prose the last body counts; in a block nothing but comments and sentences comes before one.
    for start, end in reversed(groups[-MAX_BODIES:] if is_prose_segment else groups[:1]):
        head = bare[bare.rfind("\n", 0, start) + 1 : start] if is_prose_segment else bare[:start]
        if head.strip() and not all(line.strip() == "" or is_prose(line) for line in head.split("\n")):
            continue
        inner = bare[start : end if end > 0 else len(bare)]
        if end < 0 and not is_prose_segment and ";" in inner and signature.name not in find_words(inner):
            return _broken("the body", text)
        if not _is_body(inner, signature) or '":' in text[start : end if end > 0 else len(text)][:200]:
            continue
        if end < 0:
            return _broken("the body", text)
        return text[start:end]
    if is_prose_segment and not _is_all_code(bare):
        return None
    if not _is_body(bare, signature) or bare.rstrip()[-1:] not in (";", "}"):
        return None
    return "{\n" + text.strip("\n") + "\n}" if bare.count("{") == bare.count("}") else _broken("the body", text)


def _is_body(bare: str, signature: Signature) -> bool:
    """Whether statements give what the function is to give, and do not only call it."""
    used = find_words(bare)
    if ";" not in bare or signature.name in used:
        return False
    if signature.returns is not None:
        return "return" in used
    return any(p.name in used for p in signature.params if isinstance(p.type, ArrayType) and p.mode is not Mode.IN)


def _is_all_code(bare: str) -> bool:
    lines = [line.strip() for line in bare.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and all(line[-1] in "{};,()+-*/&|=<>?:\\" and not is_prose(line) for line in lines)


def _broken_off(unit: CodeUnit, function: Piece) -> MissingCode:
    return _broken(f"'{function.name[:MAX_QUOTE]}'", unit.scan.text)


def _broken(what: str, text: str) -> MissingCode:
    lines = text.rstrip().split("\n")
    last = lines[-1].strip()[-MAX_QUOTE:]
    message = f"the code breaks off inside {what} after line {len(lines)}: '{last}'; give the whole function, shorter"
    return MissingCode("truncated", message)
