"""A Python function -> native code with the kernel's C entry, by Numba.

In: a function and its signature. Out: an address that takes what the C prototype says. This is revision 0 and the
reference: what the user's code would run without this project.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
from numba.core import types

from symbiont_jit.dispatch.numba_types import numba_argument_type, numba_element
from symbiont_jit.errors import KernelError
from symbiont_jit.signature import ArrayType, Param, Scalar, Signature, native_entry

__all__ = ["PythonCode", "body_from_bytes", "body_to_bytes", "compile_python", "link_python"]


@dataclass(frozen=True, slots=True, eq=False)
class PythonCode:
    """Numba's code for a Python body; `address` is valid for as long as this object is held."""

    address: int
    function: Any
    _entry: Any


def compile_python(body: Callable[..., Any], signature: Signature) -> PythonCode:
    """Compile a body for exactly the declared types; raises `KernelError` with Numba's message."""
    function, entry = _compiled(body, signature, numba.cfunc)
    return PythonCode(entry.address, function, entry)


def link_python(body: Callable[..., Any], signature: Signature) -> Any:
    """The same as a compiled function that takes what the native entry takes, for callers that Numba compiles."""
    return _compiled(body, signature, numba.njit)[1]


def _compiled(body: Callable[..., Any], signature: Signature, how: Callable[..., Any]) -> tuple[Any, Any]:
    returns = types.void if signature.returns is None else numba_element(signature.returns)
    try:
        function = numba.njit(returns(*map(numba_argument_type, signature.params)))(body)
        return function, how(_entry_signature(signature, returns))(_entry(function, signature))
    except Exception as error:  # Numba raises more than its own errors for what it does not know
        raise KernelError(
            f"Numba cannot compile the Python body of {signature.name!r} for {signature}; "
            f"give the body as C with source=..., or write it so that Numba can:\n{error}"
        ) from error


def _entry_signature(signature: Signature, returns: types.Type) -> Any:
    """The native entry in Numba's terms."""
    arguments = [*[types.int64] * len(signature.dimensions), *map(_entry_type, signature.params)]
    if native_entry(signature).has_result_pointer:
        return types.void(*arguments, types.CPointer(returns))
    return returns(*arguments)


def _entry_type(param: Param) -> types.Type:
    if isinstance(param.type, Scalar):
        scalar = numba_element(param.type)
        return types.CPointer(scalar) if param.type.kind == "c" else scalar
    return types.CPointer(numba_element(param.type.dtype))


def _entry(function: Any, signature: Signature) -> Callable[..., Any]:
    """A function of pointers and lengths that views them as arrays and calls the compiled body."""
    names = [*(f"d{i}" for i in range(len(signature.dimensions))), *(f"a{i}" for i in range(len(signature.params)))]
    lengths = dict(zip(signature.dimensions, names, strict=False))
    passed = [_argument_text(f"a{i}", param, lengths) for i, param in enumerate(signature.params)]
    call = f"function({', '.join(passed)})"
    if native_entry(signature).has_result_pointer:
        names.append("result")
        call = f"carray(result, (1,))[0] = {call}"
    else:
        call = f"return {call}"
    scope: dict[str, Any] = {"function": function, "carray": numba.carray}
    exec(f"def entry({', '.join(names)}):\n    {call}\n", scope)  # noqa: S102  generated here from numbers alone
    entry: Callable[..., Any] = scope["entry"]
    return entry


def _argument_text(name: str, param: Param, lengths: dict[str, str]) -> str:
    if not isinstance(param.type, ArrayType):
        return f"carray({name}, (1,))[0]" if param.type.kind == "c" else name
    if param.type.is_record:
        return f"carray({name}, (1,))[0]"
    shape = "".join(f"{lengths[d] if isinstance(d, str) else d}, " for d in param.type.dims)
    return f"carray({name}, ({shape}))"


def body_to_bytes(body: Callable[..., Any]) -> bytes:
    """A function with what it refers to, pickled as Numba pickles its own: by value where it cannot be imported."""
    return pickle.dumps(numba.njit(body))


def body_from_bytes(data: bytes) -> Callable[..., Any]:
    """The function again."""
    body: Callable[..., Any] = pickle.loads(data).py_func  # noqa: S301  part of a pickle that is being loaded
    return body
