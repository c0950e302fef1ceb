"""Proposed text -> text that pycparser can read, with every character still on its own line and column.

In: what somebody proposed, as text or bytes, of any size and content. Out: C without comments, includes and
macros, or diagnostics. Macros and conditionals are left to a preprocessor that is passed in; it sees the text only
after every directive in it was found in the tables here. Refuses whatever is no plain C text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.tree import move_positions, parse
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.frontend.source_map import SPLICE, CodeLines, Expansion, mark_words

__all__ = ["Preprocess", "SourceText", "canonical_problems", "is_allowed_pragma", "locate", "read_text"]

#: The most bytes of a text: reading and checking take about 3 ms a KiB, and everything has to answer within a second.
MAX_BYTES: Final = 100_000
#: The deepest nesting of brackets: clang's own limit is 256, and pycparser's descent takes a dozen frames a level.
MAX_NESTING: Final = 100
MAX_FINDINGS: Final = 200
MAX_LITERAL: Final = 4000

#: A preprocessor takes texts with directives; it gives each one expanded, every line at its number, or its findings.
Preprocess = Callable[..., "list[str | list[Diagnostic]]"]


@dataclass(frozen=True, slots=True)
class SourceText:
    """`original` is what was proposed, decoded; `code` is what is parsed; `diagnostics` is empty or all findings.

    With findings, `code` is what can still be looked at for more of them, or empty. `lines` say where the code's lines
    come from; without them, every character stands where the author put it.
    """

    original: str
    code: str
    diagnostics: tuple[Diagnostic, ...] = ()
    lines: CodeLines | None = None

    @property
    def includes_complex(self) -> bool:
        """Whether <complex.h> is included, which makes `complex` and `I` words."""
        return re.search(r"#[ \t]*include[ \t]*<complex\.h>", self.original) is not None

    def parse(self, *, with_complex: bool) -> c_ast.FileAST | Diagnostic:
        """Parse the code, or say why it cannot be parsed; positions are those of the author's text.

        `with_complex` says that `complex` is the word that <complex.h> defines.
        """
        tree = parse(self.code, with_complex=with_complex)
        if self.lines is None:
            return tree
        if isinstance(tree, Diagnostic):
            return _move(tree, self.lines)
        move_positions(tree, self.lines.author_position)
        return tree


def read_text(proposed: str | bytes, preprocess: Preprocess) -> SourceText:
    """Read the code in a proposed text, or say what keeps it from being read."""
    original, problem = _decode(proposed)
    if problem is not None:
        return SourceText(original, "", (problem,))
    code, problems = _blank_comments(_join_spliced(original))
    problems += _foreign_characters(code) + _fences(code)
    code, needs_preprocessor, found = _directives(code)
    bare = _blank_literals(code)
    problems += found + _forbidden_words(bare)
    problems += _environment_names(bare) if needs_preprocessor else _plain_problems(code, bare)
    lines = CodeLines(original)
    if problems:
        readable = all(problem.stage is Stage.CHECK for problem in problems) and not needs_preprocessor
        return _report(original, code if readable else "", problems, lines)
    if not needs_preprocessor:
        return _report(original, code, [], lines)
    marked = mark_words(code)
    expanded, *others = preprocess(code, *(each.text for each in marked))
    if not isinstance(expanded, str):
        return _report(original, "", expanded, lines)
    problems = _expansion_problems(expanded)
    origins = (
        m.find_origins(expanded, other) for m, other in zip(marked, others, strict=True) if isinstance(other, str)
    )
    expansion = Expansion(expanded, next(filter(None, origins), []))
    return _report(original, "" if problems else expanded, problems, CodeLines(original, expansion))


def _report(original: str, code: str, problems: list[Diagnostic], lines: CodeLines) -> SourceText:
    """Return the outcome of reading, with the findings at their places in the author's text and in its order."""
    if lines.is_straight:
        return SourceText(original, code, _limit_findings(problems))
    return SourceText(original, code, _limit_findings([_move(problem, lines) for problem in problems]), lines)


def _move(problem: Diagnostic, lines: CodeLines) -> Diagnostic:
    line, column = lines.author_position(problem.line, problem.column)
    return replace(problem, line=line, column=column)


def _limit_findings(problems: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(problems, key=lambda d: (d.line, d.column))[:MAX_FINDINGS])


