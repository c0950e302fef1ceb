"""Groups: several functions that evolve as one unit, and what a swap of all of them promises."""

import pickle

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, CandidateError, Group, KernelError, Out, PanicError, SignatureError, UsageError
from tests.kernel.pairs import pair, text_of


@pytest.fixture
def numbered():
    """A pair with the revisions 0 to 3 compiled and 0 active."""
    group, first, second = pair()
    for number in range(4):
        group.compile(text_of(number))
    group.activate(0)
    return group, first, second


def test_one_text_supplies_all_functions(numbered):
    """A swap changes every function, and the functions of a text call each other."""
    group, first, second = numbered
    group.swap(text_of(7))
    assert (first(1), second(1)) == (7, 7)
    assert group.active.number == 4
    assert [k.active.number for k in group] == [4, 4]


def test_a_text_without_all_functions_changes_nothing(numbered):
    """Where a function is missing, the candidate is refused by name and the old revision stays."""
    group, first, second = numbered
    with pytest.raises(CandidateError, match="there is no function 'second'"):
        group.swap("int64_t first(int64_t x) { return 9; }")
    assert (first(1), second(1), len(group.revisions)) == (0, 0, 4)


def test_what_a_member_does_is_done_to_the_group(numbered):
    """A member's swap and activate are the group's."""
    group, first, second = numbered
    handle = first.swap(text_of(5))
    assert (handle(0), second(0), group.active.number) == (5, 5, 4)
    second.activate(1)
    assert (first(0), first.active.number) == (1, 1)
    with pytest.raises(CandidateError, match="there is no function 'second'"):
        first.swap("int64_t first(int64_t x) { return 9; }")


def test_equal_texts_are_one_revision(numbered):
    """The same canonical text gives the revision that exists."""
    group, *_ = numbered
    assert group.compile(text_of(2) + "\n\n// a comment\n").number == 2


def test_handles_of_one_revision_stay_what_they_are(numbered):
    """A pinned revision of the group gives each function's handle, whatever is active."""
    group, first, _ = numbered
    pinned = group.revision(3)
    group.activate(1)
    assert [h(0) for h in pinned] == [3, 3]
    assert pinned["first"](0) == 3
    assert first.revision(2)(0) == 2
    with pytest.raises(KernelError, match="there are first, second"):
        pinned["third"]


def test_python_bodies_are_revision_zero():
    """With bodies the group works before anything is swapped in; a function without one panics."""
    group = Group()

    @group.evolvable
    def twice(x: f64) -> f64:
        """Twice x."""
        return 2.0 * x

    @group.evolvable
    def later(x: f64) -> f64: ...

    assert twice(2.0) == 4.0
    with pytest.raises(PanicError, match="'later' has no body yet"):
        later(2.0)
    assert "return 2.0 * x" in group.source


def test_a_member_is_called_from_compiled_loops(numbered):
    """A member is a value like a kernel: as an argument, as a global, and a running loop sees the swap."""
    group, first, second = numbered

    @njit
    def total(function, n):
        s = 0
        for i in range(n):
            s += function(i)
        return s

    @njit
    def as_global(n):
        return first(n) + second(n)

    assert total(first, 3) == 0
    assert as_global(1) == 0
    group.activate(2)
    assert (total(second, 3), total(first.revision(1), 3), as_global(1)) == (6, 3, 4)
    assert len(total.signatures) == 1


def test_snapshot_in_python(numbered):
    """Outside compiled code a snapshot is the active revision."""
    group, *_ = numbered
    now = group.snapshot()
    group.activate(3)
    assert [h(0) for h in now] == [0, 0]
    with pytest.raises(KernelError, match="no revision yet"):
        pair()[0].snapshot()


def test_snapshot_has_the_functions_of_the_group_and_nothing_else(numbered):
    """Another attribute is Numba's typing error."""
    group, *_ = numbered

    @njit
    def other(group):
        return group.snapshot().third(0)

    with pytest.raises(Exception, match="third"):
        other(group)


def test_a_group_of_one_is_a_plain_kernel():
    """With one function there is no table: the member has the type of any kernel."""
    group = Group()

    @group.evolvable
    def alone(x: i64) -> i64: ...

    @sj.evolvable(source="int64_t plain(int64_t x) { return x; }")
    def plain(x: i64) -> i64: ...

    group.swap("int64_t alone(int64_t x) { return x + 1; }")

    @njit
    def call(function, x):
        return function(x)

    assert (call(alone, 1), call(plain, 1)) == (2, 1)
    assert len(call.signatures) == 1


