"""The way in from Python: a C function of each signature's shape that checks, unpacks, calls and packs the result.

In: a `Signature`. Out: C text for clang, and around its address a Python function for every cell. It takes arguments
that are exactly right (a float for a double, an aligned C-contiguous array of the dtype itself); for anything else it
calls the slow way, which converts or raises. So all messages have one source.

It reads `PyArrayObject` and `PyObject` as C extensions do, by the layout that both promise to extensions
(numpy/core/include/numpy/ndarraytypes.h, CPython's Include/object.h). `vectorcall.h` has what all texts share, and
whoever compiles a text puts it in place of the `#include`. `is_supported` tries that layout on a real array;
where it is another one (free-threaded Python), every call goes the slow way.
"""

from __future__ import annotations

import ctypes
import functools
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature, native_entry

__all__ = ["ArrayLayout", "VectorCall", "vectorcall_source", "vectorcall_symbols", "is_supported"]

ENTRY: Final = "sj_vectorcall"

_METH_FASTCALL_KEYWORDS: Final = 0x80 | 0x02

_HEADER: Final = Path(__file__).with_name("vectorcall.h")

#: Objects whose identity is compared; their addresses are bound when the text is loaded.
_OBJECTS: Final[dict[str, Any]] = {
    "sj_none": None,
    "sj_float": float,
    "sj_int": int,
    "sj_complex": complex,
    "sj_true": True,
    "sj_false": False,
    "sj_ndarray": np.ndarray,
    "sj_float64": np.float64,
}


class ArrayLayout(ctypes.Structure):
    """NumPy's `PyArrayObject`; `vectorcall.h` declares it for C."""

    _fields_ = (
        ("references", ctypes.c_int64),
        ("type", ctypes.c_uint64),
        ("data", ctypes.c_uint64),
        ("dimensions", ctypes.c_int),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("base", ctypes.c_uint64),
        ("dtype", ctypes.c_uint64),
        ("flags", ctypes.c_int),
    )


@functools.cache
def is_supported() -> bool:
    """Whether arrays are laid out in this process as the generated text reads them."""
    if ctypes.sizeof(ctypes.c_void_p) != 8 or object.__basicsize__ != 16:
        return False
    probe = np.zeros((3, 5), np.int16)
    found = ArrayLayout.from_address(id(probe))
    return (
        found.type == id(np.ndarray)
        and found.data == probe.ctypes.data
        and found.dimensions == probe.ndim
        and tuple(found.shape[: probe.ndim]) == probe.shape
        and found.dtype == id(probe.dtype)
        and found.flags == probe.flags.num
    )


class _MethodDefinition(ctypes.Structure):
    """CPython's `PyMethodDef`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@dataclass(slots=True, eq=False)
class VectorCall:
    """The compiled function of one shape; `keep` owns its code and the dtypes it compares with."""

    address: int
    keep: Any
    _definition: Any = field(init=False)

    def __post_init__(self) -> None:
        self._definition = _MethodDefinition(b"kernel", self.address, _METH_FASTCALL_KEYWORDS, None)

    def bind(
        self, cell: Cell | MemberCell, slow: Callable[..., Any], raise_panic: Callable[..., None] | None, owner: Any
    ) -> Callable[..., Any]:
        """Make a Python function that calls what a cell leads to; it keeps `owner`, which has the code.

        `slow` is called instead where an argument is not exactly right, and `raise_panic` after a call that panicked,
        with what was taken out of the table; where it is None, panics stay there.
        """
        make = ctypes.pythonapi.PyCFunction_NewEx
        make.argtypes, make.restype = (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p), ctypes.py_object
        state = (struct.pack("=Q", cell.address), slow, raise_panic, cell, self, owner)
        function: Callable[..., Any] = make(ctypes.addressof(self._definition), state, None)
        return function


def vectorcall_symbols(signature: Signature) -> tuple[dict[str, int], tuple[Any, ...]]:
    """Return the addresses that the text refers to by name, and the objects that have to stay for them to hold."""
    symbols = dict(_interface())
    symbols |= {name: id(value) for name, value in _OBJECTS.items()}
    dtypes = tuple(p.type.dtype.dtype for p in signature.params if isinstance(p.type, ArrayType))
    symbols |= {f"sj_dtype{i}": id(dtype) for i, dtype in enumerate(dtypes)}
    return symbols, dtypes


@functools.cache
def _interface() -> Mapping[str, int]:
    """Return the functions of Python's C interface that `vectorcall.h` declares, with their addresses."""
    names = re.findall(r"(?m)^extern .*?\b(Py\w+)\(", _HEADER.read_text(encoding="utf-8"))
    return {name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0 for name in names}


