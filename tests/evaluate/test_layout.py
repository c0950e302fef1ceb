"""Where the arguments of a call lie: copies that overlap as the originals do.

Invariants: a view of an image has the values, dtype and shape of the argument; two views share a byte exactly where the
arguments do; blocks do not overlap, and what no call may change comes first.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import float32 as f32
from numba import float64 as f64
from numba import int8

from symbiont_jit import Array, InOut, Out
from symbiont_jit.evaluate.layout import GAP, fill_image, layout_of, native_values
from symbiont_jit.signature import signature_of


def many(a: Array[f64, "n"], b: InOut[f64, "m"], c: Array[int8, "k"], d: Out[f32, "j"], t: f64) -> None: ...


SIGNATURE = signature_of(many)


@st.composite
def arguments(draw):
    """Arrays that lie anywhere in one stretch of memory, or in one of their own."""
    base = np.arange(2048, dtype=np.uint8)
    base = base[-base.ctypes.data % 8 :][:1920]
    values = []
    for dtype in (np.float64, np.float64, np.int8, np.float32):
        size = np.dtype(dtype).itemsize
        count = draw(st.integers(0, 20))
        start = draw(st.integers(0, 100)) * size
        part = base[start : start + count * size].view(dtype)
        values.append(part if draw(st.booleans()) else part.copy())
    return (*values, draw(st.floats()))


@given(arguments())
def test_copies_overlap_as_the_originals_do(values):
    """Every byte that two arguments share is one byte in the image, and no other is."""
    natives = native_values(SIGNATURE, values)
    layout = layout_of(SIGNATURE, natives)
    image = fill_image(layout, natives)
    views = layout.views(image)
    for view, value in zip(views, natives, strict=True):
        assert view.tobytes() == value.tobytes()
        assert (view.dtype, view.shape, view.flags.aligned) == (value.dtype, value.shape, True)
    for i, one in enumerate(natives):
        for j, other in enumerate(natives[:i]):
            assert np.shares_memory(views[i], views[j]) == np.shares_memory(one, other)
            if np.shares_memory(one, other):
                assert views[i].ctypes.data - views[j].ctypes.data == one.ctypes.data - other.ctypes.data


@given(arguments())
def test_blocks_are_apart(values):
    """There is a gap between two blocks, and blocks that a call may change come last."""
    layout = layout_of(SIGNATURE, native_values(SIGNATURE, values))
    for one, other in zip(layout.blocks, layout.blocks[1:], strict=False):
        assert one.end + GAP <= other.begin
        assert one.is_written <= other.is_written
    assert all((block.begin >= layout.written) == block.is_written for block in layout.blocks)
    assert all(offset == 0 or layout.block_of(i) >= 0 for i, offset in enumerate(layout.offsets))
