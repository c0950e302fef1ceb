"""What Numba knows of a function that it has compiled: the types, and which arrays it only reads.

Numba does not say what a function writes. Two witnesses do: Numba, which compiles no plain store to a read-only array,
and LLVM, which has seen where the argument's pointer goes. Only the second one sees a record's field, an array's
`.flat`, or the last argument of `np.dot`.
"""

from __future__ import annotations

from typing import Any, Final

import numba
from numba import types
from numba.extending import is_jitted

from symbiont_jit.dispatch.numba.writes import writes
from symbiont_jit.errors import SignatureError
from symbiont_jit.signature import InOut

__all__ = ["compiled_types", "is_compiled", "options_of", "plain_function"]

#: Options of `numba.njit` that change what a function computes. `parallel` is not among them: a body runs on the
#: thread that calls it, also in a forked worker, where threads of a pool do not exist.
_KEPT_OPTIONS: Final = ("boundscheck", "error_model", "fastmath")


def is_compiled(function: Any) -> bool:
    """Whether it is a function made by `numba.njit` or `numba.jit`."""
    return bool(is_jitted(function))


def plain_function(body: Any) -> Any:
    """The Python function of a body that may have been compiled."""
    return body.py_func if is_compiled(body) else body


def options_of(body: Any) -> dict[str, Any]:
    """The options of `numba.njit` that a compiled function was given and that its code depends on."""
    given = body.targetoptions if is_compiled(body) else {}
    return {name: given[name] for name in _KEPT_OPTIONS if given.get(name) is not None}


def compiled_types(function: Any) -> list[Any]:
    """Annotations for each parameter and the result of a compiled function.

    An array is const in C where it is only read. Raises `SignatureError` unless it was compiled for exactly one list of
    types.
    """
    name = function.py_func.__name__
    if len(function.signatures) != 1:
        found = "; ".join(map(str, function.signatures))
        advice = "annotate it, or give njit the one list that you mean" if found else "call it once, or annotate it"
        raise SignatureError(
            f"{name}: an njit function has to be compiled for one list of types, so that the signature is known "
            f"(compiled for: {found or 'none'}); {advice}"
        )
    (given,) = function.signatures
    returns = types.unliteral(function.overloads[given].signature.return_type)
    plain = [types.unliteral(t) for t in given]
    names = function.py_func.__code__.co_varnames
    annotations = [_annotation(function, plain, i, names[i]) for i in range(len(plain))]
    return [*annotations, None if returns == types.none else returns]


def _annotation(function: Any, given: list[types.Type], index: int, name: str) -> Any:
    typ = given[index]
    is_record = isinstance(typ, types.Record)
    if not is_record and not (isinstance(typ, types.Array) and typ.mutable):
        return typ
    read_only = typ if is_record else typ.copy(readonly=True)
    try:
        tried = numba.njit((*given[:index], read_only, *given[index + 1 :]))(function.py_func)
    except Exception:  # Numba raises more than its own errors for stores that it does not expect
        return InOut.__class_getitem__(typ)
    (overload,) = tried.overloads.values()
    parameter = f"arg.{name}" if is_record else f"arg.{name}.{_DATA}"
    found = writes(tried.inspect_llvm(overload.signature.args), overload.fndesc.mangled_name, parameter)
    if found is None:  # Numba's word is good enough, but not for records
        found = is_record or isinstance(typ.dtype, types.Record)
    return InOut.__class_getitem__(typ) if found else typ


#: Where an array's address is among the parts that Numba passes it in.
_DATA: Final = 4
