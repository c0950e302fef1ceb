"""The corpus: one small C file per construct that must be refused, and per construct that must be accepted.

The first lines of a file say what is expected of it; the format is described at `expectations`.
"""

import ast
import functools
import re
from pathlib import Path

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Array, CandidateError, Kernel, Out, record
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend import canonical_source
from symbiont_jit.signature import signature_of
from tests.kernels import dot, scalar

CORPUS = Path(__file__).parent / "corpus"
REJECT = sorted((CORPUS / "reject").glob("*.c"))
ACCEPT = sorted((CORPUS / "accept").glob("*.c"))


def matmul(a: Array[f64, "m", "k"], b: Array[f64, "k", "n"], c: Out[f64, "m", "n"]) -> None: ...


def fill(out: Out[f64, "n"], value: f64) -> None: ...


def rows(a: Array[f64, "n", 10]) -> f64: ...


@record
class Point:
    """A record of the files that take one."""

    x: f64
    y: f64
    weights: Array[np.int32, 2]


def length(p: Point) -> f64: ...


def centre(points: Array[Point, "n"], out: Out[Point]) -> None: ...


def rotate(z: complex) -> complex: ...


SIGNATURES = {
    function.__name__: signature_of(function) for function in (scalar, dot, matmul, fill, rows, length, centre, rotate)
}


def header(text, key):
    """The values of the comment lines `// key: value` at the top of a file, in order."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line)
    return [line.partition(":")[2].strip() for line in lines if line.startswith(f"// {key}:")]


def signature_for(text):
    (key,) = header(text, "signature")
    return SIGNATURES[key]


# -- refused ----------------------------------------------------------------------------------------------------------


def expectations(text):
    """What a file's `// expect:` lines say, one finding each.

    `rule=call line=5 column=10 stage=check`: positions count in the file, headers included. A field that is absent or
    `*` may be anything; `a|b` is either.
    """
    return [dict(pair.split("=", 1) for pair in line.split()) for line in header(text, "expect")]


def agrees(expected, finding):
    def field(name, value):
        wanted = expected.get(name, "*")
        return wanted == "*" or str(value) in wanted.split("|")

    return all(field(name, getattr(finding, name)) for name in ("stage", "rule", "line", "column"))


@pytest.mark.table
@pytest.mark.parametrize("path", REJECT, ids=lambda path: path.stem)
def test_refused_with_these_findings(path):
    """A file of `reject/` raises `CandidateError` with exactly the findings that it names, at their positions."""
    text = path.read_bytes().decode("utf-8", "replace")
    with pytest.raises(CandidateError) as caught:
        Kernel(signature_for(text), profile="release").compile(path.read_bytes())
    error, expected = caught.value, expectations(text)
    found = sorted((str(d.stage), d.rule, d.line, d.column) for d in error.diagnostics)
    left = list(error.diagnostics)
    for wanted in expected:
        match = next((finding for finding in left if agrees(wanted, finding)), None)
        assert match is not None, f"no {wanted} in {found}"
        left.remove(match)
    assert not left, f"besides {expected}: {[(str(d.stage), d.rule, d.line, d.column) for d in left]}"
    assert error.source.startswith("// expect:")
    assert error.stage == error.diagnostics[0].stage
    assert str(error)


def test_a_large_text_is_refused():
    """A text of a megabyte is refused by its size alone."""
    text = "double scalar(double x, double y) { return x; }\n" + "// padding\n" * 100_000
    for proposed in (text, text.encode()):
        with pytest.raises(CandidateError) as caught:
            Kernel(SIGNATURES["scalar"]).compile(proposed)
        assert [(d.stage, d.rule) for d in caught.value.diagnostics] == [("read", "too-large")]


# -- accepted ---------------------------------------------------------------------------------------------------------


@functools.cache
def accepted(path):
    """The loaded revision of an accepted file."""
    kernel = Kernel(signature_for(path.read_bytes().decode()), profile="release")
    return kernel.swap(path.read_bytes())


def native(value, typ):
    """A list or tuple as the array or record that a parameter takes."""
    return np.array(value, typ.dtype.dtype) if isinstance(value, list | tuple) else value


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_accepted_and_right(path):
    """A file of `accept/` compiles and gives the results that its `// call:` lines name."""
    text = path.read_bytes().decode()
    revision = accepted(path)
    calls = header(text, "call")
    assert calls
    for call in calls:
        arguments, result = (ast.literal_eval(side.strip()) for side in call.split("->"))
        arguments = [native(a, p.type) for a, p in zip(arguments, revision.signature.params, strict=True)]
        returned = revision(*arguments)
        if returned is None:
            returned = next(a for a, p in zip(arguments, revision.signature.params, strict=True) if p.mode != "in")
        np.testing.assert_array_equal(returned, np.array(result, getattr(returned, "dtype", None)))


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_canonical_text_is_its_own_canonical_text(path):
    """Parsing what was printed and printing it again changes nothing."""
    revision = accepted(path)
    again = canonical_source(revision.source, revision.signature, preprocess)
    assert again.text == revision.source


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_canonical_text_has_no_comment_or_directive(path):
    """Of comments, macros and includes nothing is left; only pragmas of the table stay."""
    bare = re.sub(r"\"(\\.|[^\"])*\"", "", accepted(path).source)
    assert "//" not in bare
    assert "/*" not in bare
    assert all(line.lstrip().startswith("#pragma") for line in bare.splitlines() if "#" in line)
