"""Instrumented code: what `safe` and `checked` catch, what they refuse, and that they change nothing else."""

import ast
import contextlib
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numba import float64 as f64
from numba import int32 as i32
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, CandidateError, InOut, Kernel, Out, UsageError, evolvable
from symbiont_jit.c.types import Refused
from symbiont_jit.engine.target import target_of
from symbiont_jit.instrument.bounds import Bounds, Flow, check_lifetimes
from symbiont_jit.instrument.nodes import number
from symbiont_jit.instrument.unit import instrument, parse_canonical
from tests.child import in_child
from tests.concurrency import await_true, run_in_threads
from tests.frontend.test_corpus import ACCEPT, header, native, signature_for
from tests.properties.test_properties import INPUTS, MIXED, PROGRAMS

PROFILES = ("safe", "checked")


@evolvable(on_panic="zero")
def pick(x: Array[f64, "n"], k: i64) -> f64: ...


@evolvable(on_panic="zero")
def table(a: Array[f64, "m", "n"], i: i64, j: i64) -> f64: ...


@evolvable(on_panic="zero")
def write(out: Out[f64, "n"], k: i64) -> None: ...


@evolvable(on_panic="zero")
def count(a: i32, b: i32) -> i32: ...


X = np.arange(10.0)
A = np.arange(12.0).reshape(3, 4)

HEADS = {
    pick: "double pick(int64_t n, const double x[n], int64_t k)\n{\n",
    table: "double table(int64_t m, int64_t n, const double a[m][n], int64_t i, int64_t j)\n{\n",
    write: "void write(int64_t n, double out[n], int64_t k)\n{\n",
    count: "int32_t count(int32_t a, int32_t b)\n{\n",
}


def compiled(kernel, body, profile):
    """A body, or a whole text, for a profile."""
    text = (
        body
        if body.startswith(("static", "#", "struct", "double", "enum")) and "\n{" in body
        else f"{HEADS[kernel]}{body}\n}}\n"
    )
    return kernel.compile(text, profile)


#: What panics in both profiles: kernel, body, arguments, kind, message, line.
SAFE = {
    "index past the end": (pick, "  return x[k];", (X, 10), "index", "index 10 out of bounds for x with n = 10", 3),
    "negative index": (pick, "  return x[k];", (X, -1), "index", "index -1 out of bounds for x with n = 10", 3),
    "first dimension": (table, "  return a[i][j];", (A, 3, 0), "index", "index 3 out of bounds for a with m = 3", 3),
    "second dimension": (table, "  return a[i][j];", (A, 1, 4), "index", "index 4 out of bounds for a[i] with n = 4", 3),
    "written": (write, "  out[k] = 1.0;", (X.copy(), 10), "index", "index 10 out of bounds for out", 3),
    "empty array": (pick, "  return x[0];", (X[:0], 0), "index", "index 0 out of bounds for x with n = 0", 3),
    "a changed dimension": (pick, "  n = 1000;\n  return x[n - 1];", (X, 0), "index", "index 999 out of bounds", 4),
    "local array": (pick, "  double t[4] = {0};\n  return t[k];", (X, 4), "index", "index 4 out of bounds for t", 4),
    "static table": (pick, "  static const double t[2] = {1, 2};\n  return t[k];", (X, 2), "index", "for t", 4),
    "string": (pick, '  return "abc"[k];', (X, 4), "index", "index 4", 3),
    "field": (pick, "  struct { int a[3]; } s = {{1}};\n  return s.a[k];", (X, 3), "index", "index 3 out of bounds for s.a with length 3", 4),
    "pointer": (pick, "  const double *p = x + k;\n  return *p;", (X, 10), "pointer", "element 10 of p, which has 10", 4),
    "pointer before": (pick, "  const double *p = x;\n  p--;\n  return *p;", (X, 0), "pointer", "element", 5),
    "walk": (pick, "  const double *p = x;\n  double s = 0;\n  while (k-- > 0)\n    s += *p++;\n  return s;", (X, 11), "pointer", "element 10", 6),
    "parameter walks": (pick, "  x += k;\n  return *x;", (X, 10), "pointer", "element 10 of x", 4),
    "address of an element": (pick, "  const double *p = &x[k];\n  return p[1];", (X, 9), "pointer", "element 10", 4),
    "null": (pick, "  const double *p = 0;\n  return *p;", (X, 0), "pointer", "null or was never set", 4),
    "never set": (pick, "  const double *p;\n  return p[k];", (X, 0), "pointer", "null or was never set", 4),
    "memcpy": (write, "  double t[3] = {1};\n  memcpy(out, t, k * sizeof(double));", (X.copy(), 4), "memory", "32 bytes of t, where 24 are left", 4),
    "memset": (write, "  memset(out, 0, k);", (X.copy(), 81), "memory", "81 bytes of out, where 80 are left", 3),
    "division": (count, "  return a / b;", (7, 0), "division", "division by zero: 7 / 0", 3),
    "remainder": (count, "  return a % b;", (7, 0), "division", "7 % 0", 3),
    "division overflows": (count, "  return a / b;", (-(2**31), -1), "division", "division overflows", 3),
    "compound division": (count, "  a /= b;\n  return a;", (7, 0), "division", "division by zero", 3),
    "recursion": (pick, "static int64_t down(int64_t k)\n{\n  volatile int64_t t[8] = {0};\n  return down(k + 1) + t[k & 7];\n}\n" + HEADS[pick] + "  return down(k);\n}\n", (X, 0), "recursion", "calls itself too deeply", 1),
    "no length": (pick, "  double t[k];\n  return t[0];", (X, -1), "length", "array of -1 elements", 3),
    "too long": (pick, "  double t[k];\n  return t[0];", (X, 10**6), "stack", "8,000,000 bytes", 3),
    "unreachable": (pick, "  if (k)\n    __builtin_unreachable();\n  return 1;", (X, 1), "unreachable", "was reached", 4),
}  # fmt: skip

