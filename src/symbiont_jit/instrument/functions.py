"""Functions with checks: hidden parameters in front, shadows of pointers, what is looked at where a call begins.

In: the tree of a text, which is changed in place. Out: the same tree, instrumented. Shadows live for the whole call, so
a jump past a declaration cannot leave one undefined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.calls import call_graph
from symbiont_jit.c.contents import is_wide, require_traceable
from symbiont_jit.c.names import assigned_names
from symbiont_jit.c.types import (
    VOID,
    ArrayOf,
    CType,
    FunctionOf,
    Length,
    PointerTo,
    Refused,
    StructOf,
    decay,
)
from symbiont_jit.instrument.bounds import Bounds, shadow_bounds
from symbiont_jit.instrument.context import Context, CurrentFunction
from symbiont_jit.instrument.declarations import declare_table, declare_type
from symbiont_jit.instrument.definitions import check_definitions
from symbiont_jit.instrument.jumps import check_jumps
from symbiont_jit.instrument.nodes import (
    FRAME_PARAMETER,
    INT64,
    UINT64,
    ZERO,
    Check,
    HeldLength,
    Hidden,
    assign,
    binary,
    cast,
    copy_tree,
    dereference,
    length_node,
    name,
    size_of,
    type_of,
)
from symbiont_jit.instrument.scopes import Symbol
from symbiont_jit.instrument.statements import instrument_block, open_scope, place_after_pragmas
from symbiont_jit.instrument.values import count_large
from symbiont_jit.instrument.whole import RESULT, clear, pass_renamed, return_through, take_parameter
from symbiont_jit.signature import ArrayType, Signature

__all__ = ["MAIN", "OWN", "instrument_functions"]

#: A function may have as many parameters as the C standard lets every compiler refuse more. What a call passes on the
#: stack is in no frame's size, and has to fit its margin.
MAX_PARAMETERS: Final = 127
#: A parameter lives as long as what the body declares, whose block is one deeper than that of the parameters.
BODY: Final = 1
#: The prefix of functions that the shim calls; functions that the text itself calls have the prefix `OWN`.
MAIN: Final = "sj_main_"
OWN: Final = "sj_own_"


def instrument_functions(context: Context, tree: c_ast.FileAST, entries: Mapping[str, Signature]) -> None:
    """Instrument a file's functions in place and declare its tables and types; `entries` are the declared ones."""
    check_definitions(tree)
    calls = call_graph(tree)
    callers, callees = calls.callers, calls.callees
    done: list[Any] = []
    for node in tree.ext:
        context.place = node
        match node:
            case c_ast.Typedef():
                declare_type(context, node)
            case c_ast.FuncDef():
                function = node.decl.name
                entry = entries.get(function)
                # A call from inside the text may pass wrong lengths, so it goes to a helper that is passed bounds.
                helper = copy_tree(node) if entry is not None and function in callees else None
                done += _instrument_function(context, node, function in callers, entry)
                if helper is not None:
                    done += _instrument_function(context, helper, function in callers, None)
                    done.append(helper)
            case c_ast.Decl() if isinstance(node.type, c_ast.FuncDecl):
                done += _instrument_prototype(context, node)
            case c_ast.Decl():
                declare_table(context, node)
        done.append(node)
    tree.ext = done


def _declare_function(context: Context, decl: Any) -> FunctionOf:
    typ = context.types.read(decl.type)
    assert isinstance(typ, FunctionOf), "a function was declared"
    if isinstance(typ.returns, PointerTo):
        raise Refused(
            decl, f"'{decl.name}' returns a pointer, which is not followed; return an index, or fill an array"
        )
    # The prefix keeps clang from taking the function for a library function of the same name.
    context.scopes[0][decl.name] = Symbol(typ, 0, f"{OWN}{decl.name}")
    return typ


def _instrument_prototype(context: Context, node: Any) -> list[Any]:
    """Instrument a prototype in place, and return the definitions that stand before it."""
    typ = _declare_function(context, node)
    params = _parameters_of(node)
    _drop_outer_lengths(params)
    _rename(node, context.scopes[0][node.name].name)
    listed = _list_parameters(context, params, is_entry=False)
    before = _return_by_address(context, node, typ, listed)
    node.type.args = c_ast.ParamList(listed)
    node.storage = ["static"]
    return before


def _return_by_address(context: Context, decl: Any, typ: FunctionOf, listed: list[Any]) -> list[Any]:
    """Give a function that returns a struct a parameter for it instead; return the definition of the type."""
    if not isinstance(typ.returns, StructOf):
        return []
    context.has_replaced = True
    defined, result = return_through(decl, decl.name)
    listed.insert(1, result)
    return [defined]


