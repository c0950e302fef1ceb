"""What LLVM gets for kernels in compiled code: the value, its way from Python and back, and the call.

In: a `KernelType` and, at run time, the address of a cell. Out: IR that loads the cell and calls what it points at. The
native entry has a plain C ABI: dimensions first as `int64_t`, then scalars by value and arrays by pointer. Importing
this module registers all of it with Numba.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_constant
from numba.core.typing.templates import Signature as NumbaSignature
from numba.extending import NativeValue, box, lower_builtin, models, register_model, unbox

from symbiont_jit.dispatch.cell import offset_of
from symbiont_jit.dispatch.lease import owner_of
from symbiont_jit.dispatch.numba.types import KernelType, numba_element
from symbiont_jit.signature import ArrayType, Dimension, Param, Scalar, Signature, native_entry

__all__ = [
    "CellModel",
    "box_cell",
    "call_entry",
    "call_python",
    "cell_address",
    "constant_cell",
    "entry_return",
    "panic_table",
    "unbox_cell",
]


class CellModel(models.StructModel):  # type: ignore[misc]
    """A value of a cell's type: the cell's address, and what keeps the cell (null where it stays for good)."""

    def __init__(self, manager: Any, typ: types.Type) -> None:
        super().__init__(manager, typ, [("address", types.voidptr), ("keeper", types.MemInfoPointer(types.voidptr))])


register_model(KernelType)(CellModel)


@unbox(KernelType)
def unbox_cell(typ: types.Type, obj: Any, c: Any) -> NativeValue:
    """Read the address of an object's cell from its attribute `_numba_lease`, which keeps both while it lives.

    Numba counts references to the lease, so the cell stays too where a generator, a list or a jitclass holds the value.
    """
    value = cgutils.alloca_once_value(c.builder, cgutils.create_struct_proxy(typ)(c.context, c.builder)._getvalue())
    lease = c.pyapi.object_getattr_string(obj, "_numba_lease")
    failed = cgutils.is_null(c.builder, lease)
    with c.builder.if_then(c.builder.not_(failed), likely=True):
        number = c.pyapi.object_getattr_string(lease, "address")
        address = c.pyapi.long_as_voidptr(number)
        c.pyapi.decref(number)
        made = cgutils.create_struct_proxy(typ)(c.context, c.builder)
        made.address = address
        made.keeper = c.pyapi.nrt_meminfo_new_from_pyobject(address, lease)
        c.pyapi.decref(lease)
        c.builder.store(made._getvalue(), value)
    return NativeValue(c.builder.load(value), is_error=failed)


@box(KernelType)
def box_cell(typ: types.Type, value: Any, c: Any) -> Any:
    """Find the Python object that a cell belongs to."""
    proxy = cgutils.create_struct_proxy(typ)(c.context, c.builder, value=value)
    number = c.pyapi.long_from_ulonglong(c.builder.ptrtoint(proxy.address, _WORD))
    found = call_python(c, owner_of, number)
    c.pyapi.decref(number)
    if c.context.enable_nrt:
        c.context.nrt.decref(c.builder, typ, value)
    return found


def call_python(c: Any, function: Callable[..., Any], *args: Any) -> Any:
    """Call a Python function from `box`; the function is pickled into the compiled code."""
    callee = c.pyapi.unserialize(c.pyapi.serialize_object(function))
    found = c.pyapi.call_function_objargs(callee, args)
    c.pyapi.decref(callee)
    return found


_CELL: Final = ir.IntType(8).as_pointer()
_WORD: Final = ir.IntType(64)


@lower_constant(KernelType)
def constant_cell(context: Any, builder: Any, typ: types.Type, owner: Any) -> Any:
    """Put the address of a kernel's cell, which a compiled function names as a global, into the function's code.

    The cell stays for the life of the process. Numba is told that the address is one of this process, so that no other
    process finds the code in a cache of Numba's.
    """
    address = owner._cell_address
    owner._keep_for_good()
    value = cgutils.create_struct_proxy(typ)(context, builder)
    value.address = context.add_dynamic_addr(builder, address, info="cell of a kernel")
    value.keeper = ir.Constant(_CELL, None)
    return value._getvalue()


def cell_address(context: Any, builder: Any, typ: types.Type, value: Any) -> Any:
    """Take the cell's address out of a value of a cell's type."""
    return cgutils.create_struct_proxy(typ)(context, builder, value=value).address


@lower_builtin(operator.is_, KernelType, KernelType)
def _compare_cells(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    return builder.icmp_unsigned(
        "==", *(cell_address(context, builder, t, v) for t, v in zip(sig.args, args, strict=True))
    )


@lower_builtin(KernelType, types.VarArg(types.Any))
def _call_kernel(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    """Generate a call of a kernel: check the lengths, load the cell, call what it points at."""
    kernel_typ: KernelType = sig.args[0] if isinstance(sig.args[0], KernelType) else sig.recvr
    signature = kernel_typ.signature

    def call(arguments: list[Any]) -> Any:
        """Call by C's convention: clang's code relies on the caller to extend integers to 32 bits."""
        scalars = [None] * len(signature.dimensions) + [
            p.type if isinstance(p.type, Scalar) else None for p in signature.params
        ]
        passed = [_extend(builder, s, v) for s, v in zip_longest(scalars, arguments)]
        returns = ir.IntType(8) if _is_bool(signature.returns) else entry_return(signature)
        load = _load_member if kernel_typ.is_member else _load_cell
        function = load(
            builder,
            cell_address(context, builder, kernel_typ, args[0]),
            ir.FunctionType(returns, [v.type for v in passed]),
        )
        returned = builder.call(function, passed)
        return builder.trunc(returned, ir.IntType(1)) if _is_bool(signature.returns) else returned

    return call_entry(context, builder, signature, sig, args, call)


def call_entry(
    context: Any,
    builder: Any,
    signature: Signature,
    sig: NumbaSignature,
    args: Sequence[Any],
    call: Callable[[list[Any]], Any],
) -> Any:
    """Generate a call of a native entry: check the lengths, pass the arguments, take the result back.

    Args:
        context: Numba's target context.
        builder: llvmlite's IR builder.
        signature: The kernel's signature.
        sig: The call's signature in Numba.
        args: The values, of which the first is the callee.
        call: Generates the call itself from the arguments as LLVM has them: an integer has its own width, a bool is
            one bit.

    Returns:
        The result as Numba has it.
    """
    arg_types = sig.args[1:] if len(sig.args) == len(args) else sig.args
    lengths: dict[str, Any] = {}
    passed = [
        _pass_argument(context, builder, signature, param, typ, value, lengths)
        for param, value, typ in zip(signature.params, args[1:], arg_types, strict=True)
    ]
    arguments = [*(lengths[d] for d in signature.dimensions), *passed]
    result = None
    if native_entry(signature).has_result_pointer:
        result = cgutils.alloca_once(builder, context.get_data_type(numba_element(signature.returns)))
        arguments.append(result)
    returned = call(arguments)
    if signature.returns is None:
        return context.get_dummy_value()
    return builder.load(result) if result is not None else returned


def _load_cell(builder: Any, cell: Any, function_type: ir.FunctionType) -> Any:
    """Load the cell's content with acquire order: code published before a swap is seen by whoever sees the swap."""
    at = builder.gep(cell, [ir.Constant(_WORD, offset_of("target"))])
    slot = builder.bitcast(at, function_type.as_pointer().as_pointer())
    return builder.load_atomic(slot, ordering="acquire", align=8)


