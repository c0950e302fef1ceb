"""How Numba sees a kernel: a callable type that depends on the signature's types alone, never on the kernel.

In: a `Signature` and, at run time, the address of a cell. Out: Numba code that loads the cell and calls what it
points at. One compiled loop therefore serves every kernel of the same types, and a swap needs no compilation.

The native entry has a plain C ABI: dimensions first as `int64_t`, then scalars by value and arrays by pointer.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, Final

import numba
from llvmlite import ir
from numba import TypingError, types
from numba.core import cgutils
from numba.core.imputils import lower_constant
from numba.core.typing.templates import Signature as NumbaSignature
from numba.extending import NativeValue, box, lower_builtin, models, register_model, unbox

from symbiont_jit.dispatch.cell import offset_of
from symbiont_jit.dispatch.lease import owner_of
from symbiont_jit.signature import ArrayType, Dimension, Element, Mode, Param, Record, Scalar, Signature, native_entry

__all__ = [
    "KernelType",
    "call_entry",
    "entry_return",
    "from_python",
    "kernel_type",
    "numba_argument_type",
    "numba_element",
    "panic_table",
    "unbox_cell",
]


@functools.cache
def numba_element(element: Element | None) -> types.Type:
    """Numba's type of a scalar or record; `none` for no value."""
    if element is None:
        return types.none
    return numba.from_dtype(element.dtype) if isinstance(element, Record) else getattr(types, element.name)


def numba_argument_type(param: Param) -> types.Type:
    """The Numba type a parameter's arguments have; arrays that are only read are read-only."""
    if isinstance(param.type, Scalar):
        return numba_element(param.type)
    if param.type.is_record:
        return numba_element(param.type.dtype)
    return types.Array(numba_element(param.type.dtype), len(param.type.dims), "C", readonly=param.mode is Mode.IN)


#: Grows with every change to what compiled code knows of cells and tables: caches of Numba's on disk hold such code.
LAYOUT: Final = 2


class KernelType(types.Callable):  # type: ignore[misc]  # Numba has no type information
    """The type of every kernel, handle and revision with the same types and dimension pattern.

    `signature` has the names of none of them: a message from a loop that serves all must not name the first. It is not
    `types.Opaque`: Numba takes values of that for empty where they are attributes of a module.
    """

    def __init__(self, signature: Signature, is_member: bool = False) -> None:
        self.signature = _anonymous(signature)
        self.is_member = is_member
        self.layout = LAYOUT
        super().__init__(f"{'Member' if is_member else 'Kernel'}[{signature.shape_key}]")

    @property
    def key(self) -> Any:
        """What makes two types equal, here and in a cache that an earlier release has written."""
        return self.name, self.__dict__.get("layout")

    def get_call_type(self, context: Any, args: Sequence[types.Type], kws: dict[str, Any]) -> NumbaSignature:
        """The call's signature; raises a typing error that shows the wanted one."""
        params = self.signature.params
        if kws:
            raise TypingError(f"pass arguments by position; {_wanted(self.signature)}")
        if len(args) != len(params):
            raise TypingError(f"{len(args)} arguments given, {len(params)} wanted; {_wanted(self.signature)}")
        taken = [_argument(param, arg, self.signature) for param, arg in zip(params, args, strict=True)]
        # `recvr` makes Numba hand the callee's value to the lowering as its first argument.
        return NumbaSignature(numba_element(self.signature.returns), tuple(taken), recvr=self)

    def get_call_signatures(self) -> tuple[list[NumbaSignature], bool]:
        """For Numba's messages."""
        args = tuple(numba_argument_type(p) for p in self.signature.params)
        return [NumbaSignature(numba_element(self.signature.returns), args, recvr=self)], False

    def get_impl_key(self, sig: NumbaSignature) -> type:
        """One lowering serves all kernels."""
        return KernelType


_BY_SHAPE: dict[tuple[str, bool], KernelType] = {}


