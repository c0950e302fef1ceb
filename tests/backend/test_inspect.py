"""`inspect_llvm`, `inspect_asm`, `inspect_remarks`: what a revision became, in words and of bounded length."""

import pytest
from numba import float64 as f64

from symbiont_jit import Array, Group, InOut, Kernel, KernelError, Out, evolvable
from symbiont_jit.backend import inspect
from symbiont_jit.backend.unit import Unit
from tests.kernels import DOT

SCALE_AND_SCAN = """void scan(int64_t n, const double x[n], double y[n])
{
  for (int64_t i = 0; i < n; i++)
  {
    y[i] = 2 * x[i];
  }
  for (int64_t i = 1; i < n; i++)
  {
    y[i] += y[i - 1];
  }
}
"""


@pytest.fixture
def scan():
    """A kernel with a loop that can be vectorised and one that cannot."""

    @evolvable(source=SCALE_AND_SCAN, profile="release")
    def scan(x: Array[f64, "n"], y: Out[f64, "n"]) -> None: ...

    return scan


def test_remarks_say_which_loop_is_vectorised_and_why_another_is_not(scan):
    """Lines are those of the canonical source; the reason names the access that it depends on."""
    said = scan.inspect_remarks().splitlines()
    assert any(line.startswith("3:3: loop-vectorize, done: vectorized loop") for line in said)
    assert "7:3: loop-vectorize, not done: loop not vectorized" in said
    (reason,) = [line for line in said if line.startswith("9:10: loop-vectorize, because: ")]
    assert "Backward loop carried data dependence" in reason
    assert reason.endswith("accessed at 9:13")
    assert scan.source == SCALE_AND_SCAN
    assert scan.active.inspect_remarks() == scan.inspect_remarks()


def test_remarks_of_a_checked_revision_are_about_the_text(scan):
    """A first line says that the checks of the profile are not in it."""
    first, *rest = scan.compile(SCALE_AND_SCAN, "safe").inspect_remarks().splitlines()
    assert first == "(of the text without the checks of profile 'safe')"
    assert rest == scan.inspect_remarks().splitlines()


@pytest.mark.parametrize("text", ["double f(double x) { return x + 7; }", "double f(double x) { return sin(x); }"])
def test_where_the_optimiser_says_nothing_there_are_no_remarks(text):
    """That is no failure."""
    assert Kernel.from_c(text, profile="release").inspect_remarks() == ""


def test_the_ir_and_the_assembly_are_of_what_runs(scan):
    """Release code is the text alone; safe code has the frame of its checks."""
    safe = scan.compile(SCALE_AND_SCAN, "safe")
    assert "define void @scan(" in scan.inspect_llvm()
    assert "fmul <" in scan.inspect_llvm() or "fadd <" in scan.inspect_llvm()
    assert "scan:" in scan.inspect_asm()
    assert "sj_frame" not in scan.inspect_llvm()
    assert "sj_frame" in safe.inspect_llvm()
    assert "sj_panics" in safe.inspect_asm()


@pytest.mark.slow
def test_what_numba_compiled_is_inspected_by_numba(dot):
    """A Python body has Numba's IR and assembly, and no remarks."""
    assert "define" in dot.inspect_llvm()
    assert ".globl" in dot.inspect_asm()
    with pytest.raises(KernelError, match="revision 0 is a Python body, of which Numba keeps no optimisation remarks"):
        dot.inspect_remarks()
    assert "@dot(" in dot.compile(DOT).inspect_llvm()


def test_a_kernel_without_a_body_has_nothing_to_inspect():
    """The error says what to do."""

    @evolvable
    def f(x: f64) -> f64: ...

    for method in (f.inspect_llvm, f.inspect_asm, f.inspect_remarks):
        with pytest.raises(KernelError, match="'f' has no revision to inspect; swap one in first"):
            method()


def test_a_groups_revision_shows_all_of_its_functions():
    """The IR of a group, of its revision and of a member's handle have every function."""
    group = Group()

    @group.evolvable
    def one(x: f64) -> f64: ...

    @group.evolvable
    def two(x: InOut[f64, "n"]) -> None: ...

    text = "double one(double x) { return 2 * x; } void two(int64_t n, double x[n]) { for (int64_t i = 0; i < n; i++) x[i] += 1; }"
    revision = group.swap(text, profile="release")
    for shown in (group, revision, revision["one"], two):
        assert "@one(" in shown.inspect_llvm()
        assert "two:" in shown.inspect_asm()
        assert "loop-vectorize, done" in shown.inspect_remarks()


def test_texts_are_bounded(monkeypatch):
    """What is longer ends with a line that says how much is missing."""
    unit = Unit(DOT + "\n", ("dot",))
    whole, remarks = inspect.llvm_ir(unit), inspect.remarks(unit).splitlines()
    monkeypatch.setattr(inspect, "MAX_TEXT", 400)
    monkeypatch.setattr(inspect, "MAX_REMARKS", 1)
    *lines, last = inspect.llvm_ir(unit).splitlines()
    kept = "".join(line + "\n" for line in lines)
    assert whole.startswith(kept)
    assert len(kept) <= 400
    assert last == f"... and {len(whole) - len(kept):,} more characters"
    assert inspect.remarks(unit).splitlines() == [remarks[0], f"... and {len(remarks) - 1} more remarks"]


def test_remarks_are_translated_to_the_readers_text():
    """A source map gives every place in a remark, also those inside of its message."""
    unit = Unit(SCALE_AND_SCAN, ("scan",))
    said = inspect.remarks(unit, lambda line, column: (line + 100, column + 1))
    assert "109:11: loop-vectorize, because: " in said
    assert said.rstrip().endswith("109:14") or "accessed at 109:14" in said
