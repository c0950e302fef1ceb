"""Whether the candidate's function has the declared signature.

In: a tree and a `Signature`. Out: diagnostics that say what is there and what was wanted. Free: parameter names,
`restrict`, `const` on the parameter itself, `x[]`, `x[n]` or `*x` in one dimension. Fixed: the function's name, the
order and types of parameters, the `const` of what a pointer points to, and inner dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import function_named, position, print_tree, resolve_element, resolve_scalar
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.signature import SCALARS, ArrayType, Element, Mode, Param, Record, Scalar, Signature

__all__ = ["VARIADIC", "check_agreement", "is_const", "is_void", "printed", "typedefs_of"]

VARIADIC: Final = "variadic functions have no form here, declare every parameter"


def check_agreement(tree: c_ast.FileAST, signature: Signature) -> list[Diagnostic]:
    """What is different between the candidate's function and the declared one."""
    definition = function_named(tree, signature.name)
    if definition is None:
        others = [n.decl.name for n in tree.ext if isinstance(n, c_ast.FuncDef)]
        found = f"; the text defines {', '.join(others[:5])}" if others else ""
        return [_finding(None, f"there is no function '{signature.name}'{found}; wanted: {signature.c_prototype}")]
    typedefs = typedefs_of(tree)
    declared = definition.decl.type
    if not isinstance(declared, c_ast.FuncDecl):
        return [_finding(definition, f"'{signature.name}' has no plain parameter list; {_wanted(signature)}")]
    return [*_check_return(declared.type, signature, typedefs), *_check_params(definition, signature, typedefs)]


def typedefs_of(tree: c_ast.FileAST) -> dict[str, Any]:
    """The types of a file's typedefs, by name."""
    return {n.name: n.type for n in tree.ext if isinstance(n, c_ast.Typedef)}


def _finding(node: Any, message: str) -> Diagnostic:
    return Diagnostic(Stage.CHECK, "signature", message, *position(node))


def _wanted(signature: Signature) -> str:
    return f"wanted: {signature.c_prototype}"


def _check_return(node: Any, signature: Signature, typedefs: Mapping[str, Any]) -> list[Diagnostic]:
    wanted = signature.returns.c if signature.returns else "void"
    if resolve_element(node, typedefs) == _exact(wanted):
        return []
    return [_finding(node, f"'{signature.name}' returns '{printed(node)}', not '{wanted}'; {_wanted(signature)}")]


def _check_params(definition: Any, signature: Signature, typedefs: Mapping[str, Any]) -> list[Diagnostic]:
    args = definition.decl.type.args
    given = [p for p in (args.params if args else ()) if not is_void(p)]
    if any(isinstance(p, c_ast.EllipsisParam) for p in given):
        return [_finding(definition.decl, f"'{signature.name}' ends in '...'; {VARIADIC}; {_wanted(signature)}")]
    expected = [Param(d, SCALARS["int64"]) for d in signature.dimensions] + list(signature.params)
    if len(given) != len(expected):
        counts = f"has {len(given)} parameters, not {len(expected)} (dimensions come first, as int64_t)"
        return [_finding(definition.decl, f"'{signature.name}' {counts}; {_wanted(signature)}")]
    # What the candidate calls each dimension: inner dimensions are compared under its own names.
    own = {d: p.name for d, p in zip(signature.dimensions, given, strict=False)}
    findings = []
    for number, (node, param) in enumerate(zip(given, expected, strict=True), 1):
        problem = _param_problem(node, param, own, typedefs, signature.records)
        if problem is not None:
            text = f"parameter {number} is '{printed(node)}', not '{param.c_declaration}'{problem}"
            findings.append(_finding(node, f"{text}; {_wanted(signature)}"))
    return findings


def is_void(node: Any) -> bool:
    """Whether a parameter is the `void` of an empty list."""
    return isinstance(node, c_ast.Typename) and printed(node) == "void"


