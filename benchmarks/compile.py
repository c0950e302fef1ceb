"""Milliseconds from text to a function that can be called: our compile path against what people use today.

Every side starts from a text it has never seen and ends with an address or a callable. Ours is validated too, and
nothing comes from a cache. Sides take turns for every kernel in every round; ratios are taken within a round, by wall
clock, because most of the work is done by child processes. What a side starts once and keeps (our waiting clang,
cppyy's interpreter, Numba's own compilation of itself) was started by a warm-up round.

The clang of the next text is started while the current text is compiled, so our side is measured with it waiting. The
second table also has the compilers' share when the next text follows without a pause, as in a search, and when no clang
waits, as for a kernel's first text.
"""

import ctypes
import importlib.metadata
import itertools
import math
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from _compile_sources import CASES, Case
from _table import Spread, options, ratio, save, say, show, spread
from numba import float64, njit, void

from symbiont_jit.backend import loader, objects
from symbiont_jit.backend.cache import forget_cached
from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.unit import Unit
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.kernel import Kernel, Revision
from symbiont_jit.signature import Signature, signature_of

OURS: Final = "symbiont_jit"
TARGETS: Final = {"rustc": 3.5, "numba.njit": 3.5, "gcc": 1.5}
STAGES: Final = ("validate", "clang", "load")
#: Seconds in which the clang that waits for the next text has started: it takes nothing from the next side's time.
SETTLE: Final = 0.05

SIGNATURES: Final[dict[str, Signature]] = {case.name: signature_of(case.declaration) for case in CASES}
#: From 16 on: the sort takes its number for the length that is short enough for insertion.
NUMBERS: Final = itertools.count(16)

#: An address is good for as long as its revision lives.
KEPT: Final[list[Revision]] = []

#: Case and number -> an address with the case's C prototype, or a Python callable.
Build = Callable[[Case, int], Any]


def numbered(text: str, number: int) -> str:
    return text.replace("NUMBER", str(number))


def c_file(case: Case, number: int) -> str:
    return "#include <stdint.h>\n" + numbered(case.c, number)


# -- the sides --------------------------------------------------------------------------------------------------------


def build_ours(case: Case, number: int) -> int:
    """Through the public interface; `release`, because none of the others checks anything at run time either."""
    forget_cached()
    revision = Kernel(SIGNATURES[case.name]).compile(c_file(case, number), profile="release")
    KEPT.append(revision)
    return revision.entry_address


def build_gcc(case: Case, number: int) -> int:
    return shared_library(case, c_file(case, number), "c", ("gcc", "-O3", "-march=native", "-shared", "-fPIC"))


def build_rustc(case: Case, number: int) -> int:
    return shared_library(case, numbered(case.rust, number), "rs", ("rustc", "-O", "--crate-type", "cdylib"))


def shared_library(case: Case, text: str, suffix: str, command: Sequence[str]) -> int:
    """Written, compiled, loaded and looked up; the files go when that is done."""
    with tempfile.TemporaryDirectory(prefix="sj_benchmark") as folder:
        source, library = Path(folder, f"kernel.{suffix}"), Path(folder, "kernel.so")
        source.write_text(text)
        subprocess.run([*command, "-o", library, source], check=True, capture_output=True)
        return address_of(ctypes.CDLL(str(library))[case.name])


def address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def build_njit(case: Case, number: int) -> Any:
    """With an explicit signature, so that it is compiled when it is defined."""
    scope: dict[str, Any] = {"njit": njit, "float64": float64, "void": void}
    exec(numbered(case.python, number), scope)
    return scope[case.name]


def build_cppyy(case: Case, number: int) -> int:
    """By name, which is what makes cling generate code; a callable it hands out before has none yet."""
    import cppyy

    name = f"{case.name}_{number}"
    entry = rf"\b(void|double) {case.name}\("
    text = re.sub(entry, rf'extern "C" \1 {name}(', numbered(case.c, number))
    cppyy.cppdef(f"namespace round_{number} {{{text}}}")
    return cppyy.addressof(cppyy.gbl.gInterpreter.FindSym(name))


def missing_cppyy() -> str | None:
    try:
        import cppyy
    except ImportError as error:
        return f"cannot be imported ({error})"
    cppyy.cppdef("#include <stdint.h>")
    return None


def missing_program(name: str) -> str | None:
    return None if shutil.which(name) else "is not on the path"


def all_sides() -> tuple[dict[str, Build], dict[str, str]]:
    """The sides that are here, and why the others are not."""
    sides: dict[str, tuple[Build, str | None]] = {
        OURS: (build_ours, None),
        "rustc": (build_rustc, missing_program("rustc")),
        "gcc": (build_gcc, missing_program("gcc")),
        "numba.njit": (build_njit, None),
        "cppyy": (build_cppyy, missing_cppyy()),
    }
    present = {name: build for name, (build, problem) in sides.items() if problem is None}
    absent = {name: problem for name, (_, problem) in sides.items() if problem is not None}
    return present, absent


def version_of(side: str) -> str:
    """Of a program or a package; Numba's is among the machine's facts too."""
    if shutil.which(side):
        done = subprocess.run([side, "--version"], check=True, capture_output=True, text=True)
        return done.stdout.partition("\n")[0]
    return importlib.metadata.version(side.partition(".")[0])


# -- measuring --------------------------------------------------------------------------------------------------------