#: What only `checked` looks for.
CHECKED = {
    "sum": (count, "  return a + b;", (2**31 - 1, 1), "overflow", "2147483647 + 1 does not fit int32_t", 3),
    "difference": (count, "  return a - b;", (-(2**31), 1), "overflow", "- 1 does not fit", 3),
    "product": (count, "  return a * b;", (2**16, 2**16), "overflow", "65536 * 65536", 3),
    "negation": (count, "  return -a;", (-(2**31), 0), "overflow", "0 - -2147483648", 3),
    "increment": (count, "  a++;\n  return a;", (2**31 - 1, 0), "overflow", "+ 1", 3),
    "compound": (count, "  a += b;\n  return a;", (2**31 - 1, 5), "overflow", "+ 5", 3),
    "shift": (count, "  return a << b;", (1, 32), "shift", "shift by 32, not 0 to 31", 3),
    "negative shift": (count, "  return a >> b;", (1, -1), "shift", "shift by -1", 3),
    "conversion": (pick, "  int32_t i = x[k] * 1e9;\n  return i;", (X, 9), "conversion", "9000000000.0 does not fit int32_t", 3),
    "cast": (pick, "  return (uint8_t)(x[k] - 1);", (X, 0), "conversion", "-1.0 does not fit uint8_t", 3),
    "not a number": (pick, "  return (int64_t)(x[k] / x[k]);", (X, 0), "conversion", "nan does not fit", 3),
    "assumption": (pick, "  __builtin_assume(k > 0);\n  return k;", (X, 0), "assumption", "k > 0", 3),
}  # fmt: skip


@pytest.mark.table
@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SAFE)
def test_what_leaves_an_array_panics(name, profile):
    """The call returns zero, says what happened and where, and the next correct call works."""
    kernel, body, arguments, kind, message, line = SAFE[name]
    revision = compiled(kernel, body, profile)
    assert not revision(*arguments)
    panic = revision.take_panic()
    assert (panic.kind, panic.line) == (kind, line), str(panic)
    assert message in panic.message
    assert str(panic).endswith("^")
    assert revision.take_panic() is None