def _expansion_problems(expanded: str) -> list[Diagnostic]:
    """Find what a text breaks once its macros are expanded: it keeps the rules for text that was written out."""
    if len(expanded) > MAX_BYTES:
        message = f"the text grows past {MAX_BYTES:,} characters when its macros are expanded; use functions instead"
        return [Diagnostic(Stage.PREPROCESS, "too-large", message)]
    bare = _blank_literals(expanded)
    return _directives(expanded)[2] + _forbidden_words(bare) + _plain_problems(expanded, bare)


def _plain_problems(code: str, bare: str) -> list[Diagnostic]:
    """Find what keeps a text from the parser: open literals, directives inside lines, deep nesting."""
    return _open_literals(code) + _stray_marks(bare) + _nesting(bare) or _open_brackets(bare)


def _decode(proposed: str | bytes) -> tuple[str, Diagnostic | None]:
    """Decode a text to Unix line ends, unless it is too large or no text at all."""
    if len(proposed) > MAX_BYTES:
        shown = proposed[:2000]
        text = shown if isinstance(shown, str) else shown.decode("utf-8", "replace")
        message = f"the text has {len(proposed):,} characters; at most {MAX_BYTES:,} are read"
        return text, Diagnostic(Stage.READ, "too-large", message)
    if isinstance(proposed, str):
        text, problem = proposed, None
    else:
        text, problem = _decode_utf8(proposed)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    if problem is None and not text.strip():
        problem = Diagnostic(Stage.READ, "empty", "there is no text")
    return text, problem


def _decode_utf8(proposed: bytes) -> tuple[str, Diagnostic | None]:
    try:
        return proposed.decode("utf-8"), None
    except UnicodeDecodeError as error:
        before = proposed[: error.start].decode("utf-8", "replace")
        message = f"byte 0x{proposed[error.start]:02x} is not valid UTF-8"
        problem = Diagnostic(Stage.READ, "encoding", message, *locate(before, len(before)))
        return proposed.decode("utf-8", "replace"), problem


def locate(text: str, index: int) -> tuple[int, int]:
    """Return the line and column of a character, from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _join_spliced(text: str) -> str:
    r"""Join lines ending in `\` with their successors, and add as many empty lines, so that line numbers stay.

    C joins lines before it looks for comments and directives (C11 5.1.1.2), so this has to come first.
    """
    out: list[str] = []
    owed = 0
    *lines, last = text.split("\n")  # The last line has no successor to be joined with.
    for line in lines:
        joined = SPLICE.sub("", line)
        if joined != line:
            out.append(joined)
            owed += 1
        else:
            out.append(line + "\n" * (owed + 1))
            owed = 0
    return "".join(out) + last + "\n" * owed


# A literal that is not closed goes to the end of its line, a comment that is not closed to the end of the text: every
# character is looked at once.
_COMMENT_OR_LITERAL: Final = re.compile(
    r"""(?P<literal>"(?:\\.|[^"\\\n])*(?P<closed>")?|'(?:\\.|[^'\\\n])*(?P<shut>')?)"""
    r"""|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<open>/\*.*)""",
    re.DOTALL,
)


def _blank_comments(text: str) -> tuple[str, list[Diagnostic]]:
    """Replace comments by blanks of the same shape; quotes protect what stands in literals."""
    problems = []

    def blank(match: re.Match[str]) -> str:
        if match["literal"] is not None:
            return match[0]
        if match["open"] is not None:
            line, column = locate(text, match.start())
            problems.append(Diagnostic(Stage.READ, "comment", "this comment is never closed", line, column))
        return re.sub(r"[^\n]", " ", match[0])

    return _COMMENT_OR_LITERAL.sub(blank, text), problems


# A backslash outside of literals is no C either: lines are joined, and look-alikes (`\u0041`) are not wanted.
_FOREIGN: Final = re.compile(r"[^\t\n\f\v\x20-\x7e]")


def _foreign_characters(code: str) -> list[Diagnostic]:
    """Find characters besides printable ASCII: look-alikes, bidirectional marks and NUL bytes hide what is compiled."""
    found = [
        (match, f"the character U+{ord(match[0]):04X} may stand only in a comment; use plain ASCII")
        for match in _limit_matches(_FOREIGN.finditer(code))
    ]
    found += [
        (match, "a backslash may stand only in a literal or at the end of a line")
        for match in _limit_matches(re.finditer(r"\\", _blank_literals(code)))
    ]
    return [Diagnostic(Stage.READ, "character", text, *locate(code, match.start())) for match, text in found]


def _fences(code: str) -> list[Diagnostic]:
    """Find the first fence of a reply that was handed on as it came: the parser would only name the character."""
    message = "illegal character '`'; remove the Markdown fence (```), C alone is expected"
    found = re.search(r"^[ \t]*(```)", _blank_literals(code), re.MULTILINE)
    return [Diagnostic(Stage.PARSE, "syntax", message, *locate(code, found.start(1)))] if found else []


