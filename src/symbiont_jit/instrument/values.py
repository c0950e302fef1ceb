"""Values of expressions: what an object is when it is read, converted, or put where its address is known.

In: nodes of the candidate, `Value`s. Out: `Value`s.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import print_tree, walk
from symbiont_jit.c.types import VOID, Arithmetic, ArrayOf, CType, Length, PointerTo, Refused, rough_size
from symbiont_jit.instrument.bounds import NULL_BOUNDS, Bounds
from symbiont_jit.instrument.context import Context, Value
from symbiont_jit.instrument.nodes import (
    BYTES,
    UINT64,
    ZERO,
    Check,
    StatementExpr,
    assign,
    binary,
    call,
    cast,
    declare_auto,
    dereference,
    is_zero,
    name,
    number,
    size_of,
    unary,
)
from symbiont_jit.instrument.whole import declare_literal, is_padded

__all__ = [
    "BOOL",
    "LARGE",
    "convert",
    "count_large",
    "describe",
    "evaluate_value",
    "keep_struct",
    "place_literal",
    "place_object",
    "point_at",
    "read_bool",
    "read_value",
    "require_bounded",
    "require_bounds",
]

BOOL: Final = Arithmetic("b", 8)
#: Characters that a checked expression may have: each access writes its pointer several times.
MAX_EXPRESSION: Final = 20_000
#: The bytes of an object from which on they count as steps, as in calls of `memcpy`.
LARGE: Final = 4096
#: Characters of the candidate's text that a site shows.
MAX_SHOWN: Final = 60


def evaluate_value(context: Context, node: Any) -> Value:
    """Evaluate an expression to something to compute with; an array is a pointer to its first element."""
    return read_value(context, node, context.evaluate(node))


def read_value(context: Context, node: Any, found: Value) -> Value:
    """Turn what a node was evaluated to, once, into something to compute with.

    Whoever needs the object and its value takes both of one evaluation: two would double with every level of nesting.
    """
    if isinstance(found.type, ArrayOf):
        element = PointerTo(found.type.of)
        found = place_literal(context, found) if found.bounds is None else found
        return Value(found.node, element, found.bounds)
    if found.bit_field is not None:  # `+` promotes a bit-field, and its value is no part of a struct any more.
        return Value(unary("+", found.node), found.operand_type)
    if found.type == BOOL and isinstance(node, c_ast.ID | c_ast.ArrayRef | c_ast.StructRef | c_ast.UnaryOp):
        # A byte that somebody else wrote may be neither 0 nor 1, which clang would believe.
        is_object = not isinstance(node, c_ast.UnaryOp) or node.op == "*"
        context.has_replaced |= is_object
        return replace(found, node=read_bool(found.node)) if is_object else found
    return found


def read_bool(target: Any) -> Any:
    """Read the byte of a `bool` as C's truth, whatever the byte is: clang would believe that it is 0 or 1."""
    return binary("!=", dereference(cast(BYTES, unary("&", target))), ZERO)


def convert(context: Context, value: Value, typ: CType, node: Any) -> Value:
    """Convert a value for an object of a type.

    Where a floating value becomes an integer that it does not fit, `checked` panics, and `safe` takes the processor's
    result, which is what `release` gets.
    """
    if not (isinstance(value.type, Arithmetic) and isinstance(typ, Arithmetic)):
        return value
    if value.type.kind not in "fc" or typ.kind not in "iu":
        return value
    floating, bits = value.node, value.type.bits
    if value.type.kind == "c":  # C drops the imaginary part.
        floating, bits = call("__real__", value.node), value.type.bits // 2
    if not context.checked:
        context.has_replaced = True
        return Value(call(f"sj_to{typ.kind}{typ.bits}_{bits}", floating), typ)
    site = context.new_site("conversion", node, f"{'u' if typ.kind == 'u' else ''}int{typ.bits}_t")
    return Value(Check(f"sj_fit{typ.kind}{typ.bits}{'_80' if bits == 80 else ''}", site, [floating]), typ)


# -- objects that get an address --------------------------------------------------------------------------------------