@pytest.mark.table
@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("name", CHECKED)
def test_what_c_leaves_undefined_panics_when_checked(name):
    """`checked` says it with its values; `safe` gives some value and goes on."""
    kernel, body, arguments, kind, message, line = CHECKED[name]
    checked, safe = (compiled(kernel, body, p) for p in ("checked", "safe"))
    assert not checked(*arguments)
    panic = checked.take_panic()
    assert (panic.kind, panic.line) == (kind, line), str(panic)
    assert message in panic.message
    safe(*arguments)
    assert safe.take_panic() is None


REFUSED = {
    "pointer from a number": ("  return *(double *)(intptr_t)k;", "points nowhere"),
    "array of pointers": ("  const double *p[2];\n  return 0;", "use an array of indices"),
    "pointer in a struct": ("  struct { const double *p; } s;\n  return 0;", "in a struct ('p')"),
    "pointer in a union": ("  union { const double *p; int64_t k; } u;\n  u.k = k;\n  return *u.p;", "in a struct ('p')"),
    "pointer to a pointer": ("  const double *p = x;\n  return **(&p);", "pointer to a pointer"),
    "static pointer": ("  static const double *const p = 0;\n  return 0;", "outlive a call"),
    "outlives its block": ("  const double *p;\n  {\n    double t[n];\n    p = t;\n  }\n  return *p;", "outlive what it points at"),
    "jump past a declaration": ("  goto end;\n  double t[2] = {0};\nend:\n  return t[0];", "jumps past the declaration of 't'"),
    "case past a declaration": ("  switch (k) {\n    case 0:;\n      int i = 3;\n    case 1:\n      return i;\n  }\n  return 0;", "jumps past the declaration of 'i'"),
    "void pointer": ("  const void *p = x;\n  return *(const char *)(p + 1);", "no size"),
    "unknown target": ("  return *(k ? x : x + 1);", None),
    "either of two that ends": ("  const double *p = x;\n  for (;;) {\n    double t[n];\n    p = (k ? x : t) + 0;\n    break;\n  }\n  return *p;", "outlive"),
}  # fmt: skip


@pytest.mark.table
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_traced_is_refused(name, profile):
    """The finding has a line and says how to write it; `release` takes the same text."""
    body, message = REFUSED[name]
    if message is None:
        assert compiled(pick, body, profile)(X, 1) == 0.0
        return
    with pytest.raises(CandidateError, match="untraceable") as caught:
        compiled(pick, body, profile)
    assert message in str(caught.value)
    assert caught.value.diagnostics[0].line > 0


#: Lengths that name nothing, or only a type, and of which some are constants for C and some are not.
LENGTHS = [
    "(int)500.5", "1.0 ? 600 : 3", '"abc"[0] * 6', "(long)4294967296 / 7158278", "sizeof(double) * 75 * (int)1.5",
    "(int){600}", "!!1.5 * 600", "4294967896 % 4294967296", "1 + sizeof(struct S)",
]  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("array", ["a[{}]", "a[2][{}]"])
@pytest.mark.parametrize("length", LENGTHS)
def test_no_jump_goes_back_past_an_array_that_may_be_variable(length, array, profile):
    """The jump would give the array's room back, and what points there would point at nothing."""
    body = (
        "  struct S { double a[9]; };\n  int64_t *p = 0;\nagain:\n  if (p)\n    return p[0];\n"
        f"  int64_t {array.format(length)};\n  p = {'a' if array.count('[') == 1 else 'a[0]'};\n  goto again;"
    )
    with pytest.raises(CandidateError) as caught:
        compiled(pick, body, profile)
    assert caught.value.diagnostics[0].rule in ("untraceable", "compiler")


