"""Attributes that are computed when they are first asked for.

In: a method. Out: an attribute of each object, without a lock. `functools.cached_property` of Python 3.11 has one for a
whole class: two objects wait for each other, and a forked child may find it locked for good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

__all__ = ["lazy"]

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801  # It is used as a decorator.
    """A property that is computed once for each object; of threads that come together all get what the first has."""

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self.__doc__ = compute.__doc__
        self._compute = compute
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the attribute's name, under which the object keeps the value."""
        self._name = name

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: object, cls: type) -> _T: ...
    def __get__(self, owner: object | None, cls: type) -> Self | _T:
        """Compute the value and keep it; from then on Python finds it in the object itself."""
        if owner is None:
            return self
        value: _T = owner.__dict__.setdefault(self._name, self._compute(owner))
        return value