def require_agreement(sides: dict[str, Build]) -> None:
    """Compile everything once with every side and compare what it computes; that warms all of them too."""
    for case in CASES:
        harness = Harness(SIGNATURES[case.name])
        number = next(NUMBERS)
        results = {name: computed(harness, case, build(case, number)) for name, build in sides.items()}
        for name, values in results.items():
            for value, wanted in zip(values, results[OURS], strict=True):
                np.testing.assert_allclose(value, wanted, rtol=1e-12, err_msg=f"{name}, {case.name}")


def computed(harness: Harness, case: Case, built: Any) -> list[Any]:
    """A call's result and the arrays it leaves."""
    if isinstance(built, int):
        arguments = harness.prepare(case.arguments())
        result: Any = harness.call(built, arguments)
        values = arguments.values
    else:
        values = case.arguments()
        result = built(*values)
    return [0.0 if result is None else result, *values]


Times = dict[str, dict[str, list[float]]]


def measure_sides(sides: dict[str, Build], rounds: int) -> Times:
    """Milliseconds by side, kernel and round."""
    times: Times = {name: {case.name: [] for case in CASES} for name in sides}
    for _ in range(rounds):
        for case in CASES:
            for name, build in sides.items():
                number = next(NUMBERS)
                start = time.perf_counter()
                build(case, number)
                times[name][case.name].append((time.perf_counter() - start) * 1e3)
                if name == OURS:
                    time.sleep(SETTLE)
    return times


def measure_stages(rounds: int) -> Times:
    """Milliseconds of our stages by kernel, stage and round, and of clang's in the two other circumstances."""
    names = (*STAGES, "clang, no pause", "clang, none waiting")
    times: Times = {case.name: {name: [] for name in names} for case in CASES}
    for _ in range(rounds):
        for case in CASES:
            found = times[case.name]
            time.sleep(SETTLE)
            for name, value in zip(STAGES, staged(case), strict=True):
                found[name].append(value)
            found["clang, no pause"].append(staged(case)[1])
            clang().close()
            found["clang, none waiting"].append(staged(case)[1])
    return times


def staged(case: Case) -> tuple[float, float, float]:
    """Milliseconds of the three stages of one compilation."""
    forget_cached()
    kernel, text = Kernel(SIGNATURES[case.name]), c_file(case, next(NUMBERS))
    clock = [time.perf_counter()]
    canonical = target_of(kernel).canonical(text)
    clock.append(time.perf_counter())
    code = objects.compile_unit(Unit(canonical.text, canonical.names))
    clock.append(time.perf_counter())
    loader.load(code)
    clock.append(time.perf_counter())
    validate, compiled, loaded = ((b - a) * 1e3 for a, b in itertools.pairwise(clock))
    return validate, compiled, loaded


# -- reporting --------------------------------------------------------------------------------------------------------


def mean_ratio(peer: dict[str, list[float]], ours: dict[str, list[float]]) -> Spread:
    """Peer time over our time: the geometric mean over the kernels, of each round."""
    by_kernel = [[math.log(a / b) for a, b in zip(peer[name], ours[name], strict=True)] for name in peer]
    return spread(math.exp(sum(logs) / len(logs)) for logs in zip(*by_kernel, strict=True))


def report_sides(times: Times, absent: dict[str, str]) -> dict[str, Any]:
    """Print medians and ratios; what goes into the file."""
    results = {
        side: {
            "ms": {name: spread(values) for name, values in of.items()},
            "ratio": {name: ratio(values, times[OURS][name]) for name, values in of.items()},
            "mean ratio": mean_ratio(of, times[OURS]),
        }
        for side, of in times.items()
    }
    names = [case.name for case in CASES]
    rows = [
        [side, *(f"{found['ms'][n]:.1f}" for n in names), f"{found['mean ratio']:.2f}"]
        for side, found in results.items()
    ]
    rows += [[side, *("absent" for _ in names), ""] for side in absent]
    show("From text to callable: median [quartiles]", ["ms", *names, "time / ours"], rows)
    for side, problem in absent.items():
        say(f"{side} is absent: it {problem}")
    for side, found in results.items():
        if side != OURS:
            target = f" (target at least {TARGETS[side]})" if side in TARGETS else ""
            say(f"{side} / {OURS}, geometric mean of {len(names)} kernels: {found['mean ratio'].median:.2f}{target}")
    return {"sides": results, "absent": absent, "peers": {name: version_of(name) for name in times if name != OURS}}


def report_stages(times: Times) -> dict[str, Any]:
    """Print where our own time goes; what goes into the file."""
    results = {case: {name: spread(values) for name, values in of.items()} for case, of in times.items()}
    columns = list(next(iter(results.values())))
    rows = [[case, *(f"{found[name]:.2f}" for name in columns)] for case, found in results.items()]
    show(f"Where the time of {OURS} goes: median [quartiles]", ["ms", *columns], rows)
    return results


def main() -> None:
    chosen = options("compile", __doc__, rounds=20)
    sides, absent = all_sides()
    require_agreement(sides)
    results = report_sides(measure_sides(sides, chosen.rounds), absent)
    stages = report_stages(measure_stages(chosen.rounds))
    save(chosen.json, chosen.rounds, {"unit": "ms", **results, "stages": stages})


if __name__ == "__main__":
    main()