@pytest.mark.table
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_accepted_files_compute_the_same(path, profile):
    """The corpus gives the same results with checks; what is refused is refused for a pointer that is not followed."""
    text = path.read_bytes().decode()
    signature = signature_for(text)
    if path.stem in ("table_compound_literal", "table_of_strings"):
        with pytest.raises(CandidateError, match="untraceable"):
            Kernel(signature).compile(path.read_bytes(), profile)
        return
    revision = Kernel(signature).compile(path.read_bytes(), profile)
    for call in header(text, "call"):
        arguments, result = (ast.literal_eval(side.strip()) for side in call.split("->"))
        arguments = [native(a, p.type) for a, p in zip(arguments, signature.params, strict=True)]
        returned = revision(*arguments)
        assert revision.take_panic() is None
        if returned is None:
            returned = next(a for a, p in zip(arguments, signature.params, strict=True) if p.mode != "in")
        np.testing.assert_array_equal(returned, np.array(result, getattr(returned, "dtype", None)))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(PROGRAMS)
def test_random_programs_compute_the_same(text):
    """Differential: random programs give the same bits with and without checks, or `checked` panics."""
    kernel = Kernel(MIXED)
    release, safe, checked = (kernel.compile(text, p) for p in ("release", "safe", "checked"))
    for a, b, x, y in INPUTS:
        arguments = np.uint64(a), np.uint64(b), x, y
        expected = release(*arguments)
        assert safe(*arguments) == expected, safe.source
        assert safe.take_panic() is None
        assert checked(*arguments) == expected or checked.take_panic() is not None, checked.source


def test_a_text_without_checks_is_compiled_as_it_is():
    """What cannot panic needs no frame and no shim."""
    text = target_of(pick).canonical(HEADS[pick] + "  return n + k;\n}\n").text
    tree = parse_canonical(text)
    assert instrument(text, tree, [pick.signature], "safe").is_plain
    assert not instrument(text, tree, [pick.signature], "checked").is_plain


def test_helpers_bring_the_bounds_of_their_pointers():
    """A pointer that is handed on is checked against the array it came from."""
    text = "static double third(const double *p)\n{\n  return p[2];\n}\n" + HEADS[pick] + "  return third(x + k);\n}\n"
    revision = pick.compile(text, "safe")
    assert (revision(X, 7), revision(X, 8)) == (9.0, 0.0)
    assert revision.take_panic().line == 3


def test_a_call_from_inside_may_not_lie_about_lengths():
    """A declared function that the text calls itself sees the bounds of what it was given."""
    text = HEADS[pick] + "  return k < 20 ? pick(1000, x, k + 20) : x[k];\n}\n"
    for profile in PROFILES:
        revision = pick.compile(text, profile)
        assert not revision(X, 0)
        assert revision.take_panic().kind == "pointer"


@pytest.mark.usefixtures("loader")
def test_panics_belong_to_their_thread_and_revision():
    """A thread takes its own panics; a handle those of its revision, the kernel the newest of all."""
    first, second = (compiled(pick, f"  return x[k] + {c};", "safe") for c in (1, 2))
    first(X, 11)
    second(X, 12)
    seen = []
    thread = threading.Thread(
        target=lambda: seen.append((first(X, 13), first.take_panic().message, second.take_panic()))
    )
    thread.start()
    thread.join()
    assert seen == [(0.0, "index 13 out of bounds for x with n = 10", None)]
    assert "index 11 " in first.take_panic().message
    assert "index 12 " in pick.take_panic().message
    assert pick.take_panic() is None


def test_no_thread_takes_the_panic_of_one_that_has_ended():
    """A thread that never panicked has none to take, though the C library gives it the other one's place."""
    revision = compiled(pick, "  return x[k] + 3;", "safe")
    for _ in range(20):
        run_in_threads(1, lambda: revision(X, 11))
        assert run_in_threads(1, lambda: (revision(X, 1), revision.take_panic())) == [(4.0, None)]


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_compiled_code_can_ask_for_panics():
    """`panics(kernel)` counts, in a loop and after it."""
    revision = compiled(pick, "  return x[k] * 1;", "safe")

    @njit
    def loop(kernel, x, n):
        before = sj.panics(kernel)
        total = 0.0
        for i in range(n):
            total += kernel(x, i)
        return total, sj.panics(kernel) - before

    assert loop(revision, X, 10) == (45.0, 0)
    assert loop(revision, X, 13) == (45.0, 3)
    before = sj.panics(pick)
    revision(X, -1)
    assert sj.panics(pick) == before + 1
    with pytest.raises(sj.UsageError, match="takes a kernel"):
        sj.panics(3)


