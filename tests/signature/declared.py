"""Declarations from the text of their parameters."""

from __future__ import annotations

import ctypes
import functools
import typing

import numba
import numpy as np
from numba import float32 as f32
from numba import float64 as f64
from numba import int64 as i64
from numba import uint64 as u64

from symbiont_jit import Array, InOut, Out, record


def made(name, **fields):
    """A record class of these fields."""
    return record(type(name, (), {"__annotations__": fields}))


def deep(dtype, levels):
    """A structured dtype with so many others inside each other."""
    dtype = np.dtype(str(dtype))
    for _ in range(levels):
        dtype = np.dtype([("a", dtype)], align=True)
    return dtype


def deep_class(levels):
    """A record class with so many others inside each other."""
    return functools.reduce(lambda inner, i: made(f"R{i}", a=inner), range(levels), f64)


Point = made("Point", x=f64, y=f64)
other_point = made("Point", x=f64)
SCOPE = {
    "np": np,
    "deep": deep,
    "Point": Point,
    "other_point": other_point,
    "complex_named": made("complex", a=f64),
    "Mixed": made("Mixed", a=numba.int8, b=f64),
    "complex_field": made("Pair", complex=f64),
    "endless": "endless",
    "numba": numba,
    "ctypes": ctypes,
    "typing": typing,
    "Array": Array,
    "Out": Out,
    "InOut": InOut,
    "f64": f64,
    "f32": f32,
    "i64": i64,
    "u64": u64,
}


def declare(parameters, returns="None", name="k"):
    """A function with these parameters; annotations are objects, as in a module without future annotations."""
    scope = dict(SCOPE)
    exec(compile(f"def {name}({parameters}) -> {returns}: ...", "<declaration>", "exec", dont_inherit=True), scope)
    return scope[name]
