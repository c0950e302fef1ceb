"""The native entry: how compiled code is called, in C types that are passed the same way everywhere.

In: a `Signature`. Out: a `NativeEntry`. Dimensions come first as `int64_t`, then the arguments: integers and floats by
value, everything else by pointer. How a structure travels in registers differs between machines, so complex numbers go
by pointer too, a complex result through a last pointer; where there are any, a generated function in C adapts
(`shim`), and clang knows the convention.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from symbiont_jit.signature.elements import Scalar
from symbiont_jit.signature.model import Mode, Param, Signature

__all__ = ["NativeEntry", "native_entry"]

ENTRY_PREFIX = "sj_entry_"


@dataclass(frozen=True, slots=True)
class NativeEntry:
    """What is called.

    `symbol` is its name in the object code; `returns` and `types` are C types, with `has_result_pointer` the last of
    them is where the result goes. `after` is the C that follows a candidate: the assertions that its records are laid
    out like their dtypes, and the shim where the candidate's function is not the entry itself.
    """

    symbol: str
    returns: str
    types: tuple[str, ...]
    has_result_pointer: bool
    after: str

    @property
    def c_pointer(self) -> str:
        """The type of a pointer to the entry, around a name given with `.format(name)`."""
        return f"{self.returns} (*{{}})({', '.join(self.types) or 'void'})"


def is_by_value(param: Param) -> bool:
    """Whether the native entry takes a parameter by value."""
    return isinstance(param.type, Scalar) and param.type.kind != "c"


@functools.lru_cache(maxsize=1024)
def native_entry(signature: Signature) -> NativeEntry:
    """The entry of a signature."""
    result = signature.returns if signature.returns is not None and signature.returns.kind == "c" else None
    types = ["int64_t"] * len(signature.dimensions) + [_type(p) for p in signature.params]
    if result is not None:
        types.append(f"{result.c} *")
    returns = "void" if result is not None or signature.returns is None else signature.returns.c
    assertions = "".join(r.c_assertions for r in signature.records)
    if result is None and all(is_by_value(p) for p in signature.params if isinstance(p.type, Scalar)):
        return NativeEntry(signature.name, returns, tuple(types), False, assertions)
    symbol = ENTRY_PREFIX + signature.name
    shim = _shim(signature, symbol, returns, result)
    return NativeEntry(symbol, returns, tuple(types), result is not None, assertions + shim)


def _type(param: Param) -> str:
    if isinstance(param.type, Scalar):
        return param.type.c if is_by_value(param) else f"const {param.type.c} *"
    return f"{'const ' if param.mode is Mode.IN else ''}{param.type.dtype.c} *"


def _shim(signature: Signature, symbol: str, returns: str, result: Scalar | None) -> str:
    """The entry in C. Its parameters have names of their own, so that none hides the candidate's function."""
    params, passed = [], []
    for number in range(len(signature.dimensions)):
        params.append(f"int64_t d{number}")
        passed.append(f"d{number}")
    for number, param in enumerate(signature.params):
        by_pointer = isinstance(param.type, Scalar) and not is_by_value(param)
        is_array = not isinstance(param.type, Scalar)
        const = "const " if param.mode is Mode.IN else ""
        params.append(f"{const + 'void *' if is_array else _type(param) + ' '}a{number}")
        passed.append(f"*a{number}" if by_pointer else f"a{number}")
    call = f"{signature.name}({', '.join(passed)})"
    if result is not None:
        params.append(f"{result.c} *result")
        body = f"*result = {call};"
    else:
        body = f"{'' if returns == 'void' else 'return '}{call};"
    return f"{returns} {symbol}({', '.join(params)})\n{{\n  {body}\n}}\n"
