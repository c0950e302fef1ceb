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

__all__ = ["SPLICE", "AuthorPositions", "CodeLines", "SourceMap"]

Position = tuple[int, int]

#: A backslash at the end of a line joins it with the next one; blanks behind it do not keep clang from that.
SPLICE: Final = re.compile(r"\\[ \t\f\v]*$")

# No word of the canonical text comes from these: comments, spliced ends of lines, and directives except pragmas.
_SKIPPED: Final = (
    r"//(?:\\[ \t\f\v]*\n|[^\n])*|/\*.*?(?:\*/|\Z)|\\[ \t\f\v]*\n"
    r"|^[ \t\f\v]*\#(?![ \t\f\v]*pragma)(?:\\[ \t\f\v]*\n|[^\n])*"
)
_WORD: Final = (
    r"[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
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
#: How many marks are searched for one that stands behind, as a declaration of several names repeats its type before
#: each; and how many macros may follow each other.
_NEAR: Final = 8
#: How many characters before a type its keywords are looked for.
_WIDE: Final = 200


class _Word(NamedTuple):
    """A word, and the line and column at which it begins."""

    text: str
    position: Position


class CodeLines:
    """The way from lines of the code that is parsed to lines of the author's text.

    `joined` is the author's text with spliced lines joined, each line at its own number; `expanded` is what a
    preprocessor made of it, or None.
    """

    def __init__(self, original: str, joined: str, expanded: str | None = None) -> None:
        self._pieces = _split_at_splices(original)
        self._joined = [] if expanded is None else joined.split("\n")
        self._expanded = None if expanded is None else expanded.split("\n")
        self._known: dict[int, tuple[list[int], list[Position]]] = {}

    @property
    def is_straight(self) -> bool:
        """Whether every character stands where the author put it."""
        return self._expanded is None and not self._pieces

    def author_position(self, line: int, column: int) -> Position:
        """Return the line and column in the author's text of a place in the code; zeros for none.

        A word that a macro made stands at the name of the macro.
        """
        if line < 1:
            return 0, 0
        if self._expanded is not None:
            line, column = self._position_before_expansion(line, column)
        starts, lines = self._pieces.get(line, ([1], [line]))
        piece = max(bisect_right(starts, column) - 1, 0)
        return lines[piece], column - starts[piece] + 1 if column else 0

    def _position_before_expansion(self, line: int, column: int) -> Position:
        if line not in self._known:
            expanded = "".join((self._expanded or [])[line - 1 : line])
            self._known[line] = _match_words(expanded, self._written_words(line))
        starts, positions = self._known[line]
        word = bisect_right(starts, column) - 1
        return positions[word] if word >= 0 else (line, column)

    def _written_words(self, line: int) -> list[_Word]:
        """Return the words from which a line of the expanded text was made.

        The preprocessor puts what follows a macro call of several lines onto the line where the call begins, and leaves
        the others empty.
        """
        words: list[_Word] = []
        for number, text in enumerate(self._joined[line - 1 :], line):
            is_part = number == line or (self._is_empty(number) and _is_open(words))
            if not is_part:
                break
            words += [_Word(m[0], (number, m.start() + 1)) for m in _WORDS.finditer(text)]
        return words

    def _is_empty(self, line: int) -> bool:
        return not "".join((self._expanded or [])[line - 1 : line]).strip()


def _is_open(words: Sequence[_Word]) -> bool:
    """Whether more brackets open than close."""
    return sum((word.text == "(") - (word.text == ")") for word in words) > 0


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


def _match_words(expanded: str, given: Sequence[_Word]) -> tuple[list[int], list[Position]]:
    """Return the columns of an expanded line's words, and where each stands in the text as it was written.

    Both are read side by side. Where they differ, the written text has a macro, with arguments or without, or several
    macros one behind the other: all words up to what follows were made by the macro, and stand at its name.
    """
    made = [_Word(m[0], (0, m.start() + 1)) for m in _WORDS.finditer(expanded)]
    positions: list[Position] = []
    at = 0
    while len(positions) < len(made):
        here = given[min(at, len(given) - 1)].position if given else (0, 0)
        if at < len(given) and made[len(positions)].text == given[at].text:
            positions.append(here)
            at += 1
        else:
            at, end = _find_behind_macros(made, len(positions), given, at)
            positions += [here] * (end - len(positions))
    return [word.position[1] for word in made], positions


def _find_behind_macros(made: Sequence[_Word], done: int, given: Sequence[_Word], at: int) -> Position:
    """Return the index of the first written word that is no macro from `at` on, and where it is among those made."""
    for _ in range(_NEAR):
        at = _find_behind_macro(given, at)
        if at >= len(given):
            break
        end = _find_in_depth(made, done, given[at].text)
        if end < len(made):
            return at, end
    return len(given), len(made)


def _find_behind_macro(words: Sequence[_Word], at: int) -> int:
    """Return the index of the word that follows a macro, and its arguments if it has any."""
    if at + 1 < len(words) and words[at + 1].text == "(":
        return _find_in_depth(words, at + 2, ")") + 1
    return at + 1


def _find_in_depth(words: Sequence[_Word], start: int, wanted: str) -> int:
    """Return the index of a word outside of the brackets that open from `start` on; without one, that of the end."""
    depth = 0
    for index in range(start, len(words)):
        word = words[index].text
        if depth == 0 and word == wanted:
            return index
        depth += (word in "([{") - (word in ")]}")
    return len(words)


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Words of a canonical text, by their offsets in ascending order, with line and column in the author's text."""

    offsets: array[int]
    lines: array[int]
    columns: array[int]


#: The map that knows no place.
NO_MAP: Final = SourceMap(array("I"), array("I"), array("I"))


class AuthorPositions:
    """Looks up places of a canonical `text` in the text that its author has `written`."""

    def __init__(self, text: str, written: str, source_map: SourceMap) -> None:
        self._text = text
        self._written = written
        self._map = source_map
        self._text_lines = _line_starts(text)
        self._written_lines = _line_starts(written)
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
        is_same = inside > 0 and self._written.startswith(word[0], self._author_offset(mark))
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
        return self._written_lines[line - 1] + max(column - 1, 0) if line else 0

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
        for match in _AUTHOR_WORDS.finditer(self._written, start, end):
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
        start = max(self._written_lines[self._map.lines[mark] - 1], at - _WIDE)
        before = _LAST_KEYWORDS.search(self._written, start, at)
        behind = _KEYWORDS.match(self._written, at)
        begin, end = before.start() if before else at, behind.end() if behind else at
        found = re.search(rf"\b{word[0]}\b", self._written[begin:end])
        return None if found is None else self._position(begin + found.start())

    def _author_range(self, mark: int) -> tuple[int, int]:
        """Return the author's offset of a mark, and of the next mark that stands behind it in the author's text too."""
        if mark < 0:
            return 0, self._author_offset(0) if self._map.offsets else 0
        start = self._author_offset(mark) if self._map.lines[mark] else 0
        behind = (self._author_offset(m) for m in range(mark + 1, min(mark + 1 + _NEAR, len(self._map.offsets))))
        is_last = mark + 1 == len(self._map.offsets)
        return start, len(self._written) if is_last else next((end for end in behind if end > start), start)

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._written_lines, offset)
        return line, offset - self._written_lines[line - 1] + 1

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
