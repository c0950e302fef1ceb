"""Text without comments and macros <-> pycparser's syntax tree, and what the tree says about types.

In: code that `text` has read. Out: a tree, or one diagnostic; and the canonical C printed back from a tree.
Printing is made safe here: pycparser prints `if (a) if (b) x; else y;` with the `else` on the wrong `if`,
so every controlled statement gets braces first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from pycparser import c_ast, c_generator
from pycparser.c_parser import CParser, ParseError

from symbiont_jit.c import vocabulary
from symbiont_jit.errors import Diagnostic, Stage

__all__ = [
    "first_position",
    "function_named",
    "is_redundant_typedef",
    "parse",
    "position",
    "print_tree",
    "resolve_element",
    "resolve_scalar",
    "walk",
]

#: The name pycparser gives the candidate's own lines, to tell them from the types declared before them.
FILE: Final = "candidate.c"
#: Tokens that the parser may read again; ordinary code of the greatest length stays far below.
MAX_REREAD: Final = 200_000
TOO_DEEP: Final = Diagnostic(
    Stage.PARSE, "too-deep", "the code is nested too deeply to be read; use helper functions or shorter expressions"
)


def parse(code: str) -> c_ast.FileAST | Diagnostic:
    """The syntax tree of the candidate alone, or why there is none."""
    names = [name for name in vocabulary.TYPEDEFS if name in code]
    declared = f"typedef int {', '.join(names)};\n" if names else ""  # one declaration: they cost time
    try:
        tree = _Parser().parse(f'{declared}# 1 "{FILE}"\n{code}', FILE)
    except ParseError as error:
        return _parse_diagnostic(str(error))
    except RecursionError:
        return TOO_DEEP
    except (ValueError, AssertionError, IndexError, AttributeError, KeyError, TypeError) as error:
        # pycparser is not ours and the text is hostile: whatever breaks inside it is a finding about the text.
        return Diagnostic(Stage.PARSE, "syntax", f"the parser cannot read this text ({type(error).__name__})")
    tree.ext = tree.ext[len(names) :]
    return tree


class _Parser(CParser):  # type: ignore[misc]  # pycparser has no type information
    """pycparser's parser, with a position in every error and an end to its backtracking."""

    _reread = 0

    def _parse_error(self, msg: str, coord: Any) -> NoReturn:
        if isinstance(coord, str):  # only a file's name: the next token is where it is
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


def _parse_diagnostic(message: str) -> Diagnostic:
    match = re.match(r"^(?:[^:\n]*:(?P<line>\d+):(?:(?P<column>\d+):?)?\s*)?(?P<text>.*)$", message, re.DOTALL)
    assert match is not None  # every part of the pattern is optional
    text = match["text"].strip().removeprefix(f"{FILE}: ") or "syntax error"
    if text.startswith("before: "):
        text = f"syntax error before '{text.removeprefix('before: ')[:60]}'"
    return Diagnostic(Stage.PARSE, "syntax", text[:300], int(match["line"] or 0), int(match["column"] or 0))


def position(node: c_ast.Node | None) -> tuple[int, int]:
    """Line and column of a node, from 1; zeros where the parser kept none."""
    coord = getattr(node, "coord", None)
    return (0, 0) if coord is None else (coord.line or 0, coord.column or 0)


