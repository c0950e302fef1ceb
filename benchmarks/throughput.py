"""Candidates a second, whole evaluation and no model: ours, and OpenEvolve's with C candidates through gcc.

Both judge the same texts of a dot product of 1000 numbers, each with a number of its own, so that no two are the same.
Ours comes from a proposer that writes them at once; OpenEvolve gets them from a local server that answers at once, at
the settings that were fastest here. Its evaluator compiles with gcc, loads the library, compares three results with
NumPy and times 1000 calls; ours compiles twice, compares in a worker with all checks and without, and measures in turns
with the reference.

OpenEvolve lives in a virtual environment of its own: `python -m venv VENV && VENV/bin/pip install openevolve`, then
`--openevolve VENV/bin/python`. Without it only ours is measured.
"""

import argparse
import itertools
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _table import RESULTS, save, say, show, spread

from symbiont_jit import Candidate, Evolution, Kernel, Speedup, testing

HEAD = "double dot(int64_t n, const double x[n], const double y[n])"
#: Of how many candidates the rates at the beginning and at the end are.
FEW = 100


def body(number: int) -> str:
    """A candidate with a number of its own, of about the speed of all others."""
    return (
        f"{HEAD} {{\n  volatile int64_t number = {number};\n  double s = 0;\n"
        "  for (int64_t i = 0; i < n; i++) s += x[i] * y[i];\n  return s + 0 * number;\n}\n"
    )


#: No side gets a text that was compiled before, because object code is kept in the process.
NUMBERS = itertools.count(1)


class Numbered:
    """A proposer that has the next text at once."""

    def ask(self, signature: Any, parents: Any, rng: Any) -> Candidate:
        """The next text."""
        return Candidate(body(next(NUMBERS)), "numbered")

    def tell(self, candidate: Any, evaluation: Any, gain: Any) -> None:
        """Learn nothing."""