def kernel_type(signature: Signature, is_member: bool = False) -> KernelType:
    """The Numba type of a signature; the same object for every signature of the same types.

    Members of a group have a type of their own: their calls go through the group's table.
    """
    key = signature.shape_key, is_member
    if key not in _BY_SHAPE:
        _BY_SHAPE.setdefault(key, KernelType(signature, is_member))
    return _BY_SHAPE[key]


def _anonymous(signature: Signature) -> Signature:
    """The signature with names that hold for every kernel of its types."""
    index: dict[str | int, str] = {d: f"n{i}" for i, d in enumerate(signature.dimensions)}
    params = []
    for number, param in enumerate(signature.params, 1):
        typ = param.type
        if isinstance(typ, ArrayType):
            typ = ArrayType(typ.dtype, tuple(index.get(d, d) for d in typ.dims))
        params.append(Param(f"arg{number}", typ, param.mode))
    return Signature("kernel", tuple(params), signature.returns)


def _wanted(signature: Signature) -> str:
    return f"wanted {signature}, in C: {signature.c_prototype}"


def _argument(param: Param, given: types.Type, signature: Signature) -> types.Type:
    """The type an argument is converted to before the call, or a typing error."""
    problem = (
        _scalar_problem(param.type, given)
        if isinstance(param.type, Scalar)
        else _array_problem(param.type, param.mode, given)
    )
    if problem is not None:
        raise TypingError(f"argument {param.name!r} {problem}; {_wanted(signature)}")
    return numba_element(param.type) if isinstance(param.type, Scalar) else given


def _scalar_problem(scalar: Scalar, given: types.Type) -> str | None:
    given = types.unliteral(given)
    accepted: tuple[type, ...] = (types.Boolean,)
    if scalar.kind in "iu":
        accepted = (types.Integer, types.Boolean)
    elif scalar.kind in "fc":
        accepted = (types.Float, types.Integer, types.Boolean, *([types.Complex] if scalar.kind == "c" else []))
    return None if isinstance(given, accepted) else f"is {given}, not {scalar}"


def _array_problem(array: ArrayType, mode: Mode, given: types.Type) -> str | None:
    if array.is_record and isinstance(given, types.Record):
        return None if _same_element(array.dtype, given) else f"is {given}, not {array.dtype}"
    if not isinstance(given, types.Array):
        return f"is {given}, not an array of {array.dtype}"
    if not _same_element(array.dtype, given.dtype):
        return f"is an array of {given.dtype}, not {array.dtype}"
    if array.dims and given.ndim != len(array.dims):
        return f"has {given.ndim} dimensions, not {len(array.dims)}"
    if not array.dims and given.ndim > 1:
        return f"has {given.ndim} dimensions; one value by reference is a 0-d or one-element array"
    if given.layout != "C":
        return f"is not known to be C-contiguous (layout {given.layout!r}); pass np.ascontiguousarray(...)"
    if mode is not Mode.IN and not given.mutable:
        return "is read-only, but the kernel writes it"
    return None


def _same_element(element: Element, given: types.Type) -> bool:
    """Whether values of a Numba type are laid out like an element; a record need not say that it is aligned."""
    if isinstance(element, Record) and isinstance(given, types.Record):
        return bool(given.dtype == element.dtype)
    return bool(given == numba_element(element))


class CellModel(models.StructModel):  # type: ignore[misc]
    """The address of a cell, and what keeps it: null where it stays for good."""

    def __init__(self, manager: Any, typ: types.Type) -> None:
        super().__init__(manager, typ, [("address", types.voidptr), ("keeper", types.MemInfoPointer(types.voidptr))])


register_model(KernelType)(CellModel)


