"""A cell that can be called: from Python with clear exceptions, from Numba as a value of a `KernelType`.

In: a signature and a cell. Out: the object that kernels and revisions are.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba.core import errors

from symbiont_jit.dispatch.cell import Cell
from symbiont_jit.dispatch.numba_types import KernelType, kernel_type
from symbiont_jit.signature import ArrayType, Param, Scalar, Signature, check_arguments

__all__ = ["CellCallable"]


class CellCallable:
    """Something with a signature whose code is wherever its cell points."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._cell = Cell()
        # Numba takes any integer for any other; a Python caller should hear about an int that does not fit.
        self._checks_first = any(not isinstance(p.type, ArrayType) and p.type.kind in "iub" for p in signature.params)

    @functools.cached_property
    def _numba_type_(self) -> KernelType:
        """Where Numba looks for the type of a value it does not know."""
        return kernel_type(self.signature)

    @property
    def _cell_address(self) -> int:
        """The address of the cell, once there is code behind it."""
        self._require_code()
        return self._cell.address

    def _require_code(self) -> None:
        """Make sure that the cell points at code; a subclass compiles or loads it here."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the code the cell points at.

        Raises `TypeError` for a wrong number, type or dtype, `ValueError` for a wrong shape, layout or a read-only
        buffer, `OverflowError` for an integer that does not fit; each names the argument and the signature.
        """
        if kwargs:
            args = self._positional(args, kwargs)
        if self._checks_first or len(args) != len(self.signature.params):
            self._require_arguments(args)
            args = tuple(map(_wide, self.signature.params, args))
        try:
            return _caller(len(args))(self, *args)
        except (errors.NumbaError, TypeError, ValueError):
            self._require_arguments(args)
            raise

    def _require_arguments(self, args: tuple[Any, ...]) -> None:
        problem = check_arguments(self.signature, args)
        if problem is not None:
            raise problem from None

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        names = [p.name for p in self.signature.params[len(args) :]]
        if set(kwargs) != set(names):
            raise TypeError(f"{self.signature.name}() got keyword arguments {sorted(kwargs)}; wanted {self.signature}")
        return (*args, *(kwargs[name] for name in names))


def _wide(param: Param, value: Any) -> Any:
    """An int for an unsigned parameter in a type that holds it: Numba takes every Python int for a signed one."""
    is_unsigned = isinstance(param.type, Scalar) and param.type.name == "uint64"
    return np.uint64(value) if is_unsigned else value


@functools.cache
def _caller(count: int) -> Any:
    """A compiled function that calls its first argument with the others; the lock is released meanwhile."""
    names = ", ".join(f"a{i}" for i in range(count))
    scope: dict[str, Any] = {}
    exec(f"def call(kernel, {names}):\n    return kernel({names})\n", scope)  # noqa: S102  from a number alone
    return numba.njit(nogil=True)(scope["call"])
