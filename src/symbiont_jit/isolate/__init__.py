"""Killable processes for code that nobody has run yet. Knows nothing of kernels."""