def test_functions_are_declared_before_use(numbered):
    """Once the group has been used, another function is refused with what to do."""
    group, *_ = numbered
    with pytest.raises(UsageError, match="before the first call"):

        @group.evolvable
        def third(x: i64) -> i64: ...

    with pytest.raises(UsageError, match="already"):

        @pair()[0].evolvable
        def first(x: i64) -> i64: ...


def test_records_of_a_group_agree():
    """Two functions may share a record; two different records of one name are refused."""
    group = Group()

    @sj.record
    class Point:
        x: f64

    @group.evolvable
    def move(p: sj.InOut[Point], by: f64) -> None: ...

    @group.evolvable
    def mean(p: Array[Point, "n"]) -> f64: ...

    group.swap(
        "double mean(int64_t n, const struct Point p[n]) { double s = 0; for (int64_t i = 0; i < n; i++) s += p[i].x;"
        " return s / n; } void move(struct Point *p, double by) { p->x += by; }"
    )
    points = np.zeros(2, Point.dtype)
    move(points[:1], 3.0)
    assert mean(points) == 1.5

    def declare():
        @sj.record
        class Point:
            y: f64

        @group.evolvable
        def other(p: Point) -> f64: ...

    with pytest.raises((SignatureError, UsageError)):
        declare()


def test_a_pickled_group_works_again(numbered):
    """A group pickles with its active revision, and a member leads to its group."""
    group, first, _ = numbered
    group.activate(2)
    again, member = pickle.loads(pickle.dumps((group, first)))
    assert (again["first"](0), again["second"](0)) == (2, 2)
    assert member is again["first"]


def test_a_group_evolves_by_a_metric_of_its_own():
    """A search changes all functions; the metric gets the group."""
    group = Group()

    @group.evolvable
    def rise(n: i64) -> f64: ...

    @group.evolvable
    def fall(n: i64) -> f64: ...

    group.swap("double rise(int64_t n) { return 1.0; } double fall(int64_t n) { return 2.0; }")

    def score(candidate):
        return candidate["rise"](1) - candidate["fall"](1)

    evolution = sj.Evolution(group, metric=score)
    with evolution:
        good = evolution.evaluate("double rise(int64_t n) { return 7.0; } double fall(int64_t n) { return 2.0; }")
        bad = evolution.evaluate("double rise(int64_t n) { return 7.0; }")
    assert (good.score, bad.status) == (5.0, sj.Status.REJECTED)
    assert group["rise"](1) == 1.0
    with pytest.raises(UsageError, match="one function"):
        sj.Evolution(group, metric=sj.Speedup([(1,)])).evaluate("int x;")


def test_out_parameters_of_members():
    """A member checks its arguments as a kernel does."""
    group = Group()

    @group.evolvable
    def fill(out: Out[f64, "n"]) -> None: ...

    @group.evolvable
    def count(x: Array[f64, "n"]) -> i64: ...

    group.swap(
        "void fill(int64_t n, double out[n]) { for (int64_t i = 0; i < n; i++) out[i] = i; }"
        "int64_t count(int64_t n, const double x[n]) { return n; }"
    )
    out = np.ones(3)
    fill(out)
    assert (out.tolist(), count(out)) == ([0.0, 1.0, 2.0], 3)
    with pytest.raises(TypeError, match="float64"):
        fill(np.ones(3, np.float32))


@pytest.mark.slow
def test_python_bodies_of_a_group_call_each_other():
    """Also themselves; what they call is the declared bodies, whatever is active: they are the reference."""
    group = Group()

    @group.evolvable
    def half(x: f64) -> f64:
        return x / 2.0

    @group.evolvable
    def halvings(x: f64) -> i64:
        return 0 if x < 1.0 else 1 + halvings(half(x))

    assert (half(5.0), halvings(5.0), halvings.freeze()(5.0)) == (2.5, 3, 3)
    assert pickle.loads(pickle.dumps(group))["halvings"](5.0) == 3
    group.swap("double half(double x) { return 0.0; } int64_t halvings(double x) { return half(x) == 0.0; }")
    assert (halvings(5.0), halvings.revision(0)(5.0)) == (1, 3)


def test_a_body_may_call_a_member_without_one():
    """The member panics until it has a body, and with it the call from Python that led there."""
    group = Group()

    @group.evolvable
    def missing(x: f64) -> f64: ...

    @group.evolvable
    def caller(x: f64) -> f64:
        return missing(x) + 1.0

    with pytest.raises(PanicError, match="'missing' has no body yet"):
        caller(5.0)


