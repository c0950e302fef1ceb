"""Hints: only pragmas and qualifiers change."""

from tests.kernels import DOT, MATMUL
from tests.propose.transform.applying import apply_until


def test_hints_change_only_pragmas_and_qualifiers():
    """Pragmas stand where clang wants them, restrict on every array."""
    assert "double c[restrict n][m]" in apply_until(MATMUL, "restrict", "restrict")
    assert apply_until(DOT, "reassociate", "reassociate(on)").splitlines()[2].strip().startswith("#pragma clang fp")
    lines = apply_until(DOT, "loop-hint", "unroll_count(4)").splitlines()
    at = next(i for i, line in enumerate(lines) if "unroll_count" in line)
    assert lines[at + 1].strip().startswith("for (")
