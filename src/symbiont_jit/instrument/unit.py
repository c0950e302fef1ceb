"""Canonical C -> the same C with checks in it, for the profiles `safe` and `checked`.

In: a canonical text, its signatures, a profile. Out: a `Guarded`: text for the compiler, and what each place that can
panic means; or `CandidateError` (rule `untraceable`) where an access cannot be followed, with what to write instead.

`safe` checks what keeps a candidate inside its own arrays: indices, pointers, divisions, recursion, the size of local
arrays. `checked` adds what C leaves undefined (overflow, shifts, conversions, assumptions) and counts loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import FILE as CANDIDATE_FILE
from symbiont_jit.c.tree import parse, print_tree, walk
from symbiont_jit.c.types import Refused
from symbiont_jit.c.vocabulary import ARENA_FUNCTIONS
from symbiont_jit.errors import CandidateError, Diagnostic, Stage
from symbiont_jit.instrument.expressions import Expressions
from symbiont_jit.instrument.statements import MAIN, Functions
from symbiont_jit.runtime.arena import GUARDED_ARENA, RELEASE_ARENA, allocates
from symbiont_jit.runtime.checks import ENTRY_SHIM, runtime
from symbiont_jit.runtime.panics import Site
from symbiont_jit.signature import Signature, native_entry
from symbiont_jit.signature.native import adapted, shim

__all__ = ["FLAGS", "FRAMES", "Guarded", "Released", "Site", "allocates", "frame_flags", "guard", "released"]

#: Bytes of stack that a call may use, and one function of it: most need little and are content with a small thread.
STACK: Final = 1 << 19
FRAMES: Final = (1 << 14, 1 << 18)

#: With these, what the language leaves undefined and is not checked is at least some value: nothing for the optimiser
#: to conclude from. Overflow wraps, also of pointers; conversions give what the processor gives; objects begin as zeros
#: and live as long as the call; an endless loop is one.
FLAGS: Final = (
    "-fwrapv",
    "-fwrapv-pointer",
    "-fno-strict-aliasing",
    "-fno-strict-float-cast-overflow",
    "-ftrivial-auto-var-init=zero",
    "-fno-finite-loops",
    "-fno-delete-null-pointer-checks",
    "-fmax-type-align=8",
    "-Xclang",
    "-disable-lifetime-markers",
    "-Werror=frame-larger-than",
)


def frame_flags(size: int) -> tuple[str, ...]:
    """Flags for functions whose frames have at most so many bytes."""
    return f"-DSJ_FRAME={size}", f"-Wframe-larger-than={size}"


@dataclass(frozen=True, slots=True)
class Guarded:
    """`before`, `text` and `after` together are what is compiled; `sites` say what a panic's number means.

    `written` is the canonical text under names of its own, for clang to look at in the same run: the checks hide some
    errors from it (a lost const), and its lines are the candidate's.

    `is_plain` says that nothing in it can panic or go on for ever: the text may be compiled as it is.
    """

    before: str
    text: str
    after: str
    sites: tuple[Site, ...]
    is_plain: bool
    written: str


#: What names of file scope begin with in the text as it was written.
WRITTEN: Final = "sj_written_"

_INTERNAL: Final = "#pragma clang attribute push(__attribute__((internal_linkage)), apply_to = function)\n"

_LOOPS: Final = (c_ast.For, c_ast.While, c_ast.DoWhile, c_ast.Goto)


def guard(text: str, signatures: Sequence[Signature], profile: str) -> Guarded:
    """The guarded form of a canonical text; raises `CandidateError` for what cannot be traced."""
    tree = parse(text)
    if isinstance(tree, Diagnostic):
        raise CandidateError(Stage.CHECK, [tree], text)
    written = _as_written(text, tree)
    has_loops = any(isinstance(n, _LOOPS) for n in walk(tree))
    expressions = Expressions(checked=profile == "checked", may_free=allocates(text))
    functions = Functions(expressions, {s.name: s for s in signatures})
    try:
        functions.guard(tree)
    except Refused as refused:
        raise CandidateError(Stage.CHECK, [refused.diagnostic], text) from None
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError, AssertionError) as error:
        # The text is hostile: what the checks stumble over is no candidate for them.
        message = f"the checks cannot follow this text ({type(error).__name__}); write it more plainly"
        raise CandidateError(Stage.CHECK, [Diagnostic(Stage.CHECK, "untraceable", message)], text) from error
    shims = "".join(_shim(s) for s in signatures)
    printed, arena = print_tree(tree), _arena(text, profile)
    return Guarded(
        runtime(printed + shims + arena) + arena,
        printed,
        shims,
        tuple(expressions.sites),
        not (has_loops or expressions.sites or expressions.has_replaced),
        written,
    )


def _as_written(text: str, tree: c_ast.FileAST) -> str:
    """A text with every name of file scope renamed and nothing exported, so that no code is made of it."""
    names = dict.fromkeys(name for node in tree.ext for name in _names_of(node))
    renamed = "".join(f"#define {name} {WRITTEN}{name}\n" for name in names)
    given_back = "".join(f"#undef {name}\n" for name in names)
    return (
        f'{renamed}{_INTERNAL}# 1 "{CANDIDATE_FILE}"\n{text}# 1 "checks.c"\n#pragma clang attribute pop\n{given_back}'
    )


def _names_of(node: Any) -> Iterator[str]:
    """What a node of the file gives a name: a function or table, types, tags, enumerators."""
    decl = node.decl if isinstance(node, c_ast.FuncDef) else node
    if getattr(decl, "name", None):
        yield decl.name
    for part in walk(decl):
        if (isinstance(part, c_ast.Struct | c_ast.Union | c_ast.Enum) and part.name) or isinstance(
            part, c_ast.Enumerator
        ):
            yield part.name


def _arena(text: str, profile: str) -> str:
    return f"#define SJ_PREFERS_NEW {int(profile == 'checked')}\n{GUARDED_ARENA}" if allocates(text) else ""


@dataclass(frozen=True, slots=True)
class Released:
    """`before`, the canonical text as it is, and `after` are what is compiled."""

    before: str
    after: str


def released(signatures: Sequence[Signature]) -> Released:
    """What stands around a canonical text that calls the arena and is not guarded: each call begins with nothing in it.

    The declared functions are called by another name there, because the entry is one that opens the arena.
    """
    renamed = "".join(f"#define {s.name} {MAIN}{s.name}\n" for s in signatures)
    given_back = "".join(f"#undef {name}\n" for name in (*(s.name for s in signatures), *ARENA_FUNCTIONS))
    opening = "sj_current_thread()->is_open = 0;\n  "
    entries = (shim(s, native_entry(s).symbol, f"{MAIN}{s.name}", opening) for s in signatures)
    return Released(RELEASE_ARENA + renamed, given_back + "".join(entries))


def _shim(signature: Signature) -> str:
    """The native entry around a guarded function."""
    entry = native_entry(signature)
    params, passed = adapted(signature)
    call = f"{MAIN}{signature.name}({', '.join(['&sj_f', *passed])});"
    give = keep = ""
    if entry.has_result_pointer:
        assert signature.returns is not None
        params.append(f"{signature.returns.c} *sj_result")
        keep = f"\n  {signature.returns.c} *volatile sj_kept = sj_result;"
        body, zero = f"*sj_result = {call}", "*sj_kept = 0; return;"
    elif entry.returns == "void":
        body, zero = call, "return;"
    else:
        body, zero, give = f"{entry.returns} const sj_result = {call}", "return 0;", "\n  return sj_result;"
    return ENTRY_SHIM.format(
        returns=entry.returns,
        symbol=entry.symbol,
        params=", ".join(params) or "void",
        stack=STACK,
        zero=zero,
        body=body,
        give=give,
        keep=keep,
    )
