"""Objects: array elements, fields, what is behind pointers, addresses, sizes, and what an object begins with.

In: nodes of the candidate. Out: `Value`s. Every access is compared with the bounds of the object that its pointer came
from, whatever happened to the pointer in between. What cannot be followed is refused, with what to write instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.contents import require_traceable
from symbiont_jit.c.tree import has_effects, walk
from symbiont_jit.c.types import (
    INT,
    SIZE,
    VOID,
    Arithmetic,
    ArrayOf,
    CType,
    Length,
    PointerTo,
    Refused,
    StructOf,
    has_variable_length,
    rough_size,
)
from symbiont_jit.instrument.bounds import Bounds
from symbiont_jit.instrument.context import BitField, Context, Value
from symbiont_jit.instrument.initialisers import initialise
from symbiont_jit.instrument.nodes import (
    INT64,
    UINT64,
    ZERO,
    Check,
    StatementExpr,
    binary,
    call,
    cast,
    declare_auto,
    dereference,
    first_of,
    length_node,
    name,
    size_of,
    ternary,
    type_of,
    unary,
)
from symbiont_jit.instrument.values import (
    LARGE,
    describe,
    evaluate_value,
    keep_struct,
    place_literal,
    read_value,
    require_bounded,
    require_bounds,
)
from symbiont_jit.instrument.whole import declare_literal, is_padded

__all__ = [
    "check_alive",
    "evaluate_address",
    "evaluate_compound_literal",
    "evaluate_dereference",
    "evaluate_field",
    "evaluate_size",
    "evaluate_subscript",
    "move_pointer",
]

#: Expressions that are no objects, also where they are structs.
_VALUES: Final = (
    c_ast.FuncCall | c_ast.Assignment | c_ast.TernaryOp | c_ast.ExprList | c_ast.Cast | c_ast.CompoundLiteral
)


def evaluate_field(context: Context, node: Any) -> Value:
    """Evaluate `base.field` or `base->field`."""
    base = _access(context, node, node.name, None) if node.type == "->" else context.evaluate(node.name)
    if node.type == "." and isinstance(node.name, _VALUES):
        base = keep_struct(context, base)
    found = base.type.field(node.field.name) if isinstance(base.type, StructOf) else None
    if found is None:
        raise Refused(
            node, f"the fields of this struct are not known here; define it before '{node.field.name}' is used"
        )
    typ, promoted_to = found
    # A pointer in a struct has no known bounds, and const of the struct does not protect what it points to.
    if isinstance(typ, PointerTo):
        raise Refused(node, f"a pointer in a struct ('{node.field.name}') is not followed; use an index")
    bits = None if promoted_to is None else BitField(base.node, node.field.name, promoted_to)
    return Value(c_ast.StructRef(base.node, ".", name(node.field.name)), typ, base.bounds, bits)


def evaluate_subscript(context: Context, node: Any) -> Value:
    """Evaluate `base[subscript]`."""
    return _access(context, node, node.name, node.subscript)


def evaluate_dereference(context: Context, node: Any) -> Value:
    """Evaluate `*pointer`."""
    return _access(context, node, node.expr, None)


def _access(context: Context, node: Any, base: Any, subscript: Any | None) -> Value:
    """Access the object at a subscript of an array or pointer, once it is known to be inside."""
    found, index = context.evaluate(base), Value(ZERO, INT)
    if subscript is not None:
        other = context.evaluate(subscript)
        if isinstance(found.type, Arithmetic):  # C allows `3[x]` too.
            found, other, base, subscript = other, found, subscript, base
        index = read_value(context, subscript, other)
    if isinstance(found.type, ArrayOf) and found.bounds is None:
        # A part of it may be asked for its address, or be an array again; and what is large counts as steps.
        is_plain = isinstance(found.type.of, Arithmetic) and rough_size(found.type) < LARGE
        found = found if is_plain else place_literal(context, found)
    if isinstance(found.type, ArrayOf) and found.type.length is not None:
        element = _element(context, node, base, found, found.type, index)
        return element if subscript is None else _check_after(context, base, element, subscript)
    pointer = read_value(context, base, found)
    if not isinstance(pointer.type, PointerTo):
        raise Refused(node, "this is no array or pointer that the checks can follow")
    return _pointee(context, node, base, pointer, pointer.type.to, index)


def _element(context: Context, node: Any, base: Any, array: Value, typ: ArrayOf, index: Value) -> Value:
    site = context.new_site("index", node, describe(base), typ.length.name if typ.length is not None else "")
    checked = Check("sj_index", site, [cast(INT64, index.node), _length_of(typ, array.node)])
    return Value(c_ast.ArrayRef(array.node, checked), typ.of, array.bounds)


def _check_after(context: Context, base: Any, element: Value, subscript: Any) -> Value:
    """Check an element once more in `checked`, whose array was checked before its subscript freed the block."""
    if element.bounds is None or not (context.watches_frees and has_effects(subscript)):
        return element
    kept = declare_auto("sj_q", unary("&", element.node))
    alive = check_alive(context, base, name("sj_q"), element.bounds)
    checked = StatementExpr([kept, cast(type_of(name("sj_q")), alive)])
    return replace(element, node=dereference(checked))


def _pointee(context: Context, node: Any, base: Any, pointer: Value, typ: CType, index: Value) -> Value:
    if typ == VOID:
        raise Refused(node, "what is behind a 'void *' has no size; cast it to a pointer to its type")
    if isinstance(typ, ArrayOf) and typ.length is None:
        raise Refused(node, "an array without a length is behind this pointer; write a pointer to its elements")
    bounds = require_bounds(base, pointer)
    # `sizeof` and `typeof` evaluate an operand whose rows have a variable length, so the operand is a name then.
    is_named = has_variable_length(typ) and not isinstance(base, c_ast.ID)
    row = name("sj_q") if is_named else pointer.node
    site = context.new_site("pointer", node, bounds.name or describe(base))
    where = [row, cast(INT64, index.node), _row_size(typ, dereference(row)), bounds.low, bounds.high]
    # `checked` also finds a distance that is too long for an address.
    address = Check("sj_far" if context.checked else "sj_at", site, where)
    require_bounded(context, node, pointer.node, address)
    if context.checked:
        site = context.new_site("alignment", node, bounds.name or describe(base))
        alignment = unary("_Alignof", type_of(_element_of(typ, dereference(row))))
        address = check_alive(context, base, Check("sj_aligned", site, [address, alignment]), bounds)
    checked = cast(type_of(unary("&", first_of(row))), address)
    if is_named:
        checked = StatementExpr([declare_auto("sj_q", pointer.node), checked])
    return Value(dereference(checked), typ, bounds)


def check_alive(context: Context, node: Any, address: Any, bounds: Bounds) -> Any:
    """Check an address once more in `checked`: its block may have been freed."""
    if not context.watches_frees:
        return address
    site = context.new_site("freed", node, bounds.name if bounds.name != "block" else describe(node))
    return Check("sj_live", site, [address, bounds.low])


# -- addresses --------------------------------------------------------------------------------------------------------


def evaluate_address(context: Context, node: Any) -> Value:
    """Evaluate `&object`; nothing is accessed, so only later accesses are checked."""
    inner = node.expr
    if isinstance(inner, c_ast.ArrayRef):
        pointer, by = evaluate_value(context, inner.name), evaluate_value(context, inner.subscript)
        if isinstance(pointer.type, Arithmetic):  # C allows `3[x]` too.
            pointer, by = by, pointer
        return move_pointer(node, "+", pointer, by)
    if isinstance(inner, c_ast.UnaryOp) and inner.op == "*":
        return evaluate_value(context, inner.expr)
    found = context.evaluate(inner)
    if isinstance(found.type, PointerTo):
        raise Refused(node, "a pointer to a pointer is not followed; return the value, or use an index")
    if isinstance(inner, c_ast.CompoundLiteral):
        found = keep_struct(context, found) if isinstance(found.type, StructOf) else place_literal(context, found)
    return Value(unary("&", found.node), PointerTo(found.type), found.bounds)


def move_pointer(node: Any, operator: str, pointer: Value, by: Value) -> Value:
    """Evaluate `pointer + by` or `pointer - by`; the result keeps the pointer's bounds."""
    if isinstance(pointer.type, PointerTo) and pointer.type.to == VOID:
        raise Refused(node, "arithmetic with a 'void *' has no size; cast it to a pointer to its type")
    return Value(binary(operator, pointer.node, by.node), pointer.type, pointer.bounds)


