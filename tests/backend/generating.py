"""Units for code generators, and what their code computes."""

import ctypes

from symbiont_jit.backend.loader import load
from symbiont_jit.backend.objects import ObjectCode
from symbiont_jit.backend.unit import Unit
from tests.backend import compiling

SQUARE = Unit(compiling.SQUARE, ("square",))


def square_of(data, x, name="square"):
    """What an object's function computes."""
    loaded = load(ObjectCode("key", (name,), data, ()))
    result = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(loaded.addresses[0])(x)
    loaded.close()
    return result
