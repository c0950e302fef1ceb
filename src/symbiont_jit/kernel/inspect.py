"""What a revision became, for `inspect_llvm`, `inspect_asm` and `inspect_remarks` of kernels, groups and handles.

In: a revision of an engine. Out: text. C goes through `backend.inspect`, Python bodies through Numba's own methods of
these names.
"""

from __future__ import annotations

from symbiont_jit.backend.inspect import assembly, llvm_ir, remarks
from symbiont_jit.backend.unit import Unit
from symbiont_jit.engine.engine import Engine
from symbiont_jit.engine.revisions import RevisionInfo
from symbiont_jit.errors import KernelError

__all__ = ["describe_remarks", "print_asm", "print_llvm"]


def print_llvm(engine: Engine, info: RevisionInfo) -> str:
    """Return the optimised LLVM IR of a revision as text."""
    if info.language == "python":
        return _ask_numba(engine, info, "inspect_llvm")
    return llvm_ir(_unit_of(engine, info))


def print_asm(engine: Engine, info: RevisionInfo) -> str:
    """Return the machine code of a revision as assembly."""
    if info.language == "python":
        return _ask_numba(engine, info, "inspect_asm")
    return assembly(_unit_of(engine, info))


def describe_remarks(engine: Engine, info: RevisionInfo) -> str:
    """Say what clang's optimiser did with a revision's text, without its profile's checks, on the author's lines."""
    if info.language == "python":
        raise KernelError(f"revision {info.number} is a Python body, of which Numba keeps no optimisation remarks")
    canonical = engine.builder.canonical(info.author_text)
    found = remarks(engine.builder.release_unit(canonical.text), canonical.author_position)
    if info.profile == "release":
        return found
    return f"(of the text without the checks of profile '{info.profile}')\n{found}"


def _unit_of(engine: Engine, info: RevisionInfo) -> Unit:
    assert info.object_code is not None, "a revision in C has object code"
    return engine.builder.unit_of(engine.builder.canonical(info.author_text), info.profile, info.object_code.key)


def _ask_numba(engine: Engine, info: RevisionInfo, method: str) -> str:
    """Ask Numba about the Python bodies, which are compiled now if they are not."""
    engine.activation.table(info)
    bodies = [body for body in engine.loader.link(info) if body is not None]
    texts = [text for body in bodies for text in getattr(body, method)().values()]
    if not texts:
        raise KernelError(f"{engine.functions.name} has no body to inspect; swap one in first")
    return "\n".join(texts)
