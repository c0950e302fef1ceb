"""C text <-> pycparser's syntax tree: parse, print, walk, and the positions that nodes have.

In: C without comments and macros. Out: a tree, or one diagnostic; and C printed back from a tree, with the positions
of the tokens that it was made of.
Printing is made safe here: pycparser prints `if (a) if (b) x; else y;` with the `else` on the wrong `if`,
so every controlled statement gets braces first.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final, NoReturn

from pycparser import c_ast, c_generator
from pycparser.c_lexer import CLexer
from pycparser.c_parser import Coord, CParser, ParseError

from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Stage

__all__ = [
    "FILE",
    "TOO_DEEP",
    "Printed",
    "brace",
    "first_position",
    "find_function",
    "has_effects",
    "move_positions",
    "normalise",
    "parse",
    "position",
    "print_tree",
    "print_with_positions",
    "BlockTooLong",
    "walk",
]

#: The name pycparser gives the candidate's own lines, to tell them from the types declared before them.
FILE: Final = "candidate.c"
#: How many tokens the parser may read again; ordinary code of the greatest length stays far below.
MAX_REREAD: Final = 200_000
#: How many visits to nodes that several names share cost nothing worth mentioning.
FEW_VISITS: Final = 40_000
TOO_DEEP: Final = Diagnostic(
    Stage.PARSE, "too-deep", "the code is nested too deeply to be read; use helper functions or shorter expressions"
)


def parse(code: str, *, with_complex: bool = False) -> c_ast.FileAST | Diagnostic:
    """Parse the text of a candidate into a tree, or say why there is none.

    `with_complex` says that `complex` is a word of C, as with <complex.h>; the tree has `_Complex` in its place.
    """
    names = [name for name in vocabulary.TYPEDEFS if name in code]
    # All names are in one declaration, because each declaration costs time.
    declared = f"typedef int {', '.join(names)};\n" if names else ""
    parser = _Parser(lexer=_ComplexLexer if with_complex else CLexer)
    try:
        tree = parser.parse(f'{declared}# 1 "{FILE}"\n{code}', FILE)
    except ParseError as error:
        found = _parse_diagnostic(str(error))
        # The end of the text has no position for the parser.
        return found if found.line else replace(found, line=len(code.rstrip().splitlines()) or 1)
    except RecursionError:
        line, column = parser.place()
        return replace(TOO_DEEP, line=line, column=column)
    except (ValueError, AssertionError, IndexError, AttributeError, KeyError, TypeError) as error:
        # pycparser is not ours and the text is hostile: whatever breaks inside it is a finding about the text.
        return Diagnostic(Stage.PARSE, "syntax", f"the parser cannot read this text ({type(error).__name__})")
    tree.ext = tree.ext[len(names) :]
    return _find_repetition(tree, len(code)) or tree


def _find_repetition(tree: c_ast.FileAST, length: int) -> Diagnostic | None:
    """Find a list of names that share a struct or enum: everybody who walks the tree visits it once for each name.

    A text has no more nodes than characters: more visits than these, and some, are visits to nodes that are shared.
    """
    most = 2 * length + FEW_VISITS
    last = next(itertools.islice(walk(tree), most, None), None)
    if last is None:
        return None
    return Diagnostic(
        Stage.PARSE,
        "too-large",
        "a struct or enum with many members is declared together with many names; declare it first, and the names "
        "behind it by its tag",
        *first_position(last),
    )


class _Parser(CParser):  # type: ignore[misc]  # pycparser has no type information
    """pycparser's parser, with a position in every error and an end to its backtracking."""

    _reread = 0

    def place(self) -> tuple[int, int]:
        """Return the line and column of the next token, as far as they are known."""
        with contextlib.suppress(Exception):  # The parser was left in the middle of its work.
            coord = self._tok_coord(self._peek())
            return coord.line or 0, coord.column or 0
        return 0, 0

    def _parse_error(self, msg: str, coord: Any) -> NoReturn:
        if isinstance(coord, str):  # The parser gives only a file's name here, so the error is at the next token.
            token = self._peek()
            coord = coord if token is None else self._tok_coord(token)
        super()._parse_error(msg, coord)
        raise AssertionError("not reached")

    def _reset(self, mark: int) -> None:
        # Each level of a compound literal's type is read twice: twenty levels are a million readings.
        self._reread += self._mark() - mark
        if self._reread > MAX_REREAD:
            raise RecursionError
        super()._reset(mark)


