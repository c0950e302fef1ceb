"""Whether the candidate's function has the declared signature.

In: a tree and a `Signature`. Out: diagnostics that say what is there and what was wanted. Free: parameter names,
`restrict`, `const` on the parameter itself, `x[]`, `x[n]` or `*x` in one dimension. Fixed: the function's name, the
order and types of parameters, the `const` of what a pointer points to, and inner dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.scopes import DeclaredTypes
from symbiont_jit.c.tree import find_function, position, print_tree
from symbiont_jit.c.types import ArrayOf, CType, Length, PointerTo, spelling_of
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.signature import SCALARS, ArrayType, Element, Mode, Param, Record, Scalar, Signature

__all__ = ["VARIADIC", "check_agreement", "is_void", "print_short"]

VARIADIC: Final = "variadic functions have no form here, declare every parameter"


def check_agreement(tree: c_ast.FileAST, signature: Signature, types: DeclaredTypes) -> list[Diagnostic]:
    """Compare the candidate's function with the declared one, and report every difference.

    `types` are the types that the file declares.
    """
    definition = find_function(tree, signature.name)
    if definition is None:
        others = [n for n in tree.ext if isinstance(n, c_ast.FuncDef)]
        found = f"; the text defines {', '.join(n.decl.name for n in others[:5])}" if others else ""
        message = f"there is no function '{signature.name}'{found}; wanted: {signature.c_prototype}"
        return [_finding(next(iter([*others, *tree.ext]), None), message)]
    declared = definition.decl.type
    if not isinstance(declared, c_ast.FuncDecl):
        return [_finding(definition, f"'{signature.name}' has no plain parameter list; {_describe(signature)}")]
    return [*_check_return(declared.type, signature, types), *_check_params(definition, signature, types)]


def _finding(node: Any, message: str) -> Diagnostic:
    return Diagnostic(Stage.CHECK, "signature", message, *position(node))


def _describe(signature: Signature) -> str:
    return f"wanted: {signature.c_prototype}"


def _check_return(node: Any, signature: Signature, types: DeclaredTypes) -> list[Diagnostic]:
    wanted = signature.returns.c if signature.returns else "void"
    if types.spelling(node) == wanted:
        return []
    given = print_short(node)
    return [_finding(node, f"'{signature.name}' returns '{given}', not '{wanted}'; {_describe(signature)}")]


def _check_params(definition: Any, signature: Signature, types: DeclaredTypes) -> list[Diagnostic]:
    args = definition.decl.type.args
    given = [p for p in (args.params if args else ()) if not is_void(p)]
    if any(isinstance(p, c_ast.EllipsisParam) for p in given):
        return [_finding(definition.decl, f"'{signature.name}' ends in '...'; {VARIADIC}; {_describe(signature)}")]
    expected = [Param(d, SCALARS["int64"]) for d in signature.dimensions] + list(signature.params)
    if len(given) != len(expected):
        counts = f"has {len(given)} parameters, not {len(expected)} (dimensions come first, as int64_t)"
        return [_finding(definition.decl, f"'{signature.name}' {counts}; {_describe(signature)}")]
    # Inner dimensions are compared under the candidate's own names, which this table has by the declared ones.
    own = {d: p.name for d, p in zip(signature.dimensions, given, strict=False)}
    findings = []
    for number, (node, param) in enumerate(zip(given, expected, strict=True), 1):
        problem = _param_problem(node, param, own, types, signature.records)
        if problem is not None:
            text = f"parameter {number} is '{print_short(node)}', not '{param.c_declaration}'{problem}"
            findings.append(_finding(node, f"{text}; {_describe(signature)}"))
    return findings


def is_void(node: Any) -> bool:
    """Whether a parameter is the `void` of an empty list."""
    return isinstance(node, c_ast.Typename) and print_short(node) == "void"


def _param_problem(
    node: Any, param: Param, own: Mapping[str, str | None], types: DeclaredTypes, records: Sequence[Record]
) -> str | None:
    """Compare one parameter: None if it agrees, else what to add to the message "X, not Y" (often nothing)."""
    type_node = getattr(node, "type", None)
    if (isinstance(node, c_ast.Decl) and node.name is None) or isinstance(node, c_ast.Typename):
        return " (it has no name)"
    if isinstance(param.type, Scalar):
        return None if types.spelling(type_node) == param.type.c else ""
    if "static" in (getattr(type_node, "dim_quals", None) or ()):
        return " ('static' promises a length that nobody checks)"
    return _array_problem(types.read(type_node), param.type, param.mode, own, records)


def _array_problem(
    given: CType, array: ArrayType, mode: Mode, own: Mapping[str, str | None], records: Sequence[Record]
) -> str | None:
    if not isinstance(given, ArrayOf | PointerTo):
        return ""
    element, is_const = given.of if isinstance(given, ArrayOf) else given.to, given.is_const
    for dim in array.dims[1:]:
        if not isinstance(element, ArrayOf) or not _is_dimension(element.length, dim, own):
            return f" ({_inner_problem(element, dim, own)})"
        is_const, element = element.is_const, element.of
    if spelling_of(element) not in _names_of(array.dtype, records):
        return ""
    return None if is_const == (mode is Mode.IN) else " ('const' differs)"


def _inner_problem(given: CType, dim: str | int, own: Mapping[str, str | None]) -> str:
    """Say what is wrong with an inner dimension; another parameter's name may look like the one that was wanted."""
    length = given.length.name if isinstance(given, ArrayOf) and given.length is not None else None
    numbers = {name: number for number, name in enumerate(own.values(), 1)}
    if length in numbers and isinstance(dim, str):
        return f"its inner dimension is parameter {numbers[length]}, not parameter {numbers[own[dim]]}"
    return f"inner dimension {dim}"


def _is_dimension(length: Length | None, dim: str | int, own: Mapping[str, str | None]) -> bool:
    """Whether a length as it is written is a declared one: the same number, or the candidate's name of it."""
    if length is None:
        return False
    return length.number == dim if isinstance(dim, int) else length.name == own[dim]


def _names_of(element: Element, records: Sequence[Record]) -> set[str]:
    """Return the C names that an element may have: for a record those of all declared records with its layout."""
    if isinstance(element, Scalar):
        return {element.c}
    return {r.c for r in records if r.layout == element.layout}


def print_short(node: Any) -> str:
    """Print a node on one line for a message, in at most 80 characters; nothing for no node."""
    return " ".join(print_tree(node).split())[:80] if node is not None else ""
