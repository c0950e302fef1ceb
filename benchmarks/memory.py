"""What a revision costs in memory: stored, live, and over thousands of swaps with the default policy.

Every measurement has a process of its own and begins after a warm-up of a hundred revisions. What is counted are the
process's private dirty pages (and what of them is swapped out): nobody shares them, and the system cannot drop them.
Its resident size has pages of libraries too, which are read once and come and go; for the swaps it is in the file.
Memory that the heap has free is given back before a count begins, so that nothing hides in it.

The first growth compiles every text with clang, in a few threads. It leaves the object code in a directory, from which
the other measurements take theirs. They validate every text, but start no compiler.
"""

import ctypes
import gc
import re
import tempfile
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from _table import Spread, options, ratio, save, say, show, spread
from numba import float64, njit

from symbiont_jit import Array, cache_directory
from symbiont_jit.backend import loader
from symbiont_jit.backend.relocate import CannotLink
from symbiont_jit.kernel import Kernel, Revision
from symbiont_jit.signature import signature_of

WARM: Final = 100
NUMBA_COPIES: Final = 50
THREADS: Final = 3
#: How many compilations may wait to be swapped in: each holds a handle, which keeps code loaded.
AHEAD: Final = 12
LIVE_TARGET, STORED_TARGET, GROWTH_TARGET = 64, 4, 64

OURS, LLJIT, NUMBA = "own linker", "LLJIT", "Numba, compiled again"

X: Final = np.linspace(0.5, 1.5, 16)
Y: Final = np.linspace(-1.0, 2.0, 16)


@dataclass(frozen=True, slots=True)
class Case:
    """A kernel: its declaration, and the same text in C and in Python, in which NUMBER makes each one distinct."""

    declaration: Callable[..., Any]
    c: str
    python: str
    arguments: tuple[Any, ...]
    #: The result for these arguments, less NUMBER.5.
    result: float

    @property
    def name(self) -> str:
        """The function's."""
        return self.declaration.__name__

    def kernel(self) -> Kernel:
        """One without a body."""
        return Kernel(signature_of(self.declaration))

    def text(self, number: int) -> str:
        """The C of a number."""
        return self.c.replace("NUMBER", str(number))

    def njit(self, number: int) -> Any:
        """With an explicit signature, so that it is compiled when it is defined."""
        scope: dict[str, Any] = {"njit": njit, "float64": float64}
        exec(self.python.replace("NUMBER", str(number)), scope)
        return scope[self.name]


def scale(x: float64) -> float64: ...
def dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64: ...


SCALE: Final = Case(
    scale,
    "double scale(double x) { return x * 1.0000001 + NUMBER.5; }",
    "@njit(float64(float64))\ndef scale(x):\n    return x * 1.0000001 + NUMBER.5\n",
    (1.0,),
    1.0000001,
)
DOT: Final = Case(
    dot,
    """
double dot(int64_t n, const double x[n], const double y[n])
{
  double even = 0.0, odd = NUMBER.5;
  int64_t i = 0;
  for (; i + 1 < n; i += 2) {
    even += x[i] * y[i];
    odd += x[i + 1] * y[i + 1];
  }
  return i < n ? even + odd + x[i] * y[i] : even + odd;
}
""",
    """
@njit(float64(float64[::1], float64[::1]))
def dot(x, y):
    even, odd = 0.0, NUMBER.5
    i, n = 0, x.shape[0]
    while i + 1 < n:
        even += x[i] * y[i]
        odd += x[i + 1] * y[i + 1]
        i += 2
    return even + odd + x[i] * y[i] if i < n else even + odd
""",
    (X, Y),
    float(X @ Y),
)
CASES: Final = (SCALE, DOT)


# -- what the system says ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """KiB of this process's memory, and how many mappings it is in."""

    private: int
    resident: int
    mappings: int

    @classmethod
    def now(cls) -> "Reading":
        """What it is at this moment."""
        kib = dict(re.findall(r"^(\w+): +(\d+) kB$", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE))
        mappings = Path("/proc/self/maps").read_bytes().count(b"\n")
        return cls(int(kib["Private_Dirty"]) + int(kib["Swap"]), int(kib["Rss"]), mappings)

    def since(self, earlier: "Reading") -> "Reading":
        """What came since."""
        return Reading(
            self.private - earlier.private, self.resident - earlier.resident, self.mappings - earlier.mappings
        )