def _load_member(builder: Any, cell: Any, function_type: ir.FunctionType) -> Any:
    """Load the member's entry of its group's active table; slot and offset of a member never change."""
    slot = builder.inttoptr(_load_constant(builder, cell, "target"), _CELL.as_pointer())
    table = builder.load_atomic(slot, ordering="acquire", align=8)
    entry = builder.gep(table, [_load_constant(builder, cell, "offset")])
    return builder.load(builder.bitcast(entry, function_type.as_pointer().as_pointer()))


def panic_table(builder: Any, cell: Any) -> Any:
    """Load the address of the table in which the calls through a cell leave their panics."""
    return builder.inttoptr(_load_constant(builder, cell, "panics"), _WORD.as_pointer())


def _load_constant(builder: Any, cell: Any, field: str) -> Any:
    """Load a field of a cell that never changes, so that LLVM may load it once before a loop."""
    at = builder.gep(cell, [ir.Constant(_WORD, offset_of(field))])
    load = builder.load(builder.bitcast(at, _WORD.as_pointer()))
    load.set_metadata("invariant.load", builder.module.add_metadata([]))
    return load


def entry_return(signature: Signature) -> ir.Type:
    """Return the LLVM type of what the native entry returns; a bool is one bit."""
    scalar = signature.returns
    if scalar is None or native_entry(signature).has_result_pointer:
        return ir.VoidType()
    if scalar.kind == "f":
        return ir.DoubleType() if scalar.name == "float64" else ir.FloatType()
    return ir.IntType(1 if scalar.kind == "b" else 8 * scalar.dtype.itemsize)


