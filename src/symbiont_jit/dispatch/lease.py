"""What compiled code holds of a kernel, a handle or a group while it has it: as an argument, or stored somewhere.

In: an object with a cell. Out: a `Lease`: the cell's address, and a reference to the object. Numba counts the
references that compiled code has; when the last goes, so does the lease.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["Lease", "Leases", "owner_of", "remember_owner"]


class Lease:
    """The address of a cell, and its owner."""

    __slots__ = ("__weakref__", "address", "owner")

    def __init__(self, owner: Any, address: int) -> None:
        self.owner = owner
        self.address = address


class Leases:
    """The lease of one owner, the same for all who have it at a time."""

    __slots__ = ("_current", "_lock")

    def __init__(self) -> None:
        self._current: Callable[[], Lease | None] = _none
        self._lock = threading.Lock()

    def take(self, owner: Any, address: int) -> Lease:
        """The lease that is out, or a new one."""
        with self._lock:
            lease = self._current()
            if lease is None:
                if self._current is _none:
                    remember_owner(address, owner)
                lease = Lease(owner, address)
                self._current = weakref.ref(lease)
            return lease

    def forked(self) -> None:
        """Begin anew in the child of a fork, where no other thread lives to release the lock."""
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
    """Say whose cell is at an address, for as long as the owner lives; `owner.itself` is what Python gets."""
    _OWNERS[address] = owner


def owner_of(address: int) -> Any:
    """Whose cell it is: whoever has the address in compiled code keeps the owner."""
    return _OWNERS[address].itself
