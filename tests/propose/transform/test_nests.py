"""Transformations of loop nests: each turns the loop as written into the loop as documented."""

import pytest

from tests.kernels import MATMUL
from tests.propose.transform.applying import apply_until, require_turned

#: A body of `void f(int64_t n, int64_t m, double a[n][m], double x[n])` before, the transformation, and after.
GOLDEN = {
    "interchange": (
        "for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) a[i][j] = 0;",
        "for (int64_t j = 0; j < m; j++) { for (int64_t i = 0; i < n; i++) { a[i][j] = 0; } }",
    ),
    "distribute": (
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; a[i][0] = 2; }",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; } for (int64_t i = 0; i < n; i++) { a[i][0] = 2; }",
    ),
    "fuse": (
        "for (int64_t i = 0; i < n; i++) x[i] = 1; for (int64_t k = 0; k < n; k++) a[k][0] = 2;",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; { a[i][0] = 2; } }",
    ),
    "accumulate-in-place": (
        "for (int64_t i = 0; i < n; i++) { double s = 1; for (int64_t j = 0; j < m; j++) s += a[i][j]; x[i] = s; }",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; for (int64_t j = 0; j < m; j++) { x[i] += a[i][j]; } }",
    ),
    "interchange-reduction": (
        "for (int64_t i = 0; i < n; i++) { double s = 1; for (int64_t j = 0; j < m; j++) s += a[i][j]; x[i] = s; }",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; } "
        "for (int64_t j = 0; j < m; j++) { for (int64_t i = 0; i < n; i++) { x[i] += a[i][j]; } }",
    ),
    "scalar-replacement": (
        "for (int64_t i = 0; i < n; i++) x[0] += a[i][0];",
        "{ double s_1 = x[0]; for (int64_t i = 0; i < n; i++) { s_1 += a[i][0]; } x[0] = s_1; }",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_transformation(name):
    """The transformation turns the loop as written into the loop as documented."""
    require_turned(name, *GOLDEN[name])


def test_tile_keeps_the_last_partial_tile():
    """The inner loop ends at the tile or at the bound, whichever comes first."""
    text = apply_until(MATMUL, "tile", "+= 64")
    assert "for (int64_t j = jt_1; j < ((jt_1 + 64 < m) ? (jt_1 + 64) : (m)); j++)" in text
