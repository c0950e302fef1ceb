"""Python functions -> declarations: annotations, or the types that Numba compiled a function for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, overload

from symbiont_jit.dispatch.numba.from_numba import find_compiled_types, is_compiled, returns_new
from symbiont_jit.errors import SignatureError, UsageError
from symbiont_jit.kernel.python_source import is_empty
from symbiont_jit.kernel.translating import translate_compiled
from symbiont_jit.signature import Signature, signature_of

__all__ = ["body_and_signature", "source_text"]

Body = Callable[..., Any]


def body_and_signature(function: Any, namespace: Mapping[str, Any]) -> tuple[Body | None, Signature]:
    """Return the body of a function (None where it is `...`) and the signature that it declares.

    A function that Numba has compiled (`@njit`) declares what its annotations say; where they say nothing that has a C
    form, the types it was compiled for.
    """
    if is_compiled(function):
        return (None if is_empty(function.py_func) else function), _read_compiled_signature(function, namespace)
    if not inspect.isfunction(function):
        raise UsageError(f"@evolvable takes a plain Python function, or one compiled by numba.njit, not {function!r}")
    return (None if is_empty(function) else function), signature_of(function, namespace)


def _read_compiled_signature(function: Any, namespace: Mapping[str, Any]) -> Signature:
    body = function.py_func
    if not inspect.get_annotations(body) and returns_new(function):
        return translate_compiled(function, namespace).signature
    if not inspect.get_annotations(body):
        return signature_of(body, namespace, find_compiled_types(function))
    try:
        return signature_of(body, namespace)
    except SignatureError:
        if len(function.signatures) != 1:
            raise
        return signature_of(body, namespace, find_compiled_types(function))


@overload
def source_text(source: None) -> None: ...
@overload
def source_text(source: str | bytes | Path) -> str | bytes: ...
def source_text(source: str | bytes | Path | None) -> str | bytes | None:
    """Return C text as it is, or the content of the file at a path; text that ends in `.c`, without a brace, is one."""
    if isinstance(source, Path) or (isinstance(source, str) and source.endswith(".c") and "{" not in source):
        try:
            return Path(source).read_bytes()
        except (OSError, ValueError) as error:  # Python raises `ValueError` for a path with a null byte.
            raise UsageError(f"source={str(source)!r} cannot be read: {error}") from error
    return source
