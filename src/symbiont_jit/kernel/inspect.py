"""What a revision became, for `inspect_llvm`, `inspect_asm` and `inspect_remarks` of kernels, groups and handles.

In: a revision of a lineage. Out: text. C goes through `backend.inspect`, Python bodies through Numba's own methods of
these names.
"""

from __future__ import annotations

from symbiont_jit.backend.inspect import assembly, llvm_ir, remarks
from symbiont_jit.backend.unit import Unit
from symbiont_jit.engine.revisions import Lineage, Version
from symbiont_jit.errors import KernelError

__all__ = ["asm_of", "llvm_of", "remarks_of"]


def llvm_of(lineage: Lineage, version: Version) -> str:
    """The optimised LLVM IR of a revision."""
    if version.language == "python":
        return _numba_text(lineage, version, "inspect_llvm")
    return llvm_ir(_unit_of(lineage, version))


def asm_of(lineage: Lineage, version: Version) -> str:
    """The machine code of a revision as assembly."""
    if version.language == "python":
        return _numba_text(lineage, version, "inspect_asm")
    return assembly(_unit_of(lineage, version))


def remarks_of(lineage: Lineage, version: Version) -> str:
    """What clang's optimiser did with a revision's text as it is, without the checks of its profile."""
    if version.language == "python":
        raise KernelError(f"revision {version.number} is a Python body, of which Numba keeps no optimisation remarks")
    found = remarks(lineage.builder.release_unit(version.source))
    if version.profile == "release":
        return found
    return f"(of the text without the checks of profile '{version.profile}')\n{found}"


def _unit_of(lineage: Lineage, version: Version) -> Unit:
    assert version.object_code is not None, "a revision in C has object code"
    return lineage.builder.unit_of(version.source, version.profile, version.object_code.key)


def _numba_text(lineage: Lineage, version: Version, method: str) -> str:
    """What Numba says of the Python bodies, which are compiled now if they are not."""
    lineage.table(version)
    bodies = [body for body in lineage.compiled(version) if body is not None]
    texts = [text for body in bodies for text in getattr(body, method)().values()]
    if not texts:
        raise KernelError(f"{lineage.name} has no body to inspect; swap one in first")
    return "\n".join(texts)
