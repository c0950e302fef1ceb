"""Source maps: from places in C that we made to the lines and columns of the author's text.

`CodeLines` leads from the code that is parsed to the author's text: spliced lines and macros lie between. `SourceMap`
leads from the canonical text to the author's, word by word; `AuthorPositions` looks things up in it.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

__all__ = ["SPLICE", "AuthorPositions", "CodeLines", "Expansion", "MarkedText", "SourceMap", "mark_words"]

Position = tuple[int, int]

#: A backslash at the end of a line joins it with the next one; blanks behind it do not keep clang from that.
SPLICE: Final = re.compile(r"\\[ \t\f\v]*$")

# No word of the canonical text comes from these: comments, spliced ends of lines, and directives except pragmas.
_SKIPPED: Final = (
    r"//(?:\\[ \t\f\v]*\n|[^\n])*|/\*.*?(?:\*/|\Z)|\\[ \t\f\v]*\n"
    r"|^[ \t\f\v]*\#(?![ \t\f\v]*pragma)(?:\\[ \t\f\v]*\n|[^\n])*"
)
# A literal that is not closed, as in a branch that is not taken, is one word to the end of its line.
_WORD: Final = (
    r"[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*"
    r"|\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?"
    r"|<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|&&|\|\||[-+*/%&|^<>=!]=|[^\s\\]"
)
_WORDS: Final = re.compile(_WORD)
_AUTHOR_WORDS: Final = re.compile(f"(?:{_SKIPPED})|(?P<word>{_WORD})", re.DOTALL | re.MULTILINE)
#: Words of a declaration that follow each other: of types, qualifiers and storage classes.
_KEYWORD: Final = re.compile(r"[A-Za-z_]\w*")
_KEYWORDS: Final = re.compile(r"(?:\w+[ \t]*)+")
_LAST_KEYWORDS: Final = re.compile(r"(?:\b\w+[ \t]+)+\Z")

#: Words that the author may spell in another way.
_SPELLINGS: Final = {"complex": "_Complex"}
_DIRECTIVE: Final = re.compile(r"[ \t\f\v]*#")
_MACRO: Final = re.compile(
    r"^[ \t\f\v]*#[ \t\f\v]*define[ \t\f\v]+(?P<name>\w+)(?P<parameters>\([^)\n]*\))?(?P<body>[^\n]*)", re.MULTILINE
)
#: A character that is no C outside of comments and literals, so that no text which has it is accepted.
_MARK: Final = "@"
_MARKED_WORDS: Final = re.compile(rf"{_MARK}(?P<mark>\d{{1,9}})(?!\w)|{_WORD}")
#: How many marks are searched for one that stands behind: a declaration of several names repeats its type before each.
_NEAR: Final = 8
#: How many characters before a type its keywords are looked for.
_WIDE: Final = 200


class Expansion(NamedTuple):
    """A text whose macros are expanded, each line at its number.

    `origins` has for each word of the text, in order, the line and column where it was written or, if a macro made it,
    where the macro was called; it is empty where that is not known.
    """

    text: str
    origins: Sequence[Position]


@dataclass(frozen=True, slots=True)
class _Macros:
    """The macros that a text defines anywhere: those that a bracket behind the name, or behind a call, may call."""

    called: frozenset[str]
    called_again: frozenset[str]
    has_operators: bool

    @classmethod
    def of(cls, code: str) -> _Macros:
        """Find the macros of a text, whose bodies may end with the name of another one."""
        found = [(m["name"], bool(m["parameters"]), m["body"]) for m in _MACRO.finditer(code)]
        names = {name for name, _, _ in found}
        ends = {(name, last) for name, _, body in found for last in _WORDS.findall(body)[-1:]}
        functions = {name for name, is_function, _ in found if is_function}
        return cls(
            frozenset(functions | {name for name, last in ends if last in names}),
            frozenset(name for name, last in ends if _KEYWORD.fullmatch(last)),
            any("#" in body for _, _, body in found),
        )


class MarkedText:
    """A text with a mark before its words, so that its expansion says where words come from.

    A mark is a number behind a character that C does not know; preprocessors let it pass. Between a macro's name and
    the bracket that calls it there is none, and with `is_careful` none in the brackets either, as a macro may make a
    string of its arguments. What the marked text becomes is only compared with what the text itself becomes.
    """

    def __init__(self, code: str, macros: _Macros, is_careful: bool) -> None:
        self._macros = macros
        self._is_careful = is_careful
        self._marks: list[tuple[Position, bool]] = []
        self._depth, self._calls, self._name = 0, False, ""
        self.text = "\n".join(self._mark(number, line) for number, line in enumerate(code.split("\n"), 1))

    def _mark(self, number: int, line: str) -> str:
        if _DIRECTIVE.match(line):
            self._depth = 0  # What is open may be in a branch that is not taken.
            return line
        pieces, done = [], 0
        for word in _WORDS.finditer(line):
            is_inside = self._depth > 0
            if not self._takes_part_in_call(word[0]) and not (is_inside and self._is_careful):
                pieces += [line[done : word.start()], f" {_MARK}{len(self._marks)} "]
                done = word.start()
                self._marks.append(((number, done + 1), is_inside))
        return "".join(pieces) + line[done:]

    def _takes_part_in_call(self, word: str) -> bool:
        """Whether a word is the bracket that calls a macro; follow the brackets of a call to its end."""
        if self._depth:
            calls = self._calls and word == "("
            self._depth += (word == "(") - (word == ")")
            if self._depth:
                self._calls = word == ")" or word in self._macros.called
            else:
                self._calls = self._name in self._macros.called_again
            return calls
        if self._calls and word == "(":
            self._depth, self._calls = 1, False
            return True
        self._calls, self._name = word in self._macros.called, word
        return False

    def find_origins(self, text: str, marked: str) -> list[Position]:
        """Find the origin of each word of an expanded text, by what the marked one became; none where they differ.

        A mark in the brackets of a call is that of the next word; the other words of the call are the macro's.
        """
        origins: list[Position] = []
        words: list[str] = []
        outer, inner = (0, 0), None
        for match in _MARKED_WORDS.finditer(marked):
            if match["mark"] is None:
                words.append(match[0])
                origins.append(inner or outer)
                inner = None
            elif int(match["mark"]) < len(self._marks):
                position, is_inside = self._marks[int(match["mark"])]
                outer, inner = (outer, position) if is_inside else (position, None)
        return origins if words == _WORDS.findall(text) else []


def mark_words(code: str) -> list[MarkedText]:
    """Mark a text's words; where a macro makes strings or names of its arguments, carefully too."""
    macros = _Macros.of(code)
    return [MarkedText(code, macros, is_careful) for is_careful in (False, True)[: 1 + macros.has_operators]]


