"""One kernel, handle, member and frozen revision each, and all that they give together."""

import collections

from numba import float64 as f64
from numba import njit

import symbiont_jit as sj
from symbiont_jit import evolvable


@evolvable(source="double kernel(double x) { return 1 * x; }")
def kernel(x: f64) -> f64: ...


group = sj.Group()


@group.evolvable
def member(x: f64) -> f64: ...


@group.evolvable
def other(x: f64) -> f64: ...


def both(first: int, second: int) -> str:
    """A text for the group."""
    return f"double member(double x) {{ return {first} * x; }} double other(double x) {{ return {second} * x; }}"


handle = kernel.compile("double kernel(double x) { return 20 * x; }")
frozen = kernel.freeze(kernel.compile("double kernel(double x) { return 50000 * x; }"))
member_handle = group.compile(both(4000, 0))["member"]
frozen_member = member.freeze(group.compile(both(600000, 0))["member"])
group.swap(both(300, 7000000))
Fields = collections.namedtuple("Fields", "k m n")


@njit(error_model="numpy")
def ratio(a, b):
    return a / b
