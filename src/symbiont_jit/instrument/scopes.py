"""What names mean where an expression stands: scopes, lengths, where pointers point into, and what lives how long.

In: declarations as they come. Out: the symbol of a name, the length of a declarator, numbers of places that can panic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.constants import LIMITS, Constants
from symbiont_jit.c.tree import first_position, walk
from symbiont_jit.c.types import (
    INT,
    VOID,
    Arithmetic,
    ArrayOf,
    CType,
    PointerTo,
    Refused,
    TypeReader,
    decayed,
    size_of,
)
from symbiont_jit.runtime.panics import Site

__all__ = ["NOWHERE", "Root", "Scopes", "Symbol", "whole"]


@dataclass(frozen=True, slots=True)
class Root:
    """Where the object behind a pointer begins and ends, as C expressions of numbers; and how deep it lives."""

    low: str
    high: str
    depth: int = 0
    name: str = ""


NOWHERE: Final = Root("0", "0", 0, "NULL")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name: its type, its scope's depth, its name in the guarded text, and its root.

    `value` is an enumerator's; `dimension` the hidden constant that has what was passed for a dimension, `length` the
    same for one that is never assigned to; `is_passed` marks an array that a caller passed, of which C has a pointer.
    """

    type: CType
    depth: int
    text: str
    root: Root | None = None
    value: int | None = None
    is_passed: bool = False
    dimension: str = ""
    length: str = ""


