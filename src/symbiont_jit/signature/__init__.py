"""Annotations <-> C types <-> NumPy types: what an evolvable function looks like from outside.

In: a Python function with annotations. Out: a frozen `Signature` that every other layer reads: its C prototype, its
native entry, and whether a call's arguments fit.
"""

from symbiont_jit.signature.annotations import (
    Array,
    InOut,
    Out,
    Ref,
    record,
    signature_of,
)
from symbiont_jit.signature.arguments import check_arguments
from symbiont_jit.signature.elements import (
    SCALARS,
    Element,
    Field,
    Record,
    Scalar,
    record_of_dtype,
    require_depth,
    require_dtype,
    require_name,
)
from symbiont_jit.signature.model import ArrayType, Dimension, Mode, Param, Results, Signature
from symbiont_jit.signature.native import NativeEntry, native_entry
from symbiont_jit.signature.requirements import (
    require_agreeing_records,
    require_dimensions,
    require_distinct_names,
    require_free_name,
    require_length,
    require_size,
)
from symbiont_jit.signature.returning import make_room, take_results

__all__ = [
    "SCALARS",
    "Array",
    "ArrayType",
    "Dimension",
    "Element",
    "Field",
    "InOut",
    "Mode",
    "NativeEntry",
    "Out",
    "Param",
    "Record",
    "Ref",
    "Results",
    "Scalar",
    "Signature",
    "check_arguments",
    "make_room",
    "native_entry",
    "record",
    "record_of_dtype",
    "require_agreeing_records",
    "require_depth",
    "require_dimensions",
    "require_distinct_names",
    "require_dtype",
    "require_free_name",
    "require_length",
    "require_name",
    "require_size",
    "signature_of",
    "take_results",
]
