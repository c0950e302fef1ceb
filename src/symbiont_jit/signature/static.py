"""What annotations mean to a type checker, which sees the names below under the package's own.

At run time `Array`, `Out`, `InOut` and `Ref` are classes that read what stands in their brackets, and `f64` and its
kind are Numba's types. To a checker a dimension like `"n"` would be a name that nobody defined; in `Annotated` it is
just data, and the value itself is `Any`, as everything in a function that Numba compiles.
"""

from typing import Annotated, Any, TypeAlias, TypeVar
from typing import Annotated as Array
from typing import Annotated as InOut
from typing import Annotated as Out

__all__ = [
    "Array",
    "InOut",
    "Out",
    "Ref",
    "c64",
    "c128",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
]

Referent = TypeVar("Referent")
Ref: TypeAlias = Annotated[Referent, "one value by reference"]

i8: TypeAlias = Any
i16: TypeAlias = Any
i32: TypeAlias = Any
i64: TypeAlias = Any
u8: TypeAlias = Any
u16: TypeAlias = Any
u32: TypeAlias = Any
u64: TypeAlias = Any
f32: TypeAlias = Any
f64: TypeAlias = Any
c64: TypeAlias = Any
c128: TypeAlias = Any
