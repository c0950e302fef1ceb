"""A plain `njit` function becomes C that a person can read, and a search makes it quicker.

`python examples/from_njit/from_njit.py --seconds 20`, or `symbiont-jit evolve examples/from_njit/from_njit.py:relax`.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numba import njit

import symbiont_jit as sj


@njit
def relax(grid, heat):  # type: ignore[no-untyped-def]  # types are Numba's
    """One step of a heat equation; the rim stays."""
    new = grid.copy()
    new[1:-1, 1:-1] = 0.25 * (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]) + heat[1:-1, 1:-1]
    return new, np.max(np.abs(new - grid))


def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
    """Draw a grid and the heat that comes in."""
    return rng.random((128, 128)), 0.01 * rng.random((128, 128))


#: Numba infers the types at the first call, and so they are known.
relax(*inputs(np.random.default_rng(0)))


def main() -> None:
    """Show the C, search, and call the winner in place of the function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    kernel = sj.evolvable(relax)
    print(kernel.source)
    result = sj.Evolution(kernel, metric=sj.Speedup(inputs), proposer=sj.Mutator(), seed=0).run(seconds=seconds)
    print(result)
    grid, heat = inputs(np.random.default_rng(1))
    (new, change), (expected, expected_change) = kernel(grid, heat), relax(grid, heat)
    print(f"the same as Numba's: {np.allclose(new, expected) and np.isclose(change, expected_change)}")


if __name__ == "__main__":
    main()