@unbox(KernelType)
def unbox_cell(typ: types.Type, obj: Any, c: Any) -> NativeValue:
    """The address of the object's cell, from its attribute `_numba_lease`, which keeps both for as long as it lives.

    Numba counts references to it, so the cell stays too where a generator, a list or a jitclass holds the value.
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
    """The Python object that the cell belongs to."""
    proxy = cgutils.create_struct_proxy(typ)(c.context, c.builder, value=value)
    number = c.pyapi.long_from_ulonglong(c.builder.ptrtoint(proxy.address, _WORD))
    found = from_python(c, owner_of, number)
    c.pyapi.decref(number)
    if c.context.enable_nrt:
        c.context.nrt.decref(c.builder, typ, value)
    return found


def from_python(c: Any, function: Callable[..., Any], *args: Any) -> Any:
    """What a Python function returns, for `box`; the function is pickled into the compiled code."""
    callee = c.pyapi.unserialize(c.pyapi.serialize_object(function))
    found = c.pyapi.call_function_objargs(callee, args)
    c.pyapi.decref(callee)
    return found


_CELL: Final = ir.IntType(8).as_pointer()
_WORD: Final = ir.IntType(64)


@lower_constant(KernelType)
def constant_cell(context: Any, builder: Any, typ: types.Type, owner: Any) -> Any:
    """A kernel that a compiled function names as a global: the address of its cell, for the life of the process.

    It is told to Numba as an address of this process, so that no other process finds it in a cache of Numba's.
    """
    address = owner._cell_address
    owner._keep_for_good()
    value = cgutils.create_struct_proxy(typ)(context, builder)
    value.address = context.add_dynamic_addr(builder, address, info="cell of a kernel")
    value.keeper = ir.Constant(_CELL, None)
    return value._getvalue()


def cell_address(context: Any, builder: Any, typ: types.Type, value: Any) -> Any:
    """The address in a value of a cell's type."""
    return cgutils.create_struct_proxy(typ)(context, builder, value=value).address


