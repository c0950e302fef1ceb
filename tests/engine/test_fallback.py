"""Which revision calls go to after one has panicked."""

import pickle

import pytest
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, Kernel, evolvable, f64, i64
from tests.kernel.panicking import PICK, X, call, kind_of


def numbered(number, at):
    """A body that returns its number, and panics for `at` and above."""
    text = "static const int64_t t[{at}] = {{0}};\n  return {number} + t[i];"
    body = text.format(at=at, number=number)
    return f"double pick(int64_t n, const double x[n], int64_t i)\n{{\n  {body}\n}}\n"


@pytest.fixture
def falling():
    """A kernel whose body never panics, and after it revisions that panic for 2 and more, and for 1 and more."""

    @evolvable(on_panic="rollback")
    def pick(x: Array[f64, "n"], i: i64) -> f64:
        return 100.0

    pick.swap(numbered(1, 2))
    pick.swap(numbered(2, 1))
    return pick


def test_a_panic_puts_the_revision_before_back(falling):
    """The call raises, the next one goes to the last revision that has not panicked."""
    assert (falling(X, 0), falling.active.number) == (2.0, 2)
    assert kind_of(falling, X, 1) == "index"
    assert (falling(X, 1), falling.active.number) == (1.0, 1)
    assert kind_of(falling, X, 2) == "index"
    assert (falling(X, 2), falling.active.number) == (100.0, 0)
    assert (falling.active.source, falling.take_panic()) == (falling.revision(0).source, None)


@pytest.mark.slow
def test_a_compiled_loop_falls_back_by_itself(falling):
    """Its next call has the older code; no Python runs in between."""

    @njit
    def loop(kernel, x):
        return kernel(x, 0), kernel(x, 1), kernel(x, 1), kernel(x, 2), kernel(x, 2)

    assert loop(falling, X) == (2.0, 0.0, 1.0, 0.0, 100.0)
    assert (falling.active.number, sj.panics(falling)) == (0, 2)


def test_a_revision_that_has_panicked_is_passed_over(falling):
    """Also where it panicked through its own handle, or had been made active again."""
    kind_of(falling.revision(1), X, 2)
    kind_of(falling, X, 1)
    assert falling.active.number == 0
    falling.activate(2)
    assert (falling(X, 0), falling.active.number) == (2.0, 2)
    kind_of(falling, X, 1)
    assert falling.active.number == 0


def test_where_nothing_else_is_left_the_revision_stays():
    """A kernel of one revision goes on with it."""
    kernel = Kernel.from_c(PICK, on_panic="rollback")
    kind_of(kernel, X, 3)
    assert (kernel.active.number, kernel(X, 1)) == (0, 1.0)


def test_what_calls_may_fall_back_to_stays_loaded(falling):
    """`prune` unloads other revisions."""
    other = falling.compile(numbered(3, 9))
    other(X, 0)
    number = other.number
    del other
    assert falling.prune() == [number]
    assert call(falling, X, 1) == 0.0
    assert call(falling, X, 1) == 1.0


def test_a_group_falls_back_as_a_whole():
    """All functions change together, and snapshots with them."""
    group = sj.Group(on_panic="rollback")

    @group.evolvable
    def one(k: i64) -> i64: ...

    @group.evolvable
    def two(k: i64) -> i64: ...

    group.swap("int64_t one(int64_t k) { return 1; } int64_t two(int64_t k) { return 1; }")
    group.swap("int64_t one(int64_t k) { return 2 / k; } int64_t two(int64_t k) { return 2; }")
    assert (one(1), two(1), group.snapshot().number) == (2, 2, 1)
    assert kind_of(one, 0) == "division"
    assert (one(0), two(0), group.active.number, group.snapshot().two(0)) == (1, 1, 0, 1)


@pytest.mark.slow
def test_only_a_few_revisions_are_kept_for_it():
    """Of many that were active, the code of the last eight stays."""
    kernel = Kernel.from_c(numbered(0, 1), on_panic="rollback")
    for number in range(1, 12):
        kernel.swap(numbered(number, number + 1))
    assert kernel.prune() == [0, 1, 2, 3]
    kind_of(kernel, X, 12)
    assert kernel.active.number == 10


def test_the_choice_travels_with_the_kernel(falling):
    """A copy in another process does what was declared."""
    copy = pickle.loads(pickle.dumps(falling))
    copy.swap(numbered(3, 1))
    kind_of(copy, X, 1)
    assert (copy(X, 0), copy.active.source) == (2.0, falling.active.source)
