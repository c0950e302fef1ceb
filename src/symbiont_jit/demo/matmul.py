# mypy: ignore-errors
# ruff: noqa: F821
"""The kernel that the demonstration evolves, as a user would write it.

Type checkers take the dimension names for forward references, hence the comments above.
"""

from numba import float64 as f64

from symbiont_jit.kernel import Kernel, evolvable
from symbiont_jit.signature import Array, Out

__all__ = ["matmul_kernel"]


def matmul_kernel() -> Kernel:
    """Make a new kernel: the naive product in Python, the reference; in C it is what the search begins with."""

    @evolvable
    def matmul(a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None:
        """Matrix product c = a @ b."""
        for i in range(a.shape[0]):
            for j in range(b.shape[1]):
                total = 0.0
                for p in range(a.shape[1]):
                    total += a[i, p] * b[p, j]
                c[i, j] = total

    return matmul
