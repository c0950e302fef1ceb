"""The C that instrumentation writes: nodes that pycparser lacks, and builders of those that it has.

In: nodes. Out: nodes. Nobody changes an expression after it was built, so expressions share their parts: the pointer of
an access stands in its address, its type and its size. No node holds C text but names, literals and operators.
"""

# ruff: noqa: RUF023, A002  nodes look like those of pycparser, whose order of slots is that of its `show`

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final

from pycparser import c_ast

from symbiont_jit.c.types import Length

__all__ = [
    "BOOL_TYPE",
    "BYTES",
    "FRAME",
    "FRAME_PARAMETER",
    "INT64",
    "INTPTR",
    "ONE",
    "SIZE_T",
    "UINT64",
    "VOID_POINTER",
    "VOID_TYPE",
    "ZERO",
    "Check",
    "HeldLength",
    "Hidden",
    "SavedStack",
    "StatementExpr",
    "assign",
    "binary",
    "call",
    "cast",
    "comma",
    "copy_tree",
    "declare_auto",
    "dereference",
    "first_of",
    "is_zero",
    "length_node",
    "name",
    "number",
    "size_of",
    "ternary",
    "type_name",
    "type_of",
    "unary",
]


def _children(**parts: Any) -> tuple[tuple[str, Any], ...]:
    """List the children of a node as pycparser does: by field, and by index where a field is a list."""
    found: list[tuple[str, Any]] = []
    for field, part in parts.items():
        if isinstance(part, list):
            found += [(f"{field}[{i}]", item) for i, item in enumerate(part)]
        elif part is not None:
            found.append((field, part))
    return tuple(found)


class OwnNode(c_ast.Node):  # type: ignore[misc]  # pycparser has no type information
    """A node that pycparser lacks; iterating over it gives its children, as over any of pycparser's."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return (child for _, child in self.children())


class Check(OwnNode):
    """A call of a check: `name(sj_f, site, args...)`; `sites` are the numbers of the places that it may report."""

    __slots__ = ("name", "sites", "args", "coord", "__weakref__")
    attr_names: ClassVar[tuple[str, ...]] = ("name", "sites")

    def __init__(self, name: str, sites: int | tuple[int, ...], args: Sequence[Any] = ()) -> None:
        self.name = name
        self.sites = sites if isinstance(sites, tuple) else (sites,)
        self.args = list(args)
        self.coord = None

    def children(self) -> tuple[tuple[str, Any], ...]:
        """Return the values that the check is given."""
        return _children(args=self.args)


class StatementExpr(OwnNode):
    """GNU's `({ item; item; value; })`: declarations and expressions, of which the last is the value."""

    __slots__ = ("items", "coord", "__weakref__")
    attr_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = list(items)
        self.coord = None

    def children(self) -> tuple[tuple[str, Any], ...]:
        """Return the items in the order in which they are evaluated."""
        return _children(items=self.items)


class Hidden(OwnNode):
    """A variable or parameter that the candidate does not know: of a named type, of `typeof`, or a pointer to one."""

    __slots__ = ("name", "type", "init", "is_pointer", "is_const", "coord", "__weakref__")
    attr_names: ClassVar[tuple[str, ...]] = ("name", "is_pointer", "is_const")

    def __init__(
        self, type: Any, name: str, init: Any = None, *, is_pointer: bool = False, is_const: bool = False
    ) -> None:
        self.type = type
        self.name = name
        self.init = init
        self.is_pointer = is_pointer
        self.is_const = is_const
        self.coord = None

    def children(self) -> tuple[tuple[str, Any], ...]:
        """Return the type, and the initial value where there is one."""
        return _children(type=self.type, init=self.init)


class HeldLength(c_ast.ID):  # type: ignore[misc]  # pycparser has no type information
    """The name of the hidden constant that holds a length of an array."""

    __slots__ = ("length",)

    def __init__(self, length: Length, coord: Any = None) -> None:
        super().__init__(length.holder, coord)
        self.length = length


class SavedStack(OwnNode):
    """A variable that remembers how much of the stack is used, and sets it back where its block ends."""

    __slots__ = ("name", "coord", "__weakref__")
    attr_names: ClassVar[tuple[str, ...]] = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name
        self.coord = None

    def children(self) -> tuple[tuple[str, Any], ...]:
        """Return nothing: no part of the candidate is inside."""
        return ()


# -- builders ---------------------------------------------------------------------------------------------------------