def _parameters_of(decl: Any) -> list[Any]:
    params = list(decl.type.args.params) if decl.type.args else []
    if len(params) > MAX_PARAMETERS:
        raise Refused(decl, f"'{decl.name}' has {len(params)} parameters; at most {MAX_PARAMETERS} are followed")
    return params


def _rename(decl: Any, new: str) -> None:
    inner = decl.type
    while not isinstance(inner, c_ast.TypeDecl):
        inner = inner.type
    inner.declname = new
    decl.name = new


def _drop_outer_lengths(params: Sequence[Any]) -> bool:
    """Take the first length from every parameter that is an array: it says nothing to C, but would be evaluated.

    Returns whether one of these lengths was more than a name or a number.
    """
    arrays = [p.type for p in params if isinstance(p.type, c_ast.ArrayDecl)]
    has_more = any(not isinstance(a.dim, c_ast.ID | c_ast.Constant | None) for a in arrays)
    for array in arrays:
        array.dim, array.dim_quals = None, []
    return has_more


def _list_parameters(context: Context, params: Sequence[Any], is_entry: bool) -> list[Any]:
    """Return the instrumented parameters: the frame first, and after each pointer of a helper its bounds.

    The parameters are copies, because their lengths get hidden names that are declared in the function's body.
    """
    made: list[Any] = [FRAME_PARAMETER]
    context.number_lengths(params)
    for number, param in enumerate(params):
        typ = decay(context.types.read_loosely(param.type))
        if typ == VOID:  # It says that there are no parameters.
            continue
        is_copied = isinstance(typ, StructOf) or is_wide(typ)
        context.has_replaced |= is_copied
        made.append(pass_renamed(copy_tree(param), typ) if is_copied else copy_tree(param))
        if isinstance(typ, PointerTo) and not is_entry:
            shown = getattr(param, "name", None) or f"sj_p{number}"
            made += [Hidden(UINT64, f"sj_low_{shown}"), Hidden(UINT64, f"sj_high_{shown}")]
    return made


# -- definitions ------------------------------------------------------------------------------------------------------


def _instrument_function(context: Context, node: Any, is_calling: bool, entry: Signature | None) -> list[Any]:
    """Instrument a function in place, and return the definitions that stand before it."""
    decl = node.decl
    typ = _declare_function(context, decl)
    renamed = f"{MAIN if entry is not None else OWN}{decl.name}"
    context.function = CurrentFunction(typ.returns) if entry is None else _describe_entry(decl, typ, entry)
    params = [p for p in _parameters_of(decl) if getattr(p, "name", None)]
    context.has_replaced |= _drop_outer_lengths(params)
    listed = _list_parameters(context, _parameters_of(decl), entry is not None)
    context.hidden = []
    with open_scope(context):
        check_jumps(node.body)
        assigned = assigned_names(node.body, with_parts=False)
        kept = [made for p in params for made in _declare_parameter(context, p, entry is not None, assigned)]
        body = instrument_block(context, node.body.block_items or [])
    start = [*kept, *context.hidden, *(_check_depth(context, decl) if is_calling else ())]
    context.check_lifetimes()
    context.function = CurrentFunction()
    end = [] if typ.returns == VOID else _return_zero(typ)
    node.body.block_items = [*place_after_pragmas(body, start), *end]
    _rename(decl, renamed)
    before = _return_by_address(context, decl, typ, listed)
    decl.storage = ["static"]
    if entry is not None:
        # If it were inlined into the shim, its spills would need registers that a jump back does not restore.
        decl.funcspec = ["__attribute__((noinline))"]
    decl.type.args = c_ast.ParamList(listed)
    return before


def _check_depth(context: Context, decl: Any) -> list[Any]:
    """Make the check that ends a recursion: where no stack is left; in `checked` also by steps.

    The optimiser makes loops of some recursions, which take no stack.
    """
    checks = [Check("sj_enter", context.new_site("recursion", decl, decl.name))]
    return [*checks, Check("sj_step", context.new_site("endless", decl))] if context.checked else checks


def _return_zero(typ: FunctionOf) -> list[Any]:
    """Return zero at the end of a function that ends without a value: C would leave the value to the compiler."""
    if isinstance(typ.returns, StructOf):
        return [clear(dereference(name(RESULT)))]
    return [c_ast.Return(ZERO)]


