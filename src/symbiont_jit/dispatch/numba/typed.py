"""Objects that say which Numba type they are of: kernels, handles, groups, frozen revisions."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from numba.extending import typeof_impl

__all__ = ["Typed"]


class Typed:
    """Something that compiled code can be given; `numba_type` is its type there."""

    __slots__ = ()

    @property
    @abstractmethod
    def numba_type(self) -> Any:
        """The type of the value in compiled code."""


@typeof_impl.register(Typed)  # type: ignore[untyped-decorator]  # Numba has no type information
def _type_of(value: Typed, context: Any) -> Any:
    return value.numba_type
