"""The test command of one mutant: `python -m mutants.judge MAP SECONDS [FILE:LINE]`, in a clone with one change.

In: what git says has changed, or a line, and which test runs which line. Out: the exit code of the tests that run the
change, nearest and quickest first; zero, which means that the mutant survived, where no test does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutants.modules import folder_of, lines_of_statement

__all__ = ["LineMap", "main"]

#: What children run is noted nowhere: besides the tests of a file's folder, these start children.
OF_CHILDREN = ("tests/scenarios/", "tests/search/", "tests/evaluate/")


@dataclass(frozen=True, slots=True)
class LineMap:
    """Which tests run which lines, and how long each of them takes."""

    #: Seconds by test.
    seconds: dict[str, float]
    #: Tests by line, by file.
    tests: dict[str, dict[str, list[str]]]

    @classmethod
    def read(cls, path: Path) -> LineMap:
        """From the file that `write` made."""
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps({"seconds": self.seconds, "tests": self.tests}))

    def tests_of(self, path: Path, line: int) -> set[str]:
        """The tests that run a line; of a line that runs at import, those that run some line of its file."""
        by_line = self.tests.get(str(path), {})
        of_lines = [by_line.get(str(each), []) for each in lines_of_statement(path, line)]
        found = {test for tests in of_lines for test in tests}
        return found or {test for tests in by_line.values() for test in tests}

    def tests_near(self, path: Path) -> set[str]:
        """The tests of a file's folder, which run lines of it in children, or that an earlier test had run once."""
        return {test for test in self.seconds if test.startswith((folder_of(path), *OF_CHILDREN))}

    def choose(self, path: Path, line: int, limit: float) -> list[str]:
        """As many tests as fit into some seconds: those that run a line, and then those that are near it."""
        first = self.tests_of(path, line)
        chosen, left = list[str](), limit
        for test in (*self._rank(path, first), *self._rank(path, self.tests_near(path) - first)):
            if self.seconds[test] <= left:
                chosen.append(test)
                left -= self.seconds[test]
        return chosen

    def _rank(self, path: Path, tests: Iterable[str]) -> list[str]:
        """Order tests: those of the mirrored file, then the quickest of each other file, then the second of each.

        Tests of one file look at a line for much the same reason, those of another file for another one; of files with
        the same place, those of the mirrored folder come first.
        """
        near, place = folder_of(path), Counter[str]()
        mirror = f"{near}test_{path.name}"
        ranked = []
        for test in sorted(tests, key=lambda test: (self.seconds[test], test)):
            file = test.partition("::")[0]
            ranked.append((file != mirror, place[file], not test.startswith(near), self.seconds[test], test))
            place[file] += 1
        return [test for *_, test in sorted(ranked)]


def changed_lines() -> Iterator[tuple[Path, int]]:
    """Each file that differs from its commit, with the first line of each difference as it was."""
    diff = subprocess.run(["git", "diff", "-U0", "--", "src"], capture_output=True, text=True, check=True).stdout
    path = Path()
    for row in diff.splitlines():
        if row.startswith("--- a/"):
            path = Path(row.removeprefix("--- a/"))
        elif hunk := re.match(r"@@ -(\d+)", row):
            yield path, int(hunk[1])


def _parse_place(text: str) -> tuple[Path, int]:
    path, _, line = text.rpartition(":")
    return Path(path), int(line)


def main() -> int:
    """Run the tests of what has changed."""
    tests_of, limit = LineMap.read(Path(sys.argv[1])), float(sys.argv[2])
    places = [_parse_place(place) for place in sys.argv[3:]] or changed_lines()
    chosen = [test for path, line in places for test in tests_of.choose(path, line, limit)]
    if not chosen:
        print("no test runs it")
        return 0
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(dict.fromkeys(chosen)))
        listed.flush()
        options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "--no-header", "--tb=line"]
        return _run_within(3 * limit, [sys.executable, "-m", "pytest", *options, f"@{listed.name}"])


def _run_within(seconds: float, command: list[str]) -> int:
    """Run a program in a session of its own, which ends with all its children; one that is too slow has failed."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        print(f"not done after {seconds:g} seconds")
        return 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