name: Final[Callable[[str], Any]] = c_ast.ID
unary: Final[Callable[[str, Any], Any]] = c_ast.UnaryOp
binary: Final[Callable[[str, Any, Any], Any]] = c_ast.BinaryOp
ternary: Final[Callable[[Any, Any, Any], Any]] = c_ast.TernaryOp
cast: Final[Callable[[Any, Any], Any]] = c_ast.Cast


def type_name(*words: str) -> Any:
    """Make a type of one word or several."""
    return c_ast.IdentifierType(list(words))


def _pointer_to(quals: Sequence[str], *words: str) -> Any:
    inner = c_ast.TypeDecl(None, list(quals), None, type_name(*words))
    return c_ast.Typename(None, [], None, c_ast.PtrDecl([], inner))


def number(value: int) -> Any:
    """Make an integer literal; `value` is not negative."""
    return c_ast.Constant("int", str(value))


INT64: Final = type_name("int64_t")
UINT64: Final = type_name("uint64_t")
INTPTR: Final = type_name("intptr_t")
SIZE_T: Final = type_name("size_t")
BOOL_TYPE: Final = type_name("bool")
VOID_TYPE: Final = type_name("void")
_AUTO: Final = type_name("__auto_type")
VOID_POINTER: Final = _pointer_to((), "void")
BYTES: Final = _pointer_to(("const", "volatile"), "unsigned", "char")
ZERO: Final = number(0)
ONE: Final = number(1)
#: The frame of the call: the first parameter of every instrumented function, and the first argument of every check.
FRAME: Final = name("sj_f")
FRAME_PARAMETER: Final = Hidden(c_ast.Struct("sj_frame", None), "sj_f", is_pointer=True)


def is_zero(node: Any) -> bool:
    """Whether an expression is the literal `0`."""
    return isinstance(node, c_ast.Constant) and node.value == "0"


def assign(target: Any, value: Any, operator: str = "=") -> Any:
    """Make `target = value`, or another assignment."""
    return c_ast.Assignment(operator, target, value)


def comma(*parts: Any) -> Any:
    """Join expressions that are evaluated one after the other; the last is the value."""
    return c_ast.ExprList(list(parts))


def call(function: str, *args: Any) -> Any:
    """Make a call of a function that is no check."""
    return c_ast.FuncCall(name(function), c_ast.ExprList(list(args)))


def dereference(pointer: Any) -> Any:
    """Make `*pointer`."""
    return unary("*", pointer)


def first_of(array: Any) -> Any:
    """Make `array[0]`."""
    return c_ast.ArrayRef(array, ZERO)


def size_of(node: Any) -> Any:
    """Make `sizeof(node)`, of an expression or a type name."""
    return unary("sizeof", node)


def type_of(node: Any) -> Any:
    """Make `__typeof__(node)`."""
    return c_ast.TypeOf("__typeof__", node)


def declare_auto(variable: str, value: Any) -> Any:
    """Make `__auto_type variable = value`."""
    return Hidden(_AUTO, variable, value)


def length_node(length: Length) -> Any:
    """Make the expression of a length that is a number, or held by a hidden constant."""
    if length.number is None:
        return name(length.holder)
    made = c_ast.Constant("int", str(length.number))
    return cast(INT64, made) if length.is_passed else made


# -- copies -----------------------------------------------------------------------------------------------------------

_SLOTS: Final[dict[type, tuple[str, ...]]] = {}


def copy_tree(tree: Any) -> Any:
    """Copy a tree, so that it may be changed; parts that the tree shares (a struct of two variables) stay shared."""
    return _copy(tree, {})


def _copy(node: Any, known: dict[int, Any]) -> Any:
    made = known.get(id(node))
    if made is not None:
        return made
    cls = type(node)
    slots = _SLOTS.get(cls)
    if slots is None:
        named = {slot for base in cls.__mro__ for slot in getattr(base, "__slots__", ())}
        slots = _SLOTS[cls] = tuple(named - {"__weakref__"})
    made = known[id(node)] = object.__new__(cls)
    for slot in slots:
        part = getattr(node, slot)
        if isinstance(part, c_ast.Node):
            part = _copy(part, known)
        elif type(part) is list:
            part = part.copy()
            for i, item in enumerate(part):
                if isinstance(item, c_ast.Node):
                    part[i] = _copy(item, known)
        setattr(made, slot, part)
    return made
