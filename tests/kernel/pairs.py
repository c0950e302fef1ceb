"""Groups of two functions that say which revision they are of."""

from numba import int64 as i64

from symbiont_jit import Group


def pair():
    """A group of two functions that say which revision they are of, by `text_of`."""
    group = Group()

    @group.evolvable
    def first(x: i64) -> i64: ...

    @group.evolvable
    def second(x: i64) -> i64: ...

    return group, first, second


def text_of(number):
    return f"""
static int64_t version(void) {{ return {number}; }}
int64_t second(int64_t x) {{ return version() + 0 * x; }}
int64_t first(int64_t x) {{ return second(x) * 1; }}
"""
