"""How Numba sees a group: something whose snapshot gives functions that are all of one revision.

In: the signatures of a group and, at run time, the address of its slot. `group.snapshot()` is one acquire load: the
address of the active table, whose entries are cells that never change. Each attribute of a snapshot is such a cell, a
value of the same `KernelType` that kernels have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, lower_constant
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    box,
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    overload_method,
    register_model,
    unbox,
)

from symbiont_jit.dispatch.cell import CELL_BYTES
from symbiont_jit.dispatch.numba.lowering import CellModel, box_cell, constant_cell, unbox_cell
from symbiont_jit.dispatch.numba.types import KernelType, kernel_type
from symbiont_jit.signature import Signature

__all__ = ["GroupType", "group_type"]

_POINTER: Final = ir.IntType(8).as_pointer()


class GroupType(types.Type):  # type: ignore[misc]  # Numba has no type information
    """The type of every group with functions of these names and types, in this order."""

    def __init__(self, members: tuple[tuple[str, KernelType], ...]) -> None:
        self.members = members
        super().__init__(f"Group[{_list_members(members)}]")

    @property
    def key(self) -> Any:
        """Names and types of the functions: what makes two types equal."""
        return self.members


class SnapshotType(types.Type):  # type: ignore[misc]
    """The type of a group's functions at one moment."""

    def __init__(self, members: tuple[tuple[str, KernelType], ...]) -> None:
        self.members = members
        super().__init__(f"Snapshot[{_list_members(members)}]")

    @property
    def key(self) -> Any:
        """Names and types of the functions: what makes two types equal."""
        return self.members


def _list_members(members: tuple[tuple[str, KernelType], ...]) -> str:
    return ", ".join(f"{name}: {typ.name}" for name, typ in members)


def group_type(signatures: Sequence[Signature]) -> GroupType:
    """Return the Numba type of a group."""
    return GroupType(tuple((s.name, kernel_type(s)) for s in signatures))


for _type in (GroupType, SnapshotType):
    register_model(_type)(CellModel)
unbox(GroupType)(unbox_cell)
box(GroupType)(box_cell)
lower_constant(GroupType)(constant_cell)


@intrinsic
def _snapshot(typing_context: Any, group: GroupType) -> Any:
    """Generate an acquire load of the active table's address."""
    snapshot = SnapshotType(group.members)

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        given = cgutils.create_struct_proxy(group)(context, builder, value=args[0])
        slot = builder.bitcast(given.address, _POINTER.as_pointer())
        made = cgutils.create_struct_proxy(snapshot)(context, builder)
        made.address = builder.load_atomic(slot, ordering="acquire", align=8)
        made.keeper = given.keeper
        return impl_ret_borrowed(context, builder, snapshot, made._getvalue())

    return snapshot(group), generate


@overload_method(GroupType, "snapshot")
def _overload_snapshot(group: Any) -> Any:
    def snapshot(group: Any) -> Any:
        return _snapshot(group)

    return snapshot


@infer_getattr
class _SnapshotAttributes(AttributeTemplate):  # type: ignore[misc]
    """Types a snapshot's attributes: each function is an attribute of its name."""

    key = SnapshotType

    def generic_resolve(self, typ: SnapshotType, attr: str) -> KernelType | None:
        return dict(typ.members).get(attr)


@lower_getattr_generic(SnapshotType)
def _member_of_snapshot(context: Any, builder: Any, typ: SnapshotType, value: Any, attr: str) -> Any:
    """Generate the address of an entry of the table, which is the cell of the function that is asked for."""
    index = [name for name, _ in typ.members].index(attr)
    member = typ.members[index][1]
    given = cgutils.create_struct_proxy(typ)(context, builder, value=value)
    made = cgutils.create_struct_proxy(member)(context, builder)
    made.address = builder.gep(given.address, [ir.Constant(ir.IntType(64), CELL_BYTES * index)])
    made.keeper = given.keeper
    return impl_ret_borrowed(context, builder, member, made._getvalue())
