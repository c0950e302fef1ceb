"""Mutants that change nothing that a test could see, each with the reason: they are not drawn.

In: a file, a line and what became of it. Out: whether that is in the table. A row is a mutant that somebody has looked
at; a pattern stands for its like in the same line, never for another line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["EQUIVALENTS", "Equivalent", "is_equivalent"]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A line of a file, which may become what a pattern matches, because nothing depends on it for a reason."""

    file: str
    line: str
    becomes: str
    reason: str


_WAITING: Final = (
    "how often or how long something is tried or waited for is seen by clocks alone, which no test asserts"
)
_SPARED: Final = "the first look only spares the second one, which says the same"
_KEPT: Final = "how much is kept is seen by memory alone"
_SYSTEM_CALLS: Final = "the C library says 0 or -1"
_PLATFORM: Final = "on the one platform that it is true on, and on those that tests run on, it is the same"

EQUIVALENTS: Final = (
    Equivalent("runtime/interrupt.py", "_ATTEMPTS: Final = 50", r"_ATTEMPTS: Final = \d+", _WAITING),
    Equivalent("runtime/interrupt.py", "_PAUSE: Final = 0.001", r"_PAUSE: Final = [\d.]+", _WAITING),
    Equivalent("runtime/interrupt.py", "_SHORTEST: Final = 1e-6", r"_SHORTEST: Final = [\d.e-]+", _WAITING),
    Equivalent(
        "runtime/interrupt.py",
        "times = TimerTimes(it_interval=TimeSpan.of(max(first / 10, 0.01)), it_value=TimeSpan.of(first))",
        r".*max\(first / *(9|11), .*",
        _WAITING,
    ),
    Equivalent("evaluate/agreement.py", "FEW_BYTES: Final = 1 << 16", r"FEW_BYTES: Final = .*", _SPARED),
    Equivalent(
        "isolate/messages.py",
        'return _count_parts(data) > MAX_PARTS and _count_parts(_STRINGS.sub(b"", data)) > MAX_PARTS',
        r"return _count_parts\(data\) >= MAX_PARTS and .* > MAX_PARTS",
        _SPARED,
    ),
    Equivalent(
        "isolate/process.py",
        "group, session = map(int, read_status(process)[2:4] or (0, own))",
        r".* or \( *(-1|1), own\)\)",
        "a group of this program's own session is left alone, whatever its number",
    ),
    Equivalent(
        "runtime/interrupt.py",
        "if libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) != 0:",
        r".*\) < 0:",
        _SYSTEM_CALLS,
    ),
    Equivalent(
        "runtime/interrupt.py",
        "if libc.timer_settime(timer, 0, ctypes.byref(times), None) != 0:",
        r".*\(timer, 0, .*\) < 0:|.*\(timer, *(-1|2), .*\) != 0:",
        f"{_SYSTEM_CALLS}; and a flag that is not known is no flag",
    ),
    Equivalent(
        "runtime/library.py",
        "return int(ctypes.CDLL(None).sigaction(int(number), ctypes.byref(action), None)) == 0",
        r".* >= 0",
        _SYSTEM_CALLS,
    ),
    Equivalent(
        "runtime/interrupt.py",
        "_SA_SIGINFO_NODEFER_RESTART: Final = 4 | 0x40000000 | 0x10000000",
        r".*(1073741825|268435457)",
        "the least bit is SA_NOCLDSTOP, which is about SIGCHLD alone",
    ),
    Equivalent(
        "runtime/faults.py",
        "_SA_SIGINFO_ONSTACK_NODEFER: Final = 4 | 0x08000000 | 0x40000000",
        r".*(134217729|1073741825).*",
        "the least bit is SA_NOCLDSTOP, which is about SIGCHLD alone",
    ),
    Equivalent(
        "runtime/faults.py",
        '_IS_SUPPORTED: Final = sys.platform == "linux" and platform.machine() == "x86_64"',
        r'.*sys\.platform (<=|>=) "linux" and .*|.*platform\.machine\(\) (<=|>=) "x86_64"|.* or platform\.machine.*',
        _PLATFORM,
    ),
    Equivalent(
        "evaluate/agreement.py",
        "values[...] = rng.integers(0, 2 if values.dtype == bool else 100, values.shape).astype(values.dtype)",
        r".*integers\( *(-1|1), .*|.*else (99|101), .*",
        "any noise is as good as another",
    ),
    Equivalent(
        "evaluate/agreement.py",
        "rng = np.random.default_rng([*seed, 7])",
        r".*\[\*seed, *\d+\]\)",
        "any noise is as good as another",
    ),
    Equivalent(
        "engine/activation.py",
        'stubs = RevisionInfo(-1, "", "python", bodies=(None,) * len(self.functions.signatures))',
        r'.*RevisionInfo\( *[-~+] ?[12], "", .*',
        "it is no revision, and any number below 0 says so",
    ),
    Equivalent(
        "isolate/worker.py",
        "if code is not None and code < 0:",
        r".* and code < 1:",
        "there is no signal of number 0, which is looked for and not found",
    ),
    Equivalent(
        "engine/revisions.py",
        "is_own = canonical.author_text == canonical.text",
        r".*canonical\.author_text is canonical\.text",
        "it only costs memory to pack a text that is the canonical one",
    ),
    Equivalent(
        "backend/cache.py", 'OBJECTS: Final = _Cache(".o", 64 << 20)', r".*(63|65) << 20.*|.*64 << *(19|21).*", _KEPT
    ),
    Equivalent(
        "backend/cache.py", 'BITCODE: Final = _Cache(".bc", 4 << 20)', r".*(3|5) << 20.*|.*4 << *(19|21).*", _KEPT
    ),
    Equivalent(
        "instrument/jumps.py",
        "return found[0][1] if found and found[0][0] <= end else None",
        r".*found\[0\]\[0\] < end .*",
        "an item that declares an array has no jump in it",
    ),
    Equivalent("runtime/sources.py", "@functools.cache", "", "the same text is written again and takes longer"),
    Equivalent(
        "runtime/panics.py",
        'if found == NUMBERS["SJ_REPLACED"]:',
        r".* >= .*",
        "C finds nothing that has a larger number",
    ),
    Equivalent(
        "isolate/shared.py",
        "self.phase = _map_sealed(self._words.number, MAX_PHASE + PAUSES.size)",
        r".*MAX_PHASE [|^] PAUSES.*",
        "the two numbers have no bit in common",
    ),
    Equivalent(
        "engine/stubs.py",
        "body = f\"{'' if returns == 'void' else 'return '}{call}\"",
        r".*returns (>|is) 'void'.*",
        "clang lets a function that returns nothing return a call of another one",
    ),
    Equivalent(
        "evaluate/agreement.py",
        'return ~close if element.kind == "f" else ~(close & _has_same_parts(expected, got, rtol, atol))',
        r".*kind > .*",
        "a real number has itself as its part, and another one that is 0",
    ),
)


def is_equivalent(file: str, line: str, becomes: str) -> bool:
    """Whether a line of a file, a path that ends as in the table, may become another one without a difference."""
    return any(
        file.endswith(row.file) and line.strip() == row.line and re.fullmatch(row.becomes, becomes.strip())
        for row in EQUIVALENTS
    )
