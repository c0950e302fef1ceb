"""What instrumenting one text needs everywhere: values, the scopes that are open, and who instruments which node.

In: a table of handlers. Out: `Value`s. The handlers are in modules by subject, which all work on a `Context`; none of
them has to know the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symbiont_jit.c.types import VOID, CType, Length, Refused
from symbiont_jit.instrument.bounds import Bounds
from symbiont_jit.instrument.printer import Printer
from symbiont_jit.instrument.scopes import Scopes

__all__ = ["BitField", "Context", "CurrentFunction", "Handler", "Value"]


@dataclass(frozen=True, slots=True)
class BitField:
    """A bit-field, which has no address: the struct around it, its name, and the type that it has in an expression."""

    struct: Any
    name: str
    promoted: CType


@dataclass(frozen=True, slots=True)
class Value:
    """An instrumented expression and its type; of a pointer the bounds of what it points into, of an object its own."""

    node: Any
    type: CType
    bounds: Bounds | None = None
    bit_field: BitField | None = None

    @property
    def operand_type(self) -> CType:
        """The type that the value has in an expression: of a bit-field another one than its own."""
        return self.type if self.bit_field is None else self.bit_field.promoted


@dataclass(frozen=True, slots=True)
class CurrentFunction:
    """The function that is being instrumented: what it returns; of an entry its dimensions and its arrays' lengths."""

    result: CType = VOID
    dimensions: frozenset[str] = frozenset()
    lengths: Mapping[str, Length] = field(default_factory=dict)


Handler = Callable[["Context", Any], Value]


@dataclass(slots=True, kw_only=True)
class Context(Scopes):
    """The state of instrumenting one text.

    `handlers` say by the type of a node how it is instrumented. `has_replaced` says that the instrumented text has to
    be compiled even where nothing in it can panic; `may_free`, that blocks of the arena can be freed in it. `place` is
    the declaration or statement that is being instrumented.
    """

    checked: bool
    handlers: Mapping[type, Handler]
    may_free: bool = False
    has_replaced: bool = False
    place: Any = None
    function: CurrentFunction = field(default_factory=CurrentFunction)
    printer: Printer = field(default_factory=Printer)

    @property
    def watches_frees(self) -> bool:
        """Whether an access is compared with what has been freed, so that what frees a block has to come before it."""
        return self.checked and self.may_free

    def evaluate(self, node: Any) -> Value:
        """Instrument an expression of the candidate; an array or a bit-field stays the object that it is."""
        handler = self.handlers.get(type(node))
        if handler is None:
            raise Refused(node, f"'{type(node).__name__}' is not known to the checks; write it more plainly")
        return handler(self, node)
