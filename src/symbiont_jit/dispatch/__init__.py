"""Calls: the cell, its Numba type, and Python bodies compiled by Numba."""
