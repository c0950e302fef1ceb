"""Python functions -> C: what a kernel with a Python body alone begins with.

In: a kernel, a function with annotations, or one that Numba has compiled. Out: C text, or a `Translation` with the
signature of what is returned in new arrays.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from symbiont_jit.dispatch.numba.from_numba import argument_types, is_compiled, plain_function
from symbiont_jit.errors import UsageError
from symbiont_jit.signature import Signature, signature_of

if TYPE_CHECKING:
    from symbiont_jit.translation import Translation

__all__ = ["translate", "translate_bodies", "translate_compiled"]


def translate(function: Any) -> str:
    """Translate a Python function into C that a person can read.

    The C computes what Numba computes, to the last bit (products of matrices to rounding, as Numba calls a library for
    them). It keeps the function's names and comments.

    Args:
        function: A function with annotations, one that `numba.njit` has compiled for one list of types, a kernel with
            a Python body, or a group of such kernels.

    Returns:
        C text, whose function has the declared prototype. What the Python function returns as new arrays, or as a
        tuple, the C function writes into parameters behind the others.

    Raises:
        TranslationError: Something in the function has no C form; the error has the line and says what to write.
        SignatureError: The types of the parameters are not known.

    Example:
        >>> @njit
        ... def total(x):
        ...     s = 0.0
        ...     for i in range(len(x)):
        ...         s += x[i]
        ...     return s
        >>> total(np.ones(3))
        >>> print(sj.translate(total))
    """
    if isinstance(getattr(function, "signature", None), Signature):
        return translate_bodies([function])
    if isinstance(getattr(function, "kernels", None), tuple):
        return translate_bodies(function.kernels)
    plain = plain_function(function)
    if not inspect.isfunction(plain):
        raise UsageError(f"translate takes a function, one compiled by numba.njit, or a kernel, not {function!r:.80}")
    namespace = sys._getframe(1).f_locals
    if is_compiled(function) and not inspect.get_annotations(plain):
        return translate_compiled(function, namespace).text
    annotations = inspect.get_annotations(plain)
    types = [annotations.get(name, inspect.Parameter.empty) for name in inspect.signature(plain).parameters]
    returned = annotations.get("return")
    has_plain_result = returned is None or not _is_new(returned)
    declared = signature_of(plain, namespace, [*types, returned if has_plain_result else None])
    return _translate(plain, declared).text


def _is_new(annotation: Any) -> bool:
    """Whether an annotation of a result is that of arrays, or of several things."""
    return any(word in repr(annotation).lower() for word in ("array", "tuple"))


def translate_bodies(kernels: Sequence[Any]) -> str:
    """Translate the Python bodies of kernels into one text; what they return as new arrays is found out again.

    Raises:
        TranslationError: One of them has no C form.
        UsageError: One of them has no Python body.
    """
    from symbiont_jit.translation import print_together  # Few programs translate, and it is a big package.

    for kernel in kernels:
        if getattr(kernel, "__wrapped__", None) is None:
            raise UsageError(f"{kernel.signature.name!r} has no Python body; its C is kernel.source")
    members = {plain_function(kernel.__wrapped__): kernel.signature for kernel in kernels} if len(kernels) > 1 else {}
    made = [_translate(kernel.__wrapped__, kernel.signature.without_results, members=members) for kernel in kernels]
    return print_together(made)


def translate_compiled(function: Any, namespace: Mapping[str, Any]) -> Translation:
    """Translate a function that Numba has compiled, with the types that it was compiled for."""
    types = argument_types(function)
    return _translate(function, signature_of(function.py_func, namespace, [*types, None]), is_declared=False)


def _translate(
    function: Any, signature: Signature, is_declared: bool = True, members: Mapping[Any, Signature] | None = None
) -> Translation:
    from symbiont_jit.translation import translate_function  # Few programs translate, and it is a big package.

    return translate_function(function, signature, is_declared, members)
