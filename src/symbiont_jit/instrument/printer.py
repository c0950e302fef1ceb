"""Instrumented trees -> C text.

In: trees with the nodes of `nodes`. Out: text for the compiler. Every operator has its parentheses, so that nobody has
to know how tightly it binds; a statement expression stands on one line.
"""

# ruff: noqa: D102  visitors are called by the names of nodes, and print them

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import CPrinter
from symbiont_jit.instrument.nodes import Check, HeldLength, Hidden, SavedStack, StatementExpr

__all__ = ["Printer", "print_instrumented"]

#: Own nodes that are statements when a semicolon follows.
_STATEMENTS: Final = (Check, Hidden, SavedStack, StatementExpr)
#: Operators in front of an operand, which `Printer.visit_UnaryOp` prints without parentheses around the whole.
_PREFIXES: Final = frozenset({"&", "sizeof", "_Alignof"})


def print_instrumented(tree: c_ast.Node) -> str:
    """Print an instrumented tree as C text."""
    return Printer().print(tree)


class Printer(CPrinter):
    """The printer of canonical C, extended by the nodes of instrumented C.

    `length` keeps the text of what it measures, so that everything is printed once however often it is measured.
    """

    def __init__(self) -> None:
        super().__init__(reduce_parentheses=True)
        self._texts: dict[Any, str] = {}
        self._visitors: dict[type, Callable[[Any], str]] = {}

    def print(self, tree: c_ast.Node) -> str:
        """Print a whole tree as C text without blank lines."""
        lines = (line.rstrip() for line in self.visit(tree).split("\n"))
        return "\n".join(line for line in lines if line) + "\n"

    def length(self, node: Any) -> int:
        """Return the number of characters of an expression, which nobody may change any more."""
        text = self._texts.get(node)
        if text is None:
            text = self._texts[node] = self.visit(node)
        return len(text)

    def visit(self, node: Any) -> str:
        """Print a node as C text."""
        text = self._texts.get(node)
        if text is not None:
            return text
        visitor = self._visitors.get(type(node)) or self._find_visitor(type(node))
        return visitor(node)

    def _find_visitor(self, kind: type) -> Callable[[Any], str]:
        self._visitors[kind] = getattr(self, f"visit_{kind.__name__}", None) or self.generic_visit
        return self._visitors[kind]

    # -- own nodes ----------------------------------------------------------------------------------------------------

    def visit_Check(self, n: Check) -> str:
        return f"{n.name}({', '.join(['sj_f', *map(str, n.sites), *map(self.visit, n.args)])})"

    def visit_StatementExpr(self, n: StatementExpr) -> str:
        return f"({{ {'; '.join(map(self.visit, n.items))}; }})"

    def visit_HeldLength(self, n: HeldLength) -> str:
        return str(n.name)

    def visit_Hidden(self, n: Hidden) -> str:
        text = f"{'const ' if n.is_const else ''}{self.visit(n.type)} {'*' if n.is_pointer else ''}{n.name}"
        return text if n.init is None else f"{text} = {self.visit(n.init)}"

    def visit_SavedStack(self, n: SavedStack) -> str:
        return f"__attribute__((cleanup(sj_restore))) struct sj_saved {n.name} = {{sj_f, sj_f->used}}"

    # -- expressions --------------------------------------------------------------------------------------------------

    def visit_BinaryOp(self, n: c_ast.BinaryOp) -> str:
        return f"({self.visit(n.left)} {n.op} {self.visit(n.right)})"

    def visit_Assignment(self, n: c_ast.Assignment) -> str:
        return f"({self.visit(n.lvalue)} {n.op} {self.visit(n.rvalue)})"

    def visit_TernaryOp(self, n: c_ast.TernaryOp) -> str:
        return f"({self.visit(n.cond)} ? {self.visit(n.iftrue)} : {self.visit(n.iffalse)})"

    def visit_UnaryOp(self, n: c_ast.UnaryOp) -> str:
        operand = self.visit(n.expr)
        if n.op == "&":  # `&` stands before an object only, which binds at least as tightly.
            return f"&{operand}"
        if n.op in ("sizeof", "_Alignof"):
            return f"{n.op}({operand})"
        return f"({operand}{n.op[1:]})" if n.op[0] == "p" else f"({n.op}{operand})"

    def visit_Cast(self, n: c_ast.Cast) -> str:
        return f"({self.visit(n.to_type)}){self.visit(n.expr)}"

    def visit_ArrayRef(self, n: c_ast.ArrayRef) -> str:
        return f"{self._visit_postfixed(n.name)}[{self.visit(n.subscript)}]"

    def visit_StructRef(self, n: c_ast.StructRef) -> str:
        return f"{self._visit_postfixed(n.name)}{n.type}{n.field.name}"

    def visit_FuncCall(self, n: c_ast.FuncCall) -> str:
        args = () if n.args is None else n.args.exprs if isinstance(n.args, c_ast.ExprList) else (n.args,)
        return f"{self.visit(n.name)}({', '.join(map(self.visit, args))})"

    def visit_ExprList(self, n: c_ast.ExprList) -> str:
        return f"({', '.join(map(self.visit, n.exprs))})"

    def visit_InitList(self, n: c_ast.InitList) -> str:
        return ", ".join(map(self._visit_expr, n.exprs))

    def _visit_postfixed(self, node: Any) -> str:
        """Print what a subscript or a field follows, which binds more tightly than a cast, `&` or `sizeof`."""
        is_prefixed = isinstance(node, c_ast.Cast) or (isinstance(node, c_ast.UnaryOp) and node.op in _PREFIXES)
        return f"({self.visit(node)})" if is_prefixed else self.visit(node)

    def _visit_expr(self, n: Any, *, allow_comma: bool = False) -> str:
        return f"{{{self.visit(n)}}}" if isinstance(n, c_ast.InitList) else self.visit(n)

    def _generate_stmt(self, n: Any, add_indent: bool = False) -> str:
        if isinstance(n, _STATEMENTS):
            return f"{self._make_indent()}{'  ' if add_indent else ''}{self.visit(n)};\n"
        text: str = super()._generate_stmt(n, add_indent)
        return text
