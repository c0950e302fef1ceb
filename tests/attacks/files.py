"""The attacks as they lie in files of C: a comment at the top says why it is one and what has to come of it.

`profiles/<group>/<name>.c` is a candidate for `safe` and `checked`, with the signature of `k` and a call's arguments:

    // The index is -1.
    // signature: double k(int64_t n, double x[n])
    // arguments: np.arange(1.0, 5)
    // expect: panic index 3:10                         (or `safe:` and `checked:`, where they differ)
    double k(int64_t n, double x[n]){ return x[-1]; }

`search/<group>/<name>.c` is a candidate that a search evaluates, of one of the kernels in `test_hostile.py`:

    // read at n
    // kernel: dot
    // expect: status=PANICKED rule=index line=4
    double dot(int64_t n, const double x[n], const double y[n]) { return x[n]; }

The candidate is the text below the comment, without the file's last line end. Positions count from its first line; where
the signature is complex, a line `#include <complex.h>` is put before it and counts. Line 0 means that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from symbiont_jit import Status

HERE = Path(__file__).parent
HEAD = re.compile(r"(?://[^\n]*\n)*")
FIELD = re.compile(r"^// (signature|arguments|expect|safe|checked|kernel): (.*)$", re.MULTILINE)


class Attack(NamedTuple):
    """A candidate, a call of it, and what should come of that in each profile."""

    name: str
    signature: str
    text: str
    call: str
    safe: str
    checked: str

    def arguments(self) -> tuple[Any, ...]:
        """The arguments of the call, made anew."""
        return tuple(eval(f"({self.call},)", {"np": np}))


class Row(NamedTuple):
    """A candidate of one kernel, and the status, rule and line that a search must find."""

    group: str
    name: str
    kernel: str
    text: str | bytes
    status: Status
    rule: str
    line: int


def parts(path: Path) -> tuple[dict[str, str], str]:
    """The fields of the comment at the top of a file, and the candidate below it."""
    text = path.read_bytes().decode()
    end = HEAD.match(text).end()  # type: ignore[union-attr]
    return dict(FIELD.findall(text[:end])), text[end:].removesuffix("\n")


def attacks() -> Iterator[Attack]:
    """The candidates for `safe` and `checked`, by group and name."""
    for path in sorted((HERE / "profiles").glob("*/*.c")):
        field, text = parts(path)
        safe, checked = (field.get(profile) or field["expect"] for profile in ("safe", "checked"))
        yield Attack(f"{path.parent.name}/{path.stem}", field["signature"], text, field["arguments"], safe, checked)


def rows() -> Iterator[Row]:
    """The candidates that a search evaluates, by group and name."""
    for path in sorted((HERE / "search").glob("*/*.c")):
        field, text = parts(path)
        wanted = dict(pair.split("=", 1) for pair in field["expect"].split())
        line = int(wanted["line"])
        yield Row(path.parent.name, path.stem, field["kernel"], text, Status[wanted["status"]], wanted["rule"], line)
