"""Kernels, groups and frozen revisions as Numba has them: types, lowering, Python bodies."""
