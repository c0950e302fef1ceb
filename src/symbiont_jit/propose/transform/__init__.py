"""The mutator's table: every transformation by name, what it is for, and how often it is tried at first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from pycparser import c_ast

from symbiont_jit.propose.transform import formulas, hints, nests, unroll_and_jam

__all__ = ["TRANSFORMATIONS", "Transformation"]

Apply = Callable[[c_ast.FileAST, np.random.Generator], bool]


@dataclass(frozen=True, slots=True)
class Transformation:
    """A change of a syntax tree.

    `apply(tree, rng)` changes the tree of a whole file in place and says whether there was anything to change. `weight`
    is how often the mutator tries it at first, relative to the others.
    """

    name: str
    apply: Apply
    weight: float

    @property
    def description(self) -> str:
        """The first line of the documentation of `apply`."""
        return (self.apply.__doc__ or "").strip().splitlines()[0]


#: Adding a transformation is adding a row. The weights are where a search begins; it learns its own.
TRANSFORMATIONS: Final[Mapping[str, Transformation]] = {
    t.name: t
    for t in (
        Transformation("unroll-and-jam", unroll_and_jam.unroll_and_jam, 4.0),
        Transformation("interchange-reduction", nests.interchange_reduction, 2.0),
        Transformation("interchange", nests.interchange, 2.0),
        Transformation("tile", nests.tile, 1.0),
        Transformation("distribute", nests.distribute, 1.0),
        Transformation("fuse", nests.fuse, 0.7),
        Transformation("accumulate-in-place", nests.accumulate_in_place, 1.0),
        Transformation("scalar-replacement", nests.scalar_replacement, 1.0),
        Transformation("restrict", hints.restrict_pointers, 1.5),
        Transformation("reassociate", hints.allow_reassociation, 2.0),
        Transformation("loop-hint", hints.hint_loop, 2.0),
        Transformation("if-conversion", formulas.if_conversion, 1.0),
        Transformation("constant", formulas.change_constant, 0.3),
        Transformation("operator", formulas.change_operator, 0.2),
        Transformation("operand", formulas.swap_operand, 0.2),
        Transformation("grow-term", formulas.grow_term, 0.2),
        Transformation("prune-term", formulas.prune_term, 0.1),
    )
}