class _ComplexLexer(CLexer):  # type: ignore[misc]  # pycparser has no type information
    """pycparser's lexer, to which `complex` is the keyword that <complex.h> makes of it: columns stay as they are."""

    def token(self) -> Any:
        token = super().token()
        if token is not None and token.value == "complex" and token.type == "ID":
            token.type, token.value = "_COMPLEX", "_Complex"
        return token


def _parse_diagnostic(message: str) -> Diagnostic:
    match = re.match(r"^(?:[^:\n]*:(?P<line>\d+):(?:(?P<column>\d+):?)?\s*)?(?P<text>.*)$", message, re.DOTALL)
    assert match is not None  # The pattern matches every text, because all its parts are optional.
    text = match["text"].strip().removeprefix(f"{FILE}: ") or "syntax error"
    if text.startswith("before: "):
        text = f"syntax error before '{text.removeprefix('before: ')[:60]}'"
    return Diagnostic(Stage.PARSE, "syntax", text[:300], int(match["line"] or 0), int(match["column"] or 0))


def position(node: c_ast.Node | None) -> tuple[int, int]:
    """Return the line and column of a node, from 1; zeros where the parser kept none."""
    coord = getattr(node, "coord", None)
    return (0, 0) if coord is None else (coord.line or 0, coord.column or 0)


def has_effects(node: Any) -> bool:
    """Whether evaluating an expression may do something besides giving a value."""
    return any(
        isinstance(part, c_ast.Assignment | c_ast.FuncCall)
        or (isinstance(part, c_ast.UnaryOp) and part.op in ("++", "--", "p++", "p--"))
        for part in walk(node)
    )