def _describe_entry(decl: Any, typ: FunctionOf, signature: Signature) -> CurrentFunction:
    """Declare what the signature says of an entry's parameters, under the names that the candidate gave them."""
    names = [p.name for p in _parameters_of(decl) if getattr(p, "name", None)]
    own = dict(zip(signature.dimensions, names, strict=False))
    lengths = {}
    for parameter, param in zip(names[len(own) :], signature.params, strict=True):
        if isinstance(param.type, ArrayType):
            outer = param.type.dims[0] if param.type.dims else 1
            lengths[parameter] = _passed_length(outer, own)
    return CurrentFunction(typ.returns, frozenset(own.values()), lengths)


def _passed_length(dimension: str | int, own: Mapping[str, str]) -> Length:
    """Return the length of an entry's array, under the candidate's own name of the dimension."""
    if isinstance(dimension, int):
        return Length(dimension, is_passed=True)
    return replace(_dimension_length(own[dimension]), is_passed=True)


def _dimension_length(name: str) -> Length:
    """Return what was passed for a dimension, which a hidden constant keeps."""
    return Length(holder=f"sj_n_{name}", name=name)


# -- parameters -------------------------------------------------------------------------------------------------------


def _declare_parameter(context: Context, param: Any, is_entry: bool, assigned: set[str]) -> list[Any]:
    """Declare a parameter, and return the statements that keep what the checks need of it."""
    kept = [] if is_entry else _capture_lengths(context, param.type)
    typ = context.types.read(param.type)
    pointer = decay(typ)
    if not isinstance(pointer, PointerTo):
        require_traceable(param, typ)
        is_own = isinstance(typ, StructOf) or is_wide(typ)
        own = [*count_large(context, param, typ), *take_parameter(param, typ)] if is_own else []
        return [*own, *_declare_scalar(context, param.name, typ, assigned)]
    require_traceable(param, pointer)
    if is_entry:
        return _declare_entry_array(context, param.name, pointer, assigned)
    bounds = shadow_bounds(f"sj_low_{param.name}", f"sj_high_{param.name}", context.depth, param.name)
    context.declare(param.name, Symbol(pointer, context.depth + BODY, param.name, bounds))
    return kept


def _declare_scalar(context: Context, parameter: str, typ: CType, assigned: set[str]) -> list[Any]:
    """Declare a scalar; a dimension may be assigned to, but arrays are checked against the length that was passed."""
    passed = _dimension_length(parameter) if parameter in context.function.dimensions else None
    length = None if parameter in assigned else passed
    context.declare(parameter, Symbol(typ, context.depth, parameter, dimension=passed, length=length))
    return [Hidden(INT64, passed.holder, name(parameter), is_const=True)] if passed is not None else []


def _declare_entry_array(context: Context, parameter: str, pointer: PointerTo, assigned: set[str]) -> list[Any]:
    """Declare an array of an entry; one that is assigned to is a pointer variable, set to the array."""
    length, passed = context.function.lengths[parameter], name(f"sj_a_{parameter}")
    low = cast(UINT64, passed)
    size = binary("*", cast(UINT64, length_node(length)), size_of(dereference(passed)))
    bounds = Bounds(passed.name, low, binary("+", low, size), 0, parameter)
    kept = [Hidden(type_of(name(parameter)), passed.name, name(parameter), is_const=True)]
    if parameter not in assigned:
        typ = ArrayOf(pointer.to, length)
        context.declare(parameter, Symbol(typ, context.depth, parameter, bounds, is_passed=True))
        return kept
    shadow, declared = context.make_shadow(parameter, 0)
    context.declare(parameter, Symbol(pointer, context.depth + BODY, parameter, shadow))
    return [*declared, *kept, assign(shadow.low, bounds.low), assign(shadow.high, bounds.high)]


def _capture_lengths(context: Context, node: Any) -> list[Any]:
    """Compute each variable length of a declarator once, into a constant that the declarator then uses.

    For a parameter the type has been evaluated by then, with the same value: the constant only remembers it.
    """
    made: list[Any] = []
    while isinstance(node, c_ast.ArrayDecl | c_ast.PtrDecl):
        if isinstance(node, c_ast.ArrayDecl) and node.dim is not None and not context.is_constant(node.dim):
            made.append(_capture_length(context, node))
        node = node.type
    return made


def _capture_length(context: Context, node: Any) -> Any:
    parameter = node.dim.name if isinstance(node.dim, c_ast.ID) else ""
    if parameter not in context.scopes[-1]:
        raise Refused(node.dim, "the length of a parameter's array is an earlier parameter or a constant")
    site, length = context.new_site("row", node.dim), f"sj_n{context.new_number()}"
    node.dim = HeldLength(Length(holder=length), node.dim.coord)
    return Hidden(INT64, length, Check("sj_row", site, [cast(INT64, name(parameter))]), is_const=True)
