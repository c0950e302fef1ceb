"""What `Speedup` compares, times, and counts against a candidate."""

import time

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64

from symbiont_jit import Array, Evolution, InOut, Kernel, Out, Speedup, Status, UsageError, evolvable
from symbiont_jit.engine.builds import Build
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.local import LocalEvaluator
from symbiont_jit.evaluate.task import EvaluationRequest
from symbiont_jit.isolate import child
from tests.kernels import DOT, DOT_HEAD

LOOP = "double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * y[i];"
KEEP = f"""
  if (n > 0 && kept[0] == x[0] && kept[1] == y[n - 1]) return kept[2];
  {LOOP}
  if (n > 0) {{ kept[0] = x[0]; kept[1] = y[n - 1]; kept[2] = s; }}
  return s;"""

MEMORIES = {
    "malloc": "double *kept = malloc(24);",
    "grown": "double *kept = realloc(malloc(8), 24);",
    "deep in a block": "double *kept = (double *)malloc(1 << 20) + 100000;",
    "freed": "double *first = malloc(24); free(first); double *kept = malloc(24);",
    "volatile": "volatile double kept[3];",
    "variable length": "int64_t m = n > 0 ? 3 : 1; volatile double kept[m];",
}


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("profile", ["release", "safe", "checked"])
def test_nothing_outlives_a_call(dot, memory, profile):
    """Whatever memory a text keeps its answer in, the next call finds zeros there, in every profile."""
    revision = dot.compile(f"{DOT_HEAD} {{ {MEMORIES[memory]} {KEEP} }}", profile)
    x, y = np.ones(100), np.ones(100)
    assert [revision(x, y) for _ in range(3)] == [100.0] * 3
    x[1:-1] = 5.0
    assert revision(x, y) == 492.0


@pytest.fixture
def search(dot):
    """A search on arrays whose sizes are no multiple of a page."""
    with Evolution(dot, metric=Speedup(lambda rng: (rng.random(500), rng.random(500)))) as opened:
        yield opened


LOOKS = {
    "pages": "if (((uintptr_t)x + n * 8) % 4096 != 0 && (uintptr_t)x % 4096 != 0) return n;",
    "distance": "if ((uintptr_t)y - (uintptr_t)x < 100000) return n;",
    "other side": "if ((uintptr_t)y % 4096 != 0 && ((uintptr_t)y + n * 8) % 4096 != 0) return n;",
}


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_a_look_at_the_address_wins_nothing(search, look):
    """A text that is right where arrays end at pages, and fast where they do not, is wrong."""
    assert search.evaluate(f"{DOT_HEAD} {{ {LOOKS[look]} {LOOP} return s; }}").status is Status.WRONG


@pytest.mark.slow
def test_checks_run_where_calls_are_timed(search):
    """Memory beside its own that a text touches only at the addresses at which it is timed is found by the checks."""
    text = f"if ((uintptr_t)x % 4096 != 0 && ((uintptr_t)x + n * 8) % 4096 != 0) return x[n + 1]; {LOOP} return s;"
    evaluation = search.evaluate(f"{DOT_HEAD} {{ {text} }}")
    assert (evaluation.status, evaluation.diagnostics[0].rule) == (Status.PANICKED, "index")


NEAR = "if ((uintptr_t)x % 4096 != 0 && ((uintptr_t)x + n * 8) % 4096 != 0)"
ROGUES = {
    "changes an input": (f"{NEAR} ((double *)(uintptr_t)x)[n / 2] = 7;", "'x' was changed, though it is const"),
    "writes beside one": (f"{NEAR} ((double *)(uintptr_t)x)[n + 2] = 7;", "the call wrote outside of 'x'"),
    "is wrong": (f"{NEAR} return 1.0;", "the result "),
}


@pytest.mark.slow
@pytest.mark.parametrize("rogue", ROGUES)
def test_what_release_code_does_where_it_is_timed(dot, rogue):
    """Code without checks that does in timed calls alone what nobody may do is wrong, and the finding says so."""
    text, said = ROGUES[rogue]
    honest = target_of(dot).canonical(DOT)
    code = dot.compile(f"{DOT_HEAD} {{ {text} {LOOP} return s; }}", "release").object_code
    evaluator = LocalEvaluator(dot, Speedup(lambda rng: (rng.random(500), rng.random(500))))
    try:
        checked = target_of(dot).build(honest, "checked")
        request = EvaluationRequest(checked, Build(honest, "release", code), (0,), None)
        evaluation = evaluator._evaluate_in_worker(request, evaluator.pool.epoch)
    finally:
        evaluator.pool.close()
    assert evaluation.status is Status.WRONG
    assert said in evaluation.diagnostics[0].message


