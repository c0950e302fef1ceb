"""The project's own C around entries: stubs, jumps that never move, the way in from Python.

In: signatures and addresses. Out: loaded code. The texts are generated and compiled like a candidate's; one object code
serves all signatures of a shape, and what differs from kernel to kernel is bound when it is loaded.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.generated import load_generated
from symbiont_jit.backend.unit import Unit
from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.dispatch.vectorcall import ENTRY, PythonCall, caller_source, caller_symbols, is_supported
from symbiont_jit.errors import ToolchainError
from symbiont_jit.signature import ArrayType, Mode, Scalar, Signature, native_entry

__all__ = [
    "Pointer",
    "Stub",
    "active_entry",
    "preprocess",
    "python_call",
    "python_call_unit",
]


def preprocess(code: str) -> Any:
    """Macros and conditionals by clang's preprocessor, started only for text that has some."""
    return clang().preprocess(code)


class Stub:
    """What a kernel without any body calls: it returns zero and leaves a panic."""

    def __init__(self, signature: Signature) -> None:
        self._name = signature.name
        self._hit = ctypes.c_int64(0)
        entry = native_entry(signature)
        params = [f"{t} a{i}" for i, t in enumerate(entry.types)]
        result = f"*a{len(params) - 1} = 0;" if entry.has_result_pointer else ""
        result = "return 0;" if entry.returns != "void" else result
        text = (
            f"extern volatile int64_t sj_unevolved;\n{signature.c_structs}"
            f"{entry.returns} sj_stub({', '.join(params) or 'void'})\n{{\n  sj_unevolved = 1;\n  {result}\n}}\n"
        )
        self._loaded = load_generated(text, ("sj_stub",), {"sj_unevolved": ctypes.addressof(self._hit)})
        self.address = self._loaded.addresses[0]

    def take_panic(self) -> str | None:
        """The message of a call since it was last asked for, and forget it."""
        if not self._hit.value:
            return None
        self._hit.value = 0
        return f"{self._name!r} has no body yet; give it one with swap(), source= or a search"


class Pointer:
    """A C function of the declared prototype that never moves and always goes where a cell leads."""

    def __init__(self, signature: Signature, cell: Cell | MemberCell) -> None:
        text = _pointer_source(signature, cell.is_member)
        self._loaded = load_generated(text, ("sj_pointer",), {"sj_cell": cell.address})
        self.address = self._loaded.addresses[0]


def active_entry(signature: Signature, is_member: bool) -> str:
    """The C expression of what `sj_cell` leads to, as a pointer to the native entry."""
    pointer = native_entry(signature).c_pointer.format("")
    if not is_member:
        return f"(({pointer})__atomic_load_n(sj_cell, __ATOMIC_ACQUIRE))"
    table = "__atomic_load_n((uint64_t *)sj_cell[0], __ATOMIC_ACQUIRE)"
    return f"(({pointer})*(uint64_t *)({table} + sj_cell[2]))"


def _pointer_source(signature: Signature, is_member: bool) -> str:
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
    head = f"extern uint64_t sj_cell[3];\n{signature.c_structs}"
    return f"{head}{returns} sj_pointer({', '.join(params) or 'void'})\n{{\n  {body}\n}}\n"


def python_call(signature: Signature, is_member: bool) -> PythonCall | None:
    """The compiled way in from Python; None where it has to be the slow way.

    That is where this Python or NumPy is laid out otherwise, or there is no compiler.
    """
    if not is_supported():
        return None
    symbols, dtypes = caller_symbols(signature)
    return _python_call(caller_source(signature, is_member), tuple(symbols.items()), _ByIdentity(dtypes))


def python_call_unit(signature: Signature, is_member: bool) -> Unit:
    """What it is compiled from."""
    return Unit(caller_source(signature, is_member), (ENTRY,), frozenset(caller_symbols(signature)[0]))


class _ByIdentity:
    """Objects that a cache compares by identity and keeps alive."""

    def __init__(self, objects: tuple[Any, ...]) -> None:
        self.objects = objects

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and [*map(id, self.objects)] == [*map(id, other.objects)]

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.objects)))


@functools.lru_cache(maxsize=256)
def _python_call(text: str, symbols: tuple[tuple[str, int], ...], dtypes: _ByIdentity) -> PythonCall | None:
    try:
        loaded = load_generated(text, (ENTRY,), dict(symbols))
    except ToolchainError:
        return None
    return PythonCall(loaded.addresses[0], (loaded, dtypes))