def place_object(context: Context, shown: str, items: Sequence[Any], size: Any) -> Value:
    """Return the pointer `sj_q` that `items` make to a new object, which lives as long as the call, with its bounds."""
    bounds = context.declare_shadow(shown, 0)
    pointer = name("sj_q")
    kept = [assign(bounds.low, cast(UINT64, pointer)), assign(bounds.high, binary("+", bounds.low, size))]
    return Value(StatementExpr([*items, *kept, pointer]), PointerTo(VOID), bounds)


def place_literal(context: Context, literal: Value) -> Value:
    """Turn a compound literal into an object whose address is known."""
    context.has_replaced |= is_padded(literal.type)
    counted = count_large(context, literal.node, literal.type)
    items = [*counted, declare_auto("sj_q", unary("&", literal.node))]
    if is_padded(literal.type):
        items = [
            *counted,
            *declare_literal(literal.node, "sj_t", literal.type),
            declare_auto("sj_q", unary("&", name("sj_t"))),
        ]
    placed = place_object(context, "literal", items, size_of(dereference(name("sj_q"))))
    return Value(dereference(placed.node), literal.type, placed.bounds)


def keep_struct(context: Context, value: Value) -> Value:
    """Turn a struct that is no object (the result of a call, say) into one."""
    context.has_replaced = True
    counted = count_large(context, value.node, value.type)
    items = [*counted, declare_auto("sj_t", value.node), declare_auto("sj_q", unary("&", name("sj_t")))]
    placed = place_object(context, "value", items, size_of(dereference(name("sj_q"))))
    return Value(dereference(placed.node), value.type, placed.bounds)


def point_at(target: Value) -> tuple[Any, Any]:
    """Declare `sj_p` to point at an object, or at the struct of a bit-field; return that and the object behind it."""
    pointer = name("sj_p")
    if target.bit_field is None:
        around, place = target.node, dereference(pointer)
    else:
        around, place = target.bit_field.struct, c_ast.StructRef(pointer, "->", name(target.bit_field.name))
    # The object's text stands there once: twice would double it with every level of nesting.
    return declare_auto("sj_p", unary("&", around)), place


# -- what is asked of values ------------------------------------------------------------------------------------------


def require_bounds(node: Any, pointer: Value) -> Bounds:
    """Return the bounds of a pointer; raise `Refused` where they are not known."""
    if pointer.bounds is None and is_zero(pointer.node):
        return NULL_BOUNDS
    if pointer.bounds is None:
        raise Refused(
            node, "it is not known what this points into; assign it to a pointer variable, or index the array itself"
        )
    return pointer.bounds


def require_bounded(context: Context, node: Any, *parts: Any) -> None:
    """Refuse nesting whose text would double and double again."""
    if sum(map(context.printer.length, parts)) > MAX_EXPRESSION:
        raise Refused(node, "this is nested too deeply for the checks; use variables for its parts")


def count_large(context: Context, node: Any, typ: CType, named: Any | None = None) -> list[Any]:
    """Make what counts the bytes of a large object as steps in `checked`, where it is copied or cleared as a whole.

    `named` is the object, where it has a name: clang knows the length of an array that is not known here.
    """
    size = rough_size(typ) if context.checked else 0
    is_unknown = context.checked and named is not None and isinstance(typ, ArrayOf) and typ.length == Length()
    if size < LARGE and not is_unknown:
        return []
    count = size_of(named) if is_unknown else number(size)
    return [Check("sj_steps", context.new_site("endless", node), [cast(UINT64, count)])]


def _has_more_nodes(node: Any, count: int) -> bool:
    return next(itertools.islice(walk(node), count, None), None) is not None


def describe(node: Any) -> str:
    """Print the candidate's own text of an expression, on one line, shortened.

    Of a long one only the beginning is printed, or a chain of members would be printed whole for each of them.
    """
    if isinstance(node, c_ast.ID):
        return str(node.name)[:MAX_SHOWN]
    while isinstance(node, c_ast.StructRef | c_ast.ArrayRef) and _has_more_nodes(node, MAX_SHOWN):
        node = node.name
    return " ".join(print_tree(node).split()).rstrip(";")[:MAX_SHOWN]