def test_an_output_that_is_there_already_is_not_found():
    """Pure outputs are noise before every timed call, so a text that leaves an answer where it is never finds one."""

    @evolvable(source="void twice(int64_t n, const double x[n], double y[n]) { y[0] = x[0]; }")
    def twice(x: Array[f64, "n"], y: Out[f64, "n"]) -> None: ...

    prepared = Speedup(lambda rng: (rng.random(50), np.zeros(50))).prepare(target_of(twice), 1)
    counting = twice.compile("void twice(int64_t n, const double x[n], double y[n]) { y[0] += 1; }", "release")
    prepared.checker.timed.watch.batch(counting.entry_address, 100_000)
    given = [case.given[1][0] + 1 for case in prepared.checker.timed.known]
    assert [call.values[1][0] for call in prepared.checker.timed.watch.calls(len(given))] == given


@pytest.mark.slow
def test_arguments_that_overlap_do_so_in_every_call():
    """A body that is wrong in place is wrong where the inputs are one array twice, and right where they are two."""
    head = "void run(int64_t n, const double x[n], double y[n])"

    @evolvable(source=f"{head} {{ for (int64_t i = 1; i < n; i++) y[i] = x[i - 1] + 1.0; }}")
    def run(x: Array[f64, "n"], y: InOut[f64, "n"]) -> None: ...

    backwards = f"{head} {{ for (int64_t i = n - 1; i >= 1; i--) y[i] = x[i - 1] + 1.0; }}"

    def in_place(rng):
        a = rng.random(50)
        return a, a

    for inputs, status in ((in_place, Status.WRONG), (lambda rng: (rng.random(50), rng.random(50)), Status.VALID)):
        with Evolution(run, metric=Speedup(inputs)) as search:
            assert search.evaluate(backwards).status is status


# -- whose fault it is ---------------------------------------------------------------------------------------------


def sometimes(bad):
    """Inputs that are good at first, and for some seeds are not."""

    def inputs(rng):
        return (np.ones(3), np.ones(3)) if rng.random() < 0.65 else bad()  # the very first is 0.637

    return inputs


def fail():
    raise OSError("the disk is full")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (
            lambda: (np.ones(3), np.ones(4)),
            r"'y' has n = 4 .*they are inputs\(np.random.default_rng\(\[[\d, ]+\]\)\)",
        ),
        (lambda: np.ones(3), "takes 2 arguments, got 1"),
        (fail, r"(?s)inputs\(np.random.default_rng\(\[.*\]\)\) raised:.*OSError: the disk is full"),
    ],
)
def test_bad_inputs_are_the_users_error(dot, bad, said):
    """A draw that does not fit, or raises, is no candidate's fault, whenever it comes; the message repeats the call."""
    with Evolution(dot, metric=Speedup(sometimes(bad))) as search, pytest.raises(UsageError, match=said):
        search.evaluate(DOT)


@pytest.mark.slow
def test_a_later_bad_draw_is_found_in_a_worker(dot):
    """A fresh worker, in which no candidate ran, has to say so too before the user is blamed."""

    def inputs(rng):
        seed = rng.bit_generator.seed_seq.entropy
        bad = len(seed) == 3 and seed[1] == 5  # The fifth candidate's, whatever the number of the draw.
        return np.ones(3), np.ones(4 if bad else 3)

    with Evolution(dot, metric=Speedup(inputs)) as search:
        assert search.evaluate(DOT).status is Status.VALID
        search._latest_number = 5
        with pytest.raises(UsageError, match=r"default_rng\(\[0, 5, 0\]\)"):
            search._evaluate(DOT.replace("0.0", "-0.0"), 5)
        assert search.evaluate(DOT.replace("0.0", "1e-300")).status is Status.VALID


@pytest.mark.slow
def test_drawing_is_not_counted(dot):
    """Inputs that take longer to draw than the deadline leave the reference itself valid."""

    def inputs(rng):
        time.sleep(0.02)
        return rng.random(10), rng.random(10)

    with Evolution(dot, metric=Speedup(inputs), deadline=0.3) as search:
        assert search.evaluate(DOT).status is Status.VALID


def test_the_clock_of_a_deadline_can_be_stopped(monkeypatch):
    """It does not run while a child says that no candidate does, and runs again inside of that where one does."""
    monkeypatch.setattr(child, "limit_processor_time", lambda seconds: None)
    monkeypatch.setattr(child, "_OWN_PHASE", [bytearray(child.MAX_PHASE + child.PAUSES.size)])
    seen = []

    def look():
        since, _ = child._read_pauses()
        seen.append(since == 0)

    with child.stop_clock():
        look()
        with child.stop_clock():
            look()
        with child.run_clock():
            look()
            with child.run_clock():
                look()
        look()
    look()
    assert seen == [False, False, True, True, False, True]
    assert child._read_pauses()[1] > 0


