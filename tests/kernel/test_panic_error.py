"""What follows when a call panics: an error in Python, zero in compiled code, the revision before where that is wanted."""

import pickle
import threading

import numpy as np
import pytest
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, Kernel, Panic, PanicError, UsageError, evolvable, f64, i64
from tests.child import in_child
from tests.concurrency import await_true, run_in_threads, signal_every

PICK = "double pick(int64_t n, const double x[n], int64_t i)\n{\n  return x[i];\n}\n"
SPIN = "int64_t k(int64_t n) { while (n) n = n / 2 + 1; return n; }"
X = np.arange(3.0)


@pytest.fixture
def pick():
    """A kernel that panics where its index is too large."""
    return Kernel.from_c(PICK)


@njit(nogil=True)
def call(kernel, x, i):
    return kernel(x, i)


def kind_of(function, *arguments, **options):
    """The kind of the panic that a call raises."""
    with pytest.raises(PanicError) as raised:
        function(*arguments, **options)
    assert isinstance(raised.value.panic, Panic)
    return raised.value.panic.kind


def test_a_panic_raises_in_python(pick):
    """The first call, calls that convert, and calls that do not: the error has the panic, with its place and a caret."""
    for _ in range(3):
        with pytest.raises(PanicError, match=r"(?s)3:10: error: index 3 out of bounds for x .*\^") as raised:
            pick(X, 3)
        assert (raised.value.panic.kind, raised.value.panic.line, raised.value.panic.column) == ("index", 3, 10)
        assert kind_of(pick, x=X, i=4) == kind_of(pick, X, np.int32(5)) == "index"
        assert pick(X, 1) == 1.0


def test_what_was_raised_is_not_taken_again(pick):
    """The panic is counted; nothing is left to take."""
    kind_of(pick, X, 3)
    assert (sj.panics(pick), pick.take_panic()) == (1, None)


@pytest.mark.slow
def test_compiled_code_gets_zero(pick):
    """The panic waits until it is taken, through calls from Python that do not panic, or that of other revisions do."""
    other = pick.compile(PICK.replace("x[i]", "1 + x[i]"))
    assert (call(pick, X, 3), sj.panics(pick)) == (0.0, 1)
    assert pick(X, 2) == 2.0
    assert kind_of(other, X, 4) == "index"
    assert "index 3" in pick.take_panic().message


def test_handles_and_groups_raise_too(pick):
    """Whoever is called from Python."""
    group = sj.Group()

    @group.evolvable
    def low(x: f64) -> f64: ...

    @group.evolvable
    def high(k: i64) -> i64: ...

    revision = group.swap("double low(double x) { return x; } int64_t high(int64_t k) { return 6 / k; }")
    assert kind_of(pick.revision(0), X, 3) == "index"
    assert kind_of(high, 0) == kind_of(revision["high"], 0) == kind_of(revision.high, 0) == "division"
    assert (high(2), low(1.0)) == (3, 1.0)


@pytest.mark.slow
def test_the_panics_of_other_threads_are_theirs(pick):
    """A call that did not panic raises nothing, however many others do meanwhile."""
    pick(X, 0)

    def act():
        odd = threading.get_ident() // 64 % 2
        for i in range(3000):
            if (i + odd) % 2:
                kind_of(pick, X, 3)
            else:
                assert pick(X, 2) == 2.0

    run_in_threads(8, act)


@pytest.mark.slow
def test_no_panic_is_lost_among_many():
    """More threads panic at once than a table has places: each of them gets its error."""
    kernel = Kernel.from_c(SPIN)
    kernel(0)
    kinds = []
    threads = [threading.Thread(target=lambda: kinds.append(kind_of(kernel, 1))) for _ in range(100)]
    for thread in threads:
        thread.start()
    assert await_true(lambda: kernel.interrupt() == 0 and not any(t.is_alive() for t in threads))
    assert len(kinds) == 100