def walk(node: c_ast.Node) -> Iterator[c_ast.Node]:
    """Yield the node and all below it, in source order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend([*current][::-1])  # A node iterates over its children.


def move_positions(tree: c_ast.Node, move: Callable[[int, int], tuple[int, int]]) -> None:
    """Give every node the position that `move` makes of its line and column, in place."""
    # Nodes share positions, and each is moved once; the table holds them, so that their identities stay.
    moved: dict[int, Any] = {}
    for node in walk(tree):
        coord = node.coord
        if coord is not None and id(coord) not in moved:
            moved[id(coord)] = coord
            coord.line, coord.column = move(coord.line or 0, coord.column or 0)


def first_position(node: c_ast.Node) -> tuple[int, int]:
    """Return the position of the first node of a subtree that has one; zeros where none has."""
    return next((p for n in walk(node) if (p := position(n)) != (0, 0)), (0, 0))


def find_function(tree: c_ast.FileAST, name: str) -> c_ast.FuncDef | None:
    """Return the definition of a function; None where the tree has none."""
    for node in tree.ext:
        if isinstance(node, c_ast.FuncDef) and node.decl.name == name:
            return node
    return None


def print_tree(tree: c_ast.Node) -> str:
    """Print a tree as C text that parses into the same tree."""
    text: str = CPrinter(reduce_parentheses=True).visit(tree)
    return _drop_empty_lines(text)


def _drop_empty_lines(text: str) -> str:
    lines = (line.rstrip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line) + "\n"


@dataclass(frozen=True, slots=True)
class Printed:
    """C text of a tree, and where its words come from.

    `offsets` are places in `text` where a word of the tree begins, in ascending order; `lines` and `columns` are the
    positions that the nodes of these words have. Words of nodes without a position are not among them.
    """

    text: str
    offsets: array[int]
    lines: array[int]
    columns: array[int]


class BlockTooLong(Exception):  # noqa: N818  an answer, not an error of anybody's
    """Raised where a tree is printed that has more characters than somebody wants."""


def print_with_positions(tree: c_ast.Node, most: int = sys.maxsize) -> Printed:
    """Print a tree as `print_tree` does, and return the positions that its nodes have in the text.

    The printer puts a private character before each word that has a position; one pass takes all of them out again.

    Raises:
        BlockTooLong: The statements of a block have more than `most` characters. What is nested a hundred blocks deep
            is printed with as many blanks in front of each line, so a text can become a hundred times as long.
    """
    printer = _MarkingPrinter(most)
    marked = _drop_empty_lines(printer.visit(tree))
    first, *pieces = _MARK.split(marked)
    coords = [printer.coords[ord(mark) - _FIRST_MARK] for mark in _MARK.findall(marked)]
    return Printed(
        first + "".join(pieces),
        array("I", list(accumulate(map(len, pieces), initial=len(first)))[: len(pieces)]),
        array("I", [coord.line or 0 for coord in coords]),
        array("I", [coord.column or 0 for coord in coords]),
    )


#: Marks are characters for private use, which no candidate can have: its text is ASCII when it is parsed.
_FIRST_MARK: Final = 0xF0000
_MARK_COUNT: Final = 0x110000 - _FIRST_MARK
_MARK: Final = re.compile("[\U000f0000-\U0010ffff]")


def brace(tree: c_ast.Node) -> None:
    """Give every controlled statement braces, in place; an `else if` chain stays one."""
    _change_nodes(tree, _BRACES)


def normalise(tree: c_ast.Node) -> None:
    """Give every controlled statement braces, and spell each length so that it can be read again, in place."""
    _change_nodes(tree, {**_BRACES, c_ast.ArrayDecl: _spell_length})


def _change_nodes(tree: c_ast.Node, changes: Mapping[type, Callable[[Any], None]]) -> None:
    for node in walk(tree):
        change = changes.get(type(node))
        if change is not None:
            change(node)


def _brace_branches(node: Any) -> None:
    node.iftrue = _compound(node.iftrue)
    if node.iffalse is not None and not isinstance(node.iffalse, c_ast.If):
        node.iffalse = _compound(node.iffalse)


def _brace_body(node: Any) -> None:
    node.stmt = _compound(node.stmt)


_BRACES: Final[Mapping[type, Callable[[Any], None]]] = {
    c_ast.If: _brace_branches,
    **dict.fromkeys((c_ast.For, c_ast.While, c_ast.DoWhile, c_ast.Switch), _brace_body),
}


def _spell_length(node: Any) -> None:
    """Write a length that begins with `*` as a subscript: pycparser reads `[*` as an array of any length."""
    if node.dim is not None:
        node.dim = _drop_star(node.dim)


def _drop_star(node: Any) -> Any:
    """Return an expression of the same value whose text does not begin with `*`."""
    first = {c_ast.BinaryOp: "left", c_ast.TernaryOp: "cond"}.get(type(node))
    if first is not None:
        setattr(node, first, _drop_star(getattr(node, first)))
    if isinstance(node, c_ast.UnaryOp) and node.op == "*":
        return c_ast.ArrayRef(node.expr, c_ast.Constant("int", "0", node.coord), node.coord)
    return node


def _compound(statement: c_ast.Node) -> c_ast.Compound:
    if isinstance(statement, c_ast.Compound):
        return statement
    return c_ast.Compound([statement], statement.coord)


class CPrinter(c_generator.CGenerator):  # type: ignore[misc]  # pycparser has no type information
    """pycparser's printer, with each `else if` on the line of its `else` and braces where they open."""

    def visit_If(self, n: c_ast.If) -> str:
        text = f"if ({self.visit(n.cond)})\n{self._generate_stmt(n.iftrue, add_indent=True)}"
        if isinstance(n.iffalse, c_ast.If):
            return f"{text}{self._make_indent()}else {self.visit(n.iffalse)}"
        if n.iffalse is not None:
            text += f"{self._make_indent()}else\n{self._generate_stmt(n.iffalse, add_indent=True)}"
        return text

    def visit_Assignment(self, n: c_ast.Assignment) -> str:
        # `(x = y) = 3` is not C; without its parentheses it would be.
        target = self.visit(n.lvalue)
        if not isinstance(n.lvalue, c_ast.ID | c_ast.ArrayRef | c_ast.StructRef | c_ast.UnaryOp):
            target = f"({target})"
        value = self._parenthesize_if(n.rvalue, lambda v: isinstance(v, c_ast.Assignment))
        return f"{target} {n.op} {value}"

    def visit_EmptyStatement(self, n: c_ast.EmptyStatement) -> str:
        return ";"


