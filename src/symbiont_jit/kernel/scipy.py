"""Kernels as SciPy's low-level callbacks: the signatures that SciPy takes, each with the C that adapts a kernel to it.

In: a signature and the address of its cell. Out: a `scipy.LowLevelCallable`, which SciPy calls without Python. The
signatures are those of SciPy's documentation of `integrate.quad`, `ndimage.generic_filter` and
`ndimage.generic_filter1d`. SciPy says how many values it passes; a kernel that takes another number is not called.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from symbiont_jit.backend.generated import load_generated
from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.engine.stubs import active_entry, cell_declaration
from symbiont_jit.errors import UsageError
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature, check_arguments, native_entry

__all__ = ["low_level_callable"]

_INT, _DOUBLES, _LENGTH, _ANY = ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_ssize_t, ctypes.c_void_p


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A callback of SciPy's: which kernels fit, its types in C for SciPy and for ctypes, and what it does.

    `vectors` are the arrays that it passes, each with its length; `result` is around the call of the kernel, and
    `otherwise` what happens where a length is not the kernel's.
    """

    fits: Callable[[Signature], bool]
    wanted: str
    scipy: str
    types: tuple[Any, ...]
    params: str
    vectors: tuple[tuple[str, str], ...]
    result: str
    otherwise: str


def _is_real(value: Any) -> bool:
    return isinstance(value, Scalar) and value.name == "float64"


def _takes_numbers(signature: Signature) -> bool:
    return bool(signature.params) and all(map(_is_real, [*(p.type for p in signature.params), signature.returns]))


def _modes_of_vectors(signature: Signature) -> list[Mode] | None:
    """Return the modes of all parameters, if each is a vector of doubles with an own or a literal length."""
    arrays = [p.type for p in signature.params if isinstance(p.type, ArrayType)]
    named = [a.dims[0] for a in arrays if len(a.dims) == 1 and isinstance(a.dims[0], str)]
    is_vectors = len(arrays) == len(signature.params) and all(len(a.dims) == 1 and _is_real(a.dtype) for a in arrays)
    return [p.mode for p in signature.params] if is_vectors and len(set(named)) == len(named) else None


def _takes_vector(signature: Signature) -> bool:
    # An array that the kernel could write is SciPy's own buffer, so an InOut parameter does no harm.
    modes = _modes_of_vectors(signature)
    return modes is not None and len(modes) == 1 and modes[0] is not Mode.OUT and _is_real(signature.returns)


def _fills_vector(signature: Signature) -> bool:
    modes = _modes_of_vectors(signature)
    return modes is not None and len(modes) == 2 and modes[0] is not Mode.OUT and modes[1] is not Mode.IN


_ADAPTERS: Final[Mapping[str, _Adapter]] = {
    "quad": _Adapter(
        lambda s: _takes_numbers(s) or _takes_vector(s),
        '(x: float64, ...) -> float64, or (x: Array[float64, "n"]) -> float64',
        "double (int, double *)",
        (ctypes.c_double, _INT, _DOUBLES),
        "double sj_callback(int n, double *x)",
        (("x", "n"),),
        "return {};",
        "return NAN;",
    ),
    "generic_filter": _Adapter(
        _takes_vector,
        '(window: Array[float64, "n"]) -> float64',
        "int (double *, npy_intp, double *, void *)",
        (_INT, _DOUBLES, _LENGTH, _DOUBLES, _ANY),
        "int sj_callback(double *x, ptrdiff_t n, double *result, void *data)",
        (("x", "n"),),
        "*result = {};\n  return 1;",
        "return 0;",
    ),
    "generic_filter1d": _Adapter(
        _fills_vector,
        '(line: Array[float64, "m"], out: Out[float64, "n"]) -> None',
        "int (double *, npy_intp, double *, npy_intp, void *)",
        (_INT, _DOUBLES, _LENGTH, _DOUBLES, _LENGTH, _ANY),
        "int sj_callback(double *x, ptrdiff_t m, double *out, ptrdiff_t n, void *data)",
        (("x", "m"), ("out", "n")),
        "{};\n  return 1;",
        "return 0;",
    ),
}

#: The kinds in the order in which they are tried where the caller names none: a function of a vector is a filter.
_BY_DEFAULT: Final = ("generic_filter", "generic_filter1d", "quad")


_KEPT: Final[list[Any]] = []


