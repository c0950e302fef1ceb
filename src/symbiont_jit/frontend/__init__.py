"""C text -> canonical checked C.

In: text somebody proposed and the signature it should implement. Out: a `Canonical`, or `CandidateError` with every
finding at once. `canonical_source` is the only way a text becomes something that is compiled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from symbiont_jit.errors import CandidateError, Diagnostic, Stage, UsageError
from symbiont_jit.frontend.check import check_tree
from symbiont_jit.frontend.text import Preprocess, canonical_problems, read_text
from symbiont_jit.frontend.tree import TOO_DEEP, brace, is_redundant_typedef, parse, print_tree
from symbiont_jit.signature import Signature

__all__ = ["Canonical", "canonical_source", "canonical_tree", "no_preprocessor"]


@dataclass(frozen=True)
class Canonical:
    """Checked C, printed from its syntax tree: what is compiled, hashed, compared and shown."""

    text: str
    name: str


def no_preprocessor(code: str) -> list[Diagnostic]:
    """Stands in where no compiler is at hand: text with macros is refused."""
    return [Diagnostic(Stage.PREPROCESS, "directive", "macros need a C preprocessor, and none was given")]


def canonical_source(
    proposed: str | bytes, signature: Signature, preprocess: Preprocess = no_preprocessor
) -> Canonical:
    """Check a proposed text and print it back; raises `CandidateError` with all findings."""
    if not isinstance(proposed, str | bytes):
        raise UsageError(f"a candidate is C text (str or bytes), not {type(proposed).__name__}: {proposed!r:.60}")
    text = read_text(proposed, preprocess)
    findings = list(text.diagnostics)
    printed = ""
    if text.code or not findings:
        findings, printed = _on_a_stack_of_its_own(lambda: _checked(text.code, signature, findings))
    if findings:
        raise CandidateError(findings[0].stage, findings, text.original)
    return Canonical(printed, signature.name)


def _on_a_stack_of_its_own(check: Callable[[], tuple[list[Diagnostic], str]]) -> tuple[list[Diagnostic], str]:
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

    thread = threading.Thread(target=run, name="symbiont_jit check")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _checked(code: str, signature: Signature, found: list[Diagnostic]) -> tuple[list[Diagnostic], str]:
    """What is wrong with the code besides what the reader found, and the canonical text where nothing is."""
    tree = parse(code)
    if isinstance(tree, Diagnostic):
        return found or [tree], ""  # what the reader found explains what the parser stumbles over
    findings = _merged(found, check_tree(tree, signature))
    if findings:
        return findings, ""
    printed = print_tree(canonical_tree(tree, signature.name))
    return canonical_problems(printed), printed


def _merged(first: list[Diagnostic], second: list[Diagnostic]) -> list[Diagnostic]:
    """Both lists by line, without what the second says again about the same place."""
    told = {(d.rule, d.line, d.column) for d in first}
    return sorted(
        [*first, *(d for d in second if (d.rule, d.line, d.column) not in told)], key=lambda d: (d.line, d.column)
    )


def canonical_tree(tree: c_ast.FileAST, entry: str) -> c_ast.FileAST:
    """The tree in its canonical form, changed in place.

    Braces everywhere; all functions and tables but the entry are `static`; typedefs that repeat a standard
    type are gone, since the prelude has them.
    """
    brace(tree)
    tree.ext = [node for node in tree.ext if not _is_redundant(node)]
    for node in tree.ext:
        decl = node.decl if isinstance(node, c_ast.FuncDef) else node
        if isinstance(decl, c_ast.Decl) and decl.name is not None:
            _set_linkage(decl, decl.name == entry)
    return tree


def _set_linkage(decl: Any, is_entry: bool) -> None:
    decl.storage = [] if is_entry else ["static"]
    if is_entry:
        decl.funcspec = []


def _is_redundant(node: Any) -> bool:
    return isinstance(node, c_ast.EmptyStatement) or is_redundant_typedef(node)
