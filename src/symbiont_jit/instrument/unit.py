"""Canonical C -> the same C with checks in it, for the profiles `safe` and `checked`.

In: a canonical text and its tree, its signatures, a profile. Out: an `Instrumented`: text for the compiler, and what
each place that can panic means; or `CandidateError` (rule `untraceable`) where an access cannot be followed, with what
to write instead.

`safe` checks what keeps a candidate inside its own arrays: indices, pointers, divisions, recursion, the size of local
arrays. `checked` adds what C leaves undefined (overflow, shifts, conversions, assumptions) and counts loops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.stack import recurse_apart
from symbiont_jit.c.tree import FILE as CANDIDATE_FILE
from symbiont_jit.c.tree import parse, walk
from symbiont_jit.c.types import Refused
from symbiont_jit.c.vocabulary import ARENA_FUNCTIONS
from symbiont_jit.errors import CandidateError, Diagnostic, Stage
from symbiont_jit.instrument.context import Context
from symbiont_jit.instrument.expressions import HANDLERS
from symbiont_jit.instrument.functions import MAIN, OWN, instrument_functions
from symbiont_jit.instrument.nodes import copy_tree
from symbiont_jit.runtime.arena import INSTRUMENTED_ARENA, RELEASE_ARENA, allocates
from symbiont_jit.runtime.checks import runtime
from symbiont_jit.runtime.panics import Site
from symbiont_jit.signature import Signature, native_entry
from symbiont_jit.signature.native import adapt_parameters, shim

__all__ = [
    "FLAGS",
    "FRAMES",
    "Instrumented",
    "Site",
    "allocates",
    "find_instrumented",
    "frame_flags",
    "instrument",
    "instrument_tree",
    "open_context",
    "parse_canonical",
    "wrap_release",
]

#: Bytes of stack that a call may use, and that one function of it may use. The frames are tried in this order, because
#: most functions need little, and their calls are then content with the small stack of a thread.
STACK: Final = 1 << 19
FRAMES: Final = (1 << 14, 1 << 18)

#: With these flags, what the language leaves undefined and is not checked is at least some value, from which the
#: optimiser concludes nothing. Overflow wraps, also of pointers; conversions give what the processor gives; objects
#: live as long as the call; an endless loop stays one. Where somebody's own options say that no number is infinite or
#: none (`-ffast-math`), one that is would be no value at all, and a check behind it would be taken for unneeded.
FLAGS: Final = (
    "-fhonor-nans",
    "-fhonor-infinities",
    "-fwrapv",
    "-fwrapv-pointer",
    "-fno-strict-aliasing",
    "-fno-strict-float-cast-overflow",
    "-fno-finite-loops",
    "-fno-delete-null-pointer-checks",
    "-fmax-type-align=8",
    "-Xclang",
    "-disable-lifetime-markers",
    "-Werror=frame-larger-than",
    # What clang folds as an extension is a constant in an assertion, and none as the length of an array.
    "-Werror=gnu-folding-constant",
)


def frame_flags(size: int) -> tuple[str, ...]:
    """Return the flags for functions whose frames have at most so many bytes."""
    return f"-DSJ_FRAME={size}", f"-Wframe-larger-than={size}"


@dataclass(frozen=True, slots=True)
class Instrumented:
    """C to compile in place of a canonical text: `prologue`, `text` and `epilogue`, one after the other.

    `sites` say what a panic's number means. `is_plain` says that nothing in the text can panic or go on for ever: the
    canonical text may be compiled as it is.

    `original` is the canonical text under names of its own, for clang to look at in the same run: the checks hide some
    errors from it (a lost const), and its lines are the candidate's. It is empty where `text` is the canonical text.
    """

    prologue: str
    text: str
    epilogue: str
    sites: tuple[Site, ...] = ()
    is_plain: bool = False
    original: str = ""


#: The prefix of names of file scope in the original text, which stands beside the instrumented one.
ORIGINAL: Final = "sj_written_"

_INTERNAL: Final = "#pragma clang attribute push(__attribute__((internal_linkage)), apply_to = function)\n"

#: The most characters of a text with its checks: clang takes some seconds for so many.
MAX_PRINTED: Final = 1_500_000
_PRAGMA: Final = re.compile(r"(?m)^[ \t]*#pragma[^\n]*")
#: What says how floating numbers are computed. Outside of functions it holds to the end of a file, so also for what
#: stands behind the original text there.
_FLOATING: Final = re.compile(r"(?m)^[ \t]*#pragma[ \t]+(?:STDC|clang fp)\b[^\n]*")
_WORD: Final = re.compile(r"\w+")
_LOOPS: Final = (c_ast.For, c_ast.While, c_ast.DoWhile, c_ast.Goto)


def parse_canonical(text: str) -> c_ast.FileAST:
    """Parse a canonical text; raise `CandidateError` where it is no C."""
    tree = parse(text)
    if isinstance(tree, Diagnostic):
        raise CandidateError(Stage.CHECK, [tree], text)
    return tree


def instrument(text: str, tree: c_ast.FileAST, signatures: Sequence[Signature], profile: str) -> Instrumented:
    """Instrument a canonical text.

    `tree` is what `text` was printed from, or parsed into; it stays as it is. `profile` is `safe` or `checked`.

    Raises:
        CandidateError: An access cannot be traced.
    """
    has_loops = any(isinstance(n, _LOOPS) for n in walk(tree))
    context = open_context(text, profile)
    try:
        printed = recurse_apart(lambda: context.printer.print(instrument_tree(context, tree, signatures)))
    except Refused as refused:
        raise CandidateError(Stage.CHECK, [refused.diagnostic], text) from None
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError, AssertionError) as error:
        # The text is hostile: what the checks stumble over is no candidate for them.
        message = f"the checks cannot follow this text ({type(error).__name__}); write it more plainly"
        found = Refused(context.place or tree, message).diagnostic
        raise CandidateError(Stage.CHECK, [found], text) from error
    if len(printed) > MAX_PRINTED:
        message = "the text is too large with all its checks; use variables for what is used again, or fewer statements"
        raise CandidateError(Stage.CHECK, [Diagnostic(Stage.CHECK, "too-large", message)], text)
    shims, arena = "".join(_generate_shim(s) for s in signatures), _arena(text, profile)
    return Instrumented(
        prologue=runtime(printed + shims + arena) + arena,
        text=printed,
        epilogue=shims,
        sites=tuple(context.sites),
        is_plain=not (has_loops or context.sites or context.has_replaced),
        original=_rename_original(text, tree),
    )


#: How a function of the author's begins in generated C, with its name.
_OWN_FUNCTION: Final = re.compile(rf"^\w[^;\n]*?\b(?:{MAIN}|{OWN})(\w+)\(", re.MULTILINE)


def find_instrumented(generated: str, line: int) -> str:
    """Find the name of the author's function that a line of generated C is in; nothing where it is in none."""
    names = _OWN_FUNCTION.findall("".join(generated.splitlines(keepends=True)[:line]))
    return names[-1] if names else ""