class CodeLines:
    """The way from lines of the code that is parsed to lines of the author's text.

    `original` is the author's text; its spliced lines are joined before anything else is done. `expansion` is what a
    preprocessor made of that, or None.
    """

    def __init__(self, original: str, expansion: Expansion | None = None) -> None:
        self._pieces = _split_at_splices(original)
        self._words = {} if expansion is None else _find_words(expansion)
        self._is_expanded = expansion is not None

    @property
    def is_straight(self) -> bool:
        """Whether every character stands where the author put it."""
        return not self._is_expanded and not self._pieces

    def author_position(self, line: int, column: int) -> Position:
        """Return the line and column in the author's text of a place in the code; zeros for none.

        A word that a macro made stands at the name of the macro.
        """
        if line < 1:
            return 0, 0
        line, column = self._position_before_expansion(line, column)
        starts, lines = self._pieces.get(line, ([1], [line]))
        piece = max(bisect_right(starts, column) - 1, 0)
        return lines[piece], column - starts[piece] + 1 if column else 0

    def _position_before_expansion(self, line: int, column: int) -> Position:
        starts, positions = self._words.get(line, ((), ()))
        word = bisect_right(starts, column) - 1
        return positions[word] if word >= 0 else (line, column)


def _find_words(expansion: Expansion) -> dict[int, tuple[list[int], list[Position]]]:
    """For each line of an expansion, return the columns at which its words begin, and the origins of the words."""
    found: dict[int, tuple[list[int], list[Position]]] = {}
    done = 0
    for number, line in enumerate(expansion.text.split("\n"), 1):
        starts = [word.start() + 1 for word in _WORDS.finditer(line)]
        origins = expansion.origins[done : done + len(starts)]
        done += len(starts)
        if origins and not _DIRECTIVE.match(line):  # A pragma stands where it was written.
            found[number] = starts, list(origins)
    return found


def _split_at_splices(original: str) -> dict[int, tuple[list[int], list[int]]]:
    """For each line that was joined from several, return the columns at which these begin and their numbers."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    if "\\" not in original:
        return found
    first, length = 1, 0
    *lines, _ = original.split("\n")
    for number, line in enumerate(lines, 1):
        match = SPLICE.search(line)
        if match is None:
            first, length = number + 1, 0
            continue
        length += match.start()
        starts, numbers = found.setdefault(first, ([1], [first]))
        starts.append(length + 1)
        numbers.append(number + 1)
    return found


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Words of a canonical text, by their offsets in ascending order, with line and column in the author's text."""

    offsets: array[int]
    lines: array[int]
    columns: array[int]


#: The map that knows no place.
NO_MAP: Final = SourceMap(array("I"), array("I"), array("I"))


