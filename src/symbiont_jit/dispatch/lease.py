"""Reference-counted handles that Numba-compiled code keeps on a kernel, revision or group while it holds one.

In: an object with a cell. Out: a `Lease`: the cell's address, and a reference to the object. Numba counts the
references that compiled code has; when the last one goes, so does the lease.
"""

from __future__ import annotations

import weakref
from typing import Any

__all__ = ["CallerRefs", "Lease", "owner_of", "remember_owner"]


class Lease:
    """The address of a cell, and its owner."""

    __slots__ = ("__weakref__", "address", "owner")

    def __init__(self, owner: Any, address: int) -> None:
        self.owner = owner
        self.address = address


class CallerRefs:
    """The leases that compiled callers hold of one owner; those who come later share the first.

    There is no lock, which a signal handler could find held: two who come at once get a lease each, and both count.
    """

    __slots__ = ("_leases", "were_out")

    def __init__(self) -> None:
        self._leases: list[weakref.ref[Lease]] = []
        #: Whether compiled code has ever had the owner.
        self.were_out = False

    def take(self, owner: Any, address: int) -> Lease:
        """Return a lease that compiled code has already, or a new one."""
        for reference in tuple(self._leases):
            if (lease := reference()) is not None:
                return lease
        if not self.were_out:
            remember_owner(address, owner)
            self.were_out = True
        lease = Lease(owner, address)
        self._leases.append(weakref.ref(lease, self._leases.remove))
        return lease

    @property
    def are_out(self) -> bool:
        """Whether compiled code has the owner."""
        return bool(self._leases)


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
