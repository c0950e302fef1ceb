"""The tests about themselves: each says what it promises, none is left out in silence, none asserts what a clock says."""

import ast
import itertools
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent
FILES = sorted(ROOT.rglob("test_*.py"))

#: Why a test may be skipped, and where that is the case. `pytest -ra` prints the reasons of a run.
SKIPS = {
    "there is no filter of system calls": "other systems than Linux, and where pyseccomp cannot be loaded",
    "this kernel has no such rule": "before Linux 6.3",
    "this Linux has no Landlock": "before Linux 5.13, and where it is not configured",
    "no compiler of this machine has this sanitizer": "our own clang, which is everywhere, comes without ASan's runtime",
    "Numba has no OpenMP here": "wheels of Numba for some platforms are built without it",
}
SKIPPING = {"skip", "skipif", "importorskip", "xfail"}
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time_ns", "thread_time", "process_time"}


@cache
def nodes_of(path):
    """All nodes of a file."""
    return list(ast.walk(ast.parse(path.read_text())))


def functions_of(path):
    """The test functions of a file."""
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def name_of(node):
    """The last part of a dotted name, `perf_counter` of `time.perf_counter`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def all_functions():
    """The test functions of all files."""
    return itertools.chain.from_iterable(map(functions_of, FILES))


def test_every_test_says_in_a_sentence_what_it_promises():
    """The first paragraph of a test's docstring is one sentence."""
    for function in all_functions():
        summary = (ast.get_docstring(function) or "").partition("\n\n")[0]
        assert summary, f"{function.name} has no docstring"
        assert summary.endswith("."), f"{function.name}: {summary!r} does not end as a sentence does"
        assert not re.search(r"\.\s+[A-Z`]", summary), f"{function.name}: {summary!r} is more than one sentence"


def test_no_test_is_skipped_for_a_reason_of_its_own():
    """A test is skipped for a reason of the table only, and what is expected to fail has no place here."""
    for node in itertools.chain.from_iterable(map(nodes_of, FILES)):
        if isinstance(node, ast.Call) and name_of(node.func) in SKIPPING:
            assert name_of(node.func) == "skip", ast.unparse(node)
            (reason,) = node.args
            assert isinstance(reason, ast.Constant), ast.unparse(node)
            assert reason.value in SKIPS, ast.unparse(node)
        elif isinstance(node, ast.Attribute):
            assert node.attr not in SKIPPING - {"skip"}, ast.unparse(node)


def readings_of(function):
    """The names of variables that hold what a clock said, and the clocks themselves."""
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    held = {name_of(n.targets[0]) for n in assigned if {name_of(part) for part in ast.walk(n.value)} & CLOCKS}
    return held | CLOCKS


def test_no_assertion_reads_a_clock():
    """How long something takes on a busy machine is no promise; order, counts and events are."""
    for function in all_functions():
        readings = readings_of(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                assert not {name_of(part) for part in ast.walk(node.test)} & readings, (
                    f"{function.name}: {ast.unparse(node)}"
                )


def test_every_reason_to_skip_is_used():
    """The table has no reason that no test has any more."""
    texts = "".join(path.read_text() for path in FILES if path != Path(__file__))
    assert [reason for reason in SKIPS if reason not in texts] == []


def test_every_folder_has_tests_that_are_quick():
    """`make quick` touches every folder of tests."""
    for folder in sorted({path.parent for path in FILES} - {ROOT}):
        paths = [path for path in folder.glob("test_*.py") if "pytestmark" not in path.read_text()]
        assert any(is_quick(node) for path in paths for node in nodes_of(path)), folder


def is_quick(node):
    """Whether a node is a test function without the mark of slow ones."""
    is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    return is_test and not any("mark.slow" in ast.unparse(decorator) for decorator in node.decorator_list)
