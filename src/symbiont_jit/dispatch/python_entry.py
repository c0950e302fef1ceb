"""A cell that can be called: from Python with clear exceptions, from Numba as a value of a `KernelType`.

In: a signature and a cell. Out: the object that kernels and revisions are.

A call from Python goes to a C function for its signature (a `VectorCall`), which takes arguments that are exactly right
and leaves everything else to `_call_slowly`: the first call, conversions, keywords and errors.
"""

from __future__ import annotations

import ctypes
import functools
import inspect
import operator
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.dispatch.lease import CallerRefs, Lease, remember_owner
from symbiont_jit.dispatch.numba import lowering  # noqa: F401  tells Numba what values of kernel types are
from symbiont_jit.dispatch.numba.types import KernelType, NumbaValue, kernel_type
from symbiont_jit.dispatch.vectorcall import VectorCall
from symbiont_jit.errors import KernelError, UsageError
from symbiont_jit.lazy import lazy
from symbiont_jit.signature import (
    ArrayType,
    Param,
    Scalar,
    Signature,
    check_arguments,
    make_room,
    native_entry,
    take_results,
)

__all__ = ["CellCallable", "PanicWatch", "ctypes_pointer", "ctypes_prototype"]


class PanicWatch(Protocol):
    """What looks after calls from Python and raises their panics."""

    def call(self, call: Callable[[], Any]) -> Any:
        """Make a call, and raise where it panics."""

    def raise_panic(self, found: int, revision: int, site: int, a: int, b: int) -> None:
        """Raise a panic that C has taken after a call."""


class CellCallable(NumbaValue):
    """Something with a signature whose code is wherever its cell points.

    Calling it raises `TypeError` for a wrong number, type or dtype, `ValueError` for a wrong shape, layout or a
    read-only buffer, `OverflowError` for an integer that does not fit; each names the argument and the signature.
    """

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """Call the code the cell points at."""
    else:
        # A slot named `__call__` lets Python go straight to what is stored in it: no frame stands between. Type
        # checkers would take it for a variable, whose call passes no `self`.
        __slots__ = ("__call__", "__dict__", "__weakref__")

    def __init__(self, signature: Signature, cell: Cell | MemberCell) -> None:
        self.signature = signature
        self._cell = cell
        # A list, because C adds to it and takes from it in one step, where a number would need a lock.
        self._slow_calls: list[None] = []
        self._caller_refs = CallerRefs()
        self._slow_call = functools.partial(_call_slowly, weakref.ref(self))
        self.__call__ = self._slow_call  # type: ignore[method-assign]

    @lazy
    def numba_type(self) -> KernelType:
        """Return the type in compiled code, which is that of every kernel of these types."""
        return kernel_type(self.signature, self._cell.is_member)

    @property
    def __signature__(self) -> inspect.Signature:
        """The signature that `help` and `inspect` show."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [inspect.Parameter(p.name, kind, annotation=_PlainText(str(p))) for p in self.signature.params]
        return inspect.Signature(parameters, return_annotation=_PlainText(str(self.signature.returns)))

    @property
    def _cell_address(self) -> int:
        """The address of the cell, once there is code behind it."""
        self._require_code()
        return self._cell.address

    @property
    def _numba_lease(self) -> Lease:
        """The lease that compiled code holds of this object: the cell's address, once there is code behind it."""
        self._require_code()
        return self._caller_refs.take(self, self._cell.address)

    def _require_code(self) -> None:
        """Make sure that the cell points at code; a subclass compiles or loads it here."""

    def _vectorcall(self) -> VectorCall | None:
        """Return the compiled way in from Python for this signature; None where the platform has none."""
        return None

    @property
    def _panic_watch(self) -> PanicWatch | None:
        """What raises the panics of calls from Python, and does not keep this object; None where nothing is raised."""
        return None

    @property
    def _code_owner(self) -> Any:
        """An object that keeps the code alive, but not this object."""
        return None

    def _keep_for_good(self) -> None:
        """Keep this object for ever: a compiled function holds its cell as a constant."""
        _IMMORTAL.append(self)
        remember_owner(self._cell.address, self)

    @property
    def _may_be_running(self) -> bool:
        """Whether a compiled function or a Python call is under way that began with this cell."""
        return self._cell.users > 0 or bool(self._slow_calls) or self._caller_refs.are_out


#: The objects that compiled functions hold as constants: machine code has their address in it and is never freed.
_IMMORTAL: list[CellCallable] = []