def open_context(text: str, profile: str) -> Context:
    """Make the context with which instrumenting a canonical text for a profile begins."""
    return Context(checked=profile == "checked", handlers=HANDLERS, may_free=allocates(text))


def instrument_tree(context: Context, tree: c_ast.FileAST, signatures: Sequence[Signature]) -> c_ast.FileAST:
    """Copy a tree and instrument the copy; every check is a `Check`, and `context.sites` say what they mean.

    Raises:
        Refused: An access cannot be traced.
    """
    own = copy_tree(tree)
    instrument_functions(context, own, {s.name: s for s in signatures})
    return own


def _rename_original(text: str, tree: c_ast.FileAST) -> str:
    """Rename every name of file scope and export nothing, so that no code is made of a text."""
    names = dict.fromkeys(name for node in tree.ext for name in _names_of(node))
    renamed = "".join(f"#define {name} {ORIGINAL}{name}\n" for name in names)
    given_back = "".join(f"#undef {name}\n" for name in names)
    # clang replaces words of pragmas too: ours stand outside, and those of the text with such a word are left out.
    text = _PRAGMA.sub(lambda found: "" if names.keys() & set(_WORD.findall(found[0])) else found[0], text)
    text = _FLOATING.sub("", text)
    renamed_text = f'{renamed}# 1 "{CANDIDATE_FILE}"\n{text}# 1 "checks.c"\n{given_back}'
    return f"{_INTERNAL}{renamed_text}#pragma clang attribute pop\n"


def _names_of(node: Any) -> Iterator[str]:
    """Yield the names that a node of the file declares: a function or table, types, tags, enumerators."""
    decl = node.decl if isinstance(node, c_ast.FuncDef) else node
    if getattr(decl, "name", None):
        yield decl.name
    for part in walk(decl):
        if (isinstance(part, c_ast.Struct | c_ast.Union | c_ast.Enum) and part.name) or isinstance(
            part, c_ast.Enumerator
        ):
            yield part.name


def _arena(text: str, profile: str) -> str:
    return f"#define SJ_PREFERS_NEW {int(profile == 'checked')}\n{INSTRUMENTED_ARENA}" if allocates(text) else ""


def wrap_release(text: str, signatures: Sequence[Signature]) -> Instrumented:
    """Wrap a canonical text that calls the arena, without checks: each call begins with an empty arena.

    The declared functions are called by another name there, because the entry is one that opens the arena.
    """
    renamed = "".join(f"#define {s.name} {MAIN}{s.name}\n" for s in signatures)
    given_back = "".join(f"#undef {name}\n" for name in (*(s.name for s in signatures), *ARENA_FUNCTIONS))
    opening = "sj_current_thread()->is_open = 0;\n  "
    entries = (shim(s, native_entry(s).symbol, f"{MAIN}{s.name}", opening) for s in signatures)
    return Instrumented(RELEASE_ARENA + renamed, text, given_back + "".join(entries))


def _generate_shim(signature: Signature) -> str:
    """Generate the native entry around an instrumented function."""
    entry = native_entry(signature)
    params, passed = adapt_parameters(signature)
    call = f"{MAIN}{signature.name}({', '.join(['&sj_f', *passed])})"
    keep, leave, give = "", "return", ""
    if entry.has_result_pointer:
        assert signature.returns is not None
        params.append(f"{signature.returns.c} *sj_result")
        keep = f"{signature.returns.c} *volatile sj_kept = sj_result;\n  "
        call, leave = f"*sj_result = {call}", "*sj_kept = 0; return"
    elif entry.returns != "void":
        call, leave, give = f"{entry.returns} const sj_result = {call}", "return 0", "\n  return sj_result;"
    return f"""{entry.returns} {entry.symbol}({", ".join(params) or "void"})
{{
  {keep}SJ_OPEN_CALL({STACK});
  SJ_BEGIN_CALL({leave});
  {call};
  SJ_END_CALL();{give}
}}
"""