@lower_builtin(operator.is_, KernelType, KernelType)
def _same_cell(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    return builder.icmp_unsigned(
        "==", *(cell_address(context, builder, t, v) for t, v in zip(sig.args, args, strict=True))
    )


@lower_builtin(KernelType, types.VarArg(types.Any))
def _call_kernel(context: Any, builder: Any, sig: NumbaSignature, args: Sequence[Any]) -> Any:
    """Check the lengths, load the cell, call what it points at."""
    kernel_typ: KernelType = sig.args[0] if isinstance(sig.args[0], KernelType) else sig.recvr
    signature = kernel_typ.signature

    def call(arguments: list[Any]) -> Any:
        """By C's convention: clang's code relies on the caller to have extended integers to 32 bits."""
        scalars = [None] * len(signature.dimensions) + [
            p.type if isinstance(p.type, Scalar) else None for p in signature.params
        ]
        passed = [_extended(builder, s, v) for s, v in zip_longest(scalars, arguments)]
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
    """Check the lengths, call with the arguments (all but the first, the callee) in native form, take the result back.

    `call` gets them as LLVM has them: integers of their own width, a bool is one bit.
    """
    arg_types = sig.args[1:] if len(sig.args) == len(args) else sig.args
    lengths: dict[str, Any] = {}
    passed = [
        _passed(context, builder, signature, param, typ, value, lengths)
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
    """What the cell holds, by an acquire load: code published before the swap is seen by whoever sees the swap."""
    at = builder.gep(cell, [ir.Constant(_WORD, offset_of("target"))])
    slot = builder.bitcast(at, function_type.as_pointer().as_pointer())
    return builder.load_atomic(slot, ordering="acquire", align=8)


def _load_member(builder: Any, cell: Any, function_type: ir.FunctionType) -> Any:
    """What the member's entry of its group's active table holds; slot and offset of a member never change."""
    slot = builder.inttoptr(_load_constant(builder, cell, "target"), _CELL.as_pointer())
    table = builder.load_atomic(slot, ordering="acquire", align=8)
    entry = builder.gep(table, [_load_constant(builder, cell, "offset")])
    return builder.load(builder.bitcast(entry, function_type.as_pointer().as_pointer()))


def panic_table(builder: Any, cell: Any) -> Any:
    """The address of the table in which the calls through a cell leave their panics."""
    return builder.inttoptr(_load_constant(builder, cell, "panics"), _WORD.as_pointer())


def _load_constant(builder: Any, cell: Any, field: str) -> Any:
    """Load a field of a cell that never changes, so that LLVM may load it once before a loop."""
    at = builder.gep(cell, [ir.Constant(_WORD, offset_of(field))])
    load = builder.load(builder.bitcast(at, _WORD.as_pointer()))
    load.set_metadata("invariant.load", builder.module.add_metadata([]))
    return load


def entry_return(signature: Signature) -> ir.Type:
    """What the native entry returns, as LLVM has it: a bool is one bit."""
    scalar = signature.returns
    if scalar is None or native_entry(signature).has_result_pointer:
        return ir.VoidType()
    if scalar.kind == "f":
        return ir.DoubleType() if scalar.name == "float64" else ir.FloatType()
    return ir.IntType(1 if scalar.kind == "b" else 8 * scalar.dtype.itemsize)


def _is_bool(scalar: Scalar | None) -> bool:
    return scalar is not None and scalar.kind == "b"


def _passed(
    context: Any,
    builder: Any,
    signature: Signature,
    param: Param,
    typ: types.Type,
    value: Any,
    lengths: dict[str, Any],
) -> Any:
    """What the native entry gets for one argument."""
    if not isinstance(param.type, Scalar):
        if isinstance(typ, types.Record):
            return value  # in Numba a record's value is its address
        return _array_pointer(context, builder, signature, param, typ, value, lengths)
    if param.type.kind == "c":
        slot = cgutils.alloca_once(builder, value.type)
        builder.store(value, slot)
        return slot
    return value


def _extended(builder: Any, scalar: Scalar | None, value: Any) -> Any:
    """Integers narrower than 32 bits, extended."""
    if scalar is None or scalar.kind not in "iub" or scalar.dtype.itemsize >= 4:
        return value
    if scalar.kind == "i":
        return builder.sext(value, ir.IntType(32))
    return builder.zext(value, ir.IntType(32))


def _array_pointer(
    context: Any,
    builder: Any,
    signature: Signature,
    param: Param,
    typ: types.Array,
    value: Any,
    lengths: dict[str, Any],
) -> Any:
    """The array's data pointer, once its shape is what the signature says."""
    array = context.make_array(typ)(context, builder, value)
    assert isinstance(param.type, ArrayType)
    shape = cgutils.unpack_tuple(builder, array.shape, typ.ndim)
    dims = param.type.dims or (1,) * typ.ndim  # one value by reference has one element
    for axis, (dim, length) in enumerate(zip(dims, shape, strict=True)):
        if isinstance(dim, str) and dim not in lengths:
            lengths[dim] = length
            continue
        wanted = lengths[dim] if isinstance(dim, str) else ir.Constant(length.type, dim)
        with builder.if_then(builder.icmp_signed("!=", length, wanted), likely=False):
            context.call_conv.return_user_exc(builder, ValueError, (_wrong_length(signature, param, axis, dim),))
    return array.data


def _wrong_length(signature: Signature, param: Param, axis: int, dim: Dimension) -> str:
    """What is wrong with an axis, in words that hold for every kernel of these types: its names are not known here."""
    given = f"axis {axis} of argument {signature.params.index(param) + 1}"
    if isinstance(dim, int):
        return f"{given} does not have length {dim}, in a call of a {signature}"
    arrays = [(number, p.type) for number, p in enumerate(signature.params, 1) if isinstance(p.type, ArrayType)]
    first = next(f"axis {t.dims.index(dim)} of argument {number}" for number, t in arrays if dim in t.dims)
    return f"{given} and {first} differ in length, in a call of a {signature}"
