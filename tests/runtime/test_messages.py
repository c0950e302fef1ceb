"""The words of a panic: each kind's message, with its numbers."""

import struct

import pytest

from symbiont_jit.runtime.checks import FAULT, INTERRUPTED, NO_ROOM
from symbiont_jit.runtime.panics import PANICS, Site, panic_of


def bits(value):
    """The bits of a floating number, as a record has them."""
    return struct.unpack("q", struct.pack("d", value))[0]


MESSAGES = [
    (Site("index", 1, 2, "x", "n"), -1, 4, "index -1 out of bounds for x with n = 4"),
    (Site("index", 1, 2, "x"), 4, 4, "index 4 out of bounds for x with length 4"),
    (Site("pointer", 1, 2, "NULL"), 0, 0, "access through a null pointer"),
    (Site("pointer", 1, 2, "p"), 0, -1, "access through the pointer p, which is null or was never set"),
    (Site("pointer", 1, 2, "p"), -2, 0, "access at element -2 of p, which has 0"),
    (Site("memory", 1, 2, "p"), 9, -1, "9 bytes through the pointer p, which is null or was never set"),
    (Site("memory", 1, 2, "p"), 9, 0, "9 bytes of p, where 0 are left"),
    (Site("division", 1, 2, "/"), 3, 0, "division by zero: 3 / 0"),
    (Site("division", 1, 2, "%"), 3, -1, "division overflows: 3 % -1"),
    (Site("overflow", 1, 2, "+", "int32_t"), 3, 4, "overflow: 3 + 4 does not fit int32_t"),
    (Site("overflow", 1, 2, "abs", "int32_t"), -9, 4, "overflow: abs(-9) does not fit int32_t"),
    (Site("shift", 1, 2), -1, 32, "shift by -1, not 0 to 31"),
    (Site("conversion", 1, 2, "x", "int8_t"), bits(300.5), 0, "300.5 does not fit int8_t"),
    (Site("conversion", 1, 2, "x"), bits(300.5), 0, "300.5 does not fit x"),
    (Site("alignment", 1, 2, "x"), 3, 8, "access to x at an address 3 beyond a multiple of 8"),
    (Site("endless", 1, 2), 0, 0, "the loop does not end: the call has made too many steps"),
    (Site("recursion", 1, 2, "f"), 524288, 0, "'f' calls itself too deeply: 524,288 bytes of stack"),
    (Site("length", 1, 2), -1, 0, "a local array of -1 elements; at least 0 and at most 16,777,216"),
    (Site("row", 1, 2), -1, 0, "rows of -1 elements; at least 0 and at most 140,737,488,355,328"),
    (Site("stack", 1, 2), 9999, -1, "local arrays of 9,999 bytes, where 0 are left"),
    (Site("stack", 1, 2), 9999, 1, "local arrays of 9,999 bytes, where 1 are left"),
    (Site("allocation", 1, 2, "malloc"), 0, 0, "malloc of 0 bytes, where a call has 64 MiB in all"),
    (Site("allocation", 1, 2, "malloc"), 70_000_000, 0, "malloc of 70,000,000 bytes, where a call has 64 MiB in all"),
    (Site("allocation", 1, 2, "calloc"), -1, 0, "calloc of too many bytes"),
    (Site("free", 1, 2, "p"), 1, 0, "p was freed already"),
    (Site("free", 1, 2, "p"), 0, 0, "p is no block that malloc gave"),
    (Site("freed", 1, 2, "p"), 0, 0, "access to p, which was freed"),
    (Site("unreachable", 1, 2), 0, 0, "__builtin_unreachable() was reached"),
    (Site("assumption", 1, 2, "n > 0"), 0, 0, "__builtin_assume(n > 0) does not hold"),
]


@pytest.mark.parametrize(("site", "a", "b", "message"), MESSAGES)
def test_the_message_of_a_kind(site, a, b, message):
    """A panic has its site's kind and place, and says its numbers in words."""
    panic = panic_of([Site("endless", 8, 8), site], 1, a, b, "text")
    assert (panic.kind, panic.message, panic.line, panic.column, panic.source) == (site.kind, message, 1, 2, "text")


@pytest.mark.parametrize(
    ("number", "a", "b", "kind", "message"),
    [
        (INTERRUPTED, 0, 0, "interrupted", "the call was interrupted"),
        (NO_ROOM, -5, 0, "stack", "the calling thread has 0 bytes of stack left, too few for a call"),
        (NO_ROOM, 5000, 0, "stack", "the calling thread has 5,000 bytes of stack left, too few for a call"),
        (FAULT, 11, -1, "fault", "the processor refused an instruction: SIGSEGV at address 0xffffffffffffffff"),
        (FAULT, 8, 16, "fault", "the processor refused an instruction: SIGFPE at address 0x10"),
    ],
)
def test_what_has_no_place_in_the_text(number, a, b, kind, message):
    """Interruptions, threads without a stack and faults of the processor have no line."""
    panic = panic_of([], number, a, b, "text")
    assert (panic.kind, panic.message, panic.line, panic.column) == (kind, message, 0, 0)


def test_every_kind_has_a_message():
    """The table above misses no kind."""
    assert {row[0].kind for row in MESSAGES} == set(PANICS)