def _open_literals(code: str) -> list[Diagnostic]:
    """Find quotes that nothing closes on their line, or that hold too much."""
    return [
        Diagnostic(Stage.READ, "literal", problem, *locate(code, match.start()))
        for match in _COMMENT_OR_LITERAL.finditer(code)
        if match["literal"] is not None and (problem := _literal_problem(match)) is not None
    ][:MAX_FINDINGS]


def _literal_problem(match: re.Match[str]) -> str | None:
    if match["closed"] is None and match["shut"] is None:
        return "this quote is never closed on its line"
    # clang takes seconds over tens of thousands of escapes.
    return f"a literal has at most {MAX_LITERAL} characters" if len(match[0]) > MAX_LITERAL else None


def _stray_marks(bare: str) -> list[Diagnostic]:
    """Find each `#` inside a line: pycparser would take it for a line marker, clang for nothing."""
    return [
        Diagnostic(Stage.READ, "directive", "'#' may only begin a line", *locate(bare, match.start("mark")))
        for match in _limit_matches(re.finditer(r"^[ \t\f\v]*[^\s#][^\n#]*(?P<mark>#)", bare, re.MULTILINE))
    ]


def _limit_matches(matches: Iterator[re.Match[str]]) -> Iterator[re.Match[str]]:
    for _, match in zip(range(MAX_FINDINGS), matches, strict=False):
        yield match


# `%:` is `#` spelled as a digraph, `??=` as a trigraph.
_DIRECTIVE: Final = re.compile(r"^[ \t\f\v]*(?P<mark>#|%:|\?\?=)[ \t\f\v]*(?P<word>\w*)(?P<rest>[^\n]*)$", re.MULTILINE)
_CONDITIONALS: Final = frozenset("define undef if ifdef ifndef elif else endif error".split())
_PRAGMA: Final = re.compile("|".join(f"(?:{pattern})" for pattern in vocabulary.PRAGMAS.values()))
# These names look outside the text, or change with the day of the compilation.
_ENVIRONMENT: Final = re.compile(r"\b(?:__has_\w+|__(?:BASE_)?FILE\w*__|__DATE__|__TIME\w*__|__COUNTER__)")


def _directives(code: str) -> tuple[str, bool, list[Diagnostic]]:
    """Remove the includes, and say whether code needs a preprocessor and which directives no table has."""
    problems: list[Diagnostic] = []
    needs = False

    def judge(match: re.Match[str]) -> str:
        nonlocal needs
        word, rest = match["word"], match["rest"].strip()
        keep, problem = _judge_directive(match["mark"], word, rest)
        needs |= word in _CONDITIONALS
        if problem is not None:
            problems.append(Diagnostic(Stage.READ, *problem, *locate(code, match.start("mark"))))
        return match[0] if keep else " " * len(match[0])

    return _DIRECTIVE.sub(judge, code), needs, problems


_INCLUDE_ADVICE: Final = "what may be called is declared already, so remove the line"


def _environment_names(bare: str) -> list[Diagnostic]:
    """Find names that the preprocessor would replace by something that is not in the text."""
    return [
        Diagnostic(
            Stage.READ,
            "directive",
            f"'{match[0]}' depends on more than the text; remove it",
            *locate(bare, match.start()),
        )
        for match in _limit_matches(_ENVIRONMENT.finditer(bare))
    ]


def _judge_directive(mark: str, word: str, rest: str) -> tuple[bool, tuple[str, str] | None]:
    """Whether a directive stays in the text, and the rule and message it breaks."""
    if mark != "#":
        return True, ("directive", f"write directives with '#', not '{mark}'")
    if word == "include":
        header = re.fullmatch(r'<([^>]*)>|"([^"]*)"', rest)
        name = (header[1] or header[2]) if header else rest
        if name in vocabulary.HEADERS:
            return False, None
        return False, ("include", f"'#include {rest[:60]}' is not available; {_INCLUDE_ADVICE}")
    if word == "pragma":
        if is_allowed_pragma(rest):
            return True, None
        return True, ("pragma", f"'#pragma {rest[:60]}' is not allowed; allowed are: {', '.join(vocabulary.PRAGMAS)}")
    if word in _CONDITIONALS:
        return True, None
    if not word and not rest:
        return False, None
    return True, ("directive", f"the directive '#{word or rest[:20]}' is not allowed")


