"""Which arrays a function that Numba has compiled can only read, decided from Numba's typed program.

In: a compilation whose read-only arrays are read-only by type. Out: whether everything that is done to them is in a
table of what only reads. Numba itself compiles no plain store to such an array, and its types carry the word over to
slices, rows and iterators; but it does not look at `.flat`, at `np.nditer`, at the last argument of `np.dot` or at a
record's fields. So whatever is not in the tables here counts as a write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numba import types
from numba.core import ir

__all__ = ["can_be_read_only", "only_reads"]

#: Operations that leave their operands as they are. What they give is a number, a new array, or has a read-only type.
_OPERATIONS: Final = frozenset(
    "getitem static_getitem typed_getitem binop unary arrayexpr getiter iternext pair_first pair_second exhaust_iter "
    "build_tuple phi".split()
)
_METHODS: Final = frozenset(
    "all any argmax argmin astype copy cumprod cumsum max mean min nonzero prod std sum var".split()
)
_ATTRIBUTES: Final = frozenset({"T", "dtype", "itemsize", "nbytes", "ndim", "shape", "size", "strides"}) | _METHODS
#: Functions that only read what their first two positional arguments are; a third one may be `out`.
_FUNCTIONS: Final[frozenset[Any]] = frozenset(
    {len, enumerate, zip, np.all, np.any, np.argmax, np.argmin, np.argsort, np.copy, np.cumprod, np.cumsum, np.diff}
    | {np.dot, np.empty_like, np.linalg.norm, np.max, np.mean, np.median, np.min, np.ones_like, np.outer, np.prod}
    | {np.searchsorted, np.sort, np.std, np.sum, np.var, np.vdot, np.zeros_like}
)
_MAX_READ: Final = 2
_ITERATORS: Final = (types.ArrayIterator, types.EnumerateType, types.ZipType)
#: The types of what operations on a read-only array may give; an optional array, for one, hides that it is read-only.
_FOLLOWED: Final = (types.Array, types.BoundFunction, types.Boolean, types.DType, types.Number, types.Pair, *_ITERATORS)


def can_be_read_only(typ: types.Type) -> bool:
    """Whether Numba keeps watch over an array of this type once it is read-only: of records it does not."""
    return isinstance(typ, types.Array) and isinstance(typ.dtype, types.Number | types.Boolean)


def only_reads(compiled: Any) -> bool:
    """Whether nothing in a compilation (Numba's `CompileResult`) can write to an array whose type is read-only.

    False is also the answer where Numba has the program no more, because it took the machine code from its cache.
    """
    program = compiled.type_annotation
    blocks = getattr(program, "blocks", None)
    return blocks is not None and all(_is_reading(s, program) for block in blocks.values() for s in block.body)


def _is_reading(statement: Any, program: Any) -> bool:
    """Whether a statement leaves the read-only arrays that it names as they are, and hands none to the unknown."""
    kinds: Mapping[str, types.Type] = program.typemap
    if not any(_is_watched(kinds.get(v.name)) for v in statement.list_vars()):
        return True
    match statement:
        case ir.Assign(target=target, value=ir.Expr() as expression):
            return _is_followed(kinds.get(target.name)) and _is_reading_expression(expression, program)
        case ir.Assign(target=target, value=ir.Var() | ir.Arg() | ir.Global() | ir.FreeVar()):
            return _is_followed(kinds.get(target.name))
        case ir.Del():
            return True
        # A store copies into an array, and Numba refuses one that is read-only.
        case ir.SetItem() | ir.StaticSetItem():
            return isinstance(kinds.get(statement.target.name), types.Array)
    return False


def _is_watched(typ: types.Type | None) -> bool:
    """Whether a value gives access to a read-only array, as far as its type says; without a type it may."""
    if isinstance(typ, types.BaseTuple):
        return any(_is_watched(t) for t in typ.types)
    if isinstance(typ, types.BoundFunction):
        return _is_watched(typ.this)
    return typ is None or isinstance(typ, _ITERATORS) or (isinstance(typ, types.Array) and not typ.mutable)


def _is_followed(typ: types.Type | None) -> bool:
    """Whether a value that comes from a read-only array is watched, or gives no access to the array."""
    if isinstance(typ, types.BaseTuple):
        return all(_is_followed(t) for t in typ.types)
    return isinstance(typ, _FOLLOWED)


def _is_reading_expression(expression: Any, program: Any) -> bool:
    if expression.op == "getattr":
        return expression.attr in _ATTRIBUTES
    if expression.op == "inplace_binop":
        return not _is_watched(program.typemap.get(expression.lhs.name))
    if expression.op == "call":
        return _is_reading_call(expression, program)
    return expression.op in _OPERATIONS


def _is_reading_call(call: Any, program: Any) -> bool:
    """Whether the callee only reads: a method or function of the tables, a ufunc, or a function that Numba compiled."""
    callee = program.typemap.get(call.func.name)
    if type(callee) is types.Dispatcher:  # A subclass of it may run Python on objects.
        helper = callee.dispatcher.overloads.get(program.calltypes[call].args)
        return helper is not None and only_reads(helper)
    others = (*call.args[_read_arguments(callee) :], *dict(call.kws).values())
    return call.vararg is None and not any(_is_watched(program.typemap.get(v.name)) for v in others)


def _read_arguments(callee: types.Type | None) -> int:
    """Return how many of the first arguments of a call the callee only reads.

    A method reads its array, whose name was looked at where the method was taken from it, and promises nothing more.
    """
    function = callee.typing_key if isinstance(callee, types.Function) else None
    if isinstance(function, np.ufunc):
        return function.nin
    return _MAX_READ if function in _FUNCTIONS else 0
