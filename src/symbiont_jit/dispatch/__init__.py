"""Calls: the cell that every call goes through, the ways into it from Python and Numba, and Numba's own code."""
