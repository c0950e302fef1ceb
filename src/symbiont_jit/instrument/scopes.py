"""What names mean where an expression stands: scopes, lengths, bounds.

In: declarations as they come. Out: the symbol of a name, the length of a declarator, numbers of places that can panic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.constants import LIMITS, Constants
from symbiont_jit.c.tree import first_position, walk
from symbiont_jit.c.type_reader import TypeReader
from symbiont_jit.c.types import INT, VOID, Arithmetic, ArrayOf, CType, Length, PointerTo, Refused, decay, size_of
from symbiont_jit.instrument.bounds import Bounds, Flow, check_lifetimes, object_bounds, shadow_bounds
from symbiont_jit.instrument.nodes import UINT64, ZERO, HeldLength, Hidden
from symbiont_jit.runtime.panics import Site

__all__ = ["Scopes", "Symbol"]


_PLAIN_LENGTH: Final = "a length here is a constant, written plainly, or an earlier parameter"


@dataclass(frozen=True, slots=True)
class Symbol:
    """The meaning of a name: the type, the depth of the scope, the name in the instrumented text, and the bounds.

    `value` is an enumerator's; `dimension` is what was passed for a dimension, and also `length` where the dimension is
    never assigned to; `is_passed` marks an array that a caller passed, of which C has a pointer. `bounds` is None for
    scalars and structs, whose bounds are made where they are needed.
    """

    type: CType
    depth: int
    name: str
    bounds: Bounds | None = None
    value: int | None = None
    is_passed: bool = False
    dimension: Length | None = None
    length: Length | None = None


@dataclass(slots=True, kw_only=True)
class Scopes:
    """The scopes that are open, and what all of a text has: its types, its places that can panic.

    `hidden` are declarations of variables that the text does not have, for the beginning of the function that is being
    instrumented.
    """

    sites: list[Site] = field(default_factory=list)
    types: TypeReader = field(default_factory=TypeReader)
    scopes: list[dict[str, Symbol]] = field(default_factory=lambda: [{}])
    hidden: list[Any] = field(default_factory=list)
    _count: int = 0
    _flows: list[Flow] = field(default_factory=list)
    _objects: dict[str, Bounds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.types.length_of = self.length
        self.types.value_of = lambda node: self._constants.value(node)
        self.types.on_enumerator = lambda name, value: self.declare(name, Symbol(INT, 0, name, value=value))

    # -- names --------------------------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """The number of open scopes."""
        return len(self.scopes) - 1

    def symbol(self, name: str) -> Symbol | None:
        """Return what a name means here."""
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def declare(self, name: str, symbol: Symbol) -> None:
        """Let a name mean something from here to the end of its scope."""
        self.scopes[-1][name] = symbol

    def new_site(self, kind: str, node: Any, what: str = "", limit: str = "") -> int:
        """Register a new place that can panic, and return its number."""
        line, column = first_position(node)
        self.sites.append(Site(kind, line, column, what, limit))
        return len(self.sites) - 1

    def new_number(self) -> int:
        """Return a number that no other hidden name of the text has."""
        self._count += 1
        return self._count

    # -- bounds -------------------------------------------------------------------------------------------------------

    def make_shadow(self, name: str, depth: int) -> tuple[Bounds, list[Any]]:
        """Make two new variables for bounds; return the bounds and the declarations of the variables."""
        low, high = (f"sj_{side}{self.new_number()}_{name}" for side in ("low", "high"))
        return shadow_bounds(low, high, depth, name), [Hidden(UINT64, low, ZERO), Hidden(UINT64, high, ZERO)]

    def declare_shadow(self, name: str, depth: int) -> Bounds:
        """Declare bounds in two variables of the whole call, which a jump past a declaration leaves defined."""
        bounds, declared = self.make_shadow(name, depth)
        self.hidden += declared
        return bounds

    def bounds_of(self, symbol: Symbol) -> Bounds:
        """Return the bounds of a variable; those of an object itself are made once."""
        if symbol.bounds is not None:
            return symbol.bounds
        if symbol.name not in self._objects:
            self._objects[symbol.name] = object_bounds(symbol.name)
        return self._objects[symbol.name]

    def assign_bounds(self, symbol: Symbol, bounds: Bounds, source: Any) -> None:
        """Record at `source` that a pointer variable is set to what has these bounds."""
        assert symbol.bounds is not None
        self._flows.append(Flow(symbol.name, symbol.depth, symbol.bounds, bounds, source))

    def check_lifetimes(self) -> None:
        """Refuse pointers of a function that would outlive what they point at; called where the function ends."""
        check_lifetimes(self._flows)
        self._flows.clear()

    # -- lengths ------------------------------------------------------------------------------------------------------

    def is_passed(self, node: Any) -> bool:
        """Whether a node names an array that a caller passed."""
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
                if symbol is not None and symbol.length is not None:
                    part.dim = HeldLength(symbol.length, part.dim.coord)

    def is_constant(self, node: Any) -> bool:
        """Whether an expression is a constant that is computed here too."""
        return isinstance(node, HeldLength) or self._constants.value(node) is not None

    def constant_value(self, node: Any) -> int | None:
        """Return the value of a constant integer expression; None for what is not computed here."""
        return self._constants.value(node)

    @property
    def _constants(self) -> Constants:
        return Constants(self._value_of_name, self._bytes, self._integers)

    def _value_of_name(self, name: str) -> int | None:
        symbol = self.symbol(name)
        return LIMITS.get(name) if symbol is None else symbol.value

    def _bytes(self, node: Any) -> int | None:
        """Return the size of a type name or of a named array; None where it is not plain to see."""
        if isinstance(node, c_ast.Typename):
            return size_of(self.types.read(node))
        if self.is_passed(node):
            return size_of(PointerTo(VOID))
        if isinstance(node, c_ast.ID) and (symbol := self.symbol(node.name)) is not None:
            return size_of(symbol.type) if isinstance(symbol.type, ArrayOf | Arithmetic) else None
        if isinstance(node, c_ast.ArrayRef) and isinstance(node.name, c_ast.ID):
            symbol = self.symbol(node.name.name)
            row = None if symbol is None else decay(symbol.type)
            return size_of(row.to) if isinstance(row, PointerTo) else None
        return None

    def _integers(self, node: Any) -> range | None:
        """Return the values of an integer type."""
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
                if is_said and not isinstance(part.dim, c_ast.ID):
                    raise Refused(part.dim, _PLAIN_LENGTH)
                value = None if is_said else self._constants.value(part.dim)
                if value is not None:
                    part.dim = c_ast.Constant("int", str(max(value, 0)), part.dim.coord)

    def length(self, node: Any) -> Length | None:
        """Read a declarator's length: a number, the hidden constant that holds it, or None where there is none."""
        if node is None:
            return None
        if isinstance(node, HeldLength):
            return node.length
        value = self._constants.value(node)
        if value is not None:
            return Length(max(value, 0))
        symbol = self.symbol(node.name) if isinstance(node, c_ast.ID) else None
        if symbol is not None and symbol.dimension is not None:
            return symbol.dimension
        raise Refused(node, _PLAIN_LENGTH)
