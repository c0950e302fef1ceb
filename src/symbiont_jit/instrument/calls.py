"""Calls: of the text's own functions, of the library, of the arena, and of builtins.

In: nodes of the candidate. Out: `Value`s. Own functions take the frame first, and after each pointer its bounds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.tree import has_effects, walk
from symbiont_jit.c.type_reader import library_functions
from symbiont_jit.c.types import (
    DOUBLE,
    INT,
    LONG,
    SIZE,
    VOID,
    Arithmetic,
    CType,
    FunctionOf,
    PointerTo,
    Refused,
    StructOf,
    common_type,
    size_of,
)
from symbiont_jit.instrument.bounds import NULL_BOUNDS
from symbiont_jit.instrument.context import Context, Value
from symbiont_jit.instrument.nodes import (
    FRAME,
    INT64,
    SIZE_T,
    UINT64,
    VOID_POINTER,
    VOID_TYPE,
    ZERO,
    Check,
    Hidden,
    StatementExpr,
    binary,
    call,
    cast,
    comma,
    declare_auto,
    is_zero,
    name,
    number,
    ternary,
    type_name,
    unary,
)
from symbiont_jit.instrument.objects import check_alive
from symbiont_jit.instrument.scopes import Symbol
from symbiont_jit.instrument.values import convert, describe, evaluate_value, place_object, require_bounds
from symbiont_jit.instrument.whole import result_type

__all__ = ["evaluate_call"]

_ABSOLUTE: Final = {"abs": 32, "labs": 64, "llabs": 64}
#: Functions of the table whose third argument says how many bytes they touch; the others touch one pointee.
_COUNTED: Final = frozenset({"memcpy", "memmove", "memcmp", "memset"})
_HINTS: Final = frozenset("__builtin_unreachable __builtin_assume __builtin_assume_aligned __builtin_prefetch".split())
_OF_TEXT: Final = frozenset({"__builtin_nan", "__builtin_nanf"})
_BIT_COUNTS: Final = frozenset(
    "__builtin_clz __builtin_clzl __builtin_clzll __builtin_ctz __builtin_ctzl __builtin_ctzll".split()
)


def evaluate_call(context: Context, node: Any) -> Value:
    """Evaluate a call of any function."""
    function = node.name.name
    given = list(node.args.exprs) if isinstance(node.args, c_ast.ExprList) else [node.args] if node.args else []
    known = context.symbol(function)
    if known is not None and isinstance(known.type, FunctionOf):
        return _call_own(context, node, known, known.type, given)
    if function == "offsetof":
        return _evaluate_offset(context, node, given)
    if function in _HINTS:
        return _replace_hint(context, node, function, given)
    if function in _BIT_COUNTS:
        return _count_bits(context, function, given[0])
    if function in vocabulary.ARENA_FUNCTIONS:
        return _free(context, node, given[0]) if function == "free" else _allocate(context, node, function, given)
    if function in _ABSOLUTE and context.checked:
        return _check_absolute(context, node, function, given[0])
    if function in library_functions():
        return _call_library(context, node, library_functions()[function], given)
    return _call_builtin(context, function, given)


def _evaluate_offset(context: Context, node: Any, given: Sequence[Any]) -> Value:
    context.require_constant_type(given[0])
    if any(isinstance(n, c_ast.ArrayRef) and not context.is_constant(n.subscript) for n in walk(given[1])):
        raise Refused(node, "a subscript in 'offsetof' is a constant")
    return Value(node, SIZE)


def _call_own(context: Context, node: Any, symbol: Symbol, typ: FunctionOf, given: Sequence[Any]) -> Value:
    if len(given) > len(typ.params):  # C leaves such a call of a function that says `()` undefined.
        raise Refused(node, f"'{node.name.name}' takes {len(typ.params)} arguments, and not {len(given)}")
    passed = [FRAME]
    if isinstance(typ.returns, StructOf):
        passed.append(unary("&", name("sj_t")))
    for param, node in zip(typ.params, given, strict=False):
        value = evaluate_value(context, node)
        if isinstance(param, StructOf):
            passed.append(StatementExpr([declare_auto("sj_t", value.node), unary("&", name("sj_t"))]))
        elif isinstance(param, PointerTo):
            bounds = NULL_BOUNDS if is_zero(value.node) else require_bounds(node, value)
            passed += [value.node, bounds.low, bounds.high]
        else:
            passed.append(convert(context, value, param, node).node)
    made = call(symbol.name, *passed)
    if isinstance(typ.returns, StructOf):
        made = StatementExpr([Hidden(type_name(result_type(symbol.name)), "sj_t"), made, name("sj_t")])
    return Value(made, typ.returns)


# -- the library ------------------------------------------------------------------------------------------------------


def _check_absolute(context: Context, node: Any, function: str, given: Any) -> Value:
    """Check a call of `abs`, which overflows for the least integer."""
    typ = Arithmetic("i", _ABSOLUTE[function])
    site = context.new_site("overflow", node, function, f"int{typ.bits}_t")
    value = convert(context, evaluate_value(context, given), typ, given)
    return Value(Check(f"sj_abs{typ.bits}", site, [value.node]), typ)


def _call_library(context: Context, node: Any, typ: FunctionOf, given: Sequence[Any]) -> Value:
    """Call a function with a prototype; what it accesses through pointers must be inside of their bounds."""
    function = node.name.name
    values = [convert(context, evaluate_value(context, a), t, a) for a, t in zip(given, typ.params, strict=False)]
    args, before = _take_in_turn(context, given, [v.node for v in values])
    pointers = [i for i, t in enumerate(typ.params) if isinstance(t, PointerTo)]
    count = name("sj_n") if function in _COUNTED else None
    for i in pointers:
        bounds = require_bounds(given[i], values[i])
        site = context.new_site("memory", given[i], bounds.name or describe(given[i]))
        size = number(_bytes_behind(typ.params[i])) if count is None else cast(INT64, count)
        span = Check("sj_span", site, [args[i], size, bounds.low, bounds.high])
        if count is None and context.checked:
            aligned = context.new_site("alignment", given[i], bounds.name or describe(given[i]))
            span = Check("sj_aligned", aligned, [span, number(_bytes_behind(typ.params[i]))])
        args[i] = check_alive(context, given[i], span, bounds)
    if count is None:
        made = call(function, *args)
        return Value(StatementExpr([*before, made]) if before else made, typ.returns)
    length, args[2] = args[2], count
    if context.checked:  # Steps are counted after the arguments were checked.
        args[2] = Check("sj_steps", context.new_site("endless", node), [cast(UINT64, count)])
    # Blocks that overlap have no defined result with `memcpy`; the compiler makes it of `memmove` where they do not.
    function = "__builtin_memmove" if function == "memcpy" else function
    made = StatementExpr([*before, Hidden(SIZE_T, "sj_n", length), call(function, *args)])
    # A library function that returns a pointer returns its first argument.
    return Value(made, typ.returns, require_bounds(given[0], values[0]))


def _take_in_turn(context: Context, given: Sequence[Any], args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return arguments, and what computes them before they are checked where one may free another one's block."""
    if not (context.watches_frees and any(map(has_effects, given))):
        return list(args), []
    names = [f"sj_arg{context.new_number()}" for _ in args]
    return [name(each) for each in names], [declare_auto(n, arg) for n, arg in zip(names, args, strict=True)]


