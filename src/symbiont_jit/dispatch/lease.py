"""Reference-counted handles that Numba-compiled code keeps on a kernel, revision or group while it holds one.

In: an object with a cell. Out: a `Lease`: the cell's address, and a reference to the object. Numba counts the
references that compiled code has; when the last one goes, so does the lease.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["CallerRefs", "Lease", "owner_of", "remember_owner"]


class Lease:
    """The address of a cell, and its owner."""

    __slots__ = ("__weakref__", "address", "owner")

    def __init__(self, owner: Any, address: int) -> None:
        self.owner = owner
        self.address = address


class CallerRefs:
    """The lease that compiled callers hold of one owner; all who have it at a time share one."""

    __slots__ = ("_current", "_lock")

    def __init__(self) -> None:
        self._current: Callable[[], Lease | None] = _none
        self._lock = threading.Lock()

    def take(self, owner: Any, address: int) -> Lease:
        """Return the lease that compiled code has already, or a new one."""
        with self._lock:
            lease = self._current()
            if lease is None:
                if self._current is _none:
                    remember_owner(address, owner)
                lease = Lease(owner, address)
                self._current = weakref.ref(lease)
            return lease

    def begin_anew_after_fork(self) -> None:
        """Replace the lock, which a thread of the parent may hold that does not exist in the child."""
        self._lock = threading.Lock()

    @property
    def were_out(self) -> bool:
        """Whether compiled code has ever had the owner."""
        return self._current is not _none

    @property
    def are_out(self) -> bool:
        """Whether compiled code has the owner."""
        return self._current() is not None


def _none() -> None:
    return None


_OWNERS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def remember_owner(address: int, owner: Any) -> None:
    """Say whose cell is at an address, for as long as the owner lives.

    An owner that stands for another object has that as its `python_object`.
    """
    _OWNERS[address] = owner


def owner_of(address: int) -> Any:
    """Return the object that Python gets for a cell that compiled code has; the address keeps its owner alive."""
    owner = _OWNERS[address]
    return getattr(owner, "python_object", owner)