class AuthorPositions:
    """Looks up places of a canonical `text` in the text of its author."""

    def __init__(self, text: str, author_text: str, source_map: SourceMap) -> None:
        self._text = text
        self._author_text = author_text
        self._map = source_map
        self._text_lines = _line_starts(text)
        self._author_lines = _line_starts(author_text)
        self._between: dict[int, dict[int, int]] = {}  # The matches that were found so far, by mark.

    def find(self, line: int, column: int) -> Position:
        """Return the line and column in the author's text of a place in the canonical text; zeros where there is none.

        Words without a position in the map (operators, brackets) are looked for between their neighbours. What the
        author did not write stands where the word next to it does.
        """
        if not 1 <= line < len(self._text_lines):
            return 0, 0
        start, end = self._text_lines[line - 1], self._text_lines[line] - 1
        offset = min(start + max(column - 1, 0), end)
        word = self._word_at(start, offset, end)
        if word is None:
            return 0, 0
        mark = self._mark_at(word.start())
        if mark < 0 or self._map.offsets[mark] != word.start():
            return self._find_between(mark, word) or self._find_beside(mark + 1, word) or self._neighbour(mark, line)
        line, column = self._map.lines[mark], self._map.columns[mark]
        inside = offset - word.start()
        is_same = inside > 0 and self._author_text.startswith(word[0], self._author_offset(mark))
        return line, column + inside if is_same else column

    def _mark_at(self, offset: int) -> int:
        """Return the last mark that is not behind an offset; -1 for none."""
        return bisect_right(self._map.offsets, offset) - 1

    def _word_at(self, start: int, offset: int, end: int) -> re.Match[str] | None:
        """Return the first word of a line that ends behind an offset, or the line's last one."""
        mark = self._mark_at(offset)
        word = None
        for word in _WORDS.finditer(self._text, max(start, self._map.offsets[mark] if mark >= 0 else 0), end):
            if word.end() > offset:
                return word
        return word

    def _author_offset(self, mark: int) -> int:
        line, column = self._map.lines[mark], self._map.columns[mark]
        return self._author_lines[line - 1] + max(column - 1, 0) if line else 0

    def _find_between(self, mark: int, word: re.Match[str]) -> Position | None:
        """Return the author's word for one between a mark and the next; None where there is none."""
        if mark not in self._between:
            self._between[mark] = self._match_between(mark)
        found = self._between[mark].get(word.start())
        return None if found is None else self._position(found)

    def _match_between(self, mark: int) -> dict[int, int]:
        """Match the author's words between a mark and the next: offsets there by offsets in the canonical text.

        Words that the author did not write are passed over; the others follow each other in both texts.
        """
        start, end = self._author_range(mark)
        given: dict[str, list[int]] = {}
        for match in _AUTHOR_WORDS.finditer(self._author_text, start, end):
            if match["word"] is not None:
                given.setdefault(_SPELLINGS.get(match["word"], match["word"]), []).append(match.start("word"))
        first, *rest = (0, *self._map.offsets[:1]) if mark < 0 else self._map.offsets[mark : mark + 2]
        found: dict[int, int] = {}
        following = start
        for own in _WORDS.finditer(self._text, first, rest[0] if rest else len(self._text)):
            places = given.get(own[0], [])
            index = bisect_left(places, following)
            if index < len(places):
                found[own.start()] = places[index]
                following = places[index] + 1
        return found

    def _find_beside(self, mark: int, word: re.Match[str]) -> Position | None:
        """Find the author's keyword near a mark: C leaves the order of a declaration's words open."""
        if not _KEYWORD.fullmatch(word[0]) or mark >= len(self._map.offsets) or self._map.lines[mark] == 0:
            return None
        at = self._author_offset(mark)
        start = max(self._author_lines[self._map.lines[mark] - 1], at - _WIDE)
        before = _LAST_KEYWORDS.search(self._author_text, start, at)
        behind = _KEYWORDS.match(self._author_text, at)
        begin, end = before.start() if before else at, behind.end() if behind else at
        found = re.search(rf"\b{word[0]}\b", self._author_text[begin:end])
        return None if found is None else self._position(begin + found.start())

    def _author_range(self, mark: int) -> tuple[int, int]:
        """Return the author's offset of a mark, and of the next mark that stands behind it in the author's text too."""
        if mark < 0:
            return 0, self._author_offset(0) if self._map.offsets else 0
        start = self._author_offset(mark) if self._map.lines[mark] else 0
        behind = (self._author_offset(m) for m in range(mark + 1, min(mark + 1 + _NEAR, len(self._map.offsets))))
        is_last = mark + 1 == len(self._map.offsets)
        return start, len(self._author_text) if is_last else next((end for end in behind if end > start), start)

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._author_lines, offset)
        return line, offset - self._author_lines[line - 1] + 1

    def _neighbour(self, mark: int, line: int) -> Position:
        """Return the author's position of the mark before; in a line without one, of the mark behind."""
        start, end = self._text_lines[line - 1], self._text_lines[line]
        offsets = self._map.offsets
        if mark + 1 < len(offsets) and offsets[mark + 1] < end and (mark < 0 or offsets[mark] < start):
            mark += 1
        return (self._map.lines[mark], self._map.columns[mark]) if mark >= 0 else (0, 0)


def _line_starts(text: str) -> list[int]:
    """Return the offsets at which lines begin, and one more for a line behind the last."""
    return list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
