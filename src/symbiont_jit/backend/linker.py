"""Object code -> machine code that takes no more memory than itself, beside code that other threads are inside of.

In: an ELF-64 relocatable object for x86-64, the names of its entries, and a function that knows the address of every
name the object leaves to others. Out: `Linked`. `relocate` makes the bytes, `code_memory` has the room.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symbiont_jit.backend import code_memory
from symbiont_jit.backend.code_memory import NoCodeMemory, Place
from symbiont_jit.backend.elf import DamagedObject
from symbiont_jit.backend.relocate import CannotLink, lay_out

__all__ = ["CannotLink", "Linked", "link"]


@dataclass(slots=True, eq=False)
class Linked(Place):
    """Machine code at its place: the address of each entry, in the order asked for."""

    addresses: tuple[int, ...] = ()

    def close(self) -> None:
        """Give the memory back; the caller promises that no thread is inside. A second call does nothing."""
        code_memory.CODE_MEMORY.give(self)


def link(data: bytes, entries: Sequence[str], address_of: Callable[[str], int]) -> Linked:
    """Put an object at an address; `address_of` gives the address of each name that the object leaves open.

    Raises:
        CannotLink: The object is damaged or of a kind that is not known here. What `address_of` raises passes through.
    """
    try:
        return _link(data, entries, address_of)
    except (DamagedObject, NoCodeMemory) as error:
        raise CannotLink(str(error)) from None
    except (struct.error, MemoryError) as error:  # A field is too narrow, or the code does not fit into memory twice.
        raise CannotLink(f"no room: {error!r}") from error


def _link(data: bytes, entries: Sequence[str], address_of: Callable[[str], int]) -> Linked:
    layout = lay_out(data)
    chosen = [layout.index_of(name) for name in entries]
    place = code_memory.CODE_MEMORY.take(layout.size, layout.align)
    try:
        address = layout.addresses(chosen, place.start, address_of)
        code_memory.CODE_MEMORY.write(place, layout.code(place.start, address))
    except BaseException:
        code_memory.CODE_MEMORY.give(place)
        raise
    return Linked(place.start, place.size, place.chunk, tuple(address[index] for index in chosen))
