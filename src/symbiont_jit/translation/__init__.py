"""A Python function of Numba's subset -> C that a person can read.

In: a function and its signature. Out: C text with the function's own names and comments, which computes what Numba
computes, to the last bit; or `TranslationError`, which names the Python line and says what to write instead.

The modules from the bottom up: `typing` (what Numba says of types), `extents` and `bounds` (lengths), `values` (what
an expression is), `writer` (C text), `source` and `liveness` (the function), `facts` and `state` (what is known),
then what is done with numbers (`conversions`, `scalars`, `functions`, `helpers`), with arrays (`arrays`, `slicing`,
`elementwise`, `reductions`, `products`, `factorizations`, `masks`, `tables`), which of it a node is (`expressions`,
`parts`, `creation`, `library`, `assignments`, `statements`, `loops`, `bindings`), other functions (`calls`,
`definitions`), and the whole (`function`).
"""

from symbiont_jit.translation.function import Translation, print_together, translate_function

__all__ = ["Translation", "print_together", "translate_function"]
