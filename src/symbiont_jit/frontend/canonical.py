"""C text -> canonical checked C.

In: text somebody proposed and the signature it should implement. Out: a `Canonical`, or `CandidateError` with every
finding at once. `canonical_source` is the only way a text becomes something that is compiled.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from pycparser import c_ast

from symbiont_jit.c.calls import called_names
from symbiont_jit.c.scopes import is_redundant_typedef
from symbiont_jit.c.stack import run_on_own_stack
from symbiont_jit.c.tree import (
    TOO_DEEP,
    BlockTooLong,
    Printed,
    find_function,
    first_position,
    move_positions,
    normalise,
    parse,
    print_with_positions,
)
from symbiont_jit.errors import CandidateError, Diagnostic, Stage, UsageError
from symbiont_jit.frontend.check import check_tree
from symbiont_jit.frontend.read import (
    MAX_BYTES,
    TOO_LONG_PRINTED,
    Preprocess,
    SourceText,
    canonical_problems,
    locate,
    read_text,
)
from symbiont_jit.frontend.source_map import AuthorPositions, SourceMap
from symbiont_jit.frontend.structs import is_forward_declaration, struct_nodes, take_repeated_structs
from symbiont_jit.lazy import lazy
from symbiont_jit.signature import Record, Signature
from symbiont_jit.stages import stage

__all__ = ["Canonical", "canonical_source", "canonical_tree", "no_preprocessor"]

T = TypeVar("T")

#: The most characters of a block that is printed with marks before its words, each of which has a character at least.
MAX_MARKED: Final = 2 * MAX_BYTES
#: The attributes that are computed from the others, and are therefore not pickled.
_DERIVED: Final = ("tree", "digest", "_positions")


@dataclass(frozen=True, eq=False)
class Canonical:
    """Checked C, printed from its syntax tree: what is compiled, hashed, compared and shown.

    `names` are the functions that were declared, in the order of their declaration. `author_text` is the text of the
    author, with Unix line ends; it is `text` itself where nobody else wrote it. `source_map` says where the words of
    `text` stand in it. Two objects are equal if their texts and names are, whoever wrote them and how.
    """

    text: str
    names: tuple[str, ...]
    author_text: str = ""
    source_map: SourceMap | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.source_map is None:
            object.__setattr__(self, "author_text", self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Canonical) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _DERIVED}

    @lazy
    def digest(self) -> bytes:
        """Return the SHA-256 of the text and the names: 32 bytes that no other canonical text has."""
        return hashlib.sha256("\0".join((*self.names, self.text)).encode()).digest()

    @lazy
    def tree(self) -> c_ast.FileAST:
        """The syntax tree that was checked and printed as the text; its positions are those of the author's text.

        It belongs to everybody who holds this object, and must not be changed: copy what you want to change. A copy of
        this object that came out of a pickle parses its text when it is asked for the tree.
        """
        tree: c_ast.FileAST | Diagnostic = run_on_own_stack(lambda: parse(self.text), TOO_DEEP)
        if isinstance(tree, Diagnostic):
            raise CandidateError(tree.stage, [tree], self.text)
        if self.source_map is not None:
            move_positions(tree, self.author_position)
        return tree

    @lazy
    def _positions(self) -> AuthorPositions | None:
        return None if self.source_map is None else AuthorPositions(self.text, self.author_text, self.source_map)

    def author_position(self, line: int, column: int) -> tuple[int, int]:
        """Return the line and column in `author_text` of a place in `text`, from 1; zeros where nothing corresponds.

        What the author did not write stands where the word next to it does. What a macro made stands at its name.
        """
        return (line, column) if self._positions is None else self._positions.find(line, column)

    def function_position(self, name: str) -> tuple[int, int]:
        """Return the line and column in `author_text` where a function is defined; zeros where there is none."""
        function = find_function(self.tree, name)
        return (0, 0) if function is None else first_position(function)

    def author_diagnostic(self, found: Diagnostic) -> Diagnostic:
        """Translate a finding about `text` into one about `author_text`."""
        line, column = self.author_position(found.line, found.column)
        return replace(found, line=line, column=column if found.column else 0)

    def without_tree(self) -> Canonical:
        """Return an equal object without the tree, for holders of many: a tree takes a hundred times its text."""
        return Canonical(self.text, self.names, self.author_text, self.source_map)


def no_preprocessor(*texts: str) -> list[str | list[Diagnostic]]:
    """Refuse texts with macros, because no compiler is at hand."""
    refusal = Diagnostic(Stage.PREPROCESS, "directive", "macros need a C preprocessor, and none was given")
    return [[refusal] for _ in texts]


def canonical_source(
    proposed: str | bytes, declared: Signature | Sequence[Signature], preprocess: Preprocess = no_preprocessor
) -> Canonical:
    """Check a proposed text, which has to supply every declared function, and print it back.

    The text is parsed once and printed once.

    Args:
        proposed: The text, or its bytes in UTF-8.
        declared: One signature, or those of all functions that evolve together.
        preprocess: Expands macros and conditionals, and is called only for text that has some.

    Returns:
        The checked text in canonical form, with its tree and the way back to the author's text.

    Raises:
        CandidateError: The text is not acceptable; the error has all findings.
    """
    signatures = (declared,) if isinstance(declared, Signature) else tuple(declared)
    if not isinstance(proposed, str | bytes):
        raise UsageError(f"a candidate is C text (str or bytes), not {type(proposed).__name__}: {proposed!r:.60}")
    with stage("parse"):
        text = read_text(proposed, preprocess)
    checked = _Checked(text.diagnostics)
    if text.code or not text.diagnostics:
        checked = run_on_own_stack(lambda: _check(text, signatures), _Checked((TOO_DEEP,)))
    if checked.tree is None or checked.printed is None:
        raise CandidateError(checked.findings[0].stage, checked.findings, text.original)
    made = checked.canonical(text.original, tuple(s.name for s in signatures))
    made.__dict__["tree"] = checked.tree
    return made


@dataclass(frozen=True, slots=True)
class _Checked:
    """The findings about a text; or its canonical tree, and the text that was printed from that tree."""

    findings: Sequence[Diagnostic] = ()
    tree: c_ast.FileAST | None = None
    printed: Printed | None = None

    def canonical(self, original: str, names: tuple[str, ...] = ()) -> Canonical:
        """Make the canonical text of these names, without its tree."""
        assert self.printed is not None, "nothing is wrong with the text"
        source_map = SourceMap(self.printed.offsets, self.printed.lines, self.printed.columns)
        return Canonical(self.printed.text, names, original, source_map)


def _check(text: SourceText, signatures: Sequence[Signature]) -> _Checked:
    """Parse and check the code of a text, and print it in its canonical form where nothing is wrong with it."""
    renamed = _find_renamed(text.original, signatures)
    if renamed:
        return _Checked(renamed)
    with_complex = text.includes_complex or any(s.has_complex for s in signatures)
    with stage("parse"):
        tree = text.parse(with_complex=with_complex)
    if isinstance(tree, Diagnostic):
        return _Checked(text.diagnostics or [tree])  # The reader's findings explain what the parser stumbles over.
    with stage("validate"):
        findings = _merge(text.diagnostics, check_tree(tree, signatures, with_complex=with_complex))
        if findings:
            return _Checked(findings)
        try:
            printed = print_with_positions(canonical_tree(tree, signatures), MAX_MARKED)
        except BlockTooLong:
            return _Checked([TOO_LONG_PRINTED])
        checked = _Checked((), tree, printed)
        found = canonical_problems(printed.text)
        return _Checked([*map(checked.canonical(text.original).author_diagnostic, found)]) if found else checked


def _find_renamed(original: str, signatures: Sequence[Signature]) -> list[Diagnostic]:
    """Find macros that are named like a declared function, which would then have another name."""
    found = []
    for signature in signatures:
        for line in re.finditer(rf"^[ \t]*#[ \t]*define[ \t]+({signature.name})\b", original, re.MULTILINE):
            message = f"the macro '{signature.name}' takes the function's name away; give it another one"
            found.append(Diagnostic(Stage.CHECK, "signature", message, *locate(original, line.start(1))))
    return found


def _merge(first: Sequence[Diagnostic], second: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Merge two lists of findings by line, without what the second says again about the same place."""
    told = {(d.rule, d.line, d.column) for d in first}
    return sorted(
        [*first, *(d for d in second if (d.rule, d.line, d.column) not in told)], key=lambda d: (d.line, d.column)
    )