@dataclass(slots=True, kw_only=True)
class Scopes:
    """The scopes that are open, and what all of a text has: its types, its places that can panic.

    `hidden` are declarations without a name in the text, for the beginning of the function that is being guarded.
    """

    sites: list[Site] = field(default_factory=list)
    types: TypeReader = field(default_factory=TypeReader)
    scopes: list[dict[str, Symbol]] = field(default_factory=lambda: [{}])
    hidden: list[str] = field(default_factory=list)
    _count: int = 0
    _flows: list[tuple[Symbol, Root, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.types.length_of = self.length
        self.types.value_of = lambda node: self._constants.value(node)
        self.types.on_enumerator = lambda name, value: self.declare(name, Symbol(INT, 0, name, value=value))

    # -- names --------------------------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """How many scopes are open."""
        return len(self.scopes) - 1

    def symbol(self, name: str) -> Symbol | None:
        """What a name means here."""
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def declare(self, name: str, symbol: Symbol) -> None:
        """Let a name mean something from here to the end of its scope."""
        self.scopes[-1][name] = symbol

    def site(self, kind: str, node: Any, what: str = "", limit: str = "") -> int:
        """The number of a new place that can panic."""
        line, column = first_position(node)
        self.sites.append(Site(kind, line, column, what, limit))
        return len(self.sites) - 1

    def number(self) -> int:
        """One that no other hidden name has."""
        self._count += 1
        return self._count

    def shadow(self, name: str, depth: int) -> Root:
        """Two variables of the whole call that say where a pointer points into."""
        low, high = (f"sj_{side}{self.number()}_{name}" for side in ("low", "high"))
        self.hidden.append(f"uint64_t {low} = 0, {high} = 0")
        return Root(low, high, depth, name)

    # -- lengths ------------------------------------------------------------------------------------------------------

    def is_passed(self, node: Any) -> bool:
        """Whether it names an array that a caller passed."""
        symbol = self.symbol(node.name) if isinstance(node, c_ast.ID) else None
        return symbol is not None and symbol.is_passed

    def require_constant_type(self, node: Any) -> None:
        """Refuse what C would evaluate unseen in a type name: lengths that are no constants."""
        for part in walk(node):
            if isinstance(part, c_ast.ArrayDecl) and part.dim is not None and not self.is_constant(part.dim):
                raise Refused(part.dim, "a length in a type name is a constant here; declare a variable of that length")

    def name_lengths(self, node: Any) -> None:
        """Write the dimensions that are never assigned to as the constants that hold them, in place."""
        for part in walk(node):
            if isinstance(part, c_ast.ArrayDecl) and isinstance(part.dim, c_ast.ID):
                symbol = self.symbol(part.dim.name)
                if symbol is not None and symbol.length:
                    part.dim = c_ast.ID(symbol.length, part.dim.coord)

    def is_constant(self, node: Any) -> bool:
        """Whether an expression is a constant that is computed here too."""
        return (isinstance(node, c_ast.ID) and node.name.startswith("sj_n")) or self._constants.value(node) is not None

    @property
    def _constants(self) -> Constants:
        return Constants(self._enumerated, self._bytes, self._integers)

    def _enumerated(self, name: str) -> int | None:
        symbol = self.symbol(name)
        return LIMITS.get(name) if symbol is None else symbol.value

    def _bytes(self, node: Any) -> int | None:
        """The size of a type name or of a named array, where it is plain to see."""
        if isinstance(node, c_ast.Typename):
            return size_of(self.types.read(node))
        if self.is_passed(node):
            return size_of(PointerTo(VOID))
        if isinstance(node, c_ast.ID) and (symbol := self.symbol(node.name)) is not None:
            return size_of(symbol.type) if isinstance(symbol.type, ArrayOf | Arithmetic) else None
        if isinstance(node, c_ast.ArrayRef) and isinstance(node.name, c_ast.ID):
            symbol = self.symbol(node.name.name)
            row = None if symbol is None else decayed(symbol.type)
            return size_of(row.to) if isinstance(row, PointerTo) else None
        return None

    def _integers(self, node: Any) -> range | None:
        """The values of an integer type."""
        typ = self.types.read(node)
        if not isinstance(typ, Arithmetic) or typ.kind not in "iu":
            return None
        return range(2**typ.bits) if typ.kind == "u" else range(-(2 ** (typ.bits - 1)), 2 ** (typ.bits - 1))

    def number_lengths(self, params: Sequence[Any]) -> None:
        """Write the constant lengths of parameters as numbers, in place; what another parameter says stays."""
        names = {getattr(p, "name", None) for p in params}
        for part in (part for param in params for part in walk(param)):
            if isinstance(part, c_ast.ArrayDecl) and part.dim is not None:
                is_said = any(isinstance(n, c_ast.ID) and n.name in names for n in walk(part.dim))
                value = None if is_said else self._constants.value(part.dim)
                if value is not None:
                    part.dim = c_ast.Constant("int", str(max(value, 0)), part.dim.coord)

    def length(self, node: Any) -> str | None:
        """A declarator's length: a number, the hidden constant that holds it, or None where there is none."""
        if node is None:
            return None
        if isinstance(node, c_ast.ID) and node.name.startswith("sj_n"):
            return str(node.name)
        value = self._constants.value(node)
        if value is not None:
            return str(value) if value >= 0 else "0"
        symbol = self.symbol(node.name) if isinstance(node, c_ast.ID) else None
        if symbol is not None and symbol.dimension:
            return symbol.dimension
        raise Refused(node, "a length here is a constant, written plainly, or an earlier parameter")

    # -- lifetimes ----------------------------------------------------------------------------------------------------

    def flows(self, symbol: Symbol, root: Root, source: Any) -> None:
        """A pointer variable is set here to what points into `root`."""
        self._flows.append((symbol, root, source))

    def check_lifetimes(self) -> None:
        """Refuse pointers of a function that would outlive what they point at.

        What a variable may point into is whatever was assigned to it anywhere, directly or through other variables; the
        deepest of those objects must not live deeper than the variable. Called where a function ends.
        """
        deepest: dict[str, int] = {}
        variables = {symbol.root.low for symbol, _, _ in self._flows if symbol.root is not None}
        for _ in range(len(self._flows) + 1):
            before = dict(deepest)
            for symbol, root, _ in self._flows:
                assert symbol.root is not None
                depth = deepest.get(root.low, 0) if root.low in variables else root.depth
                deepest[symbol.root.low] = max(deepest.get(symbol.root.low, 0), depth)
            if deepest == before:
                break
        # What leads to an object itself comes first: there the mistake is.
        for symbol, root, source in sorted(self._flows, key=lambda flow: flow[1].low in variables):
            depth = deepest.get(root.low, 0) if root.low in variables else root.depth
            if depth > symbol.depth:
                name = symbol.text
                raise Refused(source, f"'{name}' would outlive what it points at; declare it in the same block")
        self._flows.clear()


def whole(text: str, depth: int, name: str) -> Root:
    """The root of an array."""
    return Root(f"(uint64_t){text}", f"((uint64_t){text} + sizeof({text}))", depth, name)
