"""How Numba sees a frozen revision: a function whose LLVM IR is linked into whoever calls it, and inlined there.

In: bitcode and the name of its entry. Out: a callable type of its own for each revision; its values are empty. The call
is checked and converted as for a kernel.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core.imputils import lower_constant
from numba.core.typing.templates import Signature as NumbaSignature
from numba.extending import NativeValue, box, lower_builtin, models, register_model, unbox

from symbiont_jit.dispatch.numba.bodies import link_python
from symbiont_jit.dispatch.numba.lowering import call_entry, call_python, entry_return
from symbiont_jit.dispatch.numba.types import KernelType
from symbiont_jit.signature import Signature

__all__ = ["FrozenCode", "FrozenType", "frozen_python_type", "frozen_type"]


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
        """The key that equal types share: the name, which has a digest of the source in it."""
        return self.name

    def get_impl_key(self, sig: NumbaSignature) -> type:
        """Return the key of the lowering, which serves all frozen revisions."""
        return FrozenType


#: The function that makes the Python object of each type again: the type alone says which revision it is.
_MAKERS: Final[dict[str, Callable[[], Any]]] = {}


def frozen_type(signature: Signature, code: FrozenCode, make: Callable[[], Any]) -> FrozenType:
    """Return the Numba type of a frozen revision; `make` makes the object that Python gets from compiled code."""
    typ = FrozenType(signature, code)
    _MAKERS[typ.name] = make
    return typ


class FrozenPythonType(FrozenType):
    """The type of one frozen Python body; it is a type of this process alone."""

    def __init__(self, signature: Signature, entry: Any) -> None:
        KernelType.__init__(self, signature)
        self.entry = entry
        self.name = f"FrozenPython[{id(entry):#x}, {signature.shape_key}]"


def frozen_python_type(signature: Signature, body: Any, make: Callable[[], Any]) -> FrozenPythonType:
    """Return the Numba type of a frozen Python body; `make` makes the object that Python gets from compiled code."""
    typ = _python_type(signature, body)
    _MAKERS[typ.name] = make
    return typ


@functools.lru_cache(maxsize=256)
def _python_type(signature: Signature, body: Any) -> FrozenPythonType:
    return FrozenPythonType(signature, link_python(body, signature))


register_model(FrozenType)(models.OpaqueModel)
register_model(FrozenPythonType)(models.OpaqueModel)


@unbox(FrozenType)
def _unbox_frozen(typ: FrozenType, obj: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())


@box(FrozenType)
def _box_frozen(typ: FrozenType, value: Any, c: Any) -> Any:
    return call_python(c, functools.partial(_frozen_of, typ.name))


def _frozen_of(name: str) -> Any:
    return _MAKERS[name]()


@lower_builtin(operator.is_, FrozenType, FrozenType)
def _compare_frozen(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    """Compare two frozen revisions by their types: the type says which revision it is."""
    return context.get_constant(types.boolean, sig.args[0] == sig.args[1])


@lower_builtin(operator.is_, FrozenType, KernelType)
@lower_builtin(operator.is_, KernelType, FrozenType)
def _never_same(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    return context.get_constant(types.boolean, False)


@lower_constant(FrozenType)
def _make_frozen_constant(context: Any, builder: Any, typ: FrozenType, frozen: Any) -> Any:
    """Make the value of a frozen revision that is a global, which is empty at run time.

    Numba's caches know the text of a function, not what its globals are. The address keeps them from storing the
    caller, which another process might find when the global is another revision.
    """
    _refuse_caching(context, builder, frozen)
    return context.get_dummy_value()


def _refuse_caching(context: Any, builder: Any, what: Any) -> None:
    """Name an address of this process. Nothing uses it, so it has to be `weak`: LLVM drops an unused `linkonce`."""
    load = context.add_dynamic_addr(builder, id(what), info="frozen revision")
    load.operands[0].linkage = "weak"


@lower_builtin(FrozenType, types.VarArg(types.Any))
def _call_frozen(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    """Link the revision's module into the caller's library, and call its entry by name."""
    typ: FrozenType = sig.args[0] if isinstance(sig.args[0], FrozenType) else sig.recvr

    def call(arguments: list[Any]) -> Any:
        """Call with the types that clang gave the definition: LLVM inlines no call with others."""
        context.active_code_library.add_linking_library(_library(context.codegen(), typ.code))
        function = builder.module.globals.get(typ.code.name)
        if function is None:
            types_ = ir.FunctionType(entry_return(typ.signature), [v.type for v in arguments])
            function = ir.Function(builder.module, types_, typ.code.name)
        return builder.call(function, arguments)

    def call_python(arguments: list[Any]) -> Any:
        """Call as Numba calls its own; the caller is not cached: another process cannot tell one body from another."""
        _refuse_caching(context, builder, typ.entry)
        (overload,) = typ.entry.overloads.values()
        context.add_linking_libs([overload.library])
        wanted = map(context.get_value_type, overload.signature.args)
        passed = [builder.bitcast(v, t) if v.type != t else v for v, t in zip(arguments, wanted, strict=True)]
        return context.call_internal(builder, overload.fndesc, overload.signature, passed)

    how = call_python if isinstance(typ, FrozenPythonType) else call
    return call_entry(context, builder, typ.signature, sig, args, how)


@functools.cache
def _library(codegen: Any, code: FrozenCode) -> Any:
    """Make a library with the bitcode in it, for a code generator of Numba's."""
    module = llvm.parse_bitcode(code.data)
    for name in code.exported:
        module.get_function(name).linkage = llvm.Linkage.internal
    entry = module.get_function(code.entry)
    entry.name = code.name
    entry.linkage = llvm.Linkage.external
    # With -O0 or -fno-inline the entry must not be inlined already, and LLVM refuses both attributes at once.
    if not any(word in attribute for attribute in entry.attributes for word in (b"optnone", b"noinline")):
        entry.add_function_attribute("alwaysinline")
    module.triple = codegen.target_data and llvm.get_process_triple()
    library = codegen.create_library(code.name)
    library.add_llvm_module(module)
    library.finalize()
    return library
