"""Initialisers: which value goes to which part of an object (C11, 6.7.9), so that each is converted for that part.

In: an initialiser of the candidate and the type of the object. Out: the same initialiser with instrumented values.
Braces may be left out, parts may be named out of order, and members without a name are passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.types import Arithmetic, ArrayOf, CType, PointerTo, Refused, StructOf
from symbiont_jit.instrument.context import Context, Value
from symbiont_jit.instrument.values import convert, evaluate_value

__all__ = ["initialise"]


def initialise(context: Context, node: Any, typ: CType | None) -> Any:
    """Instrument the initialiser of an object of a type; None stands for a type that is not known."""
    if isinstance(node, c_ast.InitList):
        return _initialise_parts(context, node, typ)
    if _is_text(node) and not isinstance(typ, PointerTo):
        return node
    return _convert(context, evaluate_value(context, node), typ, node)


def _initialise_parts(context: Context, node: Any, typ: CType | None) -> Any:
    """Instrument a list in braces; the braces of a number hold that number alone, as do those of a text."""
    if _is_array_of_numbers(typ) and len(node.exprs) == 1 and _is_text(node.exprs[0]):
        return node
    if not isinstance(typ, ArrayOf | StructOf):
        return c_ast.InitList([initialise(context, part, typ) for part in node.exprs])
    place = _Subobject(typ)
    return c_ast.InitList([_initialise_part(context, part, place) for part in node.exprs])


def _initialise_part(context: Context, node: Any, place: _Subobject) -> Any:
    if isinstance(node, c_ast.NamedInitializer):
        place.go_to(context, node)
        return c_ast.NamedInitializer(node.name, _initialise_here(context, node.expr, place))
    return _initialise_here(context, node, place)


def _initialise_here(context: Context, node: Any, place: _Subobject) -> Any:
    """Instrument what the next part is initialised with, and go on to the one behind it.

    Where braces were left out, the part is the first one down from here that takes the value as a whole.
    """
    if isinstance(node, c_ast.InitList):
        made = initialise(context, node, place.part)
    elif _is_text(node):
        place.descend(_is_array_of_numbers)
        made = initialise(context, node, place.part)
    else:
        value = evaluate_value(context, node)
        place.descend(lambda part: part is value.type)
        made = _convert(context, value, place.part, node)
    place.advance()
    return made


def _convert(context: Context, value: Value, typ: CType | None, node: Any) -> Any:
    return value.node if typ is None else convert(context, value, typ, node).node


def _is_text(node: Any) -> bool:
    return isinstance(node, c_ast.Constant) and node.type == "string"


def _is_array_of_numbers(typ: CType | None) -> bool:
    return isinstance(typ, ArrayOf) and isinstance(typ.of, Arithmetic)


@dataclass(slots=True)
class _Level:
    """An array or struct in which a part is the current one, by its number; None for a number that is not known."""

    type: ArrayOf | StructOf
    number: int | None = 0

    @property
    def part(self) -> CType | None:
        """The type of the current part; None where that is not known, or there is no such part."""
        if isinstance(self.type, ArrayOf):
            return self.type.of
        members = self.type.members
        return members[self.number][1] if self.number is not None and self.number < len(members) else None

    @property
    def is_last(self) -> bool | None:
        """Whether no part comes behind the current one; None where the length of an array is not known."""
        if isinstance(self.type, StructOf):
            is_union = self.type.name.startswith("union")
            return is_union or (self.number is not None and self.number + 1 >= len(self.type.members))
        count = self.type.length.constant if self.type.length is not None else None
        return None if self.number is None or count is None else self.number + 1 >= count


class _Subobject:
    """Where in an object the next value goes: the levels from the object's own parts down to the current one."""

    def __init__(self, typ: ArrayOf | StructOf) -> None:
        self._levels = [_Level(typ)]
        self._is_known = True

    @property
    def part(self) -> CType | None:
        """The type of the current part; None where it is not known."""
        return self._levels[-1].part if self._is_known else None

    def descend(self, is_wanted: Callable[[CType], bool]) -> None:
        """Go down to the first part of the current one that is wanted, or to a number or pointer."""
        while isinstance(self.part, ArrayOf | StructOf) and not is_wanted(self.part):
            self._levels.append(_Level(self.part))

    def advance(self) -> None:
        """Go on to the next part: behind the last one of an array or struct, to what is behind that."""
        while len(self._levels) > 1 and self._levels[-1].is_last is not False:
            if self._levels[-1].is_last is None and not _is_uniform(self._levels[0].type):
                self._is_known = False
            self._levels.pop()
        level = self._levels[-1]
        level.number = None if level.number is None else level.number + 1

    def go_to(self, context: Context, node: Any) -> None:
        """Go to the part that a list of names and numbers leads to."""
        del self._levels[1:]
        self._is_known = True
        for step, name in enumerate(node.name):
            if step:
                if not isinstance(self.part, ArrayOf | StructOf):
                    raise Refused(node, "there is no such part to be initialised")
                self._levels.append(_Level(self.part))
            self._select(context, node, name)

    def _select(self, context: Context, node: Any, name: Any) -> None:
        level = self._levels[-1]
        if isinstance(level.type, ArrayOf):
            level.number = context.constant_value(name)
            return
        if not isinstance(name, c_ast.ID) or not self._find_member(level, name.name):
            raise Refused(node, "there is no such member to be initialised")

    def _find_member(self, level: _Level, wanted: str) -> bool:
        """Make a member the current part, also one of a struct without a name inside."""
        assert isinstance(level.type, StructOf)
        place = level.type.place_of(wanted)
        if place is None:
            return False
        level.number = place
        own, typ = level.type.members[place]
        if own == wanted:
            return True
        assert isinstance(typ, StructOf), "only what has no name leads further in"
        self._levels.append(_Level(typ))
        return self._find_member(self._levels[-1], wanted)


def _is_uniform(typ: CType) -> bool:
    """Whether all numbers in an object are of one type, so that it does not matter which of them is next."""
    return _is_uniform(typ.of) if isinstance(typ, ArrayOf) else isinstance(typ, Arithmetic)
