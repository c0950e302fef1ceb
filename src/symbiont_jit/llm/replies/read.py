"""A model's reply -> the C in it that defines the wanted functions, or what was missing.

In: the text of a reply, the signatures whose functions it has to define, and the source that it may be a diff against.
Out: `FoundCode`, text for `canonical_source`, or `MissingCode`, a message for the model. Nothing is checked here: what
was found is what the model wrote, without what is not part of it.

Segments are looked at from the strongest class to the weakest (C, C++, no tag, prose, other languages), and in a class
from the last to the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from symbiont_jit.agents.completion import CUT_OFF
from symbiont_jit.llm.replies.adopt import adopt_unit, find_body, replace_spots, report_broken
from symbiont_jit.llm.replies.blocks import Segment, Strength, clean, find_segments, strip_thinking
from symbiont_jit.llm.replies.edits import Edit, Misfit, apply_edits, find_hunks, find_search_blocks, write_new_side
from symbiont_jit.llm.replies.outline import Piece
from symbiont_jit.llm.replies.units import (
    CodeUnit,
    FoundCode,
    MissingCode,
    borrow_pieces,
    drop_tests,
    quote_names,
    scan_segment,
)
from symbiont_jit.signature import Signature

__all__ = ["FoundCode", "MissingCode", "read_reply"]

#: How many characters of a reply are read, without its thinking; a candidate may have a fifth of them.
MAX_REPLY: Final = 500_000


def read_reply(
    text: str, signatures: Sequence[Signature], current: str | None = None, finish: str = "stop"
) -> FoundCode | MissingCode:
    """Find the code in a reply that defines all functions of `signatures`.

    Args:
        text: The reply, of any shape.
        signatures: The functions that are wanted.
        current: The source that a diff in the reply is applied to; None where there is none.
        finish: Why the model stopped, as its server says it; `length` is a reply that was cut off.

    Returns:
        The code, or what was missing, worded for the model. No text raises an exception.
    """
    answer, had_thinking, in_thinking = strip_thinking(clean(text))
    how = ("left out thinking",) if had_thinking else ()
    if len(answer) > MAX_REPLY:
        last = answer[-MAX_REPLY:]
        answer = last.partition("\n")[2] or last
        how = (*how, f"read the last {MAX_REPLY:,} characters")
    reader = _AnswerReader(tuple(signatures), current, finish in CUT_OFF, in_thinking, had_thinking)
    outcome = reader.read(answer)
    return replace(outcome, how=(*how, *outcome.how)) if isinstance(outcome, FoundCode) else outcome


@dataclass(frozen=True, slots=True)
class _AnswerReader:
    """One reading of a reply: what is wanted, and what is known of the reply as a whole."""

    signatures: tuple[Signature, ...]
    current: str | None
    was_cut: bool
    in_thinking: bool
    had_thinking: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the wanted functions."""
        return tuple(s.name for s in self.signatures)

    @property
    def prototypes(self) -> str:
        """The prototypes of the wanted functions, as messages show them."""
        return "; ".join(s.c_prototype for s in self.signatures)

    def read(self, answer: str) -> FoundCode | MissingCode:
        """Try whole functions, edits, prose, other names and bodies, in this order; else say what is missing."""
        found = find_segments(answer)
        units = [scan_segment(s) for s in found if not _is_edit(s)]
        code = self.read_strongest(u for u in units if u.segment.strength > Strength.PROSE)
        edited = self.edit_current(answer, found)
        if edited is not None and (code is None or self.repeats_current(code)):
            return edited
        if code is None:
            code = self.read_strongest(u for u in units if u.segment.strength <= Strength.PROSE)
        return code or self.rename_function(units) or self.wrap_body(units) or self.report_missing(answer, units)

    # -- whole functions ----------------------------------------------------------------------------------------

    def read_strongest(self, units: Iterable[CodeUnit]) -> FoundCode | MissingCode | None:
        """Take the last unit that has all functions, or several that have them together, of the strongest class."""
        given = list(units)
        for strength in sorted(Strength, reverse=True):
            same = [u for u in given if u.segment.strength is strength]
            chosen = self.choose_units(same, in_full=True) or self.choose_units(same)
            if chosen:
                return self.assemble(chosen, same)
        return None

    def choose_units(self, units: list[CodeUnit], *, in_full: bool = False) -> list[CodeUnit]:
        """Choose the units to take the functions from, in order; none where one of the functions is nowhere."""
        where = [[i for i, u in enumerate(units) if u.defines(name, in_full=in_full)] for name in self.names]
        common = set(where[0]).intersection(*where[1:]) if where else set()
        last = {max(common)} if common else {max(found, default=-1) for found in where}
        return [units[i] for i in sorted(last)] if last and min(last) >= 0 else []

    def assemble(self, chosen: list[CodeUnit], units: list[CodeUnit]) -> FoundCode | MissingCode:
        """Join the chosen units, later ones first, and add what they use of the other units."""
        how = [*dict.fromkeys(words for unit in chosen for words in unit.segment.how)]
        parts: list[str] = []
        taken: set[str] = set()
        for unit in reversed(chosen):
            part = adopt_unit(unit, self.names, taken)
            if isinstance(part, MissingCode):
                return part
            taken |= {f.name for f in unit.functions}
            how += part.how
            parts.insert(0, part.code)
        code = "\n".join(parts)
        borrowed = borrow_pieces(code, [u for u in units if u not in chosen], self.names)
        count = len(chosen) + len({id(unit) for unit, _ in borrowed})
        if count > 1:
            how.append(f"put {count} blocks together")
        head = [unit.scan.text[p.start : p.end].strip("\n") for unit, p in borrowed]
        return FoundCode("\n".join([*head, code]) + "\n", tuple(dict.fromkeys(how)))

    # -- diffs --------------------------------------------------------------------------------------------------

    def edit_current(self, answer: str, found: list[Segment]) -> FoundCode | MissingCode | None:
        """Apply the reply's edits to the current source, or take the functions that the edits hold entirely."""
        edits = find_search_blocks(answer)
        what = "SEARCH/REPLACE block"
        if not edits:
            what = "hunk"
            edits = [edit for s in found for edit in _read_hunks(s)]
        if not edits:
            return None
        ends_inside = self.was_cut and _is_edit(found[-1]) and not (what == "hunk" and found[-1].is_closed)
        if ends_inside or not edits[-1].is_complete:
            return MissingCode("truncated", f"the reply breaks off inside {what} {len(edits)}; give the whole function")
        alone = self.read_strongest([scan_segment(Segment(write_new_side(edits), Strength.UNTAGGED))])
        if self.current is None:
            message = f"the reply is a diff, but there is no source that it could change; give all of {self.prototypes}"
            return alone if isinstance(alone, FoundCode) else MissingCode("no_code", message)
        changed = apply_edits(self.current, edits)
        if isinstance(changed, Misfit):
            return alone if isinstance(alone, FoundCode) else self.report_misfit(changed, what)
        outcome = self.read_strongest([scan_segment(Segment(changed, Strength.C))])
        if isinstance(outcome, FoundCode):
            count = f"{len(edits)} {what}s" if len(edits) > 1 else f"a {what}"
            return replace(outcome, how=(f"applied {'a diff' if what == 'hunk' else count}", *outcome.how))
        return outcome or MissingCode(
            "no_code", f"the diff leaves no function {quote_names(self.names)}; give the whole code"
        )

    def report_misfit(self, misfit: Misfit, what: str) -> MissingCode:
        """Say which edit does not fit the current source, and at which line."""
        where = f"the current source has no line '{misfit.line}'" if misfit.line else "it does not say where"
        if misfit.line and any(misfit.line in line for line in (self.current or "").split("\n")):
            where = f"the lines around '{misfit.line}' are not like that in the current source"
        return MissingCode(
            "no_code", f"{what} {misfit.number} does not apply: {where}; give the whole function instead"
        )

    def repeats_current(self, code: FoundCode | MissingCode) -> bool:
        """Whether the code only quotes the current source."""
        if self.current is None or not isinstance(code, FoundCode):
            return False
        return "".join(code.code.split()) in "".join(self.current.split())

    # -- functions with another name, and bodies without one ----------------------------------------------------

    def rename_function(self, units: list[CodeUnit]) -> FoundCode | MissingCode | None:
        """Give the only function in the code the name that was asked for, if its parameters are as many."""
        if len(self.signatures) != 1:
            return None
        signature = self.signatures[0]
        for strength in sorted(set(Strength) - {Strength.OTHER}, reverse=True):
            same = [u for u in units if u.segment.strength is strength]
            names = {f.name for u in same for f in drop_tests(u)}
            if not names:
                continue
            if len(names) != 1:
                return None
            unit = next(u for u in reversed(same) if u.defines(*names))
            function = next(f for f in reversed(unit.functions) if f.name in names)
            count = len(signature.dimensions) + len(signature.params)
            return self.give_name(unit, function) if function.parameters == count else None
        return None

    def give_name(self, unit: CodeUnit, function: Piece) -> FoundCode | MissingCode | None:
        """Rename a function, and every use of its name in the unit, to the wanted name."""
        old, new = function.name, self.names[0]
        spots = [m.span() for m in re.finditer(rf"\b{re.escape(old)}\b", unit.scan.bare)]
        text = replace_spots(unit.scan.text, [(start, end, new) for start, end in spots])
        found = self.read_strongest([scan_segment(replace(unit.segment, text=text))])
        return replace(found, how=(*found.how, f"renamed {old} to {new}")) if isinstance(found, FoundCode) else found

    def wrap_body(self, units: list[CodeUnit]) -> FoundCode | MissingCode | None:
        """Put the prototype before the last body without a head, of the strongest class."""
        if len(self.signatures) != 1:
            return None
        for strength in sorted(Strength, reverse=True):
            for unit in reversed([u for u in units if u.segment.strength is strength]):
                body = find_body(unit, self.signatures[0])
                if isinstance(body, MissingCode):
                    return body
                if body is not None:
                    code = f"{self.signatures[0].c_prototype}\n{body}\n"
                    return FoundCode(code, (*unit.segment.how, "wrapped a body"))
        return None

    # -- what was missing ---------------------------------------------------------------------------------------

    def report_missing(self, answer: str, units: list[CodeUnit]) -> MissingCode:
        """Say what the reply has in place of the wanted functions."""
        if not answer.strip() and not self.had_thinking:
            return MissingCode("no_code", f"the reply is empty; answer with {self.prototypes} in one block of C")
        broken = [(u, p) for u in units for p in u.functions if p.is_open and u.segment.strength > Strength.OTHER]
        if broken:
            return report_broken(broken[-1][0], broken[-1][1])
        if self.in_thinking:
            return MissingCode(
                "truncated", f"the reply breaks off while thinking; answer with {self.prototypes} in one block of C"
            )
        names = [f.name for u in units if u.segment.strength > Strength.OTHER for f in u.functions]
        absent = [name for name in self.names if name not in names]
        if names:
            others = f"; found: {quote_names(dict.fromkeys(names))}" if names else ""
            message = f"there is code, but no function {quote_names(absent)}{others}; define {self.prototypes}"
        elif any(name in p.names for u in units for p in u.scan.pieces if p.kind == "prototype" for name in self.names):
            message = f"there is a declaration of {quote_names(absent)}, but no body; define {self.prototypes}"
        elif any(u.segment.strength > Strength.PROSE for u in units):
            message = f"there is code, but no function {quote_names(absent)}; define {self.prototypes}"
        else:
            where = " outside of its thinking" if self.had_thinking else ""
            message = f"the reply has no C code{where}; answer with {self.prototypes} in one block of C"
        return (
            MissingCode("truncated", f"the reply was cut off; {message}")
            if self.was_cut
            else MissingCode("no_code", message)
        )


def _is_edit(segment: Segment) -> bool:
    """Whether a segment holds edits and no whole code."""
    return bool(segment.is_diff or _read_hunks(segment) or find_search_blocks(segment.text))


def _read_hunks(segment: Segment) -> list[Edit]:
    """Read the hunks of a diff in a segment."""
    if "@@" not in segment.text and "+++" not in segment.text and not segment.is_diff:
        return []
    return find_hunks(segment.text, is_diff=segment.is_diff, is_fenced=segment.strength is not Strength.PROSE)
