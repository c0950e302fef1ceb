"""Arrays that are globals of the Python module -> constant tables in C."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from symbiont_jit.translation.arrays import whole
from symbiont_jit.translation.conversions import UntranslatableError, constant
from symbiont_jit.translation.extents import extent_of
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import c_name, dtype_of
from symbiont_jit.translation.values import Grid, Storage

__all__ = ["static_table"]

#: The most elements of a table in the text.
_MOST: Final = 4096


def static_table(state: State, values: np.ndarray[Any, Any]) -> Grid:
    """Return a global array, whose elements are what they are now, as they are for Numba."""
    known = state.tables.get(id(values))
    if known is None:
        dtype = dtype_of(values.dtype)
        if dtype is None or values.size > _MOST or not values.size:
            raise UntranslatableError(
                f"a global array becomes a table of at most {_MOST} numbers; pass {values.shape} of {values.dtype} "
                f"as an argument"
            )
        word = state.names.take("table")
        dims = "".join(f"[{length}]" for length in values.shape)
        text = f"static const {c_name(dtype)} {word}{dims} = {_initialiser(values, dtype)};"
        storage = Storage(word, dtype, tuple(extent_of(length) for length in values.shape), is_const=True)
        known = state.tables[id(values)] = (storage, text)
    return whole(known[0])


def _initialiser(values: np.ndarray[Any, Any], dtype: Any) -> str:
    if values.ndim == 1:
        return "{" + ", ".join(constant(each.item(), dtype).text for each in values) + "}"
    return "{" + ", ".join(_initialiser(row, dtype) for row in values) + "}"
