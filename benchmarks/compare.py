"""Whether the intervals of `sj.compare` are true, and how long it takes to make them narrow.

For each pair of variants one comparison runs a hundred times as long as the others; `held` is the share of the short
ones whose 95 % interval holds the long one's ratio. `width` is the interval of a call's time over the time. The last
table has the times that pyperf gives for the same calls from Python.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from _table import options, save, say, show, spread

import symbiont_jit as sj

DOT: Final = """double dot(int64_t n, const double x[n], const double y[n]) {
  double s = 0;
  for (int64_t i = 0; i < n; i++) s += x[i] * y[i];
  return s;
}"""
FAST: Final = DOT.replace("double s", "\n#pragma clang fp reassociate(on)\n  double s")
TWO_SUMS: Final = """double dot(int64_t n, const double x[n], const double y[n]) {
  double s = 0, t = 0;
  for (int64_t i = 0; i + 1 < n; i += 2) { s += x[i] * y[i]; t += x[i + 1] * y[i + 1]; }
  return s + t;
}"""
SINE: Final = "double f(double x) { return sin(x) * cos(x); }"
PAIRS: Final[dict[str, tuple[str, str, Any]]] = {
    "dot of 1000, one sum or two": (DOT, TWO_SUMS, lambda rng: (rng.random(1000), rng.random(1000))),
    "dot of 1000, in order or not": (DOT, FAST, lambda rng: (rng.random(1000), rng.random(1000))),
    "sine and cosine": (SINE, "double f(double x) { return sin(2 * x) / 2; }", lambda rng: (rng.random(),)),
}
#: Kernels of 20 us and more: the text and the length of the vectors.
LONG: Final = {"dot of 25,000": (DOT, 25_000), "dot of 100,000": (DOT, 100_000)}
SECONDS: Final = 1.0


def hold(first: str, second: str, inputs: Any, rounds: int) -> tuple[float, list[float], list[float]]:
    """The share of short runs that hold the long one's ratio; the widths of their intervals of time and of ratio."""
    variants = {"first": first, "second": second}
    inputs = [inputs(np.random.default_rng(number)) for number in range(4)]  # A time may depend on its arguments.
    truth = sj.compare(variants, inputs, seconds=100 * SECONDS)["second"].ratio.value
    held, times, ratios = 0, [], []
    for seed in range(rounds):
        found = sj.compare(variants, inputs, seconds=SECONDS, seed=seed)
        ratio, ns = found["second"].ratio, found["first"].ns
        held += ratio.low <= truth <= ratio.high
        times.append((ns.high - ns.low) / ns.value)
        ratios.append((ratio.high - ratio.low) / ratio.value)
    return held / rounds, times, ratios


def ask_pyperf(text: str, length: int) -> float:
    """The median time of a call from Python, in nanoseconds, as pyperf measures it in processes of its own."""
    setup = (
        "import numpy as np, symbiont_jit as sj; rng = np.random.default_rng(0); "
        f"k = sj.Kernel.from_c({text!r}, profile='release'); x, y = rng.random({length}), rng.random({length})"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        command = [
            sys.executable,
            "-m",
            "pyperf",
            "timeit",
            "--fast",
            "--quiet",
            "-o",
            str(path),
            "-s",
            setup,
            "k(x, y)",
        ]
        subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(path.read_text())
    values = [value for run in found["benchmarks"][0]["runs"] for value in run.get("values", [])]
    return float(np.median(values) * 1e9)


def main() -> None:
    """Print and write everything."""
    wanted = options("compare", __doc__, 200)
    results: dict[str, Any] = {}
    rows = []
    for name, (first, second, inputs) in PAIRS.items():
        share, times, ratios = hold(first, second, inputs, wanted.rounds)
        results[name] = {"held": share, "width_of_time": spread(times), "width_of_ratio": spread(ratios)}
        rows.append([name, f"{share:.1%}", f"{spread(times):.2%}", f"{spread(ratios):.2%}"])
    show(
        f"{wanted.rounds} runs of {SECONDS:g} s, and one 100 times as long",
        ["pair", "held", "width of a time", "of a ratio"],
        rows,
    )
    rows = []
    for name, (text, length) in LONG.items():
        draw = lambda rng, n=length: (rng.random(n), rng.random(n))  # noqa: E731
        ours = sj.compare({"kernel": text}, draw, seconds=3 * SECONDS)["kernel"].ns.value
        theirs = ask_pyperf(text, length)
        results[name] = {"ours_ns": ours, "pyperf_ns": theirs, "ratio": ours / theirs}
        rows.append([name, f"{ours / 1000:.2f} us", f"{theirs / 1000:.2f} us", f"{ours / theirs:.3f}"])
    show("a call", ["kernel", "compare", "pyperf", "ratio"], rows)
    say("wanted: held in at least 93 %, a time's width below 2 %, a ratio within 2 % of 1")
    save(wanted.json, wanted.rounds, results)


if __name__ == "__main__":
    main()
