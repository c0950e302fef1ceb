"""Evolved kernels inside SciPy: an integrand for `integrate.quad`, a window function for `ndimage.generic_filter`.

SciPy calls the active revision through a C pointer, without Python in between; a swap needs nothing else to change.
Needs SciPy: pip install '.[scipy]'. Run it with: python examples/scipy_callbacks/scipy_callbacks.py
"""

import numpy as np
from numba import float64 as f64
from scipy import integrate, ndimage

from symbiont_jit import Array, evolvable


@evolvable(source="double bump(double x, double width) { return exp(-x * x / width); }")
def bump(x: f64, width: f64) -> f64:
    """Compute a bell curve of a width."""
    return np.exp(-x * x / width)


@evolvable
def middle(window: Array[f64, "n"]) -> f64:
    """Give the value in the middle of a window."""
    return window[window.shape[0] // 2]


#: A body in C that gives the range of the values in a window.
SPREAD = """
double middle(int64_t n, const double window[n]) {
    double low = window[0], high = window[0];
    for (int64_t i = 1; i < n; i++) {
        low = fmin(low, window[i]);
        high = fmax(high, window[i]);
    }
    return high - low;
}
"""


def main() -> tuple[float, float, float]:
    """Integrate and filter; gives the integral, and the error of the filtered image before and after a swap."""
    integral, _ = integrate.quad(bump.low_level_callable(), -np.inf, np.inf, args=(2.0,))
    print(f"integral of the bump: {integral:.6f} (exact: {np.sqrt(2.0 * np.pi):.6f})")

    image = np.random.default_rng(0).random((64, 64))
    window = middle.low_level_callable()
    before = np.abs(ndimage.generic_filter(image, window, size=3) - image).max()
    print(f"middle of each window, in Python: differs from the image by {before:g}")
    middle.swap(SPREAD)
    expected = ndimage.maximum_filter(image, size=3) - ndimage.minimum_filter(image, size=3)
    after = np.abs(ndimage.generic_filter(image, window, size=3) - expected).max()
    print(f"range of each window, swapped in: differs from SciPy's own filters by {after:g}")
    return integral, float(before), float(after)


if __name__ == "__main__":
    main()
