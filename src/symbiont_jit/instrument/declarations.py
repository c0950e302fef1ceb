"""Declarations of variables and types: lengths that are computed once, pointers with their bounds.

In: declarations of the candidate, which are changed in place. Out: what stands for each of them, in order.
"""

from __future__ import annotations

from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.contents import is_wide, require_traceable
from symbiont_jit.c.tree import has_effects
from symbiont_jit.c.types import (
    Arithmetic,
    ArrayOf,
    CType,
    Length,
    PointerTo,
    Refused,
    has_variable_length,
    rough_size,
)
from symbiont_jit.c.vocabulary import CONSTANTS
from symbiont_jit.instrument.assignments import assign_pointer
from symbiont_jit.instrument.bounds import Bounds, array_bounds
from symbiont_jit.instrument.context import Context
from symbiont_jit.instrument.initialisers import initialise
from symbiont_jit.instrument.nodes import (
    INT64,
    ONE,
    ZERO,
    Check,
    HeldLength,
    Hidden,
    SavedStack,
    assign,
    binary,
    call,
    cast,
    copy_tree,
    name,
    number,
    size_of,
)
from symbiont_jit.instrument.scopes import Symbol
from symbiont_jit.instrument.values import count_large, evaluate_value
from symbiont_jit.instrument.whole import declare_cleared, is_padded, without_const

__all__ = ["declare_table", "declare_type", "instrument_declaration"]


#: The most bytes of a table. The compilers write all of them out, also where the text says only what two of them are.
MAX_TABLE: Final = 1 << 22


def declare_table(context: Context, node: Any) -> None:
    """Declare a table or a type of the file, which needs no checks."""
    if node.name is None:
        context.types.read(node.type)
        return
    for made in instrument_declaration(context, node):
        assert made is node, "a table is one declaration"


def declare_type(context: Context, node: Any) -> None:
    """Declare a typedef."""
    context.require_constant_type(node.type)
    context.types.typedefs[-1][node.name] = context.types.read(node.type)


def instrument_declaration(context: Context, node: Any) -> list[Any]:
    """Instrument a declaration, and return it with what has to stand around it."""
    if isinstance(node, c_ast.Typedef):
        declare_type(context, node)
        return [node]
    # The checks take addresses, which C forbids of a register variable.
    node.storage = [s for s in node.storage if s != "register"]
    if node.name is None:
        _declare_tag(context, node.type)
        return [node]
    return _declare_variable(context, node)


def _declare_tag(context: Context, node: Any) -> None:
    if isinstance(node, c_ast.Struct | c_ast.Union) and node.decls is None:
        context.types.declare_forward(node)
    else:
        context.types.read(node)


def _declare_variable(context: Context, node: Any) -> list[Any]:
    depth = context.depth
    if _is_measured_by_clang(context, node.type):
        before = _assert_length(node.type) if depth else []  # clang would refuse a table of another length.
        typ = _read_without_length(context, node.type)
    else:
        before = _measure(context, node.type) if depth else []
        typ = context.types.read(node.type)
        if isinstance(typ, ArrayOf) and typ.length is None and node.init is None:
            raise Refused(node, f"'{node.name}' has no length here; write its values where it is declared")
        typ = _complete(typ, node.init)
    require_traceable(node, typ)
    if node.init is not None and has_variable_length(typ):
        raise Refused(node, "an array with an initial value has a constant length; use a number, an enum or #define")
    if isinstance(typ, PointerTo):
        return [*before, *_declare_pointer(context, node, typ)]
    is_constant = depth == 0 or "static" in node.storage
    if (size := rough_size(typ)) > MAX_TABLE:
        on_stack = f"'{node.name}' takes {size:,} bytes, which no stack has; use malloc"
        in_text = f"the table '{node.name}' is too large; at most {MAX_TABLE:,} bytes are compiled in time"
        raise Refused(node, in_text if is_constant else on_stack)
    # The name is known in its own initialiser.
    context.declare(node.name, Symbol(typ, depth, node.name, _bounds_of_array(node.name, typ, depth)))
    # Objects that live as long as the process are initialised by constants, in which nothing can panic.
    if node.init is not None and not is_constant:
        node.init = initialise(context, node.init, typ)
    context.has_replaced |= is_padded(typ)
    if is_constant:
        return [*before, node]
    counted = count_large(context, node, typ, name(node.name))
    return [*before, *(declare_cleared(node) if is_wide(typ) else [node]), *counted]


def _bounds_of_array(variable: str, typ: CType, depth: int) -> Bounds | None:
    """Return the bounds of an array; one of variable length ends with its block, others live as long as the call."""
    if not isinstance(typ, ArrayOf):
        return None
    return array_bounds(variable, depth if has_variable_length(typ) else 0, variable)


def _complete(typ: CType, init: Any) -> CType:
    """Return the type of a declared object; its initialiser gives the length of an array without one.

    Of a plain list of numbers that is known here, so that an enumerator can be it.
    """
    if not isinstance(typ, ArrayOf) or typ.length is not None:
        return typ
    parts = init.exprs if isinstance(init, c_ast.InitList) and isinstance(typ.of, Arithmetic) else []
    is_plain = not any(isinstance(p, c_ast.NamedInitializer) or getattr(p, "type", "") == "string" for p in parts)
    return ArrayOf(typ.of, Length(len(parts) or None) if is_plain else Length())