def canonical_tree(tree: c_ast.FileAST, signatures: Sequence[Signature]) -> c_ast.FileAST:
    """Bring a tree into canonical form, in place, and return it.

    Braces everywhere; all functions and tables but the declared ones are `static`; typedefs that repeat a standard type
    are gone, since the prelude has them; the structs of declared records come first, once. A declared function that is
    called before it is defined is declared there: its prototype is known to whoever wrote the caller. So is a function
    whose prototype says nothing of its parameters.
    """
    names = {s.name for s in signatures}
    records = list(dict.fromkeys(r for s in signatures for r in s.records))
    normalise(tree)
    take_repeated_structs(tree, records)
    tree.ext = [node for node in tree.ext if not _is_redundant(node) and not _is_declared(node, records)]
    for node in tree.ext:
        decl = node.decl if isinstance(node, c_ast.FuncDef) else node
        if isinstance(decl, c_ast.Decl) and decl.name is not None:
            _set_linkage(decl, decl.name in names)
    _declare_before_use(tree, [*_take_empty_prototypes(tree), *sorted(names)])
    tree.ext = [*struct_nodes(records), *tree.ext]
    return tree


def _take_empty_prototypes(tree: c_ast.FileAST) -> list[str]:
    """Take out prototypes that say nothing of parameters which the definition behind them has; return their names."""
    functions = [node.decl for node in tree.ext if isinstance(node, c_ast.FuncDef)]
    defined = {decl.name for decl in functions if decl.type.args is not None}
    taken = dict.fromkeys(node.name for node in tree.ext if _is_empty_prototype(node) and node.name in defined)
    tree.ext = [node for node in tree.ext if not (_is_empty_prototype(node) and node.name in taken)]
    return list(taken)


