"""Who instruments which expression: one table by the type of a node, one by the operator of a unary one.

In: a node of the candidate. Out: its `Value`: C that computes the same, and panics where the original would leave its
arrays or, in `checked`, do anything that C leaves undefined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.instrument.assignments import evaluate_assignment, evaluate_step
from symbiont_jit.instrument.calls import evaluate_call
from symbiont_jit.instrument.context import Context, Handler, Value
from symbiont_jit.instrument.literals import evaluate_constant, evaluate_name
from symbiont_jit.instrument.objects import (
    evaluate_address,
    evaluate_compound_literal,
    evaluate_dereference,
    evaluate_field,
    evaluate_size,
    evaluate_subscript,
)
from symbiont_jit.instrument.operators import (
    evaluate_binary,
    evaluate_cast,
    evaluate_comma,
    evaluate_sign,
    evaluate_ternary,
)

__all__ = ["HANDLERS"]

_UNARY: Final[Mapping[str, Handler]] = {
    "sizeof": evaluate_size,
    "_Alignof": evaluate_size,
    "&": evaluate_address,
    "*": evaluate_dereference,
    **dict.fromkeys(("++", "--", "p++", "p--"), evaluate_step),
}


def _evaluate_unary(context: Context, node: Any) -> Value:
    return _UNARY.get(node.op, evaluate_sign)(context, node)


HANDLERS: Final[Mapping[type, Handler]] = {
    c_ast.Constant: evaluate_constant,
    c_ast.ID: evaluate_name,
    c_ast.ExprList: evaluate_comma,
    c_ast.StructRef: evaluate_field,
    c_ast.ArrayRef: evaluate_subscript,
    c_ast.CompoundLiteral: evaluate_compound_literal,
    c_ast.UnaryOp: _evaluate_unary,
    c_ast.BinaryOp: evaluate_binary,
    c_ast.TernaryOp: evaluate_ternary,
    c_ast.Cast: evaluate_cast,
    c_ast.Assignment: evaluate_assignment,
    c_ast.FuncCall: evaluate_call,
}
