"""C text -> canonical checked C.

In: text somebody proposed and the signature it should implement. Out: a `Canonical`, or `CandidateError` with every
finding at once. `canonical_source` is the only way a text becomes something that is compiled.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import TOO_DEEP, brace, is_redundant_typedef, parse, print_tree, spell_lengths, walk
from symbiont_jit.errors import CandidateError, Diagnostic, Stage, UsageError
from symbiont_jit.frontend.check import check_tree
from symbiont_jit.frontend.read import Preprocess, Text, canonical_problems, read_text
from symbiont_jit.frontend.structs import is_forward_declaration, struct_nodes, take_repeated_structs
from symbiont_jit.signature import Record, Signature
from symbiont_jit.stages import stage

__all__ = ["Canonical", "canonical_source", "canonical_tree", "no_preprocessor"]


@dataclass(frozen=True)
class Canonical:
    """Checked C, printed from its syntax tree: what is compiled, hashed, compared and shown.

    `names` are the functions that were declared, in the order of their declaration.
    """

    text: str
    names: tuple[str, ...]


def no_preprocessor(code: str) -> list[Diagnostic]:
    """Stands in where no compiler is at hand: text with macros is refused."""
    return [Diagnostic(Stage.PREPROCESS, "directive", "macros need a C preprocessor, and none was given")]


def canonical_source(
    proposed: str | bytes, declared: Signature | Sequence[Signature], preprocess: Preprocess = no_preprocessor
) -> Canonical:
    """Check a proposed text, which has to supply every declared function, and print it back.

    Raises `CandidateError` with all findings.
    """
    signatures = (declared,) if isinstance(declared, Signature) else tuple(declared)
    if not isinstance(proposed, str | bytes):
        raise UsageError(f"a candidate is C text (str or bytes), not {type(proposed).__name__}: {proposed!r:.60}")
    with stage("parse"):
        text = read_text(proposed, preprocess)
    findings = list(text.diagnostics)
    printed = ""
    if text.code or not findings:
        findings, printed = on_a_stack_of_its_own(lambda: _checked(text, signatures, findings))
    if findings:
        raise CandidateError(findings[0].stage, findings, text.original)
    return Canonical(printed, tuple(s.name for s in signatures))


def on_a_stack_of_its_own(check: Callable[[], tuple[list[Diagnostic], str]]) -> tuple[list[Diagnostic], str]:
    """Run a recursive check in a thread: what is too deep must not depend on how deep the caller is."""
    outcome: list[tuple[list[Diagnostic], str]] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(check())
        except RecursionError:
            outcome.append(([TOO_DEEP], ""))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=copy_context().run, args=(run,), name="symbiont_jit check")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _checked(text: Text, signatures: Sequence[Signature], found: list[Diagnostic]) -> tuple[list[Diagnostic], str]:
    """What is wrong with the code besides what the reader found, and the canonical text where nothing is."""
    with_complex = text.includes_complex or any(s.has_complex for s in signatures)
    with stage("parse"):
        tree = parse(text.spelled(with_complex))
    if isinstance(tree, Diagnostic):
        return found or [tree], ""  # what the reader found explains what the parser stumbles over
    with stage("validate"):
        findings = _merged(found, check_tree(tree, signatures, with_complex=with_complex))
        if findings:
            return findings, ""
        printed = print_tree(canonical_tree(tree, signatures))
        return canonical_problems(printed), printed


def _merged(first: list[Diagnostic], second: list[Diagnostic]) -> list[Diagnostic]:
    """Both lists by line, without what the second says again about the same place."""
    told = {(d.rule, d.line, d.column) for d in first}
    return sorted(
        [*first, *(d for d in second if (d.rule, d.line, d.column) not in told)], key=lambda d: (d.line, d.column)
    )


def canonical_tree(tree: c_ast.FileAST, signatures: Sequence[Signature]) -> c_ast.FileAST:
    """The tree in its canonical form, changed in place.

    Braces everywhere; all functions and tables but the declared ones are `static`; typedefs that repeat a standard type
    are gone, since the prelude has them; the structs of declared records come first, once. A declared function that is
    called before it is defined is declared there: its prototype is known to whoever wrote the caller.
    """
    names = {s.name for s in signatures}
    records = list(dict.fromkeys(r for s in signatures for r in s.records))
    brace(tree)
    spell_lengths(tree)
    take_repeated_structs(tree, records)
    tree.ext = [node for node in tree.ext if not _is_redundant(node) and not _is_declared(node, records)]
    for node in tree.ext:
        decl = node.decl if isinstance(node, c_ast.FuncDef) else node
        if isinstance(decl, c_ast.Decl) and decl.name is not None:
            _set_linkage(decl, decl.name in names)
    for name in sorted(names):
        _declare_before_use(tree, name)
    tree.ext = [*struct_nodes(records), *tree.ext]
    return tree


def _declare_before_use(tree: c_ast.FileAST, name: str) -> None:
    """Put the prototype of a function in front of the first one that calls it, where that needs one."""
    places = [i for i, n in enumerate(tree.ext) if getattr(getattr(n, "decl", n), "name", None) == name]
    calls = (i for i, n in enumerate(tree.ext) if isinstance(n, c_ast.FuncDef) and _calls(n.body, name))
    first = next(calls, None)
    if first is not None and places and first < places[0] and isinstance(tree.ext[places[0]], c_ast.FuncDef):
        tree.ext.insert(first, copy.deepcopy(tree.ext[places[0]].decl))


def _calls(body: Any, name: str) -> bool:
    return any(isinstance(n, c_ast.FuncCall) and getattr(n.name, "name", None) == name for n in walk(body))


def _is_declared(node: Any, records: Sequence[Record]) -> bool:
    return is_forward_declaration(node) and any(node.type.name == r.name for r in records)


def _set_linkage(decl: Any, is_entry: bool) -> None:
    decl.storage = [] if is_entry else ["static"]
    if is_entry:
        decl.funcspec = []


def _is_redundant(node: Any) -> bool:
    return isinstance(node, c_ast.EmptyStatement) or is_redundant_typedef(node)