class _MarkingPrinter(CPrinter):
    """A printer that puts a mark before the words of nodes that have a position: names, literals, types, keywords."""

    def __init__(self, most: int) -> None:
        super().__init__(reduce_parentheses=True)
        self.coords: list[Coord] = []
        self._most, self._size = most, 0

    def _generate_body(self, nodes: list[c_ast.Node], add_indent: bool = False) -> str:
        outside, self._size = self._size, 0
        text: str = super()._generate_body(nodes, add_indent)
        self._size = outside
        return text

    def _generate_stmt(self, n: c_ast.Node, add_indent: bool = False) -> str:
        text: str = super()._generate_stmt(n, add_indent)
        self._size += len(text)
        if self._size > self._most:
            raise BlockTooLong
        return text

    def _mark(self, node: c_ast.Node) -> str:
        number = len(self.coords)
        if node.coord is None or number >= _MARK_COUNT:  # A text of so many words is too long to be accepted.
            return ""
        self.coords.append(node.coord)
        return chr(_FIRST_MARK + number)

    def visit(self, node: c_ast.Node) -> str:
        kind = type(node).__name__
        visit: Any = getattr(self, f"visit_{kind}", self.generic_visit)
        return f"{self._mark(node) if kind in _BEGIN_AT_POSITION else ''}{visit(node)}"

    def _generate_struct_union_enum(self, n: Any, name: str) -> str:
        text: str = super()._generate_struct_union_enum(n, name)
        if name == "enum":
            return text
        start = len(name) + 1 if n.name else text.find("{")  # A struct has the position of its tag, or of its brace.
        return f"{text[:start]}{self._mark(n)}{text[start:]}"

    def visit_Pragma(self, n: c_ast.Pragma) -> str:
        return f"#pragma {self._mark(n)}{n.string}"

    def visit_Enumerator(self, n: c_ast.Enumerator) -> str:
        indent = len(self._make_indent())
        text = super().visit_Enumerator(n)
        return f"{text[:indent]}{self._mark(n)}{text[indent:]}"

    def _generate_type(self, n: Any, modifiers: Any = None, emit_declname: bool = True, **options: Any) -> str:
        if isinstance(n, c_ast.TypeDecl) and n.declname and emit_declname:
            # The name stands in the midst of its declarator: a declarator of a marked name takes it there.
            n = c_ast.TypeDecl(f"{self._mark(n)}{n.declname}", n.quals, n.align, n.type, attributes=n.attributes)
        text: str = super()._generate_type(n, modifiers, emit_declname, **options)
        return text


#: The nodes that are printed beginning with the word that their position is of.
_BEGIN_AT_POSITION: Final = frozenset(
    "ID Constant IdentifierType Enum If For While DoWhile Switch Case Default Return Break Continue Goto Label".split()
)
