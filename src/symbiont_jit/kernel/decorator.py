"""The decorator `evolvable`: a Python function -> a kernel."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, overload

from symbiont_jit.dispatch.numba.from_numba import plain_function
from symbiont_jit.kernel.from_python import body_and_signature, source_text
from symbiont_jit.kernel.kernel import Kernel

__all__ = ["evolvable"]


@overload
def evolvable(function: Callable[..., Any], /) -> Kernel: ...


@overload
def evolvable(
    *,
    source: str | bytes | Path | None = None,
    profile: str | None = None,
    flags: Sequence[str] = (),
    on_panic: str = "raise",
) -> Callable[[Callable[..., Any]], Kernel]: ...


def evolvable(
    function: Callable[..., Any] | None = None,
    /,
    *,
    source: str | bytes | Path | None = None,
    profile: str | None = None,
    flags: Sequence[str] = (),
    on_panic: str = "raise",
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a function's annotations, or of the types that `numba.njit` compiled it for.

    The Python body becomes revision 0 (compiled by Numba at its first use) and the reference.

    Args:
        function: A plain Python function, or one that Numba has compiled; a body of `...` is none.
        source: C text, or a path to it: with a Python body it becomes revision 1 and active, without one revision 0.
        profile: What sources are compiled for unless a call says otherwise: `safe` (the default), `checked`, `release`.
        flags: Further clang options that change how code is optimised, like `['-O2', '-ffast-math']`.
        on_panic: What follows when a call from Python panics: `raise` (the default) raises `PanicError`; `zero` returns
            zero, as calls from compiled code do; `rollback` raises, and calls go to the last revision that has not
            panicked, those from compiled code too.

    Returns:
        The kernel; where options were given alone, a decorator that makes it.

    Raises:
        SignatureError: An annotation has no C form.
        CandidateError: The source is not acceptable.
        UsageError: The argument is no function, the source no readable path, the profile no profile.

    Example:
        >>> @sj.evolvable
        ... def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
        ...     s = 0.0
        ...     for i in range(x.shape[0]):
        ...         s += x[i] * y[i]
        ...     return s
    """
    namespace = sys._getframe(1).f_locals  # Names in annotations are looked up where the function is declared.

    def declare(declared: Any) -> Kernel:
        body, signature = body_and_signature(declared, namespace)
        kernel = Kernel(signature, body, source_text(source), profile, flags, on_panic)
        function = plain_function(declared)
        kernel.__wrapped__ = function  # type: ignore[attr-defined]  # where tools look for the source
        functools.update_wrapper(kernel, function, assigned=("__module__", "__qualname__"), updated=())
        return kernel

    return declare if function is None else declare(function)
