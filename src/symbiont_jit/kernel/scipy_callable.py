"""Kernels as SciPy's low-level callbacks: the signatures that SciPy takes, each with the C that adapts a kernel to it.

In: a signature and the address of its cell. Out: a `scipy.LowLevelCallable`, which SciPy calls without Python. The
signatures are those of SciPy's documentation of `integrate.quad`, `ndimage.generic_filter` and
`ndimage.generic_filter1d`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.errors import UsageError
from symbiont_jit.kernel.glue import active_entry, generated
from symbiont_jit.signature import ArrayType, Mode, Scalar, Signature, native_entry

__all__ = ["low_level_callable"]

_INT, _DOUBLES, _LENGTH, _ANY = ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_ssize_t, ctypes.c_void_p


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A callback of SciPy's: which kernels fit, its types in C for SciPy and for ctypes, and what it does.

    `body` uses `entry`, the active revision.
    """

    fits: Callable[[Signature], bool]
    wanted: str
    scipy: str
    types: tuple[Any, ...]
    params: str
    body: Callable[[Signature], str]


def _is_real(value: Any) -> bool:
    return isinstance(value, Scalar) and value.name == "float64"


def _takes_numbers(signature: Signature) -> bool:
    return bool(signature.params) and all(map(_is_real, [*(p.type for p in signature.params), signature.returns]))


def _modes_of_vectors(signature: Signature) -> list[Mode] | None:
    """The modes of all parameters, where each is a vector of doubles with a length of its own."""
    is_vectors = all(isinstance(p.type, ArrayType) and _is_real(p.type.dtype) for p in signature.params)
    has_own_lengths = len(signature.dimensions) == len(signature.params)
    return [p.mode for p in signature.params] if is_vectors and has_own_lengths else None


def _takes_vector(signature: Signature) -> bool:
    return _modes_of_vectors(signature) == [Mode.IN] and _is_real(signature.returns)


def _fills_vector(signature: Signature) -> bool:
    modes = _modes_of_vectors(signature)
    return modes is not None and len(modes) == 2 and modes[0] is Mode.IN and modes[1] is not Mode.IN


def _quad_body(signature: Signature) -> str:
    if _takes_vector(signature):
        return "return entry(n, x);"
    return f"return entry({', '.join(f'x[{i}]' for i in range(len(signature.params)))});"


_ADAPTERS: Final[Mapping[str, _Adapter]] = {
    "quad": _Adapter(
        lambda s: _takes_numbers(s) or _takes_vector(s),
        '(x: float64, ...) -> float64, or (x: Array[float64, "n"]) -> float64',
        "double (int, double *)",
        (ctypes.c_double, _INT, _DOUBLES),
        "double sj_callback(int n, double *x)",
        _quad_body,
    ),
    "generic_filter": _Adapter(
        _takes_vector,
        '(window: Array[float64, "n"]) -> float64',
        "int (double *, npy_intp, double *, void *)",
        (_INT, _DOUBLES, _LENGTH, _DOUBLES, _ANY),
        "int sj_callback(double *x, ptrdiff_t n, double *result, void *data)",
        lambda signature: "*result = entry(n, x);\n  return 1;",
    ),
    "generic_filter1d": _Adapter(
        _fills_vector,
        '(line: Array[float64, "m"], out: Out[float64, "n"]) -> None',
        "int (double *, npy_intp, double *, npy_intp, void *)",
        (_INT, _DOUBLES, _LENGTH, _DOUBLES, _LENGTH, _ANY),
        "int sj_callback(double *x, ptrdiff_t m, double *out, ptrdiff_t n, void *data)",
        lambda signature: "entry(m, n, x, out);\n  return 1;",
    ),
}

#: Which callback a signature is for where nobody says: a function of a vector is a filter.
_BY_DEFAULT: Final = ("generic_filter", "generic_filter1d", "quad")


_KEPT: Final[list[Any]] = []


def low_level_callable(signature: Signature, cell: Cell | MemberCell, kind: str | None) -> Any:
    """A `LowLevelCallable` that goes where the cell points, which has to stay for as long as the process lives."""
    try:
        from scipy import LowLevelCallable
    except ImportError as error:
        raise UsageError("low_level_callable needs SciPy; install it with: pip install scipy") from error
    if kind is not None and kind not in _ADAPTERS:
        raise UsageError(f"there is no kind {kind!r} of low-level callable; there are: {', '.join(_ADAPTERS)}")
    fitting = [k for k in _BY_DEFAULT if kind in (None, k) and _ADAPTERS[k].fits(signature)]
    if not fitting:
        wanted = "; ".join(f"{k}: {a.wanted}" for k, a in _ADAPTERS.items() if kind in (None, k))
        raise UsageError(f"SciPy takes no callback like {signature}; it takes {wanted}")
    adapter = _ADAPTERS[fitting[0]]
    pointer = native_entry(signature).c_pointer
    text = f"""extern uint64_t sj_cell[3];
{adapter.params}
{{
  {pointer.format("entry")} = {active_entry(signature, cell.is_member)};
  {adapter.body(signature)}
}}
"""
    loaded = generated(text, ("sj_callback",), {"sj_cell": cell.address})
    function = ctypes.CFUNCTYPE(*adapter.types)(loaded.addresses[0])
    # It may be called for as long as the process lives: SciPy's objects have no place for what they need.
    _KEPT.append(loaded)
    return LowLevelCallable(function, signature=adapter.scipy)
