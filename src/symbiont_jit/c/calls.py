"""Who calls whom in a text.

In: a tree. Out: names. Calls are found by the function's name, because no candidate may call through a
pointer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import walk

__all__ = ["CallGraph", "call_graph", "called_names"]


def called_names(node: Any) -> frozenset[str]:
    """Return the names of the functions that are called in a node."""
    return frozenset(n.name.name for n in walk(node) if isinstance(n, c_ast.FuncCall) and isinstance(n.name, c_ast.ID))


@dataclass(frozen=True, slots=True)
class CallGraph:
    """The functions that a text defines, in its order, each with the names that its body calls."""

    calls: Mapping[str, frozenset[str]]

    @property
    def callees(self) -> frozenset[str]:
        """Every name that some function of the text calls, also of functions that the text does not define."""
        return frozenset().union(*self.calls.values())

    @property
    def callers(self) -> frozenset[str]:
        """The functions that call a function of the text, themselves included."""
        defined = frozenset(self.calls)
        return frozenset(name for name, called in self.calls.items() if not called.isdisjoint(defined))


def call_graph(tree: c_ast.FileAST) -> CallGraph:
    """Find the calls that the functions of a file make."""
    return CallGraph({n.decl.name: called_names(n.body) for n in tree.ext if isinstance(n, c_ast.FuncDef)})