def trim() -> None:
    """Give back what is garbage, and what glibc's heap has free: later allocations would hide in it."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives in a process of its own, which starts from nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


# -- a revision -------------------------------------------------------------------------------------------------------


def compile_texts(case: Case, cache: str, count: int) -> None:
    """Leave the object code of all texts that are measured in the directory."""
    cache_directory(cache)
    for _ in compiled(case, case.kernel(), range(WARM + count)):
        pass


def measure_revisions(case: Case, by: str, cache: str, count: int) -> dict[str, Any]:
    """KiB of a revision that is stored, and of one that is live (loaded, called by its handle, which is kept).

    Also the memory mappings of a live one, and microseconds to activate each when it was not loaded and when it was.
    """
    cache_directory(cache)
    if by == LLJIT:
        loader.link = _refuse  # what happens where our linker does not know the machine
    kernel = case.kernel()
    handles: list[Revision] = []
    loading, swapping = array("d", bytes(8 * (WARM + count))), array("d", bytes(8 * (WARM + count)))

    def store(numbers: range) -> None:
        for number in numbers:
            kernel.compile(case.text(number))

    def load(numbers: range) -> None:
        for number in numbers:
            handle = kernel.revision(number)
            loading[number] = activated(kernel, handle)
            require(case, number, handle(*case.arguments))
            handles.append(handle)

    stored, loaded = grown(store, count), grown(load, count)
    for number, handle in enumerate(handles):
        swapping[number] = activated(kernel, handle)
    memory = kernel.memory()
    assert memory.loaded == memory.revisions == WARM + count, "something was unloaded, or two texts were the same"
    return {
        "stored KiB": stored.private / count,
        "live KiB": (stored.private + loaded.private) / count,
        "mappings": loaded.mappings / count,
        "load us": loading[WARM:].tolist(),
        "swap us": swapping[WARM:].tolist(),
    }


def measure_numba(case: Case, count: int) -> dict[str, Any]:
    """The same for functions compiled by Numba: KiB and mappings each, all kept."""
    functions = []

    def define(numbers: range) -> None:
        for number in numbers:
            function = case.njit(number)
            require(case, number, function(*case.arguments))
            functions.append(function)

    live = grown(define, count, warm=5)
    return {"live KiB": live.private / count, "mappings": live.mappings / count}


def grown(work: Callable[[range], None], count: int, warm: int = WARM) -> Reading:
    """What this process gets by so much work, after a warm-up."""
    work(range(warm))
    trim()
    before = Reading.now()
    work(range(warm, warm + count))
    trim()
    return Reading.now().since(before)


def activated(kernel: Kernel, revision: Revision) -> float:
    """Microseconds that activating takes."""
    start = time.perf_counter_ns()
    kernel.activate(revision)
    return (time.perf_counter_ns() - start) / 1e3


def require(case: Case, number: int, found: float) -> None:
    assert is_result(case, number, found), f"{case.name} {number} gave {found!r}"


def is_result(case: Case, number: int, found: float) -> bool:
    return abs(found - case.result - number - 0.5) < 1e-6


def _refuse(*_: Any) -> Any:
    raise CannotLink("for comparison")


# -- swaps ------------------------------------------------------------------------------------------------------------


def compiled(case: Case, kernel: Kernel, numbers: range) -> Iterator[Revision]:
    """Revisions, compiled by a few threads a little ahead of who takes them."""
    pending: deque[Future[Revision]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in numbers:
            pending.append(pool.submit(kernel.compile, case.text(number)))
            if len(pending) > AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def measure_swaps(cache: str, count: int, with_loop: bool) -> dict[str, Any]:
    """How the process grows by swaps of `dot`: as it is after the first `WARM` of them and after every tenth of all.

    Without a loop, every revision is called from Python. With one, the kernel is a global of a compiled function that
    is running in a thread; every revision is swapped in under it and has to be seen by it.
    """
    cache_directory(cache)
    kernel = DOT.kernel()
    kernel.swap(DOT.text(0))
    kernel(X, Y)
    stop, seen = np.zeros(1, np.int64), np.zeros(1)

    @njit(nogil=True)
    def loop(x, y, stop, seen):
        seen[0] = kernel(x, y)
        while not stop[0]:
            seen[0] = kernel(x, y)

    def called(number: int) -> None:
        require(DOT, number, kernel(X, Y))

    def seen_by_loop(number: int) -> None:
        while not is_result(DOT, number, seen[0]):
            time.sleep(0)

    thread = threading.Thread(target=loop, args=(X, Y, stop, seen))
    if with_loop:
        loop(X, Y, np.ones(1, np.int64), seen)
        thread.start()
    trim()
    started, before = time.perf_counter(), Reading.now()
    steps = {min(WARM, count), *(count * tenth // 10 for tenth in range(1, 11))}
    course: dict[int, Reading] = {}
    try:
        for number, revision in enumerate(compiled(DOT, kernel, range(1, count + 1)), 1):
            kernel.activate(revision)
            (seen_by_loop if with_loop else called)(number)
            if number in steps:
                course[number] = Reading.now().since(before)
    finally:
        stop[0] = 1
    seconds, memory = time.perf_counter() - started, kernel.memory()
    return {
        "swaps": count,
        "MiB": course[count].private / 1024,
        "MiB after warm-up": course[count].since(course[min(WARM, count)]).private / 1024,
        "resident MiB": course[count].resident / 1024,
        "mappings": course[count].mappings,
        "stored MiB": memory.stored_bytes / 2**20,
        "loaded": memory.loaded,
        "machine code MiB": memory.loaded_bytes / 2**20,
        "seconds": seconds,
        "course": course,
    }


# -- reporting --------------------------------------------------------------------------------------------------------

#: Case -> who makes it runnable -> what is measured -> a number of each round, or several.
Found = dict[str, dict[str, dict[str, list[float]]]]


def measure_all(cache: str, revisions: int, rounds: int) -> Found:
    """All that is measured of single revisions; sides take turns in every round."""
    found: Found = {case.name: {by: {} for by in (OURS, LLJIT, NUMBA)} for case in CASES}
    for case in CASES:
        apart(compile_texts, case, cache, revisions)
    for _ in range(rounds):
        for case in CASES:
            for by, of in found[case.name].items():
                if by == NUMBA:
                    measured = apart(measure_numba, case, NUMBA_COPIES)
                else:
                    measured = apart(measure_revisions, case, by, cache, revisions)
                for name, value in measured.items():
                    of.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return found


def report_revisions(found: Found, revisions: int) -> dict[str, Any]:
    """Print what a revision takes; what goes into the file."""
    results: dict[str, dict[str, dict[str, Spread]]] = {
        case: {by: {name: spread(values) for name, values in of.items()} for by, of in sides.items()}
        for case, sides in found.items()
    }
    columns = {"stored KiB": ".2f", "live KiB": ".2f", "mappings": ".2f", "load us": ".1f", "swap us": ".2f"}
    rows = []
    for case, sides in results.items():
        for by, of in sides.items():
            cells = []
            for name, form in columns.items():
                is_time = name.endswith("us")
                cells.append("" if name not in of else format(of[name] if is_time else of[name].median, form))
            rows.append([f"{case}, {by}", *cells])
    title = f"What a revision takes: {revisions} of each kernel, Numba {NUMBA_COPIES}; median [quartiles] of times"
    show(title, ["a revision", *columns], rows)
    for case, sides in found.items():
        ours = sides[OURS]
        say(
            f"{case}: {spread(ours['live KiB']).median:.2f} KiB live (target at most {LIVE_TARGET}), "
            f"{spread(ours['stored KiB']).median:.2f} KiB stored (target at most {STORED_TARGET})"
        )
        others = (f"{by} {ratio(sides[by]['live KiB'], ours['live KiB']).median:.1f}" for by in (LLJIT, NUMBA))
        say(f"{case}, KiB live / {OURS}: {', '.join(others)}")
    return results


def report_swaps(found: dict[str, dict[str, Any]]) -> None:
    """Print how the process grew."""
    columns = {
        "swaps": "d",
        "MiB": ".1f",
        "MiB after warm-up": ".1f",
        "stored MiB": ".1f",
        "loaded": "d",
        "machine code MiB": ".2f",
        "mappings": "d",
        "seconds": ".0f",
    }
    rows = [[name, *(format(of[column], form) for column, form in columns.items())] for name, of in found.items()]
    show(f"Growth by swaps of dot, the first {WARM} as warm-up", ["dot is", *columns], rows)
    for name, of in found.items():
        say(f"{of['swaps']} swaps, {name}: {of['MiB']:.1f} MiB (target for 10000: less than {GROWTH_TARGET})")


def main() -> None:
    chosen = options("memory", __doc__, rounds=1, revisions=2000, swaps=10_000)
    with tempfile.TemporaryDirectory(prefix="sj_benchmark") as cache:
        swaps = {
            "called from Python": apart(measure_swaps, cache, chosen.swaps, False),
            "a global of a running loop": apart(measure_swaps, cache, chosen.swaps, True),
        }
        found = measure_all(cache, chosen.revisions, chosen.rounds)
    results = report_revisions(found, chosen.revisions)
    report_swaps(swaps)
    save(chosen.json, chosen.rounds, {"revisions": chosen.revisions, "a revision": results, "swaps": swaps})


if __name__ == "__main__":
    main()
