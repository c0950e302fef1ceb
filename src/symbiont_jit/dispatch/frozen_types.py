"""How Numba sees a frozen revision: a function whose LLVM IR is linked into whoever calls it, and inlined there.

In: bitcode and the name of its entry. Out: a callable type of its own for each revision; its values are empty. The call
is checked and converted as for a kernel.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba.core import types
from numba.core.imputils import lower_constant
from numba.core.typing.templates import Signature as NumbaSignature
from numba.extending import NativeValue, lower_builtin, models, register_model, unbox

from symbiont_jit.dispatch.numba_types import KernelType, call_entry, numba_argument_type, numba_element
from symbiont_jit.signature import Signature

__all__ = ["FrozenCode", "FrozenType", "frozen_type", "numba_function"]


@dataclass(frozen=True, slots=True)
class FrozenCode:
    """Bitcode whose function `entry` is linked as `name`; `exported` are all functions that it exports."""

    name: str
    entry: str
    exported: tuple[str, ...]
    data: bytes = field(repr=False)


class FrozenType(KernelType):
    """The type of one frozen revision."""

    def __init__(self, signature: Signature, code: FrozenCode) -> None:
        super().__init__(signature)
        self.code = code
        self.name = f"Frozen[{code.name}, {signature.shape_key}]"

    @property
    def key(self) -> str:
        """What makes two types equal: the name has a digest of the source."""
        return self.name

    def get_impl_key(self, sig: NumbaSignature) -> type:
        """One lowering serves all frozen revisions."""
        return FrozenType


def frozen_type(signature: Signature, code: FrozenCode) -> FrozenType:
    """The Numba type of a frozen revision."""
    return FrozenType(signature, code)


def numba_function(body: Callable[..., Any], signature: Signature) -> types.Type:
    """The Numba type of a Python body, compiled for the declared types: Numba links and inlines it by itself."""
    returns = types.void if signature.returns is None else numba_element(signature.returns)
    return numba.typeof(numba.njit(returns(*map(numba_argument_type, signature.params)))(body))


register_model(FrozenType)(models.OpaqueModel)


@unbox(FrozenType)
def _unbox_frozen(typ: FrozenType, obj: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())


@lower_constant(FrozenType)
def _constant_frozen(context: Any, builder: Any, typ: FrozenType, frozen: Any) -> Any:
    """A frozen revision as a global: nothing at run time.

    Numba's caches know the text of a function, not what its globals are. The address keeps them from storing the
    caller, which another process might find when the global is another revision.
    """
    context.add_dynamic_addr(builder, id(frozen), info="frozen revision")
    return context.get_dummy_value()


@lower_builtin(FrozenType, types.VarArg(types.Any))
def _call_frozen(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    """Link the revision's module into the caller's library, and call its entry by name."""
    typ: FrozenType = sig.args[0] if isinstance(sig.args[0], FrozenType) else sig.recvr

    def target(function_type: ir.FunctionType) -> Any:
        context.active_code_library.add_linking_library(_library(context.codegen(), typ.code))
        module = builder.module
        known = module.globals.get(typ.code.name)
        return known if known is not None else ir.Function(module, function_type, typ.code.name)

    return call_entry(context, builder, typ.signature, sig, args, target)


@functools.cache
def _library(codegen: Any, code: FrozenCode) -> Any:
    """A library with the bitcode in it, for a code generator of Numba's."""
    module = llvm.parse_bitcode(code.data)
    for name in code.exported:
        module.get_function(name).linkage = llvm.Linkage.internal
    entry = module.get_function(code.entry)
    entry.name = code.name
    entry.linkage = llvm.Linkage.external
    module.triple = codegen.target_data and llvm.get_process_triple()
    library = codegen.create_library(code.name)
    library.add_llvm_module(module)
    library.finalize()
    return library
