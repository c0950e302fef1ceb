"""What Numba knows of a function that it has compiled: the types, and which arrays it only reads.

In: a function made by `numba.njit`. Out: annotations for `signature_of`. An array is const where it is certain that the
function only reads it, and `InOut` everywhere else. It is certain where Numba's own type of the array is read-only, and
where Numba compiles the function with that one array made read-only and all that is done to the array in there is in
the tables of `read_only`.
"""

from __future__ import annotations

from typing import Any, Final

import numba
from numba import types
from numba.extending import is_jitted

from symbiont_jit.dispatch.numba.read_only import can_be_read_only, only_reads
from symbiont_jit.errors import SignatureError
from symbiont_jit.signature import InOut

__all__ = [
    "argument_types",
    "find_compiled_types",
    "returns_new",
    "is_compiled",
    "options_of",
    "plain_function",
    "with_options",
]

#: Options of `numba.njit` that change what a function computes. `parallel` is not among them: a body runs on the
#: thread that calls it, also in a forked worker, where threads of a pool do not exist.
_KEPT_OPTIONS: Final = ("boundscheck", "error_model", "fastmath")


def is_compiled(function: Any) -> bool:
    """Whether an object is a function made by `numba.njit` or `numba.jit`."""
    return bool(is_jitted(function))


def plain_function(body: Any) -> Any:
    """Return the Python function of a body that may have been compiled."""
    return body.py_func if is_compiled(body) else body


def options_of(body: Any) -> dict[str, Any]:
    """Return the options of `numba.njit` that a compiled function was given and that its code depends on."""
    given = body.targetoptions if is_compiled(body) else {}
    return {name: given[name] for name in _KEPT_OPTIONS if given.get(name) is not None}


def with_options(body: Any, **options: bool) -> Any:
    """Return a body once more, to be compiled with some options of Numba's besides its own."""
    return numba.njit(**{**options_of(body), **options})(plain_function(body))


def argument_types(function: Any) -> list[Any]:
    """Return the types that a compiled function was compiled for; None stands for a parameter that nobody passed.

    Raises:
        SignatureError: It was not compiled yet, or for several lists of types.
    """
    given = [types.unliteral(each) for each in _only_signature(function)]
    return [None if isinstance(each, types.Omitted) else each for each in given]


def returns_new(function: Any) -> bool:
    """Whether a compiled function returns something that C cannot: arrays, or several things."""
    if len(function.signatures) != 1:
        return False
    returned = function.overloads[function.signatures[0]].signature.return_type
    return isinstance(returned, types.Array | types.BaseTuple)


def find_compiled_types(function: Any) -> list[Any]:
    """Return the annotations that a compiled function stands for.

    Args:
        function: A dispatcher made by `numba.njit`, compiled for exactly one list of types.

    Returns:
        One annotation for each parameter, and last the one of the result (None for none). An array is `InOut` unless
        it is certain that the function only reads it; a record always is.

    Raises:
        SignatureError: The function was not compiled yet, or for several lists of types.
    """
    given = _only_signature(function)
    returns = types.unliteral(function.overloads[given].signature.return_type)
    plain = [types.unliteral(t) for t in given]
    annotations = [_annotation(function, plain, index) for index in range(len(plain))]
    return [*annotations, None if returns == types.none else returns]


def _only_signature(function: Any) -> Any:
    name = function.py_func.__name__
    if len(function.signatures) != 1:
        found = "; ".join(map(str, function.signatures))
        advice = "annotate it, or give njit the one list that you mean" if found else "call it once, or annotate it"
        raise SignatureError(
            f"{name}: an njit function has to be compiled for one list of types, so that the signature is known "
            f"(compiled for: {found or 'none'}); {advice}"
        )
    (given,) = function.signatures
    return given


def _annotation(function: Any, given: list[types.Type], index: int) -> Any:
    typ = given[index]
    is_writable = isinstance(typ, types.Record) or (isinstance(typ, types.Array) and typ.mutable)
    return InOut.__class_getitem__(typ) if is_writable and not _is_only_read(function, given, index) else typ


def _is_only_read(function: Any, given: list[types.Type], index: int) -> bool:
    """Whether Numba compiles a function with one of its arrays made read-only, and nothing in there can write to it."""
    if not can_be_read_only(given[index]):
        return False
    read_only = given[index].copy(readonly=True)
    try:
        tried = numba.njit((*given[:index], read_only, *given[index + 1 :]))(function.py_func)
    except Exception:  # Numba raises more than its own errors for stores that it does not expect.
        return False
    (compiled,) = tried.overloads.values()
    return only_reads(compiled)
