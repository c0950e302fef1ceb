"""A plugin of pytest that writes down how long each test took that passed: `-p mutants.record --durations-to FILE`.

It also lets coverage see threads that are started without the module `threading`, as the package's short-lived ones
are.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

__all__: list[str] = []

_START: Final = _thread.start_new_thread


def _start_traced(function: Callable[..., Any], arguments: tuple[Any, ...] = (), options: Any = None) -> int:
    """Start a thread that is traced like those of `threading`."""

    def run(*given: Any, **named: Any) -> None:
        with contextlib.suppress(Exception):  # Whoever waits for the thread would wait for ever.
            sys.settrace(threading.gettrace())
        function(*given, **named)

    return _START(run, arguments, options or {})


_thread.start_new_thread = _start_traced


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file that the durations go to."""
    parser.addoption("--durations-to", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Record where all reports come together: in the process that gives tests to the others."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(config.getoption("--durations-to")))


class _Recorder:
    """Seconds by test, without the tests of which a part failed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one part of a test: setup, call or teardown."""
        self._seconds[report.nodeid] += report.duration
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        passed = {test: seconds for test, seconds in self._seconds.items() if test not in self._failed}
        self._path.write_text(json.dumps(passed))