def _is_empty_prototype(node: Any) -> bool:
    return isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl) and node.type.args is None


def _declare_before_use(tree: c_ast.FileAST, names: Sequence[str]) -> None:
    """Put the prototype of each function in front of the first one that calls it, where that needs one."""
    wanted = dict.fromkeys(names)
    found: dict[str, Any] = {}
    callers: dict[str, c_ast.FuncDef] = {}
    for node in tree.ext:
        name = getattr(getattr(node, "decl", node), "name", None)
        if name in wanted:
            found.setdefault(name, node)
        if isinstance(node, c_ast.FuncDef):
            for called in called_names(node.body) & wanted.keys() - found.keys():
                callers.setdefault(called, node)
    needed: dict[int, list[Any]] = {}
    for name in wanted:
        if name in callers and isinstance(found.get(name), c_ast.FuncDef):
            needed.setdefault(id(callers[name]), []).append(copy.deepcopy(found[name].decl))
    tree.ext = [each for node in tree.ext for each in (*needed.get(id(node), ()), node)]


def _is_declared(node: Any, records: Sequence[Record]) -> bool:
    return is_forward_declaration(node) and any(node.type.name == r.name for r in records)


def _set_linkage(decl: Any, is_entry: bool) -> None:
    decl.storage = [] if is_entry else ["static"]
    if is_entry:
        decl.funcspec = []


def _is_redundant(node: Any) -> bool:
    return isinstance(node, c_ast.EmptyStatement) or is_redundant_typedef(node)
