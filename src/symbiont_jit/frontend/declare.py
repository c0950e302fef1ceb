"""A C function -> the signature that it declares.

In: C text and, if need be, a function's name. Out: a `Signature`; `CandidateError` where the text cannot be read,
`SignatureError` where the function has a prototype that no kernel can have, with what to write instead. The text is
not checked here: compiling it for the signature does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pycparser import c_ast

from symbiont_jit.errors import CandidateError, Diagnostic, SignatureError, Stage, UsageError
from symbiont_jit.frontend.agree import is_const, is_void, printed, typedefs_of
from symbiont_jit.frontend.structs import fields_of
from symbiont_jit.frontend.text import Preprocess, read_text
from symbiont_jit.frontend.tree import TOO_DEEP, function_named, parse, resolve_element, walk
from symbiont_jit.signature import (
    SCALARS,
    ArrayType,
    Element,
    Field,
    Mode,
    Param,
    Record,
    Scalar,
    Signature,
    require_distinct_names,
    require_free_name,
    require_name,
)

__all__ = ["declared_in"]

_BY_C_NAME = {s.c: s for s in SCALARS.values()}


def declared_in(source: str | bytes, name: str | None, preprocess: Preprocess) -> Signature:
    """The signature of a function in a text: the one of that name, or the only one that is not static."""
    if not isinstance(source, str | bytes):
        raise UsageError(f"from_c takes C text (str or bytes), not {type(source).__name__}: {source!r:.60}")
    text = read_text(source, preprocess)
    if text.diagnostics:
        raise CandidateError(text.diagnostics[0].stage, text.diagnostics, text.original)
    try:
        tree = parse(text.spelled(text.includes_complex))
    except RecursionError:
        tree = TOO_DEEP
    if isinstance(tree, Diagnostic):
        raise CandidateError(Stage.PARSE, [tree], text.original)
    return _Reader(tree).signature(_definition(tree, name))


def _definition(tree: c_ast.FileAST, name: str | None) -> Any:
    functions = [n for n in tree.ext if isinstance(n, c_ast.FuncDef)]
    names = ", ".join(n.decl.name for n in functions) or "none"
    if name is not None:
        found = function_named(tree, name)
        if found is None:
            raise SignatureError(f"there is no function {name!r} in the text; it defines: {names}")
        return found
    public = functions if len(functions) == 1 else [n for n in functions if "static" not in n.decl.storage]
    if len(public) != 1:
        raise SignatureError(f"which function is meant? Give name=..., or make the others static; there are: {names}")
    return public[0]


class _Reader:
    """Types of one text."""

    def __init__(self, tree: c_ast.FileAST) -> None:
        self.typedefs: Mapping[str, Any] = typedefs_of(tree)
        self.structs = {n.name: n for n in walk(tree) if isinstance(n, c_ast.Struct) and n.decls and n.name}

    def signature(self, definition: Any) -> Signature:
        name = definition.decl.name
        require_free_name(name)
        declared = definition.decl.type
        if not isinstance(declared, c_ast.FuncDecl) or definition.param_decls:
            raise SignatureError(f"{name}: write the parameters with their types inside the parentheses")
        nodes = [p for p in (declared.args.params if declared.args else ()) if not is_void(p)]
        lengths = list(dict.fromkeys(d for node in nodes for d in _lengths(node)))
        given = [getattr(node, "name", None) for node in nodes[: len(lengths)]]
        if given != lengths:
            wanted = ", ".join(f"int64_t {d}" for d in lengths)
            raise SignatureError(
                f"{name}: the lengths of arrays come first, in the order in which the arrays name them: ({wanted}, ...)"
            )
        for node in nodes[: len(lengths)]:
            if resolve_element(node.type, self.typedefs) != "int64_t":
                raise SignatureError(f"{name}: the length {node.name!r} is an int64_t, not '{printed(node)}'")
        params = tuple(self._param(node, name) for node in nodes[len(lengths) :])
        signature = Signature(name, params, self._returns(declared.type, name))
        require_distinct_names(signature)
        return signature

    def _returns(self, node: Any, name: str) -> Scalar | None:
        text = resolve_element(node, self.typedefs)
        if text == "void":
            return None
        if text not in _BY_C_NAME:
            raise SignatureError(f"{name}: it returns '{printed(node)}'; a kernel returns a scalar or void")
        return _BY_C_NAME[text]

    def _param(self, node: Any, function: str) -> Param:
        where = f"{function}: parameter '{printed(node)}'"
        if getattr(node, "name", None) is None:
            raise SignatureError(f"{where} has no name")
        require_name(node.name, where)
        inner, dims = node.type, []
        while isinstance(inner, c_ast.ArrayDecl):
            dims.append(_dimension(inner.dim, where))
            inner = inner.type
        if isinstance(inner, c_ast.PtrDecl):
            inner = inner.type
            is_record = isinstance(self._element(inner, where), Record)
            if dims or not is_record:
                raise SignatureError(
                    f"{where}: a pointer does not say how many values there are; write {_advice(node)}"
                )
        elif not dims:
            element = self._element(inner, where)
            if isinstance(element, Record):
                raise SignatureError(f"{where}: a record goes by pointer; write 'const {element.c} *{node.name}'")
            return Param(node.name, element)
        mode = Mode.IN if is_const(inner, self.typedefs) else Mode.INOUT
        return Param(node.name, ArrayType(self._element(inner, where), tuple(dims)), mode)

    def _element(self, node: Any, where: str) -> Element:
        text = resolve_element(node, self.typedefs)
        if text in _BY_C_NAME:
            return _BY_C_NAME[text]
        if text is not None and text.startswith("struct ") and text[7:] in self.structs:
            return self._record(text[7:], where)
        raise SignatureError(f"{where}: this type has no form in NumPy; use a scalar, an array, or a struct of those")

    def _record(self, name: str, where: str) -> Record:
        node = self.structs.pop(name)  # a struct that contains itself is not found again
        written = fields_of(node, self.typedefs)
        self.structs[name] = node
        if not written or any(d < 1 for _, _, dims in written for d in dims):
            raise SignatureError(f"{where}: a field of struct {name} is no scalar, struct, or array of literal lengths")
        return Record(name, tuple(Field(n, self._named(t, where), d) for n, t, d in written))

    def _named(self, text: str, where: str) -> Element:
        if text in _BY_C_NAME:
            return _BY_C_NAME[text]
        if text.startswith("struct ") and text[7:] in self.structs:
            return self._record(text[7:], where)
        raise SignatureError(f"{where}: '{text}' has no form in NumPy")


def _advice(node: Any) -> str:
    base = printed(node).partition("*")[0].strip()
    return f"'{base} {node.name}[n]' for an array of int64_t n, '{base} {node.name}[1]' for one value"


def _lengths(node: Any) -> list[str]:
    """The names of a parameter's dimensions."""
    names, inner = [], getattr(node, "type", None)
    while isinstance(inner, c_ast.ArrayDecl):
        if isinstance(inner.dim, c_ast.ID):
            names.append(inner.dim.name)
        inner = inner.type
    return names


def _dimension(node: Any, where: str) -> str | int:
    if isinstance(node, c_ast.ID):
        require_name(node.name, f"{where}, length")
        return str(node.name)
    if isinstance(node, c_ast.Constant):
        try:
            return max(1, int(node.value.rstrip("uUlL"), 0))
        except ValueError:
            pass
    raise SignatureError(f"{where}: a length is a parameter's name or a literal, as in x[n] or x[3]")