def _is_bool(scalar: Scalar | None) -> bool:
    return scalar is not None and scalar.kind == "b"


def _pass_argument(
    context: Any,
    builder: Any,
    signature: Signature,
    param: Param,
    typ: types.Type,
    value: Any,
    lengths: dict[str, Any],
) -> Any:
    """Turn one argument into what the native entry takes for it."""
    if not isinstance(param.type, Scalar):
        if isinstance(typ, types.Record):
            return value  # The value of a record in Numba is its address.
        return _pass_array(context, builder, signature, param, typ, value, lengths)
    if param.type.kind == "c":
        slot = cgutils.alloca_once(builder, value.type)
        builder.store(value, slot)
        return slot
    return value


def _extend(builder: Any, scalar: Scalar | None, value: Any) -> Any:
    """Extend an integer that is narrower than 32 bits; anything else stays."""
    if scalar is None or scalar.kind not in "iub" or scalar.dtype.itemsize >= 4:
        return value
    if scalar.kind == "i":
        return builder.sext(value, ir.IntType(32))
    return builder.zext(value, ir.IntType(32))


def _pass_array(
    context: Any,
    builder: Any,
    signature: Signature,
    param: Param,
    typ: types.Array,
    value: Any,
    lengths: dict[str, Any],
) -> Any:
    """Check an array's shape, and pass the pointer to its data."""
    array = context.make_array(typ)(context, builder, value)
    assert isinstance(param.type, ArrayType)
    shape = cgutils.unpack_tuple(builder, array.shape, typ.ndim)
    dims = param.type.dims or (1,) * typ.ndim  # One value by reference is an array of one element.
    for axis, (dim, length) in enumerate(zip(dims, shape, strict=True)):
        if isinstance(dim, str) and dim not in lengths:
            lengths[dim] = length
            continue
        wanted = lengths[dim] if isinstance(dim, str) else ir.Constant(length.type, dim)
        with builder.if_then(builder.icmp_signed("!=", length, wanted), likely=False):
            context.call_conv.return_user_exc(
                builder, ValueError, (_describe_wrong_length(signature, param, axis, dim),)
            )
    return array.data


def _describe_wrong_length(signature: Signature, param: Param, axis: int, dim: Dimension) -> str:
    """Describe what is wrong with an axis in words that hold for every kernel of these types, whatever its names."""
    given = f"axis {axis} of argument {signature.params.index(param) + 1}"
    if isinstance(dim, int):
        return f"{given} does not have length {dim}, in a call of a {signature}"
    arrays = [(number, p.type) for number, p in enumerate(signature.params, 1) if isinstance(p.type, ArrayType)]
    first = next(f"axis {t.dims.index(dim)} of argument {number}" for number, t in arrays if dim in t.dims)
    return f"{given} and {first} differ in length, in a call of a {signature}"
