"""A Python function -> native code with the kernel's C entry, by Numba.

In: a function and its signature. Out: an address that takes what the C prototype says. This is revision 0 and the
reference: what the user's code would run without this project.
"""

from __future__ import annotations

import functools
import os
import pickle
import types as python_types
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import numba
from numba import types
from numba.core.compiler_lock import global_compiler_lock

from symbiont_jit.dispatch.numba.from_numba import options_of, plain_function
from symbiont_jit.dispatch.numba.types import numba_argument_type, numba_element
from symbiont_jit.errors import KernelError
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature, native_entry

__all__ = [
    "PythonCode",
    "body_from_bytes",
    "body_to_bytes",
    "compile_python",
    "compiler_lock",
    "link_python",
    "link_bodies",
]

#: Python never calls what is compiled here, and what Numba makes for such calls is a quarter of a compilation.
_WITHOUT_PYTHON: Final = {"no_cpython_wrapper": True}


@dataclass(frozen=True, slots=True, eq=False)
class PythonCode:
    """Numba's code for a Python body; `address` is valid for as long as this object is held."""

    address: int
    function: Any
    _entry: Any


# A child that is forked while another thread compiles does not have that thread, and would wait for ever for its lock.
os.register_at_fork(after_in_child=global_compiler_lock._lock._at_fork_reinit)


def compiler_lock() -> AbstractContextManager[Any]:
    """Return the lock that a thread holds while Numba compiles in it."""
    lock: AbstractContextManager[Any] = global_compiler_lock
    return lock


def link_bodies(bodies: Sequence[Callable[..., Any] | None], kernels: Sequence[Any]) -> tuple[Any, ...]:
    """Turn bodies into functions of Numba that are not compiled yet; None stays None.

    Where a body names a kernel whose body is among them, itself included, it calls that body: so the reference is what
    was declared, whatever the kernel's active revision is.
    """
    linked = [None if b is None else _LinkedFunction(plain_function(b), kernels) for b in bodies]
    options = [_WITHOUT_PYTHON | options_of(b) for b in bodies]
    made = [None if k is None else numba.njit(**o)(k.function) for o, k in zip(options, linked, strict=True)]
    for one in filter(None, linked):
        one.link(made)
    return tuple(made)


class _LinkedFunction:
    """A function that is copied where it names kernels, so that the names can mean something else in the copy."""

    def __init__(self, function: Any, kernels: Sequence[Any]) -> None:
        self._kernels = kernels
        number = {id(k): index for index, k in enumerate(kernels) if k is not None}
        names = {n: number[id(v)] for n, v in function.__globals__.items() if id(v) in number}
        self._names = {n: i for n, i in names.items() if n in _names_in(function.__code__)}
        self._scope = dict(function.__globals__) if self._names else function.__globals__
        cells = function.__closure__ or ()
        self._cells = {at: number[id(c.cell_contents)] for at, c in enumerate(cells) if _id_of_content(c) in number}
        closure = tuple(python_types.CellType() if at in self._cells else c for at, c in enumerate(cells))
        self.function = function
        if self._names or self._cells:
            self.function = python_types.FunctionType(
                function.__code__, self._scope, function.__name__, function.__defaults__, closure or None
            )
            self.function.__module__ = function.__module__
            self.function.__qualname__ = function.__qualname__

    def link(self, made: Sequence[Any]) -> None:
        """Let the names mean Numba's functions; one without a body stays the kernel."""
        meant = [kernel if body is None else body for body, kernel in zip(made, self._kernels, strict=True)]
        for name, index in self._names.items():
            self._scope[name] = meant[index]
        for at, index in self._cells.items():
            self.function.__closure__[at].cell_contents = meant[index]


def _id_of_content(cell: Any) -> int:
    """Return the `id` of what a closure's cell holds; 0 where it holds nothing yet."""
    try:
        return id(cell.cell_contents)
    except ValueError:
        return 0


