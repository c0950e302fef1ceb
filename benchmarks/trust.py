"""Whether what is reported can be believed: gains that are none, gains that are small, cheats, honest texts.

`A/A` compares a text with itself; every `faster` is an error. `planted` compares a loop of 105 steps, five of which
change nothing, with one of 100; every other verdict is an error. `search` does both at the end of a search, where a
winner is installed or not. The cheats and the honest texts are those of `tests/attacks`: a cheat must not be valid, or
not be faster than the plain text.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from _table import options, save, say, show, spread

import symbiont_jit as sj
from symbiont_jit.evaluate.confirm import is_gain
from symbiont_jit.evaluate.local import LocalEvaluator

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.attacks.cheating import KERNELS, PLAIN, judge_beside_plain, texts

SECONDS: Final = 1.0
#: A step is a multiplication and an addition, each of which waits for the one before; the last one adds nothing.
FAST: Final = """double f(double x) {
  double s = x;
  for (int i = 0; i < 100; i++) s = s * 0.999 + x;
  return s;
}"""
SLOW: Final = FAST.replace(
    "return s;", "double t = s;\n  for (int i = 0; i < 3; i++) t = t * 0.999 + x;\n  return s + 0 * t;"
)


def count(rounds: int, decide: Callable[[int], bool]) -> tuple[int, list[float]]:
    """In how many of so many rounds the answer is yes, and the seconds that each took."""
    found, seconds = 0, []
    for number in range(rounds):
        started = time.perf_counter()
        found += decide(number)
        seconds.append(time.perf_counter() - started)
    return found, seconds


def compare_with_itself(name: str) -> Callable[[int], bool]:
    """Whether a kernel's plain text is faster than itself."""
    text, inputs = PLAIN[name], KERNELS[name].inputs
    return lambda seed: (
        sj.compare({"a": text, "b": text + "\n"}, inputs, seconds=SECONDS / 2, seed=seed)["b"].verdict == "faster"
    )


def find_planted(seed: int) -> bool:
    """Whether five steps fewer are found to be faster."""
    return sj.compare({"a": SLOW, "b": FAST}, [(0.7,)], seconds=SECONDS / 2, seed=seed)["b"].verdict == "faster"


def confirm(text: str) -> Callable[[int], bool]:
    """Whether a search that began with 105 steps would install a text."""

    def decide(seed: int) -> bool:
        kernel = sj.Kernel.from_c(SLOW, profile="release")
        evaluator = LocalEvaluator(kernel, sj.Speedup([(0.7,)]))
        try:
            (found,) = evaluator.confirm([evaluator.target.canonical(text).text], evaluator.target.active_build)
        finally:
            evaluator.pool.close()
        return is_gain(found)

    return decide


def judge_texts() -> dict[str, Any]:
    """How many cheats won, and how many honest texts were refused, with their names."""
    searches = {name: sj.Evolution(s.kernel, metric=sj.Speedup(s.inputs)) for name, s in KERNELS.items()}
    cheats, honest = list(texts("cheats")), list(texts("honest"))
    won = [row.name for row in cheats if judge_beside_plain(searches[row.kernel], row)[1]]
    refused = [row.name for row in honest if not searches[row.kernel].evaluate(row.text).is_valid]
    for search in searches.values():
        search.close()
    return {"cheats": len(cheats), "won": won, "honest": len(honest), "refused": refused}


def main() -> None:
    """Print and write everything."""
    wanted = options("trust", __doc__, 100)
    results: dict[str, Any] = {}
    rows = []
    sides = {f"A/A {name}": compare_with_itself(name) for name in ("dot", "scale", "wave", "sort")}
    sides |= {"planted 5 %": find_planted, "search A/A": confirm(SLOW), "search planted 5 %": confirm(FAST)}
    for name, decide in sides.items():
        found, seconds = count(wanted.rounds, decide)
        results[name] = {"faster": found, "of": wanted.rounds, "seconds": spread(seconds)}
        rows.append([name, f"{found} of {wanted.rounds}", f"{float(np.median(seconds)):.2f} s"])
    show("declared to be faster", ["comparison", "faster", "a comparison"], rows)
    results["texts"] = judge_texts()
    say(f"{results['texts']}")
    say("wanted: A/A at most 1 %, planted at least 90 % in at most 1 s, no cheat won, no honest text refused")
    save(wanted.json, wanted.rounds, results)


if __name__ == "__main__":
    main()
