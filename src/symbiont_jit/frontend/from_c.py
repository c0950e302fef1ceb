"""A C function -> the signature that it declares.

In: C text and, if need be, a function's name. Out: a `Signature`; `CandidateError` where the text cannot be read,
`SignatureError` where the function has a prototype that no kernel can have, with what to write instead. The text is
not checked here: compiling it for the signature does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.constants import literal_value
from symbiont_jit.c.scopes import read_declared_types
from symbiont_jit.c.tree import TOO_DEEP, find_function, walk
from symbiont_jit.c.types import StructOf
from symbiont_jit.errors import CandidateError, Diagnostic, SignatureError, Stage, UsageError
from symbiont_jit.frontend.prototype import VARIADIC, is_void, print_short
from symbiont_jit.frontend.read import Preprocess, SourceText, read_text
from symbiont_jit.frontend.structs import fields_of
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
    require_depth,
    require_dimensions,
    require_distinct_names,
    require_dtype,
    require_free_name,
    require_length,
    require_name,
    require_size,
)

__all__ = ["read_signature"]

_BY_C_NAME = {s.c: s for s in SCALARS.values()}


def read_signature(source: str | bytes | None, name: str | None, preprocess: Preprocess) -> Signature:
    """Read the signature of a function from a text: of the named one, or of the only one that is not static."""
    if not isinstance(source, str | bytes):
        raise UsageError(
            f"from_c takes C text (str or bytes) or a pathlib.Path, not {type(source).__name__}: {source!r:.60}"
        )
    text = read_text(source, preprocess)
    tree = _parse(text)
    if text.diagnostics or isinstance(tree, Diagnostic):
        _require_no_path(text.original)
    if text.diagnostics:
        raise CandidateError(text.diagnostics[0].stage, text.diagnostics, text.original)
    if isinstance(tree, Diagnostic):
        _require_body(_parse(SourceText(text.original, f"{text.code};")))
        raise CandidateError(Stage.PARSE, [tree], text.original)
    return _SignatureReader(tree).signature(_definition(tree, name))


def _parse(text: SourceText) -> c_ast.FileAST | Diagnostic:
    """Parse a text; `complex` is what <complex.h> makes of it if the text is C no other way."""
    try:
        tree = text.parse(with_complex=text.includes_complex)
        if isinstance(tree, Diagnostic) and not text.includes_complex:
            other = text.parse(with_complex=True)
            tree = tree if isinstance(other, Diagnostic) else other
    except RecursionError:
        return TOO_DEEP
    return tree


def _require_no_path(text: str) -> None:
    """Raise `UsageError` for a text that is no C, but may be the name of a file."""
    is_word = "{" not in text and not any(c.isspace() for c in text)
    if is_word and ("/" in text or text.endswith((".c", ".h", ".txt"))):
        raise UsageError(f"{text!r:.200} is no C text; if it is the name of a file, pass pathlib.Path(...)")


def _require_body(tree: c_ast.FileAST | Diagnostic) -> None:
    """Raise `SignatureError` for a text of prototypes or of nothing."""
    if isinstance(tree, Diagnostic) or any(isinstance(n, c_ast.FuncDef) for n in tree.ext):
        return
    for node in tree.ext:
        if isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl):
            raise SignatureError(
                f"the text has only the prototype of {node.name!r}, which is to become revision 0; "
                f"give it a body: '{print_short(node)} {{ ... }}'"
            )
    raise SignatureError("there is no function in the text; write one with its body: 'double f(double x) { ... }'")


def _definition(tree: c_ast.FileAST, name: str | None) -> Any:
    _require_body(tree)
    functions = [n for n in tree.ext if isinstance(n, c_ast.FuncDef)]
    names = ", ".join(n.decl.name for n in functions)
    if name is not None:
        found = find_function(tree, name)
        if found is None:
            raise SignatureError(f"there is no function {name!r} in the text; it defines: {names}")
        return found
    public = functions if len(functions) == 1 else [n for n in functions if "static" not in n.decl.storage]
    if len(public) != 1:
        raise SignatureError(f"which function is meant? Give name=..., or make the others static; there are: {names}")
    return public[0]


class _SignatureReader:
    """Reads signatures out of one text: the types that it declares, and the structs that become records."""

    def __init__(self, tree: c_ast.FileAST) -> None:
        self.types = read_declared_types(tree)
        self.structs = {n.name: n for n in walk(tree) if isinstance(n, c_ast.Struct) and n.decls and n.name}
        self.total = len(self.structs)

    def signature(self, definition: Any) -> Signature:
        name = definition.decl.name
        require_free_name(name)
        declared = definition.decl.type
        if not isinstance(declared, c_ast.FuncDecl) or definition.param_decls:
            raise SignatureError(f"{name}: write the parameters with their types inside the parentheses")
        nodes = [p for p in (declared.args.params if declared.args else ()) if not is_void(p)]
        if any(isinstance(node, c_ast.EllipsisParam) for node in nodes):
            raise SignatureError(f"{name}: it ends in '...'; {VARIADIC}")
        lengths = list(dict.fromkeys(d for node in nodes for d in _lengths(node)))
        self._require_leading(nodes, lengths, name)
        others = nodes[len(lengths) :]
        has_count = any(self._is_integer(getattr(node, "type", None)) for node in others)
        params = tuple(self._param(node, name, has_count=has_count) for node in others)
        signature = Signature(name, params, self._returns(declared.type, name))
        require_distinct_names(signature)
        return signature

    def _require_leading(self, nodes: Sequence[Any], lengths: Sequence[str], function: str) -> None:
        """Raise `SignatureError` unless the first parameters are the lengths that arrays name."""
        names = [getattr(node, "name", None) for node in nodes]
        foreign = next((d for d in lengths if d not in names), None)
        if foreign is not None:
            raise SignatureError(
                f"{function}: the length {foreign!r} is no parameter; a length is a literal, as in x[3], "
                f"or a parameter 'int64_t {foreign}' at the beginning"
            )
        if names[: len(lengths)] != lengths:
            wanted = ", ".join(f"int64_t {d}" for d in lengths)
            raise SignatureError(
                f"{function}: the lengths of arrays come first, in the order in which the arrays name them: "
                f"({wanted}, ...)"
            )
        for node in nodes[: len(lengths)]:
            if self.types.spelling(node.type) != "int64_t":
                raise SignatureError(f"{function}: the length {node.name!r} is an int64_t, not '{print_short(node)}'")

    def _is_integer(self, node: Any) -> bool:
        """Whether a parameter is an integer by value, which may be meant as a length."""
        scalar = _BY_C_NAME.get(self.types.spelling(node) or "")
        return scalar is not None and scalar.kind in "iu"

    def _returns(self, node: Any, name: str) -> Scalar | None:
        text = self.types.spelling(node)
        if text == "void":
            return None
        if text not in _BY_C_NAME:
            raise SignatureError(f"{name}: it returns '{print_short(node)}'; a kernel returns a scalar or void")
        return _BY_C_NAME[text]

    def _param(self, node: Any, function: str, *, has_count: bool) -> Param:
        where = f"{function}: parameter '{print_short(node)}'"
        if getattr(node, "name", None) is None:
            raise SignatureError(f"{where} has no name")
        require_name(node.name, where)
        inner, dims = node.type, []
        while isinstance(inner, c_ast.ArrayDecl):
            dims.append(_dimension(inner.dim, where))
            inner = inner.type
        require_dimensions(len(dims) or 1, where)
        if isinstance(inner, c_ast.PtrDecl):
            inner = inner.type
            is_record = isinstance(self._element(inner, where), Record)
            # A pointer to one value is the C form of `InOut[T]`.
            is_one = is_record or not (has_count or self.types.is_const(inner))
            if dims or not is_one:
                raise SignatureError(
                    f"{where}: a pointer does not say how many values there are; write {_advice(node)}"
                )
        elif not dims:
            element = self._element(inner, where)
            if isinstance(element, Record):
                raise SignatureError(f"{where}: a record goes by pointer; write 'const {element.c} *{node.name}'")
            return Param(node.name, element)
        mode = Mode.IN if self.types.is_const(inner) else Mode.INOUT
        array = ArrayType(self._element(inner, where), tuple(dims))
        require_size(array, where)
        return Param(node.name, array, mode)

    def _element(self, node: Any, where: str) -> Element:
        text = self.types.spelling(node)
        if text in _BY_C_NAME:
            return _BY_C_NAME[text]
        if text is not None and text.startswith("struct ") and text[7:] in self.structs:
            return self._record(text[7:], where)
        typ = self.types.read(node)
        if isinstance(typ, StructOf) and typ.name == "struct":
            raise SignatureError(
                f"{where}: its struct has no name; give the struct a tag, as in 'struct Tag {{ ... }}'"
            )
        raise SignatureError(f"{where}: this type has no form in NumPy; use a scalar, an array, or a struct of those")

    def _record(self, name: str, where: str) -> Record:
        node = self.structs.pop(name)  # A struct that contains itself is not found a second time.
        require_depth(self.total - len(self.structs), where)
        fields = fields_of(node, self.types)
        if not fields or any(d < 1 for _, _, dims in fields for d in dims):
            raise SignatureError(f"{where}: a field of struct {name} is no scalar, struct, or array of literal lengths")
        made = Record(name, tuple(Field(n, self._find_element(t, where), d) for n, t, d in fields))
        self.structs[name] = node
        require_dtype(made, where)
        return made

    def _find_element(self, text: str, where: str) -> Element:
        if text in _BY_C_NAME:
            return _BY_C_NAME[text]
        if text.startswith("struct ") and text[7:] in self.structs:
            return self._record(text[7:], where)
        raise SignatureError(f"{where}: '{text}' has no form in NumPy")


def _advice(node: Any) -> str:
    base = print_short(node).partition("*")[0].strip()
    return f"'{base} {node.name}[n]' for an array of int64_t n, '{base} {node.name}[1]' for one value"


def _lengths(node: Any) -> list[str]:
    """Return the names of a parameter's dimensions."""
    names, inner = [], getattr(node, "type", None)
    while isinstance(inner, c_ast.ArrayDecl):
        if isinstance(inner.dim, c_ast.ID) and inner.dim.name != "*":
            names.append(inner.dim.name)
        inner = inner.type
    return names


def _dimension(node: Any, where: str) -> str | int:
    if isinstance(node, c_ast.ID) and node.name != "*":
        require_name(node.name, f"{where}, length")
        return str(node.name)
    length = literal_value(node)
    if length is not None:
        require_length(length, where)
        return length
    raise SignatureError(f"{where}: a length is a parameter's name or a literal, as in x[n] or x[3]")