def _bytes_behind(pointer: CType) -> int:
    """Return how many bytes a library function accesses through a pointer: one number of the declared type."""
    assert isinstance(pointer, PointerTo)
    size = size_of(pointer.to)
    assert size is not None, "the others take a length"
    return size


# -- the arena --------------------------------------------------------------------------------------------------------


def _allocate(context: Context, node: Any, function: str, given: Sequence[Any]) -> Value:
    """Allocate a block of the arena, with bounds of its own."""
    context.has_replaced = True
    site = context.new_site("allocation", node, function)
    numbers = given[1:] if function == "realloc" else given
    sizes = [cast(UINT64, convert(context, evaluate_value(context, a), SIZE, a).node) for a in numbers]
    size = Check("sj_product", site, sizes) if function == "calloc" else sizes[0]
    if function == "realloc":
        old = evaluate_value(context, given[0])
        freeing = context.new_site("free", given[0], describe(given[0]))
        made = Check("sj_grown", (site, freeing), [old.node, require_bounds(given[0], old).low, size])
    else:
        made = Check("sj_alloc", site, [size])
    block = Hidden(VOID_TYPE, "sj_q", made, is_pointer=True)
    return place_object(context, "block", [block], cast(UINT64, call("sj_size", name("sj_q"))))


def _free(context: Context, node: Any, given: Any) -> Value:
    context.has_replaced = True
    pointer = evaluate_value(context, given)
    site = context.new_site("free", node, describe(given))
    low = require_bounds(given, pointer).low
    return Value(Check("sj_free", site, [cast(VOID_POINTER, pointer.node), low]), VOID)


# -- builtins ---------------------------------------------------------------------------------------------------------