def low_level_callable(signature: Signature, cell: Cell | MemberCell, kind: str | None, user_data: Any) -> Any:
    """Make a `LowLevelCallable` that goes where the cell points, which has to stay for as long as the process lives.

    `user_data` is passed as the kernel's last argument.
    """
    try:
        from scipy import LowLevelCallable
    except ImportError as error:
        raise UsageError("low_level_callable needs SciPy; install it with: pip install scipy") from error
    if kind is not None and kind not in _ADAPTERS:
        raise UsageError(f"there is no kind {kind!r} of low-level callable; there are: {', '.join(_ADAPTERS)}")
    passed = signature if user_data is None else replace(signature, params=signature.params[:-1])
    extra = None if user_data is None else _require_user_data(signature, passed, user_data)
    adapter = _ADAPTERS[_choose_kind(signature, passed, kind)]
    text = f"""{cell_declaration()}extern char sj_data[];
{adapter.params}
{{
  {native_entry(signature).c_pointer.format("entry")} = {active_entry(signature, cell.is_member)};
  {_call_text(adapter, passed, extra)}
}}
"""
    kept = np.ascontiguousarray(0.0 if user_data is None else user_data)
    symbols = {"sj_cell": cell.address, "sj_data": kept.ctypes.data}
    loaded = load_generated(text, ("sj_callback",), symbols)
    function = ctypes.CFUNCTYPE(*adapter.types)(loaded.addresses[0])
    # SciPy may call the function for as long as the process lives, and its objects cannot keep what the call needs.
    _KEPT.append((loaded, kept))
    return LowLevelCallable(function, signature=adapter.scipy)


def _choose_kind(signature: Signature, passed: Signature, kind: str | None) -> str:
    """Choose the first kind of callback that passes these parameters; raise `UsageError` where there is none."""
    fitting = [k for k in _BY_DEFAULT if kind in (None, k) and _ADAPTERS[k].fits(passed)]
    if fitting:
        return fitting[0]
    wanted = "; ".join(f"{k}: {a.wanted}" for k, a in _ADAPTERS.items() if kind in (None, k))
    raise UsageError(
        f"SciPy takes no callback like {signature}; it takes {wanted}; with user_data=array, one more array comes last"
    )


def _require_user_data(signature: Signature, passed: Signature, user_data: Any) -> tuple[Param, int]:
    """Return the last parameter and its length; raise `UsageError` where the array does not fit it."""
    last = signature.params[-1] if signature.params else None
    is_vector = last is not None and isinstance(last.type, ArrayType) and len(last.type.dims) == 1
    if last is None or not is_vector or len(signature.dimensions) - len(passed.dimensions) > 1:
        raise UsageError(f"user_data goes to a last parameter like 'p: Array[float64, \"m\"]'; {signature} has none")
    problem = check_arguments(Signature(signature.name, (last,), None), (user_data,))
    if problem is not None:
        raise UsageError(f"user_data does not fit {signature}: {str(problem).partition('; wanted')[0]}")
    return last, len(user_data)


def _call_text(adapter: _Adapter, passed: Signature, extra: tuple[Param, int] | None) -> str:
    """Generate C that calls the entry, lengths first and then the arguments, with the lengths that the entry takes."""
    if _takes_numbers(passed):
        count = len(passed.params)
        lengths, values, wanted = [], [f"x[{i}]" for i in range(count)], [f"n == {count}"]
    else:
        dims = [p.type.dims[0] for p in passed.params if isinstance(p.type, ArrayType)]
        pairs = list(zip(adapter.vectors, dims, strict=True))
        lengths = [length for (_, length), dim in pairs if isinstance(dim, str)]
        values = [name for (name, _), _ in pairs]
        wanted = [f"{length} == {dim}" for (_, length), dim in pairs if isinstance(dim, int)]
    if extra is not None:
        values.append("(void *)sj_data")
        lengths += [str(extra[1])] if _has_own_length(extra[0]) else []
    call = adapter.result.format(f"entry({', '.join([*lengths, *values])})")
    return _check_lengths(wanted, adapter.otherwise, call)


def _has_own_length(param: Param) -> bool:
    return isinstance(param.type, ArrayType) and isinstance(param.type.dims[0], str)


def _check_lengths(wanted: Sequence[str], otherwise: str, call: str) -> str:
    """Generate C that calls only where all conditions hold."""
    return f"if (!({' && '.join(wanted)}))\n    {otherwise}\n  {call}" if wanted else call