# -- sizes ------------------------------------------------------------------------------------------------------------


def evaluate_size(context: Context, node: Any) -> Value:
    """Evaluate `sizeof` or `_Alignof`; the size of a variable-length array is the product of its lengths."""
    _require_unevaluated(context, node)
    if not isinstance(node.expr, c_ast.Typename):
        typ = context.evaluate(node.expr).type
        if has_variable_length(typ) and not context.is_passed(node.expr):
            if has_effects(node.expr):
                raise Refused(node, "this 'sizeof' evaluates its operand; take what that does out of it")
            return Value(cast(UINT64, _row_size(typ, node.expr)), SIZE)
    return Value(unary(node.op, node.expr), SIZE)


def _require_unevaluated(context: Context, node: Any) -> None:
    """Refuse a `sizeof` whose operand C would evaluate, or that does anything."""
    context.require_constant_type(node.expr)
    if any(isinstance(n, c_ast.FuncCall | c_ast.Assignment) for n in walk(node.expr)):
        raise Refused(node, "'sizeof' of a call or an assignment is not followed; write the type")


def _row_size(typ: CType, node: Any) -> Any:
    """Compute the bytes of an object of a type; for variable lengths, by a product that does not wrap."""
    if not has_variable_length(typ):
        return cast(INT64, size_of(node))
    assert isinstance(typ, ArrayOf), "others have no length"
    return call("sj_times", _length_of(typ, node), _row_size(typ.of, first_of(node)))


def _length_of(typ: ArrayOf, array: Any) -> Any:
    """Return the length of an array; C's `sizeof` gives a constant one wherever the array has a name."""
    if typ.length is not None and typ.length != Length():
        return length_node(typ.length)
    # Elements without a size are none: a length of 0/0 would be any, and the compiler would take the check away.
    length = binary("/", size_of(array), size_of(first_of(array)))
    return cast(INT64, ternary(size_of(first_of(array)), length, ZERO))


def _element_of(typ: CType, node: Any) -> Any:
    """Return what an array is made of in the end; for other types, the type itself."""
    return _element_of(typ.of, first_of(node)) if isinstance(typ, ArrayOf) else node


# -- literals and initial values --------------------------------------------------------------------------------------


def evaluate_compound_literal(context: Context, node: Any) -> Value:
    """Evaluate `(type){...}`."""
    context.require_constant_type(node.type)
    typ = context.types.read(node.type)
    require_traceable(node, typ)
    literal = c_ast.CompoundLiteral(node.type, initialise(context, node.init, typ), [])
    context.has_replaced |= is_padded(typ)
    if context.depth and isinstance(typ, StructOf):
        return Value(StatementExpr([*declare_literal(literal, "sj_t", typ), name("sj_t")]), typ)
    return Value(literal, typ)