def test_a_revision_of_a_group_is_one_object(numbered):
    """While somebody has it; its functions are attributes, as in compiled code."""
    group, first, _ = numbered
    held = group.revision(2)
    assert group.activate(2) is held is group.active is group.snapshot()
    assert held in group.revisions
    assert held.first is first.active is held["first"]
    with pytest.raises(AttributeError, match="third"):
        held.third  # noqa: B018  asking is enough


def test_a_pickled_revision_of_a_group_has_its_number(numbered):
    """And is the active one of a group of its own."""
    again = pickle.loads(pickle.dumps(numbered[0].revision(2)))
    assert (again.number, again.first(1), again["second"](1)) == (2, 2, 2)


def test_panics_of_a_group_are_taken_from_the_group_too(numbered):
    """A panic of any function."""
    group, first, _ = numbered
    group.swap("int64_t first(int64_t x) { return 1 / x; } int64_t second(int64_t x) { return x; }")
    call = njit(lambda f, x: f(x))
    assert call(first, 0) == 0
    assert group.take_panic().kind == "division"
    assert group.take_panic() is None


@pytest.mark.slow
@pytest.mark.parametrize("use", [lambda g: g.revision(0), lambda g: njit(lambda k: 0)(g)], ids=["handle", "compiled"])
def test_what_has_been_given_out_is_in_use(use):
    """Nothing is declared behind the back of a handle or of compiled code."""
    group = Group()

    @group.evolvable
    def first(x: i64) -> i64:
        return x

    kept = use(group)
    with pytest.raises(UsageError, match="the group is in use"):

        @group.evolvable
        def second(x: i64) -> i64: ...

    assert kept is not None


@pytest.mark.parametrize("profile", ["safe", "checked", "release"])
def test_functions_call_each_other_in_any_order(profile):
    """The prototypes of a group are known, so a text needs no forward declaration; with one it is another text."""
    group = Group(profile=profile)

    @group.evolvable
    def even(n: i64) -> i64: ...

    @group.evolvable
    def odd(n: i64) -> i64: ...

    text = """
    static int64_t other(int64_t n) { return n == 0 ? 0 : even(n - 1); }
    int64_t even(int64_t n) { return n == 0 ? 1 : odd(n - 1); }
    int64_t odd(int64_t n) { return other(n); }
    """
    group.swap(text)
    assert [(even(n), odd(n)) for n in (0, 1, 6, 7)] == [(1, 0), (0, 1), (1, 0), (0, 1)]
    group.swap("int64_t even(int64_t n);\nint64_t odd(int64_t n);\n" + text)
    assert (even(8), odd(9)) == (1, 1)


ONE = "double one(double x) { return x + 1.0; }"
TWO = "double two(double x) { return one(x) * 2.0; }"


def test_functions_declared_with_c(tmp_path):
    """Once each function of a group has C, all of it together is a revision, and active; more can follow until a call."""
    group, path = Group(), tmp_path / "two.c"
    path.write_text(TWO)

    @group.evolvable(source=ONE)
    def one(x: f64) -> f64: ...

    assert repr(group.active) == "<GroupRevision 0 of one (c, safe, declared source)>"

    @group.evolvable(source=path)
    def two(x: f64) -> f64: ...

    assert (len(group.revisions), group.source.count("double")) == (1, 4)
    assert (one(1.0), two(1.0)) == (2.0, 4.0)
    with pytest.raises(UsageError, match="the group is in use"):

        @group.evolvable(source="double three(double x) { return x; }")
        def three(x: f64) -> f64: ...


def test_c_beside_python_bodies():
    """The bodies are revision 0 and the reference, the C is revision 1; where one function has none, there is no C."""
    group = Group()

    @group.evolvable(source=ONE)
    def one(x: f64) -> f64:
        return x - 1.0

    @group.evolvable
    def two(x: f64) -> f64:
        return x - 2.0

    assert [revision.origin for revision in group.revisions] == ["declared bodies"]
    assert (one(1.0), two(1.0)) == (0.0, -1.0)
    group = Group()
    one = group.evolvable(source=ONE)(one.__wrapped__)
    two = group.evolvable(source=TWO)(two.__wrapped__)
    assert [revision.about for revision in group.revisions] == ["python, declared bodies", "c, safe, declared source"]
    assert (one(1.0), two(1.0), group.revision(0).one(1.0)) == (2.0, 4.0, 0.0)