# -- arrays whose length clang computes -------------------------------------------------------------------------------

#: As many elements as `sj_length` lets an array of variable length have.
MAX_LENGTH: Final = 1 << 24


def _is_measured_by_clang(context: Context, declarator: Any) -> bool:
    """Whether an array has a length that is a constant for clang, and too involved to be computed here.

    Rows of a variable length make the whole array one, which has to be measured.
    """
    if not isinstance(declarator, c_ast.ArrayDecl) or declarator.dim is None or context.is_constant(declarator.dim):
        return False
    return _is_fixed(context, declarator.dim) and not has_variable_length(context.types.read(declarator.type))


def _is_fixed(context: Context, node: Any) -> bool:
    """Whether an expression looks like a constant's; whether it is one is asserted where clang sees it."""
    if isinstance(node, c_ast.UnaryOp) and node.op in ("sizeof", "_Alignof"):
        is_type = isinstance(node.expr, c_ast.Typename)
        return is_type or not (has_effects(node.expr) or has_variable_length(context.evaluate(node.expr).type))
    if isinstance(node, c_ast.FuncCall):
        return isinstance(node.name, c_ast.ID) and node.name.name == "offsetof"
    if isinstance(node, c_ast.ID):
        symbol = context.symbol(node.name)
        return symbol.value is not None if symbol is not None else node.name in CONSTANTS
    if isinstance(node, c_ast.Cast):
        return _is_fixed(context, node.expr)
    is_arithmetic = isinstance(node, c_ast.BinaryOp | c_ast.TernaryOp | c_ast.Constant)
    is_arithmetic |= isinstance(node, c_ast.UnaryOp) and node.op in ("+", "-", "~", "!")
    return is_arithmetic and all(_is_fixed(context, part) for part in node)


def _assert_length(declarator: Any) -> list[Any]:
    """Let clang refuse a length that is no constant, or too large: it would be an array that nobody measures."""
    length = cast(INT64, copy_tree(declarator.dim))
    fits = binary("&&", binary(">=", length, ZERO), binary("<=", copy_tree(length), number(MAX_LENGTH)))
    return [c_ast.StaticAssert(fits, c_ast.Constant("string", '"the length of an array is a constant here"'))]


def _read_without_length(context: Context, declarator: Any) -> CType:
    """Read the type of an array as of one whose initialiser says its length, which `sizeof` then gives."""
    dim, declarator.dim = declarator.dim, None
    typ = _complete(context.types.read(declarator), None)
    declarator.dim = dim
    return typ


# -- arrays of variable length ----------------------------------------------------------------------------------------


def _measure(context: Context, declarator: Any) -> list[Any]:
    """Compute the lengths of a variable-length array once, check and name them, and check that there is room."""
    made: list[Any] = []
    size: Any = ONE
    is_variable, node = False, declarator
    while isinstance(node, c_ast.ArrayDecl | c_ast.PtrDecl):
        if isinstance(node, c_ast.ArrayDecl) and node.dim is not None:
            if not context.is_constant(node.dim):
                is_variable = True
                made.append(_name_length(context, node))
            size = call("sj_times", size, cast(INT64, node.dim))
        node = node.type
    if len(made) > 2 and isinstance(declarator, c_ast.PtrDecl):
        raise Refused(declarator, "a pointer to arrays of so many variable lengths is not followed; use an index")
    if is_variable and isinstance(declarator, c_ast.ArrayDecl):
        made += _reserve(context, declarator, node.type, size)
    return made


def _name_length(context: Context, node: Any) -> Any:
    """Declare the constant that holds a length, which the declarator then uses."""
    length, site = f"sj_n{context.new_number()}", context.new_site("length", node.dim)
    value = evaluate_value(context, node.dim).node
    node.dim = HeldLength(Length(holder=length), node.dim.coord)
    return Hidden(INT64, length, Check("sj_length", site, [cast(INT64, value)]), is_const=True)


def _reserve(context: Context, declarator: Any, element: Any, count: Any) -> list[Any]:
    """Make the check that the stack has room for so many elements; the end of the block gives the room back."""
    if isinstance(element, c_ast.Struct | c_ast.Union) and element.decls is not None:
        raise Refused(declarator, "declare the struct before its array of variable length")
    element = c_ast.Typename(None, [], None, c_ast.TypeDecl(None, [], None, element))
    saved = SavedStack(f"sj_s{context.new_number()}")
    size = call("sj_times", count, cast(INT64, size_of(element)))
    return [saved, Check("sj_room", context.new_site("stack", declarator), [size])]


# -- pointers ---------------------------------------------------------------------------------------------------------


def _declare_pointer(context: Context, node: Any, typ: PointerTo) -> list[Any]:
    if context.depth == 0 or "static" in node.storage:
        raise Refused(node, f"the pointer '{node.name}' would outlive a call; use an array of values")
    bounds = context.declare_shadow(node.name, context.depth)
    init, node.init = node.init, ZERO
    context.declare(node.name, Symbol(typ, context.depth, node.name, bounds))
    made = [node, assign(bounds.low, assign(bounds.high, ZERO))]
    if init is not None:
        # The pointer is set after its declaration, so it must not be const.
        made[0] = without_const(node)
        made.append(assign_pointer(context, node.name, init).node)
    return made