def _replace_hint(context: Context, node: Any, function: str, given: Sequence[Any]) -> Value:
    """Replace a builtin whose wrong use lets the compiler assume anything: by a check, or by nothing."""
    context.has_replaced = True
    nothing = cast(VOID_TYPE, ZERO)
    if function == "__builtin_unreachable":
        return Value(Check("sj_panic", context.new_site("unreachable", node), [ZERO, ZERO]), VOID)
    if function == "__builtin_assume":
        if not context.checked:  # What is assumed is never evaluated.
            return Value(nothing, VOID)
        site = context.new_site("assumption", node, describe(given[0]))
        holds = binary("!=", evaluate_value(context, given[0]).node, ZERO)
        return Value(Check("sj_assume", site, [holds]), VOID)
    if function == "__builtin_assume_aligned":
        return _evaluate_aligned(context, given)
    return Value(comma(*_effects_of(context, given), nothing), VOID)


def _effects_of(context: Context, given: Sequence[Any]) -> list[Any]:
    """Evaluate those of some arguments that do something, where nobody needs their values."""
    return [cast(VOID_TYPE, evaluate_value(context, a).node) for a in given if has_effects(a)]


def _evaluate_aligned(context: Context, given: Sequence[Any]) -> Value:
    """Evaluate a pointer that the author says is aligned: to `void`, as the builtin gives it, so that it fits any."""
    value = evaluate_value(context, given[0])
    if value.bounds is None:
        return value
    pointer = call("SJ_AS_VOID", value.node)
    if context.checked:
        site = context.new_site("alignment", given[0], value.bounds.name or describe(given[0]))
        place = cast(UINT64, name("sj_q"))  # By way of a number, because the pointer may be const.
        if len(given) > 2:  # The third argument is by how much the address is off.
            place = binary("-", place, cast(UINT64, evaluate_value(context, given[2]).node))
        address = cast(VOID_POINTER, place)
        check = Check("sj_aligned", site, [address, cast(UINT64, evaluate_value(context, given[1]).node)])
        pointer = StatementExpr([declare_auto("sj_q", pointer), check, name("sj_q")])
        return Value(pointer, PointerTo(VOID), value.bounds)
    return Value(comma(*_effects_of(context, given[1:]), pointer), PointerTo(VOID), value.bounds)


def _count_bits(context: Context, function: str, given: Any) -> Value:
    """Evaluate `__builtin_clz` and its kind: they are undefined for zero, for which the width of the type is taken."""
    context.has_replaced = True
    bits = 64 if function.endswith("l") else 32
    value = convert(context, evaluate_value(context, given), Arithmetic("u", bits), given)
    counted = ternary(name("sj_v"), call(function, name("sj_v")), number(bits))
    return Value(StatementExpr([Hidden(type_name(f"uint{bits}_t"), "sj_v", value.node), counted]), INT)


def _call_builtin(context: Context, function: str, given: Sequence[Any]) -> Value:
    """Call a macro or builtin without a prototype; a string, as in `nan("")`, is the compiler's."""
    is_text = [isinstance(a, c_ast.Constant) and a.type == "string" for a in given]
    values = [Value(a, VOID) if t else evaluate_value(context, a) for a, t in zip(given, is_text, strict=True)]
    if function in _OF_TEXT and not all(is_text):  # A zero would be a null pointer there, which the library reads.
        raise Refused(given[0], f"'{function}' takes a text in quotation marks")
    wanted = _argument_type(function)
    if wanted is not None:
        values = [convert(context, value, wanted, a) for value, a in zip(values, given, strict=True)]
    pointers = (a for a, value in zip(given, values, strict=True) if isinstance(value.type, PointerTo))
    for argument in pointers:  # The library would read there as far as it likes.
        raise Refused(argument, f"'{function}' takes a text in quotation marks here, and no pointer")
    return Value(call(function, *(v.node for v in values)), _builtin_type(function, values))


def _argument_type(function: str) -> CType | None:
    """Return the integer type of a builtin's arguments; None where they are floating, or of any type."""
    short = function.removeprefix("__builtin_")
    if short.startswith("bswap"):
        return Arithmetic("u", int(short[5:]))
    if short == "expect":
        return LONG
    if re.match("popcount|parity", short):
        return Arithmetic("u", 64 if short.endswith("l") else 32)
    return Arithmetic("i", 64 if short.endswith("l") else 32) if re.match("ffs", short) else None


def _builtin_type(function: str, values: Sequence[Value]) -> CType:
    """Return the type of the result of a macro or builtin without a prototype."""
    short = function.removeprefix("__builtin_")
    if re.match("is|signbit|popcount|parity|ffs", short):
        return INT
    if short.startswith("bswap"):
        return Arithmetic("u", int(short[5:]))
    if short == "expect":
        return LONG
    if short.upper().startswith(("CMPLX", "COMPLEX")):
        part = {"CMPLX": DOUBLE, "CMPLXF": Arithmetic("f", 32)}.get(short) or common_type(*(v.type for v in values))
        assert isinstance(part, Arithmetic)
        return Arithmetic("c", 2 * part.bits)
    return Arithmetic("f", 32) if short.endswith("f") and short != "inf" else DOUBLE