@pytest.mark.usefixtures("loader")
def test_members_of_groups_panic_too():
    """A panic of a member is the group's text's line."""
    group = sj.Group(on_panic="zero")

    @group.evolvable
    def low(x: Array[f64, "n"]) -> f64: ...

    @group.evolvable
    def high(x: Array[f64, "n"]) -> f64: ...

    group.swap(
        "double low(int64_t n, const double x[n])\n{\n  return x[0];\n}\n"
        "double high(int64_t n, const double x[n])\n{\n  return low(n, x) + x[n];\n}\n"
    )
    assert (low(X), high(X)) == (0.0, 0.0)
    assert high.take_panic().line == 7


ENDLESS = "  while (k < 1000)\n    k = k / 2;\n  return k;"


def test_an_endless_loop_ends_when_it_is_interrupted():
    """`interrupt()` from another thread ends the calls of a kernel; they return zero."""
    revision = compiled(pick, ENDLESS, "safe")
    results = []
    thread = threading.Thread(target=lambda: results.append((revision(X, 0), revision.take_panic())))
    thread.start()
    deadline = time.monotonic() + 30
    while not pick.interrupt() and time.monotonic() < deadline:
        time.sleep(0.01)
    thread.join()
    assert results[0][0] == 0.0
    assert results[0][1].kind == "interrupted"
    assert pick.interrupt() == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_a_time_limit_ends_calls_of_its_thread(profile):
    """Also from compiled code that keeps Python's lock; afterwards calls are as before."""
    revision = compiled(pick, ENDLESS, profile)

    @njit
    def loop(kernel, x):
        return kernel(x, 0)

    loop(compiled(pick, "  return 1;", profile), X)
    with sj.time_limit(0.2):
        assert loop(revision, X) == 0.0
    assert revision.take_panic() is not None
    assert revision(X, 1000) == 1000.0


@pytest.mark.parametrize("profile", ["release", *PROFILES])
def test_an_aligned_pointer_fits_any(profile):
    """The builtin gives a pointer to void, as `malloc` does; its bounds are those of what it was given."""
    body = "  const double *p = __builtin_assume_aligned((const char *)x + 8, 8);\n  return p[k];"
    assert compiled(pick, body, profile)(X, 2) == 3.0
    if profile != "release":
        revision = compiled(pick, body, profile)
        assert revision(X, 9) == 0.0
        assert "element 10 of p, which has 10" in revision.take_panic().message


@pytest.mark.parametrize("seconds", ["a", None, -1, 0, float("nan"), 10**400])
def test_what_is_no_number_of_seconds_is_refused(seconds):
    """The message has what was given."""
    with pytest.raises(sj.UsageError, match="a time limit is a number of seconds above 0, not"), sj.time_limit(seconds):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1e-12, np.float32(0.01), 1])
def test_every_number_of_seconds_is_a_limit(seconds):
    """Also one that is too short for a timer."""
    with sj.time_limit(seconds):
        assert compiled(pick, ENDLESS, "safe")(X, 0) == 0.0


def test_a_limit_that_is_far_away_leaves_nothing_behind():
    """Infinity is no limit; afterwards the process has as many timers as before."""
    revision = compiled(pick, "  return x[k] + 17;", "safe")
    before = Path("/proc/self/timers").read_text() if Path("/proc/self/timers").exists() else ""
    for seconds in (float("inf"), 1e19):
        with sj.time_limit(seconds):
            assert revision(X, 1) == 18.0
    assert not before or Path("/proc/self/timers").read_text() == before