def walk(node: c_ast.Node) -> Iterator[c_ast.Node]:
    """The node and all below it, in source order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(child for _, child in reversed(current.children()))


def first_position(node: c_ast.Node) -> tuple[int, int]:
    """The position of the first node of a subtree that has one; zeros where none has."""
    return next((p for n in walk(node) if (p := position(n)) != (0, 0)), (0, 0))


def function_named(tree: c_ast.FileAST, name: str) -> c_ast.FuncDef | None:
    """The definition of a function, or None."""
    for node in tree.ext:
        if isinstance(node, c_ast.FuncDef) and node.decl.name == name:
            return node
    return None


def print_tree(tree: c_ast.Node) -> str:
    """C text of a tree; parsing it again gives the same tree."""
    text: str = _Printer(reduce_parentheses=True).visit(tree)
    lines = (line.rstrip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line) + "\n"


def brace(tree: c_ast.Node) -> None:
    """Give every controlled statement braces, in place; an `else if` chain stays one."""
    for node in walk(tree):
        match node:
            case c_ast.If():
                node.iftrue = _compound(node.iftrue)
                if node.iffalse is not None and not isinstance(node.iffalse, c_ast.If):
                    node.iffalse = _compound(node.iffalse)
            case c_ast.For() | c_ast.While() | c_ast.DoWhile() | c_ast.Switch():
                node.stmt = _compound(node.stmt)


def spell_lengths(tree: c_ast.Node) -> None:
    """Write a length that begins with `*` as a subscript, in place: pycparser reads `[*` as an array of any length."""
    for node in walk(tree):
        if isinstance(node, c_ast.ArrayDecl) and node.dim is not None:
            node.dim = _without_star(node.dim)


def _without_star(node: Any) -> Any:
    """An expression whose text begins with no `*`, with the same value."""
    first = {c_ast.BinaryOp: "left", c_ast.TernaryOp: "cond"}.get(type(node))
    if first is not None:
        setattr(node, first, _without_star(getattr(node, first)))
    if isinstance(node, c_ast.UnaryOp) and node.op == "*":
        return c_ast.ArrayRef(node.expr, c_ast.Constant("int", "0", node.coord), node.coord)
    return node


def _compound(statement: c_ast.Node) -> c_ast.Compound:
    if isinstance(statement, c_ast.Compound):
        return statement
    return c_ast.Compound([statement], statement.coord)


class _Printer(c_generator.CGenerator):  # type: ignore[misc]  # pycparser has no type information
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


_COMPLEX: Final = ({"float", "_Complex"}, {"double", "_Complex"})
_WORDS_OF_INTEGERS: Final = {"char", "short", "int", "long", "signed", "unsigned"}


def resolve_scalar(names: Sequence[str], typedefs: Mapping[str, c_ast.Node]) -> str | None:
    """The exact type behind the words of a scalar type: `int64_t`, `double _Complex`, `bool`; None for others."""
    if len(names) == 1 and names[0] in typedefs:
        return _resolve_typedef(typedefs[names[0]], typedefs)
    if len(names) == 1 and names[0] in vocabulary.TYPEDEFS:
        return resolve_scalar(vocabulary.TYPEDEFS[names[0]].split(), {})
    if len(names) == 1 and names[0] in ("float", "double", "void", "char"):
        return names[0]
    if list(names) == ["_Bool"]:
        return "bool"
    if len(names) == 2 and set(names) in _COMPLEX:
        return " ".join(sorted(names, reverse=True))
    if not set(names) <= _WORDS_OF_INTEGERS:
        return None
    width = 8 if "char" in names else 16 if "short" in names else 64 if "long" in names else 32
    return f"{'u' if 'unsigned' in names else ''}int{width}_t"


def resolve_element(node: Any, typedefs: Mapping[str, c_ast.Node]) -> str | None:
    """The same of a declarator that is neither pointer nor array; a struct is `struct name`.

    `char` is `int8_t`, as clang is told: it has a sign on every machine.
    """
    if not isinstance(node, c_ast.TypeDecl):
        return None
    if isinstance(node.type, c_ast.Struct):
        return f"struct {node.type.name}" if node.type.name else None
    if not isinstance(node.type, c_ast.IdentifierType):
        return None
    names = node.type.names
    if len(names) == 1 and names[0] in typedefs:
        return resolve_element(typedefs[names[0]], typedefs)
    exact = resolve_scalar(names, typedefs)
    return "int8_t" if exact == "char" else exact


def _resolve_typedef(type_node: Any, typedefs: Mapping[str, c_ast.Node]) -> str | None:
    if isinstance(type_node, c_ast.TypeDecl) and isinstance(type_node.type, c_ast.IdentifierType):
        return resolve_scalar(type_node.type.names, typedefs)
    return None


def is_redundant_typedef(node: Any) -> bool:
    """Whether a node declares a standard type's name once more, as the type it is."""
    if not isinstance(node, c_ast.Typedef) or node.name not in vocabulary.TYPEDEFS:
        return False
    inner = getattr(node.type, "type", None)
    names = inner.names if isinstance(inner, c_ast.IdentifierType) and not node.quals and not node.type.quals else []
    return resolve_scalar(names, {}) == resolve_scalar([node.name], {})