def measure_ours(candidates: int, workers: int, is_timed: bool) -> tuple[float, float, float]:
    """Candidates a second of all, of the first hundred and of the last."""
    kernel = Kernel.from_c(body(0))
    x, y = np.random.default_rng(0).random((2, 1000))
    expected = float(x @ y)

    def metric(kernel: Any) -> float:
        """Compare, and time 1000 calls."""
        assert all(abs(kernel(x, y) - expected) < 1e-9 * expected for _ in range(3))
        start = time.perf_counter()
        for _ in range(1000):
            kernel(x, y)
        return 1 / (time.perf_counter() - start)

    chosen: Any = Speedup(lambda rng: (rng.random(1000), rng.random(1000))) if is_timed else metric
    done: list[float] = []
    search = Evolution(kernel, metric=chosen, proposer=Numbered(), workers=workers)
    search.run(candidates=candidates, on_progress=lambda progress: done.append(progress.seconds))
    few = min(FEW, len(done) // 2)
    ends = ((0, len(done) - 1), (0, few), (len(done) - 1 - few, len(done) - 1))
    whole, first, last = ((end - begin) / (done[end] - done[begin]) for begin, end in ends)
    return whole, first, last


EVALUATOR = """
import ctypes, os, subprocess, tempfile, time
import numpy as np
X, Y = np.random.default_rng(0).random((2, 1000))
EXPECTED = float(X @ Y)
def evaluate(path):
    library = path + ".so"
    done = subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-x", "c", path, "-o", library], capture_output=True)
    if done.returncode:
        return {"combined_score": 0.0}
    try:
        dot = ctypes.CDLL(library).dot
    finally:
        os.unlink(library)
    dot.restype = ctypes.c_double
    dot.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]
    given = 1000, X.ctypes.data, Y.ctypes.data
    if any(abs(dot(*given) - EXPECTED) > 1e-9 * EXPECTED for _ in range(3)):
        return {"combined_score": 0.0}
    start = time.perf_counter()
    for _ in range(1000):
        dot(*given)
    return {"combined_score": 1 / (time.perf_counter() - start)}
"""
RUN = """
import asyncio, json, logging, sys, time
from openevolve.config import Config, LLMModelConfig
from openevolve.controller import OpenEvolve
url, program, evaluator, folder, count, workers = sys.argv[1:]
config = Config()
config.llm.models = [LLMModelConfig(name="local", api_base=url, api_key="none", timeout=30, retries=0, weight=1.0)]
config.llm.evaluator_models = config.llm.models
config.diff_based_evolution = False
config.checkpoint_interval = 10**9
config.language = "c"
config.file_suffix = ".c"
config.log_level = "ERROR"
config.evaluator.parallel_evaluations = int(workers)
config.evaluator.cascade_evaluation = False
config.evaluator.enable_artifacts = False
config.prompt.num_top_programs = config.prompt.num_diverse_programs = 0
config.prompt.include_artifacts = False
config.database.num_islands = 1
logging.disable(logging.CRITICAL)
engine = OpenEvolve(program, evaluator, config, output_dir=folder)
start = time.perf_counter()
asyncio.run(engine.run(iterations=int(count)))
print(json.dumps({"seconds": time.perf_counter() - start, "programs": len(engine.database.programs)}))
"""


def measure_openevolve(python: str, candidates: int, workers: int) -> float:
    """OpenEvolve's candidates a second, from its start to its end."""

    def reply(request: Any) -> testing.TextReply:
        """The next text, in a fence."""
        return testing.TextReply(f"```c\n#include <stdint.h>\n{body(next(NUMBERS))}```")

    with tempfile.TemporaryDirectory() as name, testing.Server(reply) as server:
        folder = Path(name)
        (folder / "program.c").write_text(f"#include <stdint.h>\n// EVOLVE-BLOCK-START\n{body(0)}// EVOLVE-BLOCK-END\n")
        (folder / "evaluator.py").write_text(EVALUATOR)
        files = (str(folder / "program.c"), str(folder / "evaluator.py"), str(folder / "out"))
        command = [python, "-c", RUN, server.url, *files, str(candidates), str(workers)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
    found = json.loads(done.stdout.splitlines()[-1])
    return float(min(candidates, found["programs"]) / found["seconds"])


def main() -> None:
    """Measure in turns, and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, default=RESULTS / "throughput.json", help="where the results go")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of every side (%(default)s)")
    parser.add_argument("--candidates", type=int, default=400, help="how many each time (%(default)s)")
    parser.add_argument("--last", type=int, default=0, help="besides, one run of so many, whose last hundred is shown")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of every side (%(default)s)")
    parser.add_argument("--openevolve", help="the Python of a virtual environment that has openevolve")
    options = parser.parse_args()
    rates: dict[str, list[float]] = {"Speedup": [], "callable": [], "OpenEvolve": []}
    for _ in range(options.rounds):
        for name in ("Speedup", "callable"):
            say(f"{name}: {options.candidates} candidates")
            rates[name].append(measure_ours(options.candidates, options.workers, name == "Speedup")[0])
        if options.openevolve:
            say(f"OpenEvolve: {options.candidates} candidates")
            rates["OpenEvolve"].append(measure_openevolve(options.openevolve, options.candidates, options.workers))
    rows = [(name, f"{spread(found):.1f}") for name, found in rates.items() if found]
    if rates["OpenEvolve"]:
        for name in ("Speedup", "callable"):
            pairs = zip(rates[name], rates["OpenEvolve"], strict=True)
            rows.append((f"{name} / OpenEvolve", f"{spread(a / b for a, b in pairs):.2f}"))
    ends = None
    if options.last:
        ends = measure_ours(options.last, options.workers, is_timed=True)
        rows.append((f"Speedup, the last {FEW} of {options.last} / the first {FEW}", f"{ends[2] / ends[1]:.3f}"))
    show("candidates a second", ("side", "median [quartiles]"), rows)
    save(options.json, options.rounds, {"rates": rates, "ends": ends, "workers": options.workers})


if __name__ == "__main__":
    main()