def test_the_panics_of_other_kernels_are_not_this_ones(pick):
    """A thread that has panicked in another kernel, while others panic in this one, gets its value."""
    other = Kernel.from_c(
        "int64_t slow(int64_t a, int64_t b) { for (int64_t i = 0; i < b; i++) a += i; return 6 / a; }"
    )
    for _ in range(3):
        call(pick, X, 3)
    other(6, 0)
    results = []
    thread = threading.Thread(target=lambda: results.append(other(1, 60_000_000)))
    thread.start()
    for _ in range(10):
        kind_of(other, 0, 0)
    thread.join()
    assert results == [0]


@pytest.mark.parametrize("options", [{}, {"d": 0}])
def test_a_signal_handler_that_panics_too_takes_nothing_away(options):
    """The panic of the call that it came on top of is raised, with its own words."""
    kernel = Kernel.from_c("int64_t k(int64_t n, int64_t d) { for (; n > 0; n--) d += n & 1 ? -1 : 1; return n / d; }")
    inner = []

    def act():
        inner.append(kind_of(kernel, -19, 0))

    with signal_every(0.02, act, 3), pytest.raises(PanicError, match=r"division by zero: 0 / 0"):
        kernel(200_000_000, **options) if options else kernel(200_000_000, 0)
    assert set(inner) <= {"division"}


def test_an_interruption_raises():
    """`time_limit` ends a call from Python with an error."""
    kernel = Kernel.from_c(SPIN)
    with sj.time_limit(0.05):
        assert kind_of(kernel, 5) == "interrupted"


def test_the_error_is_pickled(pick):
    """It crosses processes with its panic."""
    with pytest.raises(PanicError) as raised:
        pick(X, 3)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.panic, str(again)) == (raised.value.panic, str(raised.value))


def test_zero_is_for_those_who_ask():
    """With `on_panic="zero"` a call from Python returns zero, and the panic waits."""
    kernel = Kernel.from_c(PICK, on_panic="zero")
    for i in (3, 4):
        assert (kernel(X, i), kernel.take_panic().message[:7]) == (0.0, f"index {i}")


def test_another_choice_is_refused():
    """The message says which there are."""
    for declare in (lambda: Kernel.from_c(PICK, on_panic="stop"), lambda: sj.Group(on_panic="stop")):
        with pytest.raises(UsageError, match="there is no on_panic='stop'; use one of raise, zero, rollback"):
            declare()


@pytest.mark.slow
def test_an_interruption_ends_calls_of_its_kernel_alone():
    """The calls of another kernel that the same loop makes are never ended."""
    one, other = (Kernel.from_c(SPIN.replace("return n", f"return n + {i}"), on_panic="zero") for i in range(2))

    @njit(nogil=True)
    def both(one, other, is_over):
        wrong = 0
        while not is_over[0]:
            one(0)
            wrong += other(0) != 1
        return wrong

    is_over, wrong = np.zeros(1, np.bool_), []
    both(one, other, np.ones(1, np.bool_))
    thread = threading.Thread(target=lambda: wrong.append(both(one, other, is_over)))
    thread.start()
    assert await_true(lambda: one.interrupt() >= 0 and sj.panics(one) >= 10)
    is_over[0] = True
    thread.join()
    assert (wrong, sj.panics(other)) == ([0], 0)


@pytest.mark.slow
def test_threads_may_end_while_calls_are_interrupted():
    """Nobody signals a thread that is gone."""

    def act():
        kernel = Kernel.from_c(SPIN, on_panic="zero")
        kernel(0)
        for _ in range(150):
            threads = [threading.Thread(target=lambda: [kernel(0) for _ in range(50)]) for _ in range(12)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                kernel.interrupt()
        return "alive"

    assert in_child(act, 120) == "alive"


# -- rollback ---------------------------------------------------------------------------------------------------------


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
    assert (falling.source, falling.take_panic()) == (falling.revision(0).source, None)


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
