"""What follows when a call panics: an error in Python, zero in compiled code."""

import pickle
import threading

import numpy as np
import pytest
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Kernel, PanicError, UsageError, f64, i64
from tests.child import in_child
from tests.concurrency import await_true, run_in_threads, signal_every
from tests.kernel.panicking import PICK, X, call, kind_of

SPIN = "int64_t k(int64_t n) { while (n) n = n / 2 + 1; return n; }"


@pytest.fixture
def pick():
    """A kernel that panics where its index is too large."""
    return Kernel.from_c(PICK)


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
    kinds, together = [], threading.Barrier(70)

    def spin():
        together.wait()  # A thread takes long to start beside others that spin.
        kinds.append(kind_of(kernel, 1))

    threads = [threading.Thread(target=spin) for _ in range(70)]
    for thread in threads:
        thread.start()
    assert await_true(lambda: kernel.interrupt() == 0 and not any(t.is_alive() for t in threads))
    assert len(kinds) == 70


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
    assert await_true(lambda: one.interrupt() >= 0 and sj.panics(one) >= 3)
    is_over[0] = True
    thread.join()
    assert (wrong, sj.panics(other)) == ([0], 0)


@pytest.mark.slow
def test_threads_may_end_while_calls_are_interrupted():
    """Nobody signals a thread that is gone."""

    def act():
        kernel = Kernel.from_c(SPIN, on_panic="zero")
        kernel(0)
        for _ in range(50):
            threads = [threading.Thread(target=lambda: [kernel(0) for _ in range(50)]) for _ in range(12)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                kernel.interrupt()
        return "alive"

    assert in_child(act, 120) == "alive"
