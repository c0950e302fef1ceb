"""`python -m fuzz.translation --seed 0 --count 1000`: random Python functions, translated and compared with Numba."""

from __future__ import annotations

import argparse
import copy
import linecache
import math
import sys
import time
from random import Random
from typing import Any

import numba
import numpy as np

from fuzz.python_programs import draw_arguments, write_program
from symbiont_jit.errors import CandidateError, PanicError, TranslationError
from symbiont_jit.kernel import Kernel
from symbiont_jit.kernel.translating import translate_compiled

__all__ = ["compare_program", "define_program", "main"]


def define_program(text: str, name: str) -> Any:
    """Define the function of a text, whose source Python knows as if it stood in a file."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"np": np, "math": math}
    exec(compile(text, name, "exec"), scope)
    return scope["program"]


def compare_program(seed: int, profile: str = "safe") -> str:
    """Write, translate and run one program; return what is wrong, which is nothing where both agree to the last bit."""
    rng = Random(seed)
    text = write_program(rng)
    given = draw_arguments(rng)
    function = numba.njit(define_program(text, f"<program {seed}>"))
    before, after = copy.deepcopy(given), copy.deepcopy(given)
    try:
        expected = function(*before)
    except (
        ZeroDivisionError,
        numba.core.errors.NumbaError,
    ):  # The program is none that Numba takes, or divides by zero.
        return ""
    try:
        translation = translate_compiled(function, {})
        kernel = Kernel(translation.signature, source=translation.text, profile=profile)
        found = kernel(*after)
    except (TranslationError, CandidateError, PanicError) as error:
        return f"seed {seed}: {error}\n{text}"
    pairs = [*zip(expected, found, strict=True), *zip(before, after, strict=True)]
    if all(_is_same(one, other) for one, other in pairs):
        return ""
    return f"seed {seed}: {expected} is not {found}\n{text}\n{translation.text}"


def _is_same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def main() -> None:
    """Compare as many programs as asked for; exit code 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=math.inf)
    options = parser.parse_args()
    started, wrong, done = time.monotonic(), 0, 0
    for seed in range(options.seed, options.seed + options.count):
        found = compare_program(seed)
        done += 1
        if found:
            wrong += 1
            print(found, flush=True)
        if time.monotonic() - started > options.seconds:
            break
    print(f"{done} programs in {time.monotonic() - started:.0f} s, {wrong} of them not translated rightly")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