class _PlainText(str):
    """An annotation that is printed as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _call_slowly(reference: weakref.ref[CellCallable], *args: Any, **kwargs: Any) -> Any:
    """Check and convert whatever arguments there are, and call by ctypes; the next call takes the short way."""
    owner = reference()
    if owner is None:
        raise ReferenceError("the kernel or handle whose call this was is gone; keep that, not only its __call__")
    if owner.signature.results is not None and len(args) + len(kwargs) < len(owner.signature.params):
        return _call_returning(owner, args, kwargs)
    if kwargs:
        args = _order_keywords(owner.signature.params, owner.signature, args, kwargs)
    problem = check_arguments(owner.signature, args)
    if problem is not None:
        raise problem
    if owner.__call__ is owner._slow_call:
        fast = owner._vectorcall()
        if fast is not None:
            watch = owner._panic_watch
            raise_panic = None if watch is None else watch.raise_panic
            bound = fast.bind(owner._cell, owner._slow_call, raise_panic, owner._code_owner)
            owner.__call__ = bound  # type: ignore[method-assign]
    owner._slow_calls.append(None)
    try:
        owner._require_code()
        return _call_native(owner, args)
    finally:
        owner._slow_calls.pop()


def _call_returning(owner: CellCallable, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call with room for the results, and return them."""
    signature = owner.signature
    if kwargs:
        args = _order_keywords(signature.inputs, signature, args, kwargs)
    problem = check_arguments(signature.without_results, args)
    if problem is not None:
        raise problem
    buffers = make_room(signature, args)
    owner(*args, *buffers)
    return take_results(signature, buffers)


def _order_keywords(
    params: Sequence[Param], signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    names = [p.name for p in params[len(args) :]]
    if set(kwargs) != set(names):
        missing = f", without {', '.join(n for n in names if n not in kwargs)}" if set(names) - set(kwargs) else ""
        raise TypeError(f"{signature.name}() got keyword arguments {sorted(kwargs)}{missing}; wanted {signature}")
    return (*args, *(kwargs[name] for name in names))


def _call_native(owner: CellCallable, args: Sequence[Any]) -> Any:
    """Call the native entry by ctypes, which releases Python's lock meanwhile; the arguments have been checked."""
    signature = owner.signature
    values = [_native_value(p, a) for p, a in zip(signature.params, args, strict=True)]
    lengths: dict[str, int] = {}
    for param, value in zip(signature.params, values, strict=True):
        if isinstance(param.type, ArrayType):
            lengths |= {d: n for d, n in zip(param.type.dims, np.shape(value), strict=False) if isinstance(d, str)}
    passed = [lengths[d] for d in signature.dimensions]
    passed += [v.ctypes.data if isinstance(v, np.ndarray) else v for v in values]
    target = owner._cell.target
    if not target:  # A signal handler comes here out of the call that it has interrupted.
        raise KernelError(f"{signature.name} is being compiled by the call that this one interrupts; call it later")
    function, watch = ctypes_prototype(signature)(target), owner._panic_watch
    call = operator.call if watch is None else watch.call
    if not native_entry(signature).has_result_pointer:
        return call(functools.partial(function, *passed))
    assert signature.returns is not None
    result = np.zeros((), signature.returns.dtype)
    call(functools.partial(function, *passed, result.ctypes.data))
    return complex(result)


def _native_value(param: Param, value: Any) -> Any:
    """Convert an argument to what the native entry takes: an array of the caller's own memory, or a number."""
    if isinstance(param.type, ArrayType):
        return np.asarray(value)
    if param.type.kind == "c":
        with np.errstate(over="ignore"):  # A number that does not fit becomes an infinity, as a float does.
            return np.asarray(np.complex128(value).astype(param.type.dtype))
    return {"f": float, "b": bool}.get(param.type.kind, int)(value)


_C_TYPES = {
    **{f"{u}int{b}_t": getattr(ctypes, f"c_{u}int{b}") for b in (8, 16, 32, 64) for u in ("", "u")},
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "bool": ctypes.c_bool,
    "void": None,
}


@functools.lru_cache(maxsize=256)
def ctypes_prototype(signature: Signature) -> Any:
    """Return the ctypes function type of the native entry; what goes by pointer is a `void *`."""
    entry = native_entry(signature)
    return ctypes.CFUNCTYPE(*(_C_TYPES.get(t, ctypes.c_void_p) for t in (entry.returns, *entry.types)))


_OTHERWISE = "use `address` from C or Cython, or pass an array"


@functools.lru_cache(maxsize=256)
def ctypes_pointer(signature: Signature) -> Any:
    """Return the ctypes function type of the C prototype: arrays are pointers to their elements, records `void *`."""
    types: list[Any] = [ctypes.c_int64] * len(signature.dimensions)
    for param in signature.params:
        element = param.type if isinstance(param.type, Scalar) else param.type.dtype
        if element.c not in _C_TYPES and isinstance(param.type, Scalar):
            raise UsageError(f"ctypes has no {element}, which {signature.name!r} takes by value; {_OTHERWISE}")
        if isinstance(param.type, Scalar):
            types.append(_C_TYPES[element.c])
        else:
            types.append(ctypes.POINTER(_C_TYPES[element.c]) if element.c in _C_TYPES else ctypes.c_void_p)
    if signature.returns is not None and signature.returns.c not in _C_TYPES:
        raise UsageError(f"ctypes has no {signature.returns}, which {signature.name!r} returns; {_OTHERWISE}")
    return ctypes.CFUNCTYPE(_C_TYPES[signature.returns.c] if signature.returns else None, *types)