# -- what is timed is no secret's end ----------------------------------------------------------------------------------


POWERS = "double powers(int64_t n, const double x[n], int64_t k)"


@pytest.fixture
def powers():
    """A sum of powers, of which a search times one exponent alone."""

    @evolvable(source=f"{POWERS} {{ double s = 0; for (int64_t i = 0; i < n; i++) s += pow(x[i], k); return s; }}")
    def powers(x: Array[f64, "n"], k: int64) -> f64: ...

    return powers


@pytest.mark.slow
def test_other_inputs_lie_where_calls_are_timed(powers):
    """A text that does the whole work where arrays touch a page, and a part of it elsewhere, is wrong."""
    text = f"""{POWERS} {{
      double s = 0; uint64_t a = (uint64_t)x, b = (uint64_t)(x + n);
      for (int64_t i = 0; i < n; i++) s += a % 4096 == 0 || b % 4096 == 0 ? pow(x[i], k) : POWER;
      return s; }}"""
    inputs = lambda rng: (rng.random(3000), int(rng.integers(1, 4)))  # noqa: E731
    with Evolution(powers, metric=Speedup(inputs)) as search:
        for power in ("x[i]", "x[i] * x[i]", "x[i] * x[i] * x[i]"):
            assert search.evaluate(text.replace("POWER", power)).status is Status.WRONG


@pytest.mark.slow
def test_findings_do_not_tell_what_is_timed(dot):
    """Inputs to be timed are drawn with a number of the evaluator's own, and a finding about them has no values."""
    seen = []

    def inputs(rng):
        seen.append(rng.bit_generator.seed_seq.entropy)
        return rng.random(5), rng.random(5)

    for _ in range(2):
        with Evolution(dot, metric=Speedup(inputs)) as search:
            search.evaluate(DOT)
    secrets = [seed[0] for seed in seen if len(seed) == 2]
    assert len(set(secrets)) == 2
    assert min(secrets) > 2**40

    prepared = Speedup(inputs).prepare(target_of(dot), 7)
    wrong = dot.compile(f"{DOT_HEAD} {{ return 3.0; }}", "release")
    prepared.checker.begin(target_of(dot))
    assert prepared.checker._check_known(wrong.entry_address) == "the result differs"


@pytest.mark.slow
@pytest.mark.usefixtures("brief")
def test_what_does_not_come_back_at_the_end_loses(dot):
    """A finalist whose release code hangs on the last inputs is no winner, and the others are measured all the same."""
    evaluator = LocalEvaluator(dot, Speedup(lambda rng: (rng.random(50), rng.random(50))), deadline=0.5)
    honest = target_of(dot).canonical(DOT)
    hanging = target_of(dot).canonical(f"{DOT_HEAD} {{ volatile int64_t i = n; while (i) i = n; return 0; }}")
    try:
        found = evaluator.confirm([honest.text, hanging.text, honest.text])
    finally:
        evaluator.pool.close()
    assert [each.status for each in found] == [Status.VALID, Status.CRASHED, Status.VALID]
    assert "did not come back" in found[1].diagnostics[0].message


def test_the_reference_is_timed_as_candidates_are(dot):
    """C that was declared for `safe` is timed without checks; a Python body is timed as Numba compiles it."""

    @evolvable(source=DOT.replace("dot(", "declared("))
    def declared(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64: ...

    inputs = Speedup(lambda rng: (rng.random(50), rng.random(50)))
    prepared = inputs.prepare(target_of(declared), 1)
    assert prepared.reference.handle.profile == "safe"
    assert prepared.reference.timed.profile == "release"
    python = inputs.prepare(target_of(dot), 1)
    assert python.reference.timed is python.reference.handle


@pytest.mark.slow
@pytest.mark.parametrize(("turns", "cases"), [(3_000_000, 1), (10, 16)])
def test_slow_calls_are_timed_on_few_inputs(turns, cases):
    """The deadline is for some tens of calls, so a kernel of many milliseconds is not called with sixteen inputs."""
    kernel = Kernel.from_c(
        f"double f(double x) {{ for (int64_t i = 0; i < {turns}; i++) x = x * 0.999 + sin(x); return x; }}"
    )
    prepared = Speedup(lambda rng: (rng.random(),)).prepare(target_of(kernel), 5)
    assert len(prepared.checker.timed.known) == cases