def _param_problem(
    node: Any,
    param: Param,
    own: Mapping[str, str | None],
    typedefs: Mapping[str, Any],
    records: Sequence[Record],
) -> str | None:
    """None where the parameter agrees; otherwise what to add to "X, not Y" (often nothing)."""
    type_node = getattr(node, "type", None)
    if (isinstance(node, c_ast.Decl) and node.name is None) or isinstance(node, c_ast.Typename):
        return " (it has no name)"
    if isinstance(param.type, Scalar):
        return None if resolve_element(type_node, typedefs) == _exact(param.type.c) else ""
    return _array_problem(type_node, param.type, param.mode, own, typedefs, records)


def _array_problem(
    node: Any,
    array: ArrayType,
    mode: Mode,
    own: Mapping[str, str | None],
    typedefs: Mapping[str, Any],
    records: Sequence[Record],
) -> str | None:
    outer, const = _expanded(node, typedefs)
    if not isinstance(outer, c_ast.ArrayDecl | c_ast.PtrDecl):
        return ""
    if "static" in getattr(outer, "dim_quals", ()):
        return " ('static' promises a length that nobody checks)"
    node, is_const_too = _expanded(outer.type, typedefs)
    const |= is_const_too
    for dim in array.dims[1:]:
        if not isinstance(node, c_ast.ArrayDecl) or not _same_dimension(node.dim, dim, own):
            return f" ({_inner_problem(node, dim, own)})"
        node, is_const_too = _expanded(node.type, typedefs)
        const |= is_const_too
    if resolve_element(node, typedefs) not in _names_of(array.dtype, records):
        return ""
    if (const or is_const(node, typedefs)) != (mode is Mode.IN):
        return " ('const' differs)"
    return None


def _inner_problem(node: Any, dim: str | int, own: Mapping[str, str | None]) -> str:
    """What is wrong with an inner dimension; another parameter's name may look like the one that was wanted."""
    given = node.dim.name if isinstance(node, c_ast.ArrayDecl) and isinstance(node.dim, c_ast.ID) else None
    numbers = {name: number for number, name in enumerate(own.values(), 1)}
    if given in numbers and isinstance(dim, str):
        return f"its inner dimension is parameter {numbers[given]}, not parameter {numbers[own[dim]]}"
    return f"inner dimension {dim}"


def _expanded(node: Any, typedefs: Mapping[str, Any]) -> tuple[Any, bool]:
    """The node with a typedef of an array or pointer replaced by what it stands for, and whether elements are const.

    `const` on an array's typedef is `const` on its elements (C11 6.7.3); on a pointer's it is the parameter's own.
    """
    expanded, const, seen = node, False, set[str]()
    while isinstance(expanded, c_ast.TypeDecl) and isinstance(expanded.type, c_ast.IdentifierType):
        names: Sequence[str] = expanded.type.names
        if len(names) != 1 or names[0] not in typedefs or names[0] in seen:
            return node, False
        seen.add(names[0])
        const |= "const" in expanded.quals
        expanded = typedefs[names[0]]
    if isinstance(expanded, c_ast.TypeDecl):
        return node, False
    return expanded, const and isinstance(expanded, c_ast.ArrayDecl)


def is_const(node: Any, typedefs: Mapping[str, Any]) -> bool:
    """Whether a declarator says `const`, itself or through its typedef."""
    if "const" in getattr(node, "quals", ()):
        return True
    names = node.type.names if isinstance(getattr(node, "type", None), c_ast.IdentifierType) else []
    return len(names) == 1 and names[0] in typedefs and is_const(typedefs[names[0]], typedefs)


def _same_dimension(node: Any, dim: str | int, own: Mapping[str, str | None]) -> bool:
    if isinstance(dim, int):
        return isinstance(node, c_ast.Constant) and node.value.rstrip("uUlL") == str(dim)
    return isinstance(node, c_ast.ID) and node.name == own[dim]


def _names_of(element: Element, records: Sequence[Record]) -> set[str | None]:
    """What an element may be called: a record has the names of all declared records with its layout."""
    if isinstance(element, Scalar):
        return {_exact(element.c)}
    return {r.c for r in records if r.layout == element.layout}


def _exact(c_type: str) -> str | None:
    return resolve_scalar(c_type.split(), {})


def printed(node: Any) -> str:
    """A node on one line for a message, at most 80 characters; nothing for no node."""
    return " ".join(print_tree(node).split())[:80] if node is not None else ""
