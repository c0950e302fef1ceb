"""The top level of C, found without parsing it: functions, directives, declarations, and what is none of them.

In: text that is C, or C with prose around it. Out: a `Scan`, pieces by position. The time is linear in the length of
the text, whatever the text is. Non-goal: whether the C is right; the frontend says that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from symbiont_jit.c import vocabulary

__all__ = ["TYPE_WORDS", "Piece", "Scan", "find_brace_groups", "find_calls", "find_words", "is_prose", "scan"]

#: How many characters before a function's name its declaration is looked for.
MAX_HEAD: Final = 600
TYPE_WORDS: Final = frozenset(
    "void char short int long float double signed unsigned _Bool bool _Complex complex const volatile static inline "
    "extern register struct union enum restrict __inline __inline__ _Noreturn".split()
) | frozenset(vocabulary.TYPEDEFS)
_TAG_WORDS: Final = frozenset({"struct", "union", "enum"})
#: Words that stand before a bracket and are no functions.
KEYWORDS: Final = frozenset(
    "if for while switch do else return sizeof case default goto break continue typedef _Alignof _Static_assert".split()
)
#: At the start of a line any word may be the name of a type, but these begin statements or other languages' functions.
_NOT_TYPES: Final = KEYWORDS | frozenset("function fn def func fun class new let var sub proc".split())
_ATTRIBUTE_WORDS: Final = ("__attribute__", "__attribute", "__declspec", "_Alignas")
_DIRECTIVE_WORDS: Final = "include define undef ifdef ifndef if elif else endif pragma error line"

_TOKEN: Final = re.compile(
    r"""//[^\n]*+|/\*|"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|^[ \t]*+\#|[(){};]""", re.DOTALL | re.MULTILINE
)
_DIRECTIVE_PART: Final = re.compile(r"(?:[^\\\n/]|/(?!\*)|\\.|\\\Z)*+", re.DOTALL)
_DIRECTIVE: Final = re.compile(r"[ \t]*#[ \t]*(?P<word>\w*)[ \t]*(?P<name>\w*)")
_PROSE_DIRECTIVE: Final = re.compile(rf"[ \t]*#(?:{'|'.join(_DIRECTIVE_WORDS.split())})\b")
_NAME_AT_END: Final = re.compile(r"([A-Za-z_]\w*+)\s*+$")
_CALL: Final = re.compile(r"\b([A-Za-z_]\w*+)\s*+\(")
_WORD: Final = re.compile(r"\b[A-Za-z_]\w*+")
_TAG_AT_END: Final = re.compile(r"\b(?:struct|union|enum)(?:\s+\w+)?$")
_OLD_STYLE: Final = re.compile(r"[\w\s*,;\[\]]+;")
_DECLARED: Final = re.compile(r"\b([A-Za-z_]\w*+)\s*+(?:\[[^\]]{0,80}\]\s*+)*(?:=|,|;|$)")
_TAGGED: Final = re.compile(r"\b(?:struct|union|enum)\s+([A-Za-z_]\w*+)\s*+\{")
_C_DECLARATION: Final = re.compile(
    rf"\s*(?:typedef|(?:(?:{'|'.join(sorted(TYPE_WORDS))})\b[\s*]*)+(?:[A-Za-z_]\w*[\s*]*)?(?:[=\[({{]|;))"
)
_PROSE: Final = re.compile(r"\b[A-Za-z]{2,}+(?:[ ,'\u2019-]{1,3}+[A-Za-z]++){2,}|^\s*+\w{1,10}\s*+$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Something at the top level of C.

    Attributes:
        kind: function, directive, declaration, prototype, linkage (`extern "C" {` and its closing brace) or junk.
        start: Where the piece begins, as an index of the text.
        end: Where the piece ends; the character there is not part of it.
        names: The names that the piece declares.
        head: Where a function's name begins.
        brace: Where a function's body begins.
        params: The text in a function's parentheses.
        is_open: Whether the text ends inside of the piece.
        is_conditional: Whether the piece stands between #if and #endif.
    """

    kind: str
    start: int
    end: int
    names: tuple[str, ...] = ()
    head: int = 0
    brace: int = 0
    params: str = ""
    is_open: bool = False
    is_conditional: bool = False

    @property
    def name(self) -> str:
        """The first name that the piece declares, or an empty text."""
        return self.names[0] if self.names else ""

    @property
    def parameters(self) -> int:
        """How many parameters a function has."""
        depth = commas = 0
        for character in self.params:
            depth += (character in "([{") - (character in ")]}")
            commas += character == "," and depth == 0
        return 0 if self.params.strip() in ("", "void") else commas + 1


@dataclass(frozen=True, slots=True)
class Scan:
    """A text with its pieces in order; `bare` is the text with comments and literals blanked, none of it moved."""

    text: str
    bare: str
    pieces: tuple[Piece, ...]

    @property
    def functions(self) -> list[Piece]:
        """The definitions of functions, in their order."""
        return [p for p in self.pieces if p.kind == "function"]


def scan(text: str, *, prose: bool = False) -> Scan:
    """Find the pieces of C text; with `prose`, those of the C in a text that is mostly none."""
    return _Scanner(text, prose).run()


def find_calls(bare: str) -> set[str]:
    """Find the names that stand before an opening parenthesis."""
    return {m[1] for m in _CALL.finditer(bare)} - KEYWORDS


def find_words(bare: str) -> set[str]:
    """Find all identifiers and keywords."""
    return {m[0] for m in _WORD.finditer(bare)}


def is_prose(bare: str) -> bool:
    """Whether text between pieces is sentences, or a word alone, and no C."""
    return not re.search(r"[;{}=#]", bare) and _PROSE.search(bare) is not None


def find_brace_groups(bare: str) -> Iterator[tuple[int, int]]:
    """Yield the outermost blocks as start and end; the end of a block that nothing closes is -1."""
    depth = start = 0
    for match in re.finditer(r"[{}]", bare):
        if match[0] == "{":
            start = match.start() if depth == 0 else start
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield start, match.end()
    if depth:
        yield start, -1


@dataclass(slots=True)
class _Scanner:
    """One walk over the tokens of a text; `chunk` is where the piece that is being read begins."""

    text: str
    prose: bool
    pieces: list[Piece] = field(default_factory=list)
    #: Where comments and literals stand, as start and end.
    blanks: list[tuple[int, int]] = field(default_factory=list)
    chunk: int = 0
    depth: int = 0
    #: Open parentheses, each with whether it belongs to an attribute; and the last pair that was closed.
    parentheses: list[tuple[int, bool]] = field(default_factory=list)
    group: tuple[int, int] | None = None
    function: Piece | None = None
    aggregate: int = -1
    linkages: int = 0
    conditions: list[int] = field(default_factory=list)
    has_comment_end: bool = True

    def run(self) -> Scan:
        position = 0
        while match := _TOKEN.search(self.text, position):
            position = self.take(match)
        self.finish()
        return Scan(self.text, self.blank_all(), tuple(self.pieces))

    def take(self, match: re.Match[str]) -> int:
        """Take one token; gives where to read on."""
        first = match[0][0]
        if first in "(){};":
            self.take_mark(first, match.start())
            return match.end()
        if match[0] == "/*":
            return self.take_comment(match.start())
        if match[0].endswith("#") and first in " \t#":
            return self.take_directive(match.start(), match.end())
        if first == "'" and self.prose and self.text[max(match.start() - 1, 0)].isalnum():
            return match.start() + 1  # An apostrophe in a sentence opens no literal.
        self.blanks.append(match.span())
        return match.end()

    def take_comment(self, start: int) -> int:
        end = self.text.find("*/", start + 2) if self.has_comment_end else -1
        if end < 0:
            self.has_comment_end = False
            if self.prose:
                return start + 2
            end = len(self.text)
        self.blanks.append((start, min(end + 2, len(self.text))))
        return end + 2

    def take_directive(self, start: int, position: int) -> int:
        if self.prose and not _PROSE_DIRECTIVE.match(self.text, start):
            return position
        end = self.find_directive_end(position)
        word = _DIRECTIVE.match(self.text, start)
        assert word is not None  # The token that led here begins with what the pattern looks for.
        self.take_condition(word["word"])
        if self.depth == 0 and self.function is None:
            self.add_junk(start)
            names = (word["name"],) if word["word"] == "define" else ()
            self.pieces.append(Piece("directive", start, end, names, is_conditional=bool(self.conditions)))
            self.begin_piece(end)
        return end

    def find_directive_end(self, position: int) -> int:
        while True:
            part = _DIRECTIVE_PART.match(self.text, position)
            assert part is not None  # The pattern matches the empty text too.
            position = part.end()
            if not self.text.startswith("/*", position):
                return position
            after = self.take_comment(position)
            if after > len(self.text):
                return len(self.text)
            position = after

    def take_condition(self, word: str) -> None:
        """Note a condition: each branch of #if begins at the depth of braces where the first one did."""
        if word in ("if", "ifdef", "ifndef"):
            self.conditions.append(self.depth)
        elif word in ("else", "elif") and self.conditions:
            self.depth = self.conditions[-1]
        elif word == "endif" and self.conditions:
            self.conditions.pop()

    def take_mark(self, character: str, at: int) -> None:
        match character:
            case "(":
                self.parentheses.append((at, self.is_attribute(at)))
            case ")" if self.parentheses:
                start, is_attribute = self.parentheses.pop()
                self.group = self.group if is_attribute else (start, at)
            case "{":
                self.open_brace(at)
            case "}":
                self.close_brace(at)
            case ";" if self.depth == 0 and self.function is None:
                self.take_semicolon(at)

    def is_attribute(self, at: int) -> bool:
        before = self.text[max(at - 20, 0) : at].rstrip()
        return before.endswith(_ATTRIBUTE_WORDS) or bool(self.parentheses and self.parentheses[-1][1])

    def open_brace(self, at: int) -> None:
        if (self.depth or self.function is not None) and not (self.prose and self.aggregate >= 0):
            self.depth += 1  # In prose, what has a function in it is no type and no list of values.
            return
        before = self.text[max(self.chunk, at - 100) : at].rstrip()
        if before.endswith('"C"') and before[:-3].rstrip().endswith("extern"):
            self.linkages += 1
            start = self.text.rfind("extern", 0, at)
            self.add_junk(start)
            self.pieces.append(Piece("linkage", start, at + 1))
            self.begin_piece(at + 1)
        elif (found := self.find_definition(at)) is not None:
            self.add_junk(found.start)
            self.function, self.aggregate = found, -1
            self.depth = 1
        elif self.depth or not self.prose or _is_aggregate_head(before):
            self.aggregate = self.aggregate if self.depth else at
            self.depth += 1

    def close_brace(self, at: int) -> None:
        if self.depth:
            self.depth -= 1
            if self.depth == 0 and self.function is not None:
                self.end_function(at + 1)
        elif self.linkages:
            self.linkages -= 1
            self.add_junk(at)
            self.pieces.append(Piece("linkage", at, at + 1))
            self.begin_piece(at + 1)

    def end_function(self, end: int, is_open: bool = False) -> None:
        f = self.function
        assert f is not None  # The callers have looked that there is one.
        self.pieces.append(
            Piece(f.kind, f.start, end, f.names, f.head, f.brace, f.params, is_open, bool(self.conditions))
        )
        self.function = None
        self.begin_piece(end)

    def begin_piece(self, at: int) -> None:
        self.chunk, self.group, self.aggregate = at, None, -1
        self.parentheses.clear()

    # -- functions ----------------------------------------------------------------------------------------------

    def find_definition(self, at: int) -> Piece | None:
        """Find the function whose body begins at a brace, if one does."""
        if self.group is None or self.group[0] < self.chunk:
            return None
        start, end = self.group
        if at - end > MAX_HEAD:
            return None
        between = self.blank_out(end + 1, at).strip()
        if between and not between.startswith(_ATTRIBUTE_WORDS) and (self.prose or not _OLD_STYLE.fullmatch(between)):
            return None
        window = max(self.chunk, start - MAX_HEAD)
        name = _NAME_AT_END.search(self.text[max(window, start - 200) : start])
        if name is None or name[1] in KEYWORDS or name[1] in TYPE_WORDS:
            return None
        head = max(window, start - 200) + name.start(1)
        begin = _find_start(self.text, window, head, needs_type=self.prose and name[1] != "main")
        if begin is None:
            return None
        return Piece("function", begin, at, (name[1],), head, at, self.blank_out(start + 1, end))

    # -- declarations -------------------------------------------------------------------------------------------

    def take_semicolon(self, at: int) -> None:
        if _is_blank(self.blank_out(self.chunk, at)):
            self.begin_piece(at + 1)
            return
        if not self.prose:
            if self.is_old_style(at):
                return
            self.declare(self.chunk, at + 1)
        else:
            known = self.aggregate if self.aggregate >= 0 else self.group[0] if self.group else at
            start = max(self.chunk, self.text.rfind("\n", 0, known) + 1)
            if _C_DECLARATION.match(self.text[start : at + 1][:MAX_HEAD]):
                self.declare(start, at + 1)
        self.begin_piece(at + 1)

    def is_old_style(self, at: int) -> bool:
        """Whether declarations behind parentheses are a function's parameters: `double f(x) double x; { ... }`."""
        if self.group is None or self.aggregate >= 0 or at - self.group[1] > MAX_HEAD:
            return False
        between = self.blank_out(self.group[1] + 1, at).strip()
        return between[:1].isalpha() and _OLD_STYLE.fullmatch(between + ";") is not None

    def declare(self, start: int, end: int, is_open: bool = False) -> None:
        bare = self.blank_out(start, end)
        is_prototype = self.group is not None and self.aggregate < 0 and "=" not in bare
        kind = "prototype" if is_prototype else "declaration"
        names = _find_prototype_names(bare) if is_prototype else _find_declared_names(bare)
        self.pieces.append(Piece(kind, start, end, names, is_open=is_open, is_conditional=bool(self.conditions)))

    # -- ends and blanks ----------------------------------------------------------------------------------------

    def add_junk(self, end: int) -> None:
        """Add as junk what stands between two pieces and is more than comments."""
        if not _is_blank(self.blank_out(self.chunk, end)):
            self.pieces.append(Piece("junk", self.chunk, end))

    def finish(self) -> None:
        end = len(self.text)
        if self.function is not None:
            self.end_function(end, is_open=True)
        elif self.depth and self.aggregate >= 0:
            self.declare(self.chunk, end, is_open=True)
        else:
            self.add_junk(end)

    def blank_out(self, start: int, end: int) -> str:
        """Blank the comments and literals in a part of the text."""
        first = len(self.blanks)
        while first and self.blanks[first - 1][1] > start:
            first -= 1
        return _blank(self.text, start, end, self.blanks[first:])

    def blank_all(self) -> str:
        return _blank(self.text, 0, len(self.text), self.blanks)


def _is_aggregate_head(before: str) -> bool:
    """Whether a brace behind a text begins a type or a list of values."""
    last = before[-1:]
    return last in ("=", "]") or ((last.isalnum() or last == "_") and _TAG_AT_END.search(before) is not None)


def _blank(text: str, start: int, end: int, blanks: list[tuple[int, int]]) -> str:
    parts, position = [], start
    for left, right in blanks:
        if right <= position or left >= end:
            continue
        parts.append(text[position:left])
        left, right = max(left, position), min(right, end)
        parts.append(_hide(text[left:right]))
        position = right
    return "".join(parts) + text[position:end]


def _hide(hidden: str) -> str:
    return "\n".join(" " * len(line) for line in hidden.split("\n"))


def _is_blank(bare: str) -> bool:
    return not bare.strip()


def _find_prototype_names(bare: str) -> tuple[str, ...]:
    found = (m[1] for m in _CALL.finditer(bare) if m[1] not in _ATTRIBUTE_WORDS and m[1] not in TYPE_WORDS)
    return tuple(found)[:1]


def _find_declared_names(bare: str) -> tuple[str, ...]:
    """Find what a declaration declares; tags, enumerators and fields are among them, which does no harm."""
    names = [m[1] for m in _TAGGED.finditer(bare)] + [m[1] for m in _DECLARED.finditer(bare)]
    return tuple(n for n in dict.fromkeys(names) if n not in TYPE_WORDS)


_WORD_AT_END: Final = re.compile(r"[A-Za-z_]\w*+$")
_ATTRIBUTE_AT_END: Final = re.compile(r"(?:__attribute__|__attribute|__declspec)\s*\([^{};]*\)$|\[\[[^\[\]]*\]\]$")


def _find_start(text: str, low: int, head: int, *, needs_type: bool) -> int | None:
    """Find where the declaration of the name at `head` begins: as far back as the words are those of a type."""
    start, typed = head, False
    while True:
        before = text[low:start]
        kept = before.rstrip(" \t\n\r\f\v*")
        if "\n\n" in before[len(kept) :].replace(" ", "") and start != head:
            break
        if kept.endswith('"C"') and kept[:-3].rstrip().endswith("extern"):
            start = low + kept.rindex("extern")
            continue
        attribute = _ATTRIBUTE_AT_END.search(kept)
        if attribute is not None:
            start = low + attribute.start()
            continue
        word = _WORD_AT_END.search(kept)
        if word is None or not _is_type_word(word[0], kept[: word.start()], typed):
            break
        typed = True
        start = low + word.start()
    return start if typed or (not needs_type and _is_line_start(text[low:start])) else None


def _is_type_word(word: str, before: str, typed: bool) -> bool:
    if word in _NOT_TYPES:
        return False
    if word in TYPE_WORDS or word.endswith("_t"):
        return True
    tag = _WORD_AT_END.search(before.rstrip())
    if tag is not None and tag[0] in _TAG_WORDS:
        return True
    # A lone word at the start of a line, or behind `static` and the like, may be the name of a typedef.
    behind_type = tag is not None and tag[0] in TYPE_WORDS
    return not typed and (_is_line_start(before) or behind_type)


def _is_line_start(before: str) -> bool:
    return before.rpartition("\n")[2].strip(" \t>`*") == ""
