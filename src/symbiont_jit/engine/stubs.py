"""The project's own C around entries: stubs, jumps that never move, the way in from Python.

In: signatures and addresses. Out: loaded code. The texts are generated and compiled like a candidate's; one object code
serves all signatures of a shape, and what differs from kernel to kernel is bound when it is loaded.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Final

from symbiont_jit.backend.generated import load_generated
from symbiont_jit.backend.unit import Unit
from symbiont_jit.dispatch.cell import Cell, CellLayout, MemberCell
from symbiont_jit.dispatch.vectorcall import (
    ENTRY,
    ArrayLayout,
    VectorCall,
    is_supported,
    vectorcall_source,
    vectorcall_symbols,
)
from symbiont_jit.errors import ToolchainError
from symbiont_jit.runtime.layout import PanicRecord, assertions
from symbiont_jit.runtime.library import bound_names, panic_taker
from symbiont_jit.runtime.sources import expand, include
from symbiont_jit.signature import ArrayType, Mode, Scalar, Signature, native_entry

__all__ = [
    "Stub",
    "Trampoline",
    "active_entry",
    "cell_declaration",
    "vectorcall",
    "vectorcall_unit",
]


#: The runtime's function that the way in from Python asks for the panic of a call.
_TAKER: Final = "sj_take_watched"


class Stub:
    """The code of a function without a body: a call returns zero and leaves a panic, which has the function's index."""

    def __init__(self, signature: Signature, index: int, panics: int) -> None:
        bound = bound_names()
        symbols = {name: bound[name] for name in ("sj_threads", "sj_enlist", "sj_report_panic")}
        symbols |= {"sj_panics": panics, "sj_function": index + 1}  # LLVM's linker takes 0 for a name without a value.
        self._loaded = load_generated(_stub_source(signature), ("sj_stub",), symbols)
        self.address = self._loaded.addresses[0]


def _stub_source(signature: Signature) -> str:
    entry = native_entry(signature)
    params = [f"{t} a{i}" for i, t in enumerate(entry.types)]
    result = f"*a{len(params) - 1} = 0;" if entry.has_result_pointer else ""
    result = "return 0;" if entry.returns != "void" else result
    return f"""{include("runtime/thread_slots.h")}{signature.c_structs}
extern void sj_report_panic(struct sj_frame *, struct sj_panic_table *, int64_t);
extern char sj_function[];

{entry.returns} sj_stub({", ".join(params) or "void"})
{{
  struct sj_frame frame;
  frame.site = SJ_UNEVOLVED;
  frame.a = (int64_t)sj_function - 1;
  frame.b = 0;
  sj_current_thread();
  sj_report_panic(&frame, &sj_panics, SJ_NO_REVISION);
  {result}
}}
"""


class Trampoline:
    """A C function of the declared prototype that never moves and always goes where a cell leads."""

    def __init__(self, signature: Signature, cell: Cell | MemberCell) -> None:
        text = _trampoline_source(signature, cell.is_member)
        self._loaded = load_generated(text, ("sj_pointer",), {"sj_cell": cell.address})
        self.address = self._loaded.addresses[0]


@functools.cache
def cell_declaration() -> str:
    """Return the C of cells, which does not compile where Python expects another layout."""
    return include("dispatch/cell.h") + assertions({"struct sj_cell": CellLayout})


def active_entry(signature: Signature, is_member: bool) -> str:
    """Return the C expression of what `sj_cell` leads to, as a pointer to the native entry."""
    target = "sj_target_in_table(&sj_cell, sj_target(sj_slot(&sj_cell)))" if is_member else "sj_target(&sj_cell)"
    return f"(({native_entry(signature).c_pointer.format('')}){target})"


def _trampoline_source(signature: Signature, is_member: bool) -> str:
    entry = native_entry(signature)
    params = [f"int64_t d{i}" for i in range(len(signature.dimensions))]
    passed = [f"d{i}" for i in range(len(signature.dimensions))]
    for number, param in enumerate(signature.params):
        if isinstance(param.type, ArrayType):
            params.append(f"{'const ' if param.mode is Mode.IN else ''}void *a{number}")
        else:
            params.append(f"{param.type.c} a{number}")
        by_pointer = isinstance(param.type, Scalar) and param.type.kind == "c"
        passed.append(f"{'&' if by_pointer else ''}a{number}")
    returns = signature.returns.c if signature.returns else "void"
    if entry.has_result_pointer:
        passed.append("&result")
    call = f"{active_entry(signature, is_member)}({', '.join(passed)});"
    if entry.has_result_pointer:
        body = f"{returns} result;\n  {call}\n  return result;"
    else:
        body = f"{'' if returns == 'void' else 'return '}{call}"
    head = cell_declaration() + signature.c_structs
    return f"{head}{returns} sj_pointer({', '.join(params) or 'void'})\n{{\n  {body}\n}}\n"


def vectorcall(signature: Signature, is_member: bool) -> VectorCall | None:
    """Load the compiled way in from Python; None where it has to be the slow way.

    That is where this Python or NumPy is laid out otherwise, or there is no compiler.
    """
    if not is_supported():
        return None
    symbols, dtypes = vectorcall_symbols(signature)
    with contextlib.suppress(ToolchainError):
        symbols |= {_TAKER: panic_taker()}
        return _vectorcall(_vectorcall_text(signature, is_member), tuple(symbols.items()), _ByIdentity(dtypes))
    return None


def vectorcall_unit(signature: Signature, is_member: bool) -> Unit:
    """Make the unit of C from which the way in from Python is compiled."""
    return Unit(
        _vectorcall_text(signature, is_member), (ENTRY,), frozenset([*vectorcall_symbols(signature)[0], _TAKER])
    )


def _vectorcall_text(signature: Signature, is_member: bool) -> str:
    """Return the complete C of a way in from Python, which does not compile where Python expects other layouts."""
    layouts = {"struct sj_cell": CellLayout, "struct sj_array": ArrayLayout, "struct sj_watched": PanicRecord}
    return expand(vectorcall_source(signature, is_member)) + assertions(layouts)


class _ByIdentity:
    """Objects that a cache compares by identity and keeps alive."""

    def __init__(self, objects: tuple[Any, ...]) -> None:
        self.objects = objects

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and [*map(id, self.objects)] == [*map(id, other.objects)]

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.objects)))


@functools.lru_cache(maxsize=256)
def _vectorcall(text: str, symbols: tuple[tuple[str, int], ...], dtypes: _ByIdentity) -> VectorCall:
    loaded = load_generated(text, (ENTRY,), dict(symbols))
    return VectorCall(loaded.addresses[0], (loaded, dtypes))
