"""Mutation testing: what may be broken, and which tests are asked about it."""

import re
from pathlib import Path

import pytest

from mutants.equivalents import EQUIVALENTS, is_equivalent
from mutants.judge import LineMap
from mutants.modules import PACKAGE, PARTS, files_of, is_behaviour, lines_of_statement

ENGINE = PACKAGE / "engine/engine.py"


@pytest.fixture
def written(tmp_path):
    """A function that writes a text to a file."""

    def write(text):
        path = tmp_path / "module.py"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_files(part, monkeypatch):
    """A part that was moved would be left out in silence."""
    monkeypatch.chdir(Path(__file__).parents[1])
    assert files_of(part)


def test_annotations_and_dataclasses_are_not_broken(written):
    """What nothing evaluates, or what only forbids, is no behaviour."""
    path = written(
        "@dataclass(slots=True)\nclass A:\n    x: int | None = 1\n\n    def f(self, y: int | str = 2): ...\n"
    )
    places = {(1, 17): False, (3, 7): False, (3, 20): True, (5, 19): False, (5, 31): True}
    assert {place: is_behaviour(path, place) for place in places} == places


def test_a_line_belongs_to_its_innermost_statement(written):
    """Of a loop only the head counts, of a call over several lines all of them."""
    path = written("for i in range(\n    3\n):\n    f(\n        i\n    )\n")
    assert [list(lines_of_statement(path, line)) for line in (2, 5)] == [[1, 2, 3], [4, 5, 6]]


def test_the_quickest_test_of_each_file_is_asked_first():
    """Then the second of each, those of the mirrored folder before others; what exceeds the limit is left out."""
    seconds = {"tests/a.py::far": 0.1, "tests/engine/b.py::slow": 2.0, "tests/engine/b.py::quick": 1.0}
    tests = LineMap(seconds, {str(ENGINE): {str(n): list(seconds) for n in range(500)}})
    order = ["tests/engine/b.py::quick", "tests/a.py::far", "tests/engine/b.py::slow"]
    assert [tests.choose(ENGINE, 20, limit) for limit in (4.0, 2.0)] == [order, order[:2]]


def test_what_runs_in_children_alone_is_asked_of_its_folder():
    """A file that no test's own process runs has the tests of its folder and those that start processes."""
    seconds = {"tests/engine/b.py::one": 1.0, "tests/search/c.py::two": 1.0, "tests/c/d.py::three": 1.0}
    assert LineMap(seconds, {}).choose(ENGINE, 20, 9.0) == ["tests/engine/b.py::one", "tests/search/c.py::two"]


def test_what_is_near_is_asked_in_the_time_that_is_left():
    """A line that runs once for all has been noted for one test alone, so those of its folder are asked after it."""
    seconds = {"tests/a.py::runs": 1.0, "tests/engine/b.py::near": 2.0, "tests/engine/b.py::long": 99.0}
    tests = LineMap(seconds, {str(ENGINE): {str(n): ["tests/a.py::runs"] for n in range(500)}})
    assert tests.choose(ENGINE, 20, 4.0) == ["tests/a.py::runs", "tests/engine/b.py::near"]
    assert tests.choose(ENGINE, 20, 2.0) == ["tests/a.py::runs"]


@pytest.mark.parametrize("row", EQUIVALENTS, ids=lambda row: row.line[:40])
def test_a_mutant_that_changes_nothing_is_one_of_a_line_that_is_there(row):
    """The table has lines of today's files, a reason for each, and no pattern that lets the line itself pass."""
    lines = [line.strip() for line in (Path(__file__).parents[1] / PACKAGE / row.file).read_text().splitlines()]
    assert row.line in lines
    assert row.reason
    assert is_equivalent(f"src/{row.file}", "  " + row.line, row.line) == bool(re.fullmatch(row.becomes, row.line))
    assert not is_equivalent("another.py", row.line, row.becomes)
