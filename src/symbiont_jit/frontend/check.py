"""Syntax tree -> every rule the candidate breaks, at once.

In: a tree and the signature it should implement. Out: diagnostics; empty means that the tree is C of the allowed
kind: functions, constant tables and types, calls only to its own functions and to the table. Non-goals: C's own
constraints (clang reports those) and run-time behaviour.

A node type is allowed or refused by name in one of the two tables below; a type that is in neither is refused, so
a newer parser cannot let anything new through.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.scopes import DeclaredTypes, is_redundant_typedef
from symbiont_jit.c.tree import first_position, walk
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.frontend.prototype import check_agreement
from symbiont_jit.frontend.read import is_allowed_pragma
from symbiont_jit.frontend.structs import struct_problems
from symbiont_jit.signature import Signature
from symbiont_jit.signature.elements import RESERVED_PREFIXES

__all__ = ["ALLOWED_NODES", "REFUSED_NODES", "RULES", "check_tree"]

ALLOWED_NODES: Final = frozenset(
    (
        "ArrayDecl ArrayDesignator ArrayRef Assignment BinaryOp Break Case Cast Compound CompoundLiteral "
        "Constant Continue Decl DeclList Default DoWhile EmptyStatement Enum Enumerator EnumeratorList "
        "ExprList FileAST For FuncCall FuncDecl FuncDef Goto ID IdentifierType If InitList Label "
        "NamedInitializer ParamList Pragma PtrDecl Return StaticAssert Struct StructRef Switch TernaryOp "
        "TypeDecl Typedef Typename UnaryOp Union While"
    ).split()
)

_NO_ATTRIBUTES: Final = ("attribute", "attributes are not allowed; remove this one")

REFUSED_NODES: Final[Mapping[str, tuple[str, str]]] = {
    "Alignas": ("alignment", "_Alignas is not allowed; NumPy arrays come as they are"),
    "Attribute": _NO_ATTRIBUTES,
    "AttributeDeclaration": _NO_ATTRIBUTES,
    "AttributeSpecifier": _NO_ATTRIBUTES,
    "AttributedStatement": _NO_ATTRIBUTES,
    "AttributedType": _NO_ATTRIBUTES,
    "BitIntType": ("type", "_BitInt is not allowed; use an integer of a fixed width"),
    "EllipsisParam": ("variadic", "functions with '...' are not allowed; declare every parameter"),
    "GenericAssociation": ("generic", "_Generic is not allowed; call the function you mean"),
    "GenericSelection": ("generic", "_Generic is not allowed; call the function you mean"),
    "InferredType": ("type", "write the type instead of 'auto'"),
    "TypeOf": ("type", "write the type instead of 'typeof'"),
}

#: Every rule a candidate can break here or in the reader, in plain words: for prompts and documentation.
RULES: Final[Mapping[str, str]] = {
    "alignment": "no _Alignas",
    "assembler": "no assembler in any form",
    "attribute": "no attributes in any spelling",
    "bracket": "every bracket is closed",
    "call": "call only your own functions and the functions in the table",
    "character": "plain ASCII outside comments",
    "directive": "only #define, #undef, #if and its family, #include of standard headers, #pragma",
    "extern": "no extern declarations; nothing outside the text is reachable",
    "function-pointer": "a function is called by its name; its address is never taken",
    "generic": "no _Generic",
    "include": "only standard headers; their lines are dropped",
    "length": "a length in a parameter is a name or a constant",
    "literal": "every quote is closed on its line",
    "mutable-static": "no variable outlives a call: file-scope and static variables are const",
    "pragma": "only pragmas in the table, each on a line of its own",
    "redefined": "library functions, standard types and constants keep their meaning",
    "reserved": f"names may not start with {', '.join(RESERVED_PREFIXES)} or an underscore and a capital",
    "statement-expression": "blocks are statements, never values",
    "signature": "name, order and types of the parameters are the declared ones",
    "struct": "a struct that is declared for you is left out or repeated exactly",
    "type": "C11 types; no 128-bit integers, atomics or thread-locals",
    "variadic": "no functions with '...'",
}

#: The fields in which pycparser's nodes hold statements.
_STATEMENT_PLACES: Final = frozenset({"body", "block_items", "iftrue", "iffalse", "stmt", "stmts", "ext"})

_COMPLEX_PARTS: Final = ({"float"}, {"double"}, {"long", "double"})
_BASIC_WORDS: Final = frozenset("void char short int long float double signed unsigned _Bool _Complex".split())
_RESERVED: Final = re.compile(rf"{'|'.join(RESERVED_PREFIXES)}|_[A-Z]")
# The prelude defines these names as macros, so clang would replace them wherever they stand.
_MACRO_NAMES: Final = (
    frozenset(vocabulary.CONSTANTS) | {f.name for f in vocabulary.FUNCTIONS.values() if f.macro} | {"typeof"}
)
# clang computes calls of these names, or makes them of others (`bcmp`), whatever a text defines them to be.
_LIBRARY_NAMES: Final = frozenset(vocabulary.FUNCTIONS) | {"roundeven", "roundevenf", "bcmp"}
MAX_FINDINGS: Final = 200
#: The most findings that say which name is near, and of how many functions of a text that is looked for.
MAX_HINTS: Final = 20
MAX_COMPARED: Final = 50


def check_tree(tree: c_ast.FileAST, signatures: Sequence[Signature], *, with_complex: bool = False) -> list[Diagnostic]:
    """Find everything in a tree that breaks a rule, in the order of the lines.

    `with_complex` says that `I` is the imaginary unit, as in C with <complex.h>; its uses become `_Complex_I`.
    """
    checker = _TreeChecker(tree, with_complex)
    checker.check_file(tree)
    records = list(dict.fromkeys(r for s in signatures for r in s.records))
    problems = [*checker.problems, *struct_problems(tree, records, checker.types)]
    for signature in signatures:
        problems += check_agreement(tree, signature, checker.types)
    return sorted(dict.fromkeys(problems), key=lambda d: (d.line, d.column))[:MAX_FINDINGS]


def _has_bare_names(function: Any) -> bool:
    """Whether a definition lists names of parameters without types, as before C89."""
    params = function.args.params if isinstance(function, c_ast.FuncDecl) and function.args else ()
    return any(isinstance(param, c_ast.ID) for param in params)


def _has_effect(node: Any) -> bool:
    """Whether an operation does, or may do, more than give a value."""
    is_step = isinstance(node, c_ast.UnaryOp) and node.op.strip("p") in ("++", "--")
    return is_step or isinstance(node, c_ast.Assignment | c_ast.FuncCall)


def _may_trap(node: Any, names: Collection[str | None]) -> bool:
    """Whether an expression reads memory or divides by one of these parameters; `sizeof` only looks at types."""
    match node:
        case c_ast.UnaryOp(op="sizeof"):
            return False
        case c_ast.ArrayRef() | c_ast.StructRef() | c_ast.UnaryOp(op="*"):
            return True
        case c_ast.BinaryOp(op="/" | "%", right=divisor) if any(
            isinstance(n, c_ast.ID) and n.name in names for n in walk(divisor)
        ):
            return True
    return any(_may_trap(child, names) for _, child in node.children())


class _TreeChecker:
    """One walk over the tree with the scopes of its names; `problems` grows as rules are broken."""

    def __init__(self, tree: c_ast.FileAST, with_complex: bool = False) -> None:
        self.problems: list[Diagnostic] = []
        self.with_complex = with_complex
        self.reported: set[tuple[str, int, int]] = set()
        self.functions = {n.decl.name for n in tree.ext if isinstance(n, c_ast.FuncDef)}
        self.types = DeclaredTypes()
        # Names by scope, innermost last: a call of a function whose name a variable hides is a call through a pointer.
        self.scopes: list[set[str]] = [set()]
        self.depth = 0

    def report(self, node: Any, rule: str, message: str) -> None:
        line, column = first_position(node)
        if (rule, line, column) not in self.reported or not line:
            self.problems.append(Diagnostic(Stage.CHECK, rule, message, line, column))
            self.reported.add((rule, line, column))

    # -- the file -----------------------------------------------------------------------------------------------

    def check_file(self, tree: c_ast.FileAST) -> None:
        defined: set[str] = set()
        for node in tree.ext:
            if isinstance(node, c_ast.FuncDef) and node.decl.name in defined:
                self.report(node, "redefined", f"'{node.decl.name}' is defined twice")
            if isinstance(node, c_ast.FuncDef):
                defined.add(node.decl.name)
            self.visit(node)

    def visit(self, node: Any) -> None:
        """Refuse a node by its type, or check it by the method of its type, or look at its children."""
        kind = type(node).__name__
        if kind in REFUSED_NODES:
            self.report(node, *REFUSED_NODES[kind])
        elif kind not in ALLOWED_NODES:
            self.report(node, "unknown", f"'{kind}' is not in the table of allowed constructs")
        else:
            self._check_attributes(node)
            self._check_blocks(node)
            getattr(self, f"_{kind}", self.visit_children)(node)

    def _check_attributes(self, node: Any) -> None:
        if getattr(node, "attributes", None):
            self.report(node, *_NO_ATTRIBUTES)
        quals = {c_ast.TypeDecl: "quals", c_ast.PtrDecl: "quals", c_ast.ArrayDecl: "dim_quals"}.get(type(node))
        if quals is not None and "_Atomic" in getattr(node, quals):
            self.report(node, "type", "_Atomic is not allowed; a kernel's arrays belong to one call")
        if getattr(node, "align", None):
            self.report(node, *REFUSED_NODES["Alignas"])

    def _check_blocks(self, node: Any) -> None:
        """Refuse a block in an expression, which pycparser reads as GNU's `({ ... })`."""
        places = () if isinstance(node, c_ast.TernaryOp) else _STATEMENT_PLACES
        for place, child in node.children():
            if isinstance(child, c_ast.Compound) and place.partition("[")[0] not in places:
                self.report(child, "statement-expression", "a block is no expression; write a helper function")

    def visit_children(self, node: Any) -> None:
        for _, child in node.children():
            self.visit(child)

    def visit_in_scope(self, children: Iterable[Any]) -> None:
        self.scopes.append(set())
        self.types.open()
        for child in children:
            if child is not None:
                self.visit(child)
        self.types.close()
        self.scopes.pop()

    # -- declarations -------------------------------------------------------------------------------------------

    def _FuncDef(self, node: Any) -> None:
        name = node.decl.name
        if node.param_decls or _has_bare_names(node.decl.type):
            self.report(node.decl, "syntax", "declare the parameters inside the parentheses, each with its type")
        self._check_function(node.decl, name)
        self.depth += 1
        function = node.decl.type
        if isinstance(function, c_ast.FuncDecl):
            self.visit(function.type)
            self._check_lengths(function)
            self.visit_in_scope([*(function.args.params if function.args else ()), node.body])
        else:
            self.report(node.decl, "type", f"'{name}' has no plain parameter list")
        self.depth -= 1

    def _check_lengths(self, function: Any) -> None:
        """Refuse lengths that do something or may trap: C evaluates one at the beginning, checked code does without."""
        params = function.args.params if function.args else ()
        names = {getattr(p, "name", None) for p in params}
        for part in (part for param in params for part in walk(param)):
            dim = part.dim if isinstance(part, c_ast.ArrayDecl) else None
            if dim is not None and (any(map(_has_effect, walk(dim))) or _may_trap(dim, names)):
                message = "a length in a parameter is a name or a constant; do this at the beginning of the body"
                self.report(dim, "length", message)

    def _check_function(self, decl: Any, name: str) -> None:
        self._check_name(decl, name)
        if name in _LIBRARY_NAMES:
            self.report(decl, "redefined", f"'{name}' is a library function; give your function another name")
        if "extern" in decl.storage:
            self.report(decl, "extern", f"remove 'extern' from '{name}'; only functions of this text exist")
        if "_Noreturn" in decl.funcspec:
            self.report(decl, "attribute", f"remove '_Noreturn' from '{name}'")

    def _Decl(self, node: Any) -> None:
        self._check_quals(node)
        if node.name is not None:
            self._check_name(node, node.name)
        if isinstance(node.type, c_ast.FuncDecl):
            self._check_declared_function(node)
        elif node.name is not None:
            self._check_variable(node)
            self.scopes[-1].add(node.name)
        self.visit_children(node)

    def _check_declared_function(self, node: Any) -> None:
        if "_Noreturn" in node.funcspec:
            self.report(node, "attribute", f"remove '_Noreturn' from '{node.name}'")
        if self.depth:
            self.report(node, "extern", f"declare the function '{node.name}' outside of functions")
        elif node.name in _LIBRARY_NAMES:
            self.report(node, "redefined", f"'{node.name}' is declared already; remove this line")
        elif node.name not in self.functions:
            self.report(node, "extern", f"'{node.name}' is declared but not defined in this text")

    def _check_variable(self, node: Any) -> None:
        if "extern" in node.storage:
            self.report(node, "extern", f"'extern {node.name}' is not reachable; pass it as a parameter")
        if self.depth == 0 and (node.name in _LIBRARY_NAMES or node.name in vocabulary.COMPILER_NAMES):
            self.report(node, "redefined", f"'{node.name}' is a library function; choose another name")
        if self.types.has_typedef(node.name):  # Within a list of declarators it is read as the type.
            self.report(node, "redefined", f"'{node.name}' is the name of a type here; choose another name")
        outlives = self.depth == 0 or "static" in node.storage
        if outlives and "extern" not in node.storage and not self.types.is_const(node.type):
            advice = "make it 'static const', a local or a parameter"
            self.report(node, "mutable-static", f"'{node.name}' would keep its value between calls; {advice}")

    def _check_quals(self, node: Any) -> None:
        if "_Thread_local" in node.storage or "_Thread_local" in node.quals:
            self.report(node, "type", "thread-local variables are not allowed; use a local")

    def _Typedef(self, node: Any) -> None:
        if node.name not in vocabulary.TYPEDEFS:
            self._check_name(node, node.name)
        elif self.depth or not is_redundant_typedef(node):
            self.report(node, "redefined", f"'{node.name}' is a standard type already; choose another name")
        if isinstance(node.type, c_ast.FuncDecl):
            self.report(node, "function-pointer", "a type of functions is not allowed; declare each function itself")
        elif self.depth == 0 and node.name in _LIBRARY_NAMES:
            self.report(node, "redefined", f"'{node.name}' is a library function; choose another name")
        self.types.declare(node)
        self.scopes[-1].add(node.name)
        self.visit_children(node)

    def _check_name(self, node: Any, name: str) -> None:
        if _RESERVED.match(name):
            self.report(node, "reserved", f"the name '{name}' is reserved; choose another")
        elif name == "defined" or name in _MACRO_NAMES or name in vocabulary.TYPEDEFS:
            self.report(node, "redefined", f"'{name}' has a standard meaning; choose another name")

    def _check_tag(self, node: Any) -> None:
        """Refuse a tag that is named like a library function: a text that is compiled twice has tags of other names."""
        if node.name in _LIBRARY_NAMES:
            self.report(node, "redefined", f"'{node.name}' is a library function; choose another name for the tag")

    def _Struct(self, node: Any) -> None:
        if node.name is not None:
            self._check_name(node, node.name)
            self._check_tag(node)
        # Fields live in a name space of their own: they hide nothing.
        self.scopes.append(set())
        self.depth += 1
        for field in node.decls or ():
            self.visit(field)
        self.depth -= 1
        self.scopes.pop()

    _Union = _Struct

    def _Enum(self, node: Any) -> None:
        if node.name is not None:
            self._check_name(node, node.name)
            self._check_tag(node)
        self.visit_children(node)

    def _Enumerator(self, node: Any) -> None:
        self._check_name(node, node.name)
        self.scopes[-1].add(node.name)
        self.visit_children(node)

    def _Label(self, node: Any) -> None:
        self._check_name(node, node.name)
        self.visit_children(node)

    def _PtrDecl(self, node: Any) -> None:
        if isinstance(node.type, c_ast.FuncDecl):
            self.report(node, "function-pointer", "function pointers are not allowed; call the function by its name")
        self.visit_children(node)

    def _FuncDecl(self, node: Any) -> None:
        # Only declarations arrive here: `_FuncDef` visits a definition's own parameters, in the body's scope.
        self.visit(node.type)
        self._check_lengths(node)
        self.depth += 1
        self.visit_in_scope(node.args.params if node.args else ())
        self.depth -= 1

    def _IdentifierType(self, node: Any) -> None:
        if "_Complex" in node.names and set(node.names) - {"_Complex"} not in _COMPLEX_PARTS:
            self.report(node, "type", "a complex type is 'float _Complex' or 'double _Complex'")
        for word in node.names:
            if word not in _BASIC_WORDS and word not in vocabulary.TYPEDEFS and not self.types.has_typedef(word):
                self.report(node, "type", f"the type '{word}' is not allowed")

    # -- statements and expressions -----------------------------------------------------------------------------

    def _Compound(self, node: Any) -> None:
        self.visit_in_scope(node.block_items or ())

    def _For(self, node: Any) -> None:
        self.visit_in_scope((node.init, node.cond, node.next, node.stmt))

    def _Pragma(self, node: Any) -> None:
        text = node.string if isinstance(node.string, str) else "..."
        if not is_allowed_pragma(text):
            self.report(node, "pragma", f"'#pragma {text[:60]}' is not allowed")

    def _FuncCall(self, node: Any) -> None:
        if not isinstance(node.name, c_ast.ID):
            self.report(node.name, "function-pointer", "call a function by its name")
            self.visit(node.name)
        else:
            self._check_callee(node.name, node.name.name)
        if node.args is not None:
            self._check_arguments(node.name, node.args)

    def _check_arguments(self, callee: Any, args: Any) -> None:
        expressions = list(args.exprs) if isinstance(args, c_ast.ExprList) else [args]
        if isinstance(callee, c_ast.ID) and callee.name == "offsetof":
            self._check_member(expressions.pop())
        for expression in expressions:
            self.visit(expression)

    def _check_member(self, node: Any) -> None:
        """Check a field of `offsetof`: names of fields are no variables, but subscripts are expressions."""
        match node:
            case c_ast.ID(name=name):
                self._check_name(node, name)
            case c_ast.StructRef():
                self._check_member(node.name)
                self._check_name(node.field, node.field.name)
            case c_ast.ArrayRef():
                self._check_member(node.name)
                self.visit(node.subscript)
            case _:
                self.visit(node)

    def _check_callee(self, node: Any, name: str) -> None:
        if self._is_hidden(name):
            self.report(node, "function-pointer", f"'{name}' is a variable here, not a function")
        elif name not in self.functions and name not in vocabulary.FUNCTIONS:
            near = self._find_near(name[:60]) if len(self.problems) < MAX_HINTS else []
            otherwise = f"did you mean '{near[0]}'?" if near else "write it yourself or do without"
            hint = vocabulary.INSTEAD.get(name, otherwise)
            rule = "assembler" if name == "asm" else "call"
            self.report(node, rule, f"'{name[:60]}' is not a function you may call; {hint}")

    def _find_near(self, name: str) -> list[str]:
        """Find a function of nearly that name, among few: two names that are long and alike take a millisecond."""
        own = [known for known in itertools.islice(self.functions, MAX_COMPARED) if len(known) <= len(name) + 2]
        return difflib.get_close_matches(name, [*own, *vocabulary.FUNCTIONS], n=1)

    def _is_hidden(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    def _ID(self, node: Any) -> None:
        name = node.name
        if self._is_hidden(name) or name in vocabulary.CONSTANTS:
            return
        if name == "I" and self.with_complex:
            node.name = "_Complex_I"
            return
        if name in self.functions or name in vocabulary.FUNCTIONS:
            self.report(node, "function-pointer", f"'{name}' is a function; only calls to it are allowed")
        elif _RESERVED.match(name):
            self.report(node, "reserved", f"the name '{name[:60]}' is reserved")

    def _CompoundLiteral(self, node: Any) -> None:
        # Outside of functions a compound literal lives as long as the process, whatever points at it.
        if self.depth == 0 and not self.types.is_const(node.type.type):
            message = "this compound literal would keep its value between calls; make it const"
            self.report(node, "mutable-static", message)
        self.visit_children(node)

    def _StructRef(self, node: Any) -> None:
        self.visit(node.name)
        self._check_name(node.field, node.field.name)

    def _NamedInitializer(self, node: Any) -> None:
        for designator in node.name:
            if not isinstance(designator, c_ast.ID):
                self.visit(designator)
        self.visit(node.expr)
