"""A Python function of Numba's subset -> C that a person can read.

In: a function and its signature. Out: C text with the function's own names and comments, which computes what Numba
computes, to the last bit; or `TranslationError`, which names the Python line and says what to write instead.

The modules in the order in which a function goes through them: `source` (text to syntax tree), `typing` (what Numba
says of types), `values` and `extents` (what an expression is while it is translated), `scalars`, `functions`,
`arrays`, `elementwise`, `reductions`, `products` (expressions), `expressions` (which of them a node is), `statements`
(control flow), `calls` (other functions), `results` (what is returned), `writer` (C text).
"""

from symbiont_jit.translation.function import Translation, translate_function

__all__ = ["Translation", "translate_function"]