def vectorcall_source(signature: Signature, is_member: bool) -> str:
    """Generate the C of one function that CPython calls with a vector of arguments (PEP 590).

    Its names are positions, so that all signatures of a shape share the text and its object code.
    """
    entry = native_entry(signature)
    unpack, passed, arrays = [], [], 0
    lengths: dict[str, str] = {}
    for number, param in enumerate(signature.params):
        if isinstance(param.type, Scalar):
            unpack.append(_unpack_scalar(param.type, number))
            passed.append(f"&v{number}" if param.type.kind == "c" else f"v{number}")
        else:
            unpack.append(_unpack_array(param, number, arrays, lengths))
            passed.append(f"p{number}")
            arrays += 1
    passed = [*(lengths[d] for d in signature.dimensions), *passed]
    if entry.has_result_pointer:
        passed.append("&result")
    types = [t if t in _PLAIN else "void *" for t in entry.types]
    pointer = f"{entry.returns} (*)({', '.join(types) or 'void'})"
    call = f"(({pointer})target)({', '.join(passed)});"
    kind = signature.returns.kind if signature.returns else ""
    declared = f"  {signature.returns.c} result;\n" if signature.returns else ""
    assign = "" if not signature.returns or entry.has_result_pointer else "result = "
    dtypes = "".join(f"extern char sj_dtype{i}[];\n" for i in range(arrays))
    return f"""#include "dispatch/vectorcall.h"
{dtypes}void *{ENTRY}(void *self, void *const *args, int64_t count, void *keywords)
{{
{declared}  struct sj_cell *cell = sj_cell_of(self);
  if (count != {len(signature.params)} || keywords)
    goto slow;
{"".join(unpack)}  const struct sj_cell *slot = {"sj_slot(cell)" if is_member else "cell"};
  if (!sj_target(slot))
    goto slow;
  sj_enter_cell(cell);
  uint64_t target = {"sj_target_in_table(cell, sj_target(slot))" if is_member else "sj_target(slot)"};
  struct sj_watched watched;
  sj_watch(cell, &watched);
  void *state = PyEval_SaveThread();
  {assign}{call}
  PyEval_RestoreThread(state);
  sj_leave_cell(cell);
  if (__builtin_expect(sj_has_changed(cell, &watched), 0) && !sj_allow_panic(self, cell, &watched))
    return 0;
  return {_PACK[kind]};
slow:
  return sj_call_slowly(self, args, count, keywords);
}}
"""


_PLAIN: Final = frozenset(f"{u}int{b}_t" for b in (8, 16, 32, 64) for u in ("", "u")) | {"float", "double", "bool"}

_PACK: Final = {
    "": 'Py_BuildValue("")',
    "f": "PyFloat_FromDouble(result)",
    "i": "PyLong_FromLongLong(result)",
    "u": "PyLong_FromUnsignedLongLong(result)",
    "b": "PyBool_FromLong(result)",
    "c": "PyComplex_FromDoubles(__real__ result, __imag__ result)",
}


#: The C that unpacks a scalar argument: `n` is the position, `c` the type, `part` the type of a complex's halves.
_UNPACK: Final = {
    "b": """  if (!sj_is_bool(args[{n}]))
    goto slow;
  bool v{n} = args[{n}] == sj_true;
""",
    "f": """  if (!sj_is_float(args[{n}]))
    goto slow;
  {c} v{n} = ({c})PyFloat_AsDouble(args[{n}]);
""",
    "c": """  if (!sj_is_complex(args[{n}]))
    goto slow;
  {c} v{n} =
    __builtin_complex(({part})PyComplex_RealAsDouble(args[{n}]), ({part})PyComplex_ImagAsDouble(args[{n}]));
""",
    "i": """  long long w{n};
  if (!sj_read_signed(args[{n}], &w{n}))
    goto slow;
  {c} v{n} = ({c})w{n};
  if (v{n} != w{n})
    goto slow;
""",
    "u": """  unsigned long long w{n};
  if (!sj_read_unsigned(args[{n}], &w{n}))
    goto slow;
  {c} v{n} = ({c})w{n};
  if (v{n} != w{n})
    goto slow;
""",
}


def _unpack_scalar(scalar: Scalar, n: int) -> str:
    return _UNPACK[scalar.kind].format(n=n, c=scalar.c, part=scalar.c.split()[0])


def _unpack_array(param: Param, n: int, number: int, lengths: dict[str, str]) -> str:
    assert isinstance(param.type, ArrayType)
    array = f"a{n}"
    use = "SJ_READABLE" if param.mode is Mode.IN else "SJ_WRITABLE"
    conditions = [f"!sj_is_array({array}, sj_dtype{number}, {use})"]
    conditions.append(
        f"{array}->dimensions != {len(param.type.dims)}" if param.type.dims else f"!sj_is_one_value({array})"
    )
    new: dict[str, str] = {}  # No earlier array has these lengths; they get variables after this array's conditions.
    for axis, dim in enumerate(param.type.dims):
        length = f"{array}->shape[{axis}]"
        known = dim if isinstance(dim, int) else new.get(dim) or lengths.get(dim)
        if known is None:
            new[str(dim)] = length
        else:
            conditions.append(f"{length} != {known}")
    found = ""
    for dim, length in new.items():
        lengths[dim] = f"d{len(lengths)}"
        found += f"  int64_t {lengths[dim]} = {length};\n"
    return f"""  const struct sj_array *{array} = args[{n}];
  if ({" || ".join(conditions)})
    goto slow;
  void *p{n} = {array}->data;
{found}"""
