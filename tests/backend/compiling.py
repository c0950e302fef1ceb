"""Texts as object code, and calls of it."""

import ctypes

from symbiont_jit.backend.loader import load
from symbiont_jit.backend.objects import compile_unit
from symbiont_jit.backend.unit import Unit

SQUARE = "double square(double x)\n{\n  return x * x;\n}\n"


def compiled(text, *entries, **about):
    """Object code of a text with these entries."""
    return compile_unit(Unit(text, entries, **about))


def call(code, x):
    """Load, call once, and keep the code loaded meanwhile."""
    loaded = load(code)
    result = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(loaded.addresses[0])(x)
    loaded.close()
    return result