@pytest.mark.slow
def test_a_thread_that_blocks_all_signals_is_interrupted_too():
    """Programs that wait for signals on one thread block them on all others."""

    def act():
        revision = compiled(pick, ENDLESS, "safe")
        found = []

        def call(is_limited):
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            with sj.time_limit(0.05) if is_limited else contextlib.nullcontext():
                found.append(revision(X, 0))

        limited = threading.Thread(target=call, args=(True,))
        limited.start()
        limited.join(30)
        other = threading.Thread(target=call, args=(False,))
        other.start()
        await_true(lambda: pick.interrupt() >= 0 and not other.is_alive())
        return str(found)

    assert in_child(act, 60) == "[0.0, 0.0]"


def test_quick_calls_survive_a_storm_of_interruptions():
    """A signal that comes before, after or between calls changes no result but that of an interrupted one."""
    revision = compiled(
        pick, "  double s = 0;\n  for (int64_t i = 0; i < n; i++)\n    s += x[i];\n  return s + k;", "safe"
    )

    @njit(nogil=True)
    def storm(kernel, x, steps):
        wrong = 0
        for k in range(steps):
            value = kernel(x, k)
            if value != 45.0 + k and value != 0.0:
                wrong += 1
        return wrong

    storm(revision, X, 1)
    results = []
    thread = threading.Thread(target=lambda: results.append(storm(revision, X, 3_000_000)))
    thread.start()
    while thread.is_alive():
        pick.interrupt()
    assert results == [0]
    while revision.take_panic():
        pass


@pytest.mark.usefixtures("loader")
def test_fuel_is_counted():
    """With a limit of steps, an endless loop of `checked` code ends at the same place every time."""
    revision = compiled(pick, ENDLESS, "checked")
    target_of(pick).limit_steps(1000)
    try:
        for _ in range(3):
            assert revision(X, 0) == 0.0
            panic = revision.take_panic()
            assert (panic.kind, panic.line) == ("endless", 3)
    finally:
        target_of(pick).limit_steps(None)


@pytest.mark.usefixtures("loader")
def test_in_place_and_record_kernels_are_instrumented():
    """Records and buffers by reference have bounds too."""

    @sj.record
    class Point:
        """Two numbers and some more."""

        x: f64
        w: Array[f64, 3]

    @evolvable(on_panic="zero")
    def fill(p: InOut[Point], k: i64) -> None: ...

    revision = fill.compile("void fill(struct Point *p, int64_t k) { p->w[k] = p->x; p[0].x = k; }")
    points = np.ones(2, Point.dtype)
    fill.activate(revision)
    fill(points[:1], 2)
    assert points[0]["w"].tolist() == [1.0, 1.0, 1.0]
    fill(points[:1], 3)
    assert "index 3 out of bounds" in fill.take_panic().message
    fill.swap("void fill(struct Point *p, int64_t k) { p[k].x = 7; }")
    fill(points[:1], 1)
    assert "index 1 out of bounds for p" in fill.take_panic().message
    assert points[1]["x"] == 1.0


@pytest.mark.usefixtures("loader")
def test_interrupted_checked_code_says_so():
    """Whether its loop or the signal sees it first, it is no endless loop."""
    text = "int64_t spin(int64_t n) { int64_t s = 0; while (n) s += n; return s; }"
    kernel = Kernel.from_c(text, profile="checked", on_panic="zero")
    kernel(0)
    kinds = set()
    for _ in range(10):
        taken = []
        thread = threading.Thread(target=lambda taken=taken: (kernel(1), taken.append(kernel.take_panic())))
        thread.start()
        while thread.is_alive():
            kernel.interrupt()
        kinds.add(taken[0].kind)
    assert kinds == {"interrupted"}


