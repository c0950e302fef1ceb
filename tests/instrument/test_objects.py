"""Records and buffers by reference."""

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64 as i64

import symbiont_jit as sj
from symbiont_jit import Array, InOut, evolvable


@pytest.mark.usefixtures("loader")
def test_in_place_and_record_kernels_are_instrumented():
    """Records and buffers by reference have bounds too."""

    @sj.record
    class Point:
        """Two numbers and some more."""

        x: f64
        w: Array[f64, 3]

    @evolvable(on_panic="zero")
    def fill(p: InOut[Point], k: i64) -> None: ...

    revision = fill.compile("void fill(struct Point *p, int64_t k) { p->w[k] = p->x; p[0].x = k; }")
    points = np.ones(2, Point.dtype)
    fill.activate(revision)
    fill(points[:1], 2)
    assert points[0]["w"].tolist() == [1.0, 1.0, 1.0]
    fill(points[:1], 3)
    assert "index 3 out of bounds" in fill.take_panic().message
    fill.swap("void fill(struct Point *p, int64_t k) { p[k].x = 7; }")
    fill(points[:1], 1)
    assert "index 1 out of bounds for p" in fill.take_panic().message
    assert points[1]["x"] == 1.0