def _names_in(code: Any) -> set[str]:
    """Yield the global names of a code object and of those inside it."""
    inner = (c for c in code.co_consts if isinstance(c, python_types.CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def compile_python(body: Any, signature: Signature) -> PythonCode:
    """Compile a linked body for exactly the declared types.

    Args:
        body: One of the functions that `link_bodies` made.
        signature: The declared types.

    Returns:
        The code, with an address that takes what the C prototype says.

    Raises:
        KernelError: Numba cannot compile the body; the message is Numba's.
    """
    entry = _compile(body, signature, numba.cfunc)
    return PythonCode(entry.address, body, entry)


def link_python(body: Any, signature: Signature) -> Any:
    """Compile a linked body as a function of Numba that takes what the native entry takes.

    The function only turns pointers into arrays, so it is always inlined into callers that Numba compiles; the body is
    inlined where Numba would inline its own callee.

    Raises:
        KernelError: Numba cannot compile the body; the message is Numba's.
    """
    return _compile(body, signature, functools.partial(numba.njit, forceinline=True, **_WITHOUT_PYTHON))


def _compile(body: Any, signature: Signature, how: Callable[..., Any]) -> Any:
    returns = types.void if signature.returns is None else numba_element(signature.returns)
    if numba.config.DISABLE_JIT:
        raise KernelError(
            f"NUMBA_DISABLE_JIT is set, so Numba compiles no Python bodies, which {signature.name!r} has; unset it, or "
            f"give the body as C with source=..."
        )
    try:
        given = tuple(map(numba_argument_type, signature.inputs))
        body.compile(given if signature.results is not None else returns(*given))
        return how(_entry_signature(signature, returns))(_generate_entry(body, signature))
    except Exception as error:  # Numba raises more than its own errors for code that it does not know.
        raise KernelError(
            f"Numba cannot compile the Python body of {signature.name!r} for {signature}; "
            f"give the body as C with source=..., or write it so that Numba can{_find_hints(signature)}:\n{error}"
        ) from error


def _find_hints(signature: Signature) -> str:
    """Find what often is the matter with parameters like these."""
    arrays = [(p, p.type) for p in signature.params if isinstance(p.type, ArrayType)]
    singles = [p.name for p, typ in arrays if not typ.dims and not typ.is_record]
    read = [p.name for p, _ in arrays if p.mode is Mode.IN]
    hints = [f"{name!r} is one value: read and write {name}[()]" for name in singles]
    hints += [f"{name!r} is read-only, also for a helper that names its types" for name in read]
    return "".join(f"; {hint}" for hint in hints[:3])


def _entry_signature(signature: Signature, returns: types.Type) -> Any:
    """Return the native entry's signature in Numba's types."""
    arguments = [*[types.int64] * len(signature.dimensions), *map(_entry_type, signature.params)]
    if native_entry(signature).has_result_pointer:
        return types.void(*arguments, types.CPointer(returns))
    return returns(*arguments)


def _entry_type(param: Param) -> types.Type:
    if isinstance(param.type, Scalar):
        scalar = numba_element(param.type)
        return types.CPointer(scalar) if param.type.kind == "c" else scalar
    return types.CPointer(numba_element(param.type.dtype))


def _generate_entry(function: Any, signature: Signature) -> Callable[..., Any]:
    """Write a function of lengths and pointers that views the pointers as arrays and calls the compiled body."""
    names = [*(f"d{i}" for i in range(len(signature.dimensions))), *(f"a{i}" for i in range(len(signature.params)))]
    lengths = dict(zip(signature.dimensions, names, strict=False))
    passed = [_write_argument(f"a{i}", param, lengths) for i, param in enumerate(signature.params)]
    if signature.results is not None:
        return _generate_returning_entry(function, signature, names, passed)
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


def _generate_returning_entry(
    function: Any, signature: Signature, names: list[str], passed: list[str]
) -> Callable[..., Any]:
    """Write the function that copies what the compiled body returns into the last parameters."""
    assert signature.results is not None
    count = len(signature.inputs)
    lines = [f"found = function({', '.join(passed[:count])})"]
    for index, (buffer, lengths) in enumerate(zip(passed[count:], signature.results.lengths, strict=True)):
        part = f"found[{index}]" if signature.results.is_tuple else "found"
        lines.append(f"{buffer}[{', '.join(':' * len(lengths)) if lengths else '()'}] = {part}")
    scope: dict[str, Any] = {"function": function, "carray": numba.carray}
    exec(f"def entry({', '.join(names)}):\n    " + "\n    ".join(lines) + "\n", scope)  # noqa: S102  generated here
    entry: Callable[..., Any] = scope["entry"]
    return entry


def _write_argument(name: str, param: Param, lengths: dict[str, str]) -> str:
    if not isinstance(param.type, ArrayType):
        return f"carray({name}, (1,))[0]" if param.type.kind == "c" else name
    if param.type.is_record:
        return f"carray({name}, (1,))[0]"
    shape = "".join(f"{lengths[d] if isinstance(d, str) else d}, " for d in param.type.dims)
    return f"carray({name}, ({shape}))"


def body_to_bytes(body: Any) -> bytes:
    """Pickle a linked body with what it refers to, as Numba does: by value where it cannot be imported."""
    return pickle.dumps(body)


def body_from_bytes(data: bytes) -> Any:
    """Unpickle a linked body, as a function of Numba."""
    return pickle.loads(data)  # noqa: S301  part of a pickle that is being loaded