@pytest.mark.parametrize("profile", ["release", *PROFILES])
def test_the_operand_of_sizeof_keeps_its_parentheses(profile):
    """A subscript binds closer than sizeof does, so a number that sizeof gives is an index only in parentheses."""
    text = f"{HEADS[pick]}  int16_t a[9] = {{0}};\n  return sizeof((sizeof k)[a]) + 100 * sizeof((sizeof(int64_t))[a]);\n}}\n"
    assert pick.compile(text, profile)(X, 0) == 202.0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return U'a' - U'b';", 2**32 - 1),
        ("return u'a' - u'b';", -1),
        ("return L'a' - L'b';", -1),
        ("return sizeof(u'a') * 100 + sizeof(U'a') * 10 + sizeof('a');", 244),
        ("return 'ab' / k;", 24930),
    ],
)
@pytest.mark.parametrize("profile", ["release", *PROFILES])
def test_characters_have_the_types_of_their_prefixes(profile, body, expected):
    """A `char32_t` is unsigned, a `char16_t` becomes an int; several characters are an int too."""
    assert Kernel.from_c(f"int64_t k(int64_t k) {{ {body} }}", profile=profile)(1) == expected


UNENDING = "int64_t k(int64_t i)\n{\n  while (i < 1000) i = i / 2;\n  return i;\n}\n"


def test_checked_code_ends_by_itself():
    """In the user's own process too a call of `checked` code has a limit of steps, which the user may set."""
    kernel = Kernel.from_c(UNENDING, profile="checked", on_panic="zero")
    assert kernel.step_limit == 5_000_000_000
    kernel.step_limit = 100_000
    assert (kernel(1), kernel.take_panic().kind, kernel.step_limit) == (0, "endless", 100_000)
    assert kernel(1000) == 1000
    kernel.step_limit = None
    assert kernel.step_limit is None


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "many"])
def test_a_limit_of_steps_is_a_number(limit):
    """Anything else is refused, and the limit stays."""
    kernel = Kernel.from_c(UNENDING, profile="checked", on_panic="zero")
    with pytest.raises(UsageError, match="a limit of steps is a number above 0 or None"):
        kernel.step_limit = limit
    assert kernel.step_limit == 5_000_000_000


SHADOWED = {
    "behind": ("double a[4] = {0, 1, 2, 3}; { { double a[2] = {8, 9}; if (n < 0) return a[1]; } } return a[k];", 3, 4),
    "within": ("double a[2] = {0, 1}; { { double a[4] = {0, 1, 2, 3}; return a[k]; } } return a[0];", 3, 4),
    "beside": ("{ double a[2] = {0, 1}; if (n < 0) return a[1]; } { double a[4] = {0, 1, 2, 3}; return a[k]; }", 3, 4),
    "smaller again": ("double a[2] = {0, 1}; { double a[4] = {0}; if (n < 0) return a[3]; } return a[k];", 1, 2),
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SHADOWED)
def test_a_name_means_what_its_scope_says(name, profile):
    """An array has its own bounds inside of its scope, and the outer one of its name has its own again behind that."""
    text, last, beyond = SHADOWED[name]
    revision = compiled(pick, text, profile)
    assert revision(X, last) == last
    assert not revision(X, beyond)
    assert f"for a with length {beyond}" in revision.take_panic().message


def test_the_longest_local_array():
    """A length beyond 2**24 is a panic of its own, and one of that length only finds no stack."""
    revision = compiled(pick, "double t[k]; return t[0];", "safe")
    for length, kind in ((1 << 24, "stack"), ((1 << 24) + 1, "length"), (0, "index"), (1, None)):
        revision(X, length)
        panic = revision.take_panic()
        assert (panic.kind if panic else None) == kind


def test_lifetimes_are_followed_through_a_long_chain():
    """Pointers that are set to one another, each by the next, are followed to the array at the end, step by step once."""
    count = 3000
    bounds = [Bounds(f"p{i}", None, None) for i in range(count)]
    flows = [Flow(f"p{i}", 1, bounds[i], bounds[i + 1], number(i)) for i in range(count - 1)]
    inner = Flow(f"p{count - 1}", 2, bounds[-1], Bounds("a", None, None, 2), number(0))
    calls = 0

    def count_lines(frame, event, argument):
        nonlocal calls
        calls += event == "line"
        return count_lines

    before = sys.gettrace()
    sys.settrace(count_lines)
    try:
        with pytest.raises(Refused, match="'p0' would outlive"):
            check_lifetimes([*flows, inner])
    finally:
        sys.settrace(before)
    assert calls < 100 * count
