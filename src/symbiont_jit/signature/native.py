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

__all__ = ["NativeEntry", "adapt_parameters", "native_entry", "shim"]

ENTRY_PREFIX = "sj_entry_"


@dataclass(frozen=True, slots=True)
class NativeEntry:
    """The function of a kernel that compiled code calls.

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
    """Make the native entry of a signature."""
    returns, result = _results(signature)
    types = ["int64_t"] * len(signature.dimensions) + [_type(p) for p in signature.params]
    if result is not None:
        types.append(f"{result.c} *")
    assertions = "".join(r.c_assertions for r in signature.records)
    if result is None and all(is_by_value(p) for p in signature.params if isinstance(p.type, Scalar)):
        return NativeEntry(signature.name, returns, tuple(types), False, assertions)
    symbol = ENTRY_PREFIX + signature.name
    after = assertions + shim(signature, symbol, signature.name)
    return NativeEntry(symbol, returns, tuple(types), result is not None, after)


def _results(signature: Signature) -> tuple[str, Scalar | None]:
    """Return the C type that the entry returns, and the scalar that it writes through its last pointer, if any."""
    if signature.returns is not None and signature.returns.kind == "c":
        return "void", signature.returns
    return "void" if signature.returns is None else signature.returns.c, None


def _type(param: Param) -> str:
    if isinstance(param.type, Scalar):
        return param.type.c if is_by_value(param) else f"const {param.type.c} *"
    return f"{'const ' if param.mode is Mode.IN else ''}{param.type.dtype.c} *"


def adapt_parameters(signature: Signature) -> tuple[list[str], list[str]]:
    """Return the entry's parameters, and the arguments that it passes to the candidate's function.

    The parameters have reserved names, so that none hides the candidate's function. A pointer for the result is not
    among them.
    """
    passed = [f"sj_d{number}" for number in range(len(signature.dimensions))]
    params = [f"int64_t {name}" for name in passed]
    for number, param in enumerate(signature.params):
        by_pointer = isinstance(param.type, Scalar) and not is_by_value(param)
        is_array = not isinstance(param.type, Scalar)
        const = "const " if param.mode is Mode.IN else ""
        params.append(f"{const + 'void *' if is_array else _type(param) + ' '}sj_a{number}")
        passed.append(f"{'*' if by_pointer else ''}sj_a{number}")
    return params, passed


def shim(signature: Signature, symbol: str, callee: str, first: str = "") -> str:
    """Generate a C function that is called like the entry and calls the candidate's; `first` is done before."""
    returns, result = _results(signature)
    params, passed = adapt_parameters(signature)
    call = f"{callee}({', '.join(passed)})"
    if result is not None:
        params.append(f"{result.c} *sj_result")
        body = f"*sj_result = {call};"
    else:
        body = f"{'' if returns == 'void' else 'return '}{call};"
    return f"{returns} {symbol}({', '.join(params) or 'void'})\n{{\n  {first}{body}\n}}\n"
