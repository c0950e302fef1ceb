"""Arguments for a signature where the user gives none: plain numbers, and lengths that are easily forgotten.

In: a signature. Out: tuples of arguments, of a usual size to be timed, and of lengths at the edges to be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.signature import ArrayType, Element, Mode, Param, Record, Signature

__all__ = ["EDGES", "DerivedInputs"]

#: About how many elements the largest array has that is timed.
USUAL_ELEMENTS: Final = 4096
#: Lengths at the edges: nothing, one, a vector of some numbers and one more or less, and more than a block.
EDGES: Final = (0, 1, 2, 3, 5, 7, 8, 9, 15, 17, 31, 33, 63, 65)

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]
#: What numbers of each kind are drawn from: of both signs; integers that are indices into anything but the shortest.
_DRAWS: Final[Mapping[str, Draw]] = {
    "f": lambda rng, shape: rng.standard_normal(shape),
    "c": lambda rng, shape: rng.standard_normal(shape) + 1j * rng.standard_normal(shape),
    "b": lambda rng, shape: rng.random(shape) < 0.5,
    "i": lambda rng, shape: rng.integers(-9, 10, shape),
    "u": lambda rng, shape: rng.integers(0, 10, shape),
}


@dataclass(frozen=True, slots=True)
class DerivedInputs:
    """Arguments of one signature, drawn with a generator.

    Floating numbers are normally distributed, integers are from -9 to 9, or from 0. Whoever needs others, such as
    indices or sorted numbers, gives inputs.
    """

    signature: Signature

    def __call__(self, rng: np.random.Generator) -> tuple[Any, ...]:
        """Return arguments of a usual size, whose free lengths all differ."""
        most = max((len(_names_of(param)) for param in self.signature.params), default=0)
        usual = round(USUAL_ELEMENTS ** (1 / max(most, 1)))
        return self._draw(rng, {name: usual + number for number, name in enumerate(self.signature.dimensions)})

    def at_edges(self, rng: np.random.Generator, number: int) -> tuple[Any, ...]:
        """Return arguments of which one free length is the one of `EDGES` with a number, and others any of these."""
        dimensions = self.signature.dimensions
        lengths = dict(zip(dimensions, map(int, rng.choice(EDGES, len(dimensions))), strict=True))
        if dimensions:
            lengths[dimensions[number // len(EDGES) % len(dimensions)]] = EDGES[number % len(EDGES)]
        return self._draw(rng, lengths)

    def _draw(self, rng: np.random.Generator, lengths: Mapping[str, int]) -> tuple[Any, ...]:
        return tuple(_draw_argument(param, rng, lengths) for param in self.signature.params)


def _names_of(param: Param) -> list[str]:
    dims = param.type.dims if isinstance(param.type, ArrayType) else ()
    return [name for name in dims if isinstance(name, str)]


def _draw_argument(param: Param, rng: np.random.Generator, lengths: Mapping[str, int]) -> Any:
    if not isinstance(param.type, ArrayType):
        return _draw_elements(param.type, rng, ())[()]
    element, shape = param.type.dtype, tuple(lengths[dim] if isinstance(dim, str) else dim for dim in param.type.dims)
    return np.zeros(shape, element.dtype) if param.mode is Mode.OUT else _draw_elements(element, rng, shape)


def _draw_elements(element: Element, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    if not isinstance(element, Record):
        return np.asarray(_DRAWS[element.kind](rng, shape)).astype(element.dtype)
    made = np.zeros(shape, element.dtype)
    for field in element.fields:
        made[field.name] = _draw_elements(field.type, rng, (*shape, *field.dims))
    return made
