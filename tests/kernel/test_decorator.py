"""Declaring kernels: what the first revisions are, and where sources come from."""

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Kernel, SignatureError, UsageError, evolvable


@pytest.mark.parametrize("nothing", [42, None])
def test_from_c_takes_text(nothing):
    """Anything else is the caller's error."""
    with pytest.raises(UsageError, match="takes C text"):
        Kernel.from_c(nothing)


def test_from_c_takes_a_path(tmp_path):
    """As `source=` of `@evolvable` does: a path, or a string that ends in `.c`."""
    path = tmp_path / "half.c"
    path.write_text("double half(double x) { return x / 2; }")
    other = path.with_suffix(".h")
    other.write_bytes(path.read_bytes())
    assert [Kernel.from_c(p)(3.0) for p in (path, str(path), other)] == [1.5] * 3


@pytest.mark.parametrize("name", ["half.h", "notes.txt", "src/half", "./half.cpp", b"/tmp/half.h"])
def test_a_name_that_may_be_a_path_is_told_apart(name):
    """A string that is no C and looks like the name of a file is answered with how to pass one."""
    with pytest.raises(UsageError, match=r"if it is the name of a file, pass pathlib.Path"):
        Kernel.from_c(name)


@pytest.mark.parametrize("name", ["nowhere/half.c", "ha\0lf.c"])
def test_a_path_that_cannot_be_read_is_named(name):
    """Whatever keeps a file from being read is the caller's error."""
    with pytest.raises(UsageError, match="cannot be read"):
        Kernel.from_c(name)


def test_revision_zero_is_the_python_body(dot, vectors):
    """Without a source the decorated function itself is what runs, compiled by Numba."""
    assert dot(*vectors) == pytest.approx(np.dot(*vectors))
    assert (dot.active.number, dot.active.language) == (0, "python")
    assert dot.__doc__.startswith("Inner product of x and y.")
    assert "s += x[i] * y[i]" in dot.source


def test_source_becomes_revision_one_and_active(matmul):
    """With a body and a source, the body is revision 0 and the source runs."""
    assert [r.language for r in matmul.revisions] == ["python", "c"]
    assert matmul.active is matmul.revision(1)


def test_source_is_revision_zero_without_a_body():
    """A body of `...` leaves the source as revision 0."""

    @evolvable(source="int64_t twice(int64_t x) { return 2 * x; }")
    def twice(x: int) -> int:
        """Double it."""

    assert (twice(21), twice.active.number, len(twice.revisions)) == (42, 0, 1)


def test_source_may_be_a_path(tmp_path):
    """A path, as such or as text that ends in .c, is read."""
    file = tmp_path / "body.c"
    file.write_text("int64_t twice(int64_t x) { return 2 * x; }")

    def twice(x: int) -> int: ...

    assert evolvable(source=file)(twice)(2) == evolvable(source=str(file))(twice)(2) == 4
    with pytest.raises(UsageError, match=r"nothing\.c"):
        evolvable(source=tmp_path / "nothing.c")(twice)


def test_evolvable_takes_only_functions():
    """A class or a number is refused with what was given."""
    with pytest.raises(UsageError, match="plain Python function"):
        evolvable(3)
    with pytest.raises(SignatureError, match="parameter 'x'"):

        @evolvable
        def f(x: str) -> f64: ...
