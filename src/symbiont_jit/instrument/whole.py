"""Objects in which every bit is somebody's: padding is zero, and stays what it was wherever a value goes.

In: declarations, literals and parameters of structs, unions and long doubles. Out: C in which such an object is zeroed
in all its bytes before it is set, and travels as memory. C would hand over the fields alone, in registers; LLVM takes
whatever then lies in the padding for any bits it likes, and deletes the code that depends on them.
"""

from __future__ import annotations

from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.contents import is_wide
from symbiont_jit.c.types import ArrayOf, CType, StructOf
from symbiont_jit.instrument.nodes import (
    VOID_TYPE,
    ZERO,
    Hidden,
    assign,
    call,
    cast,
    copy_tree,
    declare_auto,
    dereference,
    name,
    size_of,
    type_name,
    type_of,
    unary,
)

__all__ = [
    "RESULT",
    "clear",
    "declare_cleared",
    "declare_literal",
    "give_result",
    "is_padded",
    "pass_renamed",
    "result_type",
    "return_through",
    "take_parameter",
    "without_const",
]

#: The name of the parameter through which a function returns a struct.
RESULT: Final = "sj_result"


def is_padded(typ: CType) -> bool:
    """Whether objects of a type may have bytes that no value of theirs sets."""
    return is_padded(typ.of) if isinstance(typ, ArrayOf) else isinstance(typ, StructOf) or is_wide(typ)


def clear(place: Any) -> Any:
    """Set all bytes of an object to zero."""
    return call("__builtin_memset", unary("&", place), ZERO, size_of(place))


# -- objects ----------------------------------------------------------------------------------------------------------


def without_const(node: Any) -> Any:
    """Drop a variable's own `const`, which may be in a type's name, because it is set after its declaration."""
    if isinstance(node.type, c_ast.PtrDecl):
        node.type.quals = [q for q in node.type.quals if q != "const"]
        return node
    return Hidden(type_of(cast(type_name(*node.type.type.names), ZERO)), node.name, ZERO)


def declare_cleared(node: Any) -> list[Any]:
    """Declare a long double that is zeroed in all its bytes before it gets its initial value.

    The compiler zeroes structs and arrays itself (`-ftrivial-auto-var-init`), but of a long double the value alone.
    """
    init, node.init = node.init, None
    place = name(node.name)
    made = [node if init is None else without_const(node), clear(place)]
    return made if init is None else [*made, assign(place, init)]


def declare_literal(literal: c_ast.CompoundLiteral, variable: str, typ: CType) -> list[Any]:
    """Declare a variable in place of a compound literal, of which the compiler would set the fields alone."""
    declarator = copy_tree(literal.type.type)
    _innermost(declarator).declname = variable
    init = literal.init
    if is_wide(typ):
        init = init.exprs[0] if init.exprs else ZERO
    node = c_ast.Decl(variable, [], [], [], [], declarator, init, None)
    return declare_cleared(node) if is_wide(typ) else [node]


def _innermost(declarator: Any) -> Any:
    while not isinstance(declarator, c_ast.TypeDecl):
        declarator = declarator.type
    return declarator


# -- parameters and results -------------------------------------------------------------------------------------------


def pass_renamed(param: Any, typ: CType) -> Any:
    """Rename a parameter, whose name the function's own copy gets; a struct is passed by its address."""
    renamed = f"sj_v_{param.name}" if getattr(param, "name", None) else None
    inner = _innermost(param.type)
    inner.declname = renamed
    if isinstance(param, c_ast.Decl):
        param.name = renamed
    if isinstance(typ, StructOf):
        inner.quals = [*(q for q in inner.quals if q != "const"), "const"]
        param.type = c_ast.PtrDecl([], param.type)
    return param


def take_parameter(param: Any, typ: CType) -> list[Any]:
    """Declare a function's own copy of a parameter that is passed under another name."""
    passed = name(f"sj_v_{param.name}")
    own = copy_tree(param)
    own.init = dereference(passed) if isinstance(typ, StructOf) else passed
    return declare_cleared(own) if is_wide(typ) else [own]


def result_type(function: str) -> str:
    """Return the name of the type of a struct that a function of the text returns."""
    return f"sj_type_{function}"


def give_result(value: Any) -> list[Any]:
    """Hand a struct over as memory: one with a const member cannot be assigned."""
    kept = declare_auto("sj_r", value)
    copied = call("__builtin_memcpy", name(RESULT), unary("&", name("sj_r")), size_of(name("sj_r")))
    return [c_ast.Compound([kept, copied])]


def return_through(decl: Any, function: str) -> tuple[Any, Any]:
    """Let a function return nothing instead of a struct; return the type's definition and the parameter for it."""
    returned = decl.type.type
    defined = c_ast.Typedef(
        result_type(function), [], ["typedef"], c_ast.TypeDecl(result_type(function), [], None, returned.type), None
    )
    decl.type.type = c_ast.TypeDecl(returned.declname, [], None, VOID_TYPE)
    return defined, Hidden(type_name(result_type(function)), RESULT, is_pointer=True)
