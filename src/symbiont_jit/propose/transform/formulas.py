"""Transformations that change what is computed: for experiments that look for a formula.

A search for speed finds most of their results wrong and soon stops asking for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pycparser import c_ast

from symbiont_jit.c.build import binary, clone, name, rewrite
from symbiont_jit.c.names import declared_names
from symbiont_jit.c.tree import walk

__all__ = [
    "change_constant",
    "change_operator",
    "grow_term",
    "prune_term",
    "if_conversion",
    "swap_operand",
]

ARITHMETIC = ("+", "-", "*", "/")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
INTEGER_ONLY = ("%", "&", "|", "^", "<<", ">>")
FAMILIES = (ARITHMETIC, COMPARISONS, INTEGER_ONLY, ("&&", "||"))


def _find_expressions(tree: Any) -> list[Any]:
    """Find the nodes of the functions' bodies, except for sizes in declarations and parameters."""
    bodies = [f.body for f in tree.ext if isinstance(f, c_ast.FuncDef)]
    fixed = {id(n) for body in bodies for d in walk(body) if isinstance(d, c_ast.ArrayDecl) for n in walk(d)}
    return [n for body in bodies for n in walk(body) if id(n) not in fixed]


def _pick(rng: np.random.Generator, tree: Any, test: Callable[[Any], bool]) -> Any | None:
    found = [n for n in _find_expressions(tree) if test(n)]
    return found[int(rng.integers(len(found)))] if found else None


def _is_number(node: Any) -> bool:
    return isinstance(node, c_ast.Constant) and node.type in ("int", "float", "double", "long int")


def change_constant(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Give a literal another value: a neighbour, a multiple, or a little more or less."""
    node = _pick(rng, tree, _is_number)
    if node is None:
        return False
    digits = node.value.rstrip("fFlLuU")
    suffix = node.value[len(digits) :]
    try:
        value = float(digits) if "." in digits or "e" in digits.lower() else int(digits, 0)
    except ValueError:
        return False  # a hexadecimal float or an octal literal
    node.value = f"{_draw_neighbour(value, rng)}{suffix}"
    return True


def _draw_neighbour(value: float, rng: np.random.Generator) -> str:
    if isinstance(value, int):
        options = (value + 1, max(value - 1, 0), value * 2, value // 2, int(rng.integers(10)))
        return str(options[int(rng.integers(len(options)))])
    factor = float(np.exp(rng.normal(0.0, 0.5))) if rng.random() < 0.8 else float(rng.choice([0.1, 10.0]))
    number = abs(value) * factor if value else abs(float(rng.normal()))
    text = repr(float(f"{number:.6g}"))
    return text if "." in text or "e" in text else text + ".0"


def change_operator(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Replace an operator by another one of its family."""
    node = _pick(rng, tree, lambda n: isinstance(n, c_ast.BinaryOp) and any(n.op in f for f in FAMILIES))
    if node is None:
        return False
    family = next(f for f in FAMILIES if node.op in f)
    others = [op for op in family if op != node.op]
    node.op = others[int(rng.integers(len(others)))]
    return True


def _find_scalars(tree: Any) -> list[str]:
    """Find the names of the functions' scalar parameters and scalar locals."""
    names = []
    for node in walk(tree):
        is_scalar = isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.TypeDecl)
        if is_scalar and isinstance(node.type.type, c_ast.IdentifierType):
            names.append(node.name)
    return names


def _make_leaf(tree: Any, rng: np.random.Generator) -> Any:
    """Make an expression of one scalar that exists, or of a number."""
    scalars = _find_scalars(tree)
    if scalars and rng.random() < 0.6:
        return name(scalars[int(rng.integers(len(scalars)))])
    if rng.random() < 0.5:
        return c_ast.Constant("int", str(int(rng.integers(1, 10))))
    return c_ast.Constant("double", _draw_neighbour(1.0, rng))


def swap_operand(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """Replace an operand by another scalar or number."""
    node = _pick(rng, tree, lambda n: isinstance(n, c_ast.BinaryOp))
    if node is None:
        return False
    side = "left" if rng.random() < 0.5 else "right"
    if not isinstance(getattr(node, side), c_ast.ID | c_ast.Constant):
        return False
    setattr(node, side, _make_leaf(tree, rng))
    return True


def grow_term(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`e` -> `e op t` or `f(e)`, in a return value, an initialiser or an assignment."""
    slots = [
        (n, s)
        for n in _find_expressions(tree)
        for s in _VALUE_SLOTS.get(type(n).__name__, ())
        if _is_value(getattr(n, s))
    ]
    if not slots:
        return False
    node, slot = slots[int(rng.integers(len(slots)))]
    value = getattr(node, slot)
    if rng.random() < 0.8:
        operator = ARITHMETIC[int(rng.integers(len(ARITHMETIC)))]
        setattr(node, slot, binary(operator, value, _make_leaf(tree, rng)))
    else:
        function = str(rng.choice(["fabs", "sqrt", "exp", "log", "sin", "tanh"]))
        setattr(node, slot, c_ast.FuncCall(name(function), c_ast.ExprList([value])))
    return True


_VALUE_SLOTS = {"Return": ("expr",), "Assignment": ("rvalue",), "BinaryOp": ("left", "right"), "Decl": ("init",)}


def _is_value(node: Any) -> bool:
    return node is not None and not isinstance(node, c_ast.InitList)


def prune_term(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`a op b` -> `a` or `b`."""
    target = _pick(rng, tree, lambda n: isinstance(n, c_ast.BinaryOp) and n.op in ARITHMETIC + INTEGER_ONLY)
    if target is None:
        return False
    kept = clone(target.left if rng.random() < 0.5 else target.right)
    rewrite(tree, lambda n: kept if n is target else None)
    return True


def if_conversion(tree: c_ast.FileAST, rng: np.random.Generator) -> bool:
    """`if (c) x = e;` -> `x = c ? e : x;`: no branch, and a form that can be vectorised."""
    node = _pick(rng, tree, _is_conditional_assignment)
    if node is None:
        return False
    inside = node.iftrue.block_items[0]
    value = inside.rvalue if inside.op == "=" else c_ast.BinaryOp(inside.op[:-1], clone(inside.lvalue), inside.rvalue)
    chosen = c_ast.Assignment("=", inside.lvalue, c_ast.TernaryOp(node.cond, value, clone(inside.lvalue)))
    rewrite(tree, lambda n: chosen if n is node else None)
    return True


def _is_conditional_assignment(node: Any) -> bool:
    return (
        isinstance(node, c_ast.If)
        and node.iffalse is None
        and isinstance(node.iftrue, c_ast.Compound)
        and len(node.iftrue.block_items or ()) == 1
        and isinstance(node.iftrue.block_items[0], c_ast.Assignment)
        and not declared_names(node.iftrue)
    )