def is_allowed_pragma(text: str) -> bool:
    """Whether the words after `#pragma` are in the table."""
    return _PRAGMA.fullmatch(re.sub(r"\s+", " ", text.strip())) is not None


_WORDS: Final = re.compile(r"\b(?:__attribute__|__attribute|__declspec|_Pragma|__pragma|__asm__|__asm|asm)\b")
_WORD_RULES: Final = {
    "asm": ("assembler", "assembler is not allowed; write C"),
    "attribute": ("attribute", "attributes are not allowed; remove this one"),
    "declspec": ("attribute", "attributes are not allowed; remove this one"),
    "Pragma": ("pragma", "write '#pragma' on a line of its own instead"),
    "pragma": ("pragma", "write '#pragma' on a line of its own instead"),
}


def _forbidden_words(bare: str) -> list[Diagnostic]:
    """Find extensions that the parser would stumble over or mistake for a call, to name them before it does."""
    found = [
        Diagnostic(Stage.CHECK, *_WORD_RULES[match[0].strip("_")], *locate(bare, match.start()))
        for match in _limit_matches(_WORDS.finditer(bare))
    ]
    found += [
        Diagnostic(Stage.CHECK, "attribute", "attributes are not allowed; remove this one", *locate(bare, m.start()))
        for m in _limit_matches(re.finditer(r"\[\s*\[", bare))
    ]
    return found


def _blank_literals(code: str) -> str:
    """Blank the contents of comments and literals; the quotes of a literal stay, because it is an operand."""

    def blank(match: re.Match[str]) -> str:
        text = match[0]
        is_literal = text[0] in "\"'" and len(text) > 1
        return f"{text[0]}{' ' * (len(text) - 2)}{text[0]}" if is_literal else " " * len(text)

    return _COMMENT_OR_LITERAL.sub(blank, code)


_BRACKET: Final = re.compile(r"[([{]|[)\]}]")


def _nesting(bare: str) -> list[Diagnostic]:
    """Find brackets nested deeper than a recursive parser should follow, and declarators with endless suffixes."""
    depth, end = 0, -1
    # How many groups have followed each other so far, at each depth: `a[1][2]`, `f(int)(int)`.
    followed = [0] * (MAX_NESTING + 2)
    for match in _BRACKET.finditer(bare):
        if match[0] in "([{":
            depth += 1
            if depth > MAX_NESTING:
                message = f"brackets are nested deeper than {MAX_NESTING}; name intermediate results or use helpers"
                return [Diagnostic(Stage.READ, "too-deep", message, *locate(bare, match.start()))]
            followed[depth] = followed[depth] + 1 if end >= 0 and not bare[end : match.start()].strip() else 0
            if followed[depth] > MAX_SUFFIXES:
                message = f"more than {MAX_SUFFIXES} groups of brackets follow each other"
                return [Diagnostic(Stage.READ, "too-deep", message, *locate(bare, match.start()))]
            end = -1
        else:
            depth = max(depth - 1, 0)
            end = match.end() if match[0] != "}" else -1
    return []


def _open_brackets(bare: str) -> list[Diagnostic]:
    """Find the last bracket that is open at the end; of one that is closed by another kind the parser tells."""
    opened: list[int] = []
    for match in _BRACKET.finditer(bare):
        if match[0] in "([{":
            opened.append(match.start())
        elif not opened or bare[opened.pop()] + match[0] not in ("()", "[]", "{}"):
            return []
    if not opened:
        return []
    message = f"this '{bare[opened[-1]]}' is never closed"
    return [Diagnostic(Stage.READ, "bracket", message, *locate(bare, opened[-1]))]


#: The most suffixes of one declarator (arrays of arrays, ...): pycparser takes time squared in their number.
MAX_SUFFIXES: Final = 32


#: What is said of a text that is short as it was written, and long as it is printed.
TOO_LONG_PRINTED: Final = Diagnostic(
    Stage.READ, "too-large", f"the text has more than {MAX_BYTES:,} characters when printed"
)


def canonical_problems(printed: str) -> list[Diagnostic]:
    """Find what would keep canonical text from being read again: proposers are shown it and start from it."""
    if len(printed) > MAX_BYTES:
        return [TOO_LONG_PRINTED]
    return _nesting(_blank_literals(printed))
