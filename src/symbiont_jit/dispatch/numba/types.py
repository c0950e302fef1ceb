"""How Numba sees a kernel: a callable type that depends on the signature's types alone, never on the kernel.

In: a `Signature`. Out: a `KernelType`, which types the calls. One compiled loop therefore serves every kernel of the
same types, and a swap needs no compilation. `lowering` says what the values and calls are at run time.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numba
from numba import TypingError, types
from numba.core.typing.templates import Signature as NumbaSignature
from numba.extending import typeof_impl

from symbiont_jit.signature import ArrayType, Element, Mode, Param, Record, Scalar, Signature

__all__ = ["KernelType", "NumbaValue", "kernel_type", "numba_argument_type", "numba_element"]


class NumbaValue:
    """Something that compiled code can be given: a kernel, a handle, a group, a frozen revision."""

    __slots__ = ()

    @property
    @abstractmethod
    def numba_type(self) -> Any:
        """The type of the value in compiled code."""


@typeof_impl.register(NumbaValue)
def _type_of(value: NumbaValue, context: Any) -> Any:
    return value.numba_type


@functools.cache
def numba_element(element: Element | None) -> types.Type:
    """Return Numba's type of a scalar or record; `none` for no value."""
    if element is None:
        return types.none
    return numba.from_dtype(element.dtype) if isinstance(element, Record) else getattr(types, element.name)


def numba_argument_type(param: Param) -> types.Type:
    """Return the Numba type that a parameter's arguments have; an array that is only read is read-only."""
    if isinstance(param.type, Scalar):
        return numba_element(param.type)
    if param.type.is_record:
        return numba_element(param.type.dtype)
    return types.Array(numba_element(param.type.dtype), len(param.type.dims), "C", readonly=param.mode is Mode.IN)


#: The number grows with every change to the layout of cells and tables, because Numba's caches on disk hold code that
#: knows the layout.
LAYOUT: Final = 2


class KernelType(types.Callable):  # type: ignore[misc]  # Numba has no type information
    """The type of every kernel, handle and revision with the same types and dimension pattern.

    `signature` has the names of none of them: a message from a loop that serves all must not name the first. It is not
    `types.Opaque`: Numba takes values of that for empty where they are attributes of a module.
    """

    def __init__(self, signature: Signature, is_member: bool = False) -> None:
        self.signature = _anonymize(signature)
        self.is_member = is_member
        self.layout = LAYOUT
        super().__init__(f"{'Member' if is_member else 'Kernel'}[{signature.shape_key}]")

    @property
    def key(self) -> Any:
        """The key that equal types share, here and in a cache that an earlier release has written."""
        return self.name, self.__dict__.get("layout")

    def get_call_type(self, context: Any, args: Sequence[types.Type], kws: dict[str, Any]) -> NumbaSignature:
        """Type a call; raise a typing error that shows the wanted signature."""
        params = self.signature.params
        if kws:
            raise TypingError(f"pass arguments by position; {_describe_signature(self.signature)}")
        if len(args) != len(params):
            raise TypingError(
                f"{len(args)} arguments given, {len(params)} wanted; {_describe_signature(self.signature)}"
            )
        taken = [_convert_argument(param, arg, self.signature) for param, arg in zip(params, args, strict=True)]
        # `recvr` makes Numba hand the callee's value to the lowering as its first argument.
        return NumbaSignature(numba_element(self.signature.returns), tuple(taken), recvr=self)

    def get_call_signatures(self) -> tuple[list[NumbaSignature], bool]:
        """Return the signatures that Numba's messages list."""
        args = tuple(numba_argument_type(p) for p in self.signature.params)
        return [NumbaSignature(numba_element(self.signature.returns), args, recvr=self)], False

    def get_impl_key(self, sig: NumbaSignature) -> type:
        """Return the key of the lowering, which serves all kernels."""
        return KernelType


_BY_SHAPE: dict[tuple[str, bool], KernelType] = {}


def kernel_type(signature: Signature, is_member: bool = False) -> KernelType:
    """Return the Numba type of a signature; the same object for every signature of the same types.

    Members of a group have a type of their own: their calls go through the group's table.
    """
    key = signature.shape_key, is_member
    if key not in _BY_SHAPE:
        _BY_SHAPE.setdefault(key, KernelType(signature, is_member))
    return _BY_SHAPE[key]


def _anonymize(signature: Signature) -> Signature:
    """Replace a signature's names by ones that hold for every kernel of its types."""
    index: dict[str | int, str] = {d: f"n{i}" for i, d in enumerate(signature.dimensions)}
    params = []
    for number, param in enumerate(signature.params, 1):
        typ = param.type
        if isinstance(typ, ArrayType):
            typ = ArrayType(typ.dtype, tuple(index.get(d, d) for d in typ.dims))
        params.append(Param(f"arg{number}", typ, param.mode))
    return Signature("kernel", tuple(params), signature.returns)


def _describe_signature(signature: Signature) -> str:
    return f"wanted {signature}, in C: {signature.c_prototype}"


def _convert_argument(param: Param, given: types.Type, signature: Signature) -> types.Type:
    """Return the type that an argument is converted to before the call; raise a typing error where it does not fit."""
    problem = (
        _scalar_problem(param.type, given)
        if isinstance(param.type, Scalar)
        else _array_problem(param.type, param.mode, given)
    )
    if problem is not None:
        raise TypingError(f"argument {param.name!r} {problem}; {_describe_signature(signature)}")
    return numba_element(param.type) if isinstance(param.type, Scalar) else given


def _scalar_problem(scalar: Scalar, given: types.Type) -> str | None:
    given = types.unliteral(given)
    accepted: tuple[type, ...] = (types.Boolean,)
    if scalar.kind in "iu":
        accepted = (types.Integer, types.Boolean)
    elif scalar.kind in "fc":
        accepted = (types.Float, types.Integer, types.Boolean, *([types.Complex] if scalar.kind == "c" else []))
    return None if isinstance(given, accepted) else f"is {given}, not {scalar}"


def _array_problem(array: ArrayType, mode: Mode, given: types.Type) -> str | None:
    if array.is_record and isinstance(given, types.Record):
        return None if _same_element(array.dtype, given) else f"is {given}, not {array.dtype}"
    if not isinstance(given, types.Array):
        return f"is {given}, not an array of {array.dtype}"
    if not _same_element(array.dtype, given.dtype):
        return f"is an array of {given.dtype}, not {array.dtype}"
    if array.dims and given.ndim != len(array.dims):
        return f"has {given.ndim} dimensions, not {len(array.dims)}"
    if not array.dims and given.ndim > 1:
        return f"has {given.ndim} dimensions; one value by reference is a 0-d or one-element array"
    if given.layout != "C":
        return f"is not known to be C-contiguous (layout {given.layout!r}); pass np.ascontiguousarray(...)"
    if mode is not Mode.IN and not given.mutable:
        return "is read-only, but the kernel writes it"
    return None


def _same_element(element: Element, given: types.Type) -> bool:
    """Whether values of a Numba type are laid out like an element; a Numba record need not say that it is aligned."""
    if isinstance(element, Record) and isinstance(given, types.Record):
        return bool(given.dtype == element.dtype)
    return bool(given == numba_element(element))
