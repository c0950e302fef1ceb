"""Texts that would win by not doing the work (`cheats/`), and honest ones that look odd (`honest/`), with their kernels.

A file's comment says what it does, and of which kernel. The kernels are Python functions with inputs; `benchmarks/trust.py`
judges the same texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import float64 as f64

from symbiont_jit import Array, Evaluation, Evolution, InOut, Kernel, Out, evolvable
from symbiont_jit.evaluate.confirm import NOISE, REFERENCE
from tests import kernels
from tests.attacks.files import HERE, parts

__all__ = ["KERNELS", "PLAIN", "Subject", "Text", "judge_beside_plain", "texts"]


class Subject(NamedTuple):
    """A kernel that texts are for, and its inputs."""

    kernel: Kernel
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]


class Text(NamedTuple):
    """A text for one of the kernels."""

    name: str
    kernel: str
    text: str


@evolvable
def scale(x: Array[f64, "n"], a: f64, out: Out[f64, "n"]) -> None:
    """A multiple of x, and one more."""
    for i in range(x.shape[0]):
        out[i] = a * x[i] + 1


@evolvable
def wave(x: f64) -> f64:
    """A wave on a slope."""
    return np.sin(x) + x


@evolvable
def prefix(x: InOut[f64, "n"]) -> None:
    """Sums up to each element."""
    for i in range(1, x.shape[0]):
        x[i] += x[i - 1]


@evolvable
def sort(x: InOut[f64, "n"]) -> None:
    """The numbers of x in ascending order."""
    for i in range(1, x.shape[0]):
        v, j = x[i], i - 1
        while j >= 0 and x[j] > v:
            x[j + 1] = x[j]
            j -= 1
        x[j + 1] = v


KERNELS = {
    "dot": Subject(evolvable(kernels.dot), lambda rng: (rng.random(500), rng.random(500))),
    "scale": Subject(scale, lambda rng: (rng.random(300), rng.random(), np.zeros(300))),
    "sort": Subject(sort, lambda rng: (rng.random(60),)),
    "matmul": Subject(
        evolvable(kernels.matmul), lambda rng: (rng.random((12, 20)), rng.random((20, 15)), np.zeros((12, 15)))
    ),
    "wave": Subject(wave, lambda rng: (rng.random(),)),
    "prefix": Subject(prefix, lambda rng: (rng.random(400),)),
}


def texts(folder: str) -> Iterator[Text]:
    """The texts of `cheats` or of `honest`."""
    for path in sorted((HERE / folder).glob("*.c")):
        field, text = parts(path)
        yield Text(path.stem, field["kernel"], text)


#: By kernel, the honest text that everybody would write.
PLAIN = {row.kernel: row.text for row in texts("honest") if row.name == f"{row.kernel}_plain"}


#: How often a text must be the faster one to have won, and by how much: where code and data lie in a process, which is
#: by chance and the same for all of a run, is worth a twentieth and more to loops of some hundred nanoseconds.
ROUNDS, PLACEMENT = 3, 1.05


def judge_beside_plain(search: Evolution, row: Text) -> tuple[Evaluation, bool]:
    """Evaluate a text, and a valid one side by side with the plain text; say whether it is the faster of the two."""
    found = search.evaluate(row.text)
    if not found.is_valid:
        return found, False
    plain = search.evaluate(PLAIN[row.kernel])
    for _ in range(ROUNDS):
        found, plain = search._evaluator.confirm([found.source, plain.source])
        assert plain.is_valid, str(plain)
        if not (found.is_valid and _is_faster(found, plain)):
            return found, False
    return found, True


def _is_faster(found: Evaluation, plain: Evaluation) -> bool:
    """Whether it gains more than the plain text does, and than the reference differs from itself in the same run."""
    noise = max(PLACEMENT, found.gains[NOISE].high)
    return found.gains[REFERENCE].low > noise * plain.gains[REFERENCE].high
