"""How the arguments of one call lie in memory: as an image, in which arrays that overlap do so as the user's own do.

In: a signature and one value for each parameter. Out: the values in native form, and a `CallLayout` by which a copy of
them is made anywhere. A block is what may be moved by itself: an array, or several that overlap, or a scalar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature

__all__ = [
    "GAP",
    "Block",
    "CallLayout",
    "aligned_bytes",
    "copy_into",
    "dtype_of",
    "fill_image",
    "layout_of",
    "native_values",
]

#: Bytes to which blocks are aligned, and that lie at least between two of them.
GAP: Final = 64
#: What lies between blocks.
FILLING: Final = 0xA5
#: The strictest alignment of an element.
_STRICT: Final = 16


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes `begin` to `end` of an image, which belong to one argument, or to several that overlap.

    `is_array` says that it is no scalar, and `is_written` that a call may change some of it.
    """

    name: str
    begin: int
    end: int
    is_array: bool
    is_written: bool


@dataclass(frozen=True, slots=True)
class CallLayout:
    """Where each argument lies in an image of `size` bytes.

    `offsets` and `shapes` have an entry for each parameter. Blocks that a call may change come last, from byte
    `written` on.
    """

    dtypes: tuple[Any, ...]
    shapes: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    blocks: tuple[Block, ...]
    written: int
    size: int

    def views(self, image: Any) -> tuple[Any, ...]:
        """Return the arguments that lie in an image, an array of bytes."""
        return tuple(
            np.ndarray(shape, dtype, image, offset)
            for dtype, shape, offset in zip(self.dtypes, self.shapes, self.offsets, strict=True)
        )

    def block_of(self, index: int) -> int:
        """Return the number of the block that an argument lies in."""
        at = self.offsets[index]
        return next(i for i, block in enumerate(self.blocks) if block.begin <= at <= block.end)


def dtype_of(param: Param) -> Any:
    """Return the NumPy dtype of a parameter's elements."""
    return param.type.dtype if isinstance(param.type, Scalar) else param.type.dtype.dtype


def native_values(signature: Signature, values: Sequence[Any]) -> list[Any]:
    """Return a call's arguments as contiguous, aligned arrays: the given ones where they are that already."""
    return [_native_value(dtype_of(param), value) for param, value in zip(signature.params, values, strict=True)]


def _native_value(dtype: Any, value: Any) -> Any:
    array = np.asarray(value, dtype, order="C")
    return array if array.ctypes.data % dtype.alignment == 0 else array.copy()


def layout_of(signature: Signature, natives: Sequence[Any]) -> CallLayout:
    """Lay out arguments in native form: those that overlap in one block, those that no call changes in front."""
    groups = [_OverlappingArrays.of(signature.params, natives, members) for members in _overlapping(natives)]
    offsets = [0] * len(natives)
    blocks: list[Block] = []
    place = written = 0
    for group in sorted(groups, key=lambda group: group.is_written):
        written = place if group.is_written and not any(b.is_written for b in blocks) else written
        for index, offset in zip(group.members, group.offsets, strict=True):
            offsets[index] = place + offset
        blocks.append(Block(group.name, place, place + group.size, group.is_array, group.is_written))
        place = _round_up(place + group.size, GAP) + GAP
    if not any(block.is_written for block in blocks):
        written = place
    dtypes, shapes = tuple(v.dtype for v in natives), tuple(v.shape for v in natives)
    return CallLayout(dtypes, shapes, tuple(offsets), tuple(blocks), written, place)


def fill_image(layout: CallLayout, natives: Sequence[Any]) -> Any:
    """Make an image of arguments in native form."""
    image = aligned_bytes(layout.size)
    image[...] = FILLING
    copy_into(image, layout, natives)
    return image


def copy_into(image: Any, layout: CallLayout, natives: Sequence[Any]) -> None:
    """Copy arguments in native form to their places in an image; what lies between stays."""
    for mine, value in zip(layout.views(image), natives, strict=True):
        mine[...] = value


def aligned_bytes(size: int) -> Any:
    """Make an array of so many bytes whose beginning is aligned like that of a block."""
    whole = np.empty(size + GAP, np.uint8)
    skipped = -whole.ctypes.data % GAP
    return whole[skipped : skipped + size]


@dataclass(frozen=True, slots=True)
class _OverlappingArrays:
    """Arguments that overlap, by their numbers, and where they lie to each other."""

    name: str
    members: tuple[int, ...]
    offsets: tuple[int, ...]
    size: int
    is_array: bool
    is_written: bool

    @classmethod
    def of(cls, params: Sequence[Param], natives: Sequence[Any], members: Sequence[int]) -> _OverlappingArrays:
        first = min(_begin(natives[i]) for i in members)
        last = max(_begin(natives[i]) + natives[i].nbytes for i in members)
        if len(members) > 1:  # Each of them keeps its alignment.
            first, last = first - first % _STRICT, _round_up(last, _STRICT)
        return cls(
            " and ".join(params[i].name for i in members),
            tuple(members),
            tuple(_begin(natives[i]) - first for i in members),
            last - first,
            any(isinstance(params[i].type, ArrayType) for i in members),
            any(params[i].mode is not Mode.IN for i in members),
        )


def _begin(array: Any) -> int:
    return int(array.ctypes.data)


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _overlapping(natives: Sequence[Any]) -> list[list[int]]:
    """Return the numbers of arrays in groups, of which those of one group overlap."""
    groups: list[list[int]] = []
    end = 0
    for index in sorted(range(len(natives)), key=lambda index: (_begin(natives[index]), natives[index].nbytes)):
        begin, size = _begin(natives[index]), natives[index].nbytes
        if groups and size and begin < end:
            groups[-1].append(index)
        else:
            groups.append([index])
        end = max(end, begin + size)
    return [sorted(group) for group in groups]
