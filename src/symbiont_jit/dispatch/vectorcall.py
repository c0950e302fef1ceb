"""The way in from Python: a C function of each signature's shape that checks, unpacks, calls and packs the result.

In: a `Signature`. Out: C text for clang, and around its address a Python function for every cell. It takes arguments
that are exactly right (a float for a double, an aligned C-contiguous array of the dtype itself); for anything else it
calls the slow way, which converts or raises. So all messages have one source.

It reads `PyArrayObject` and `PyObject` as C extensions do, by the layout that both promise to extensions
(numpy/core/include/numpy/ndarraytypes.h, CPython's Include/object.h). `is_supported` tries that layout on a real array;
where it is another one (free-threaded Python), every call goes the slow way.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.dispatch.cell import Cell, MemberCell
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature, native_entry

__all__ = ["VectorCall", "vectorcall_source", "vectorcall_symbols", "is_supported"]

ENTRY: Final = "sj_python_call"

_METH_FASTCALL_KEYWORDS: Final = 0x80 | 0x02
_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400

#: Functions of Python's C interface that the generated text calls, with their declarations.
_API: Final = {
    "PyTuple_GetItem": "void *PyTuple_GetItem(void *, int64_t);",
    "PyBytes_AsString": "char *PyBytes_AsString(void *);",
    "PyErr_Occurred": "void *PyErr_Occurred(void);",
    "PyErr_Clear": "void PyErr_Clear(void);",
    "PyFloat_AsDouble": "double PyFloat_AsDouble(void *);",
    "PyLong_AsLongLong": "long long PyLong_AsLongLong(void *);",
    "PyLong_AsUnsignedLongLong": "unsigned long long PyLong_AsUnsignedLongLong(void *);",
    "PyComplex_RealAsDouble": "double PyComplex_RealAsDouble(void *);",
    "PyComplex_ImagAsDouble": "double PyComplex_ImagAsDouble(void *);",
    "PyFloat_FromDouble": "void *PyFloat_FromDouble(double);",
    "PyLong_FromLongLong": "void *PyLong_FromLongLong(long long);",
    "PyLong_FromUnsignedLongLong": "void *PyLong_FromUnsignedLongLong(unsigned long long);",
    "PyComplex_FromDoubles": "void *PyComplex_FromDoubles(double, double);",
    "PyBool_FromLong": "void *PyBool_FromLong(long);",
    "Py_BuildValue": "void *Py_BuildValue(const char *, ...);",
    "PyObject_Vectorcall": "void *PyObject_Vectorcall(void *, void *const *, size_t, void *);",
    "PyEval_SaveThread": "void *PyEval_SaveThread(void);",
    "PyEval_RestoreThread": "void PyEval_RestoreThread(void *);",
}

#: Objects whose identity is compared; their addresses are bound when the text is loaded.
_OBJECTS: Final[dict[str, Any]] = {
    "sj_float": float,
    "sj_int": int,
    "sj_complex": complex,
    "sj_true": True,
    "sj_false": False,
    "sj_ndarray": np.ndarray,
    "sj_float64": np.float64,
}

_ARRAY: Final = """
typedef struct { int64_t references; void *type; } sj_object;
typedef struct {
  sj_object head; char *data; int dimensions; int64_t *shape; int64_t *strides; void *base; void *dtype; int flags;
} sj_array;
"""


@functools.cache
def is_supported() -> bool:
    """Whether arrays are laid out in this process as the generated text reads them."""
    if ctypes.sizeof(ctypes.c_void_p) != 8 or object.__basicsize__ != 16:
        return False
    probe = np.zeros((3, 5), np.int16)
    words = np.ctypeslib.as_array(ctypes.cast(id(probe), ctypes.POINTER(ctypes.c_uint64)), (9,))
    shape = np.ctypeslib.as_array(ctypes.cast(int(words[4]), ctypes.POINTER(ctypes.c_int64)), (2,))
    flags = probe.flags.num
    return (
        words[1] == id(np.ndarray)
        and words[2] == probe.ctypes.data
        and words[3] & 0xFFFFFFFF == probe.ndim
        and tuple(shape) == probe.shape
        and words[7] == id(probe.dtype)
        and words[8] & 0xFFFFFFFF == flags & 0xFFFFFFFF
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
    _definition: Any = None

    def bind(self, cell: Cell | MemberCell, slow: Callable[..., Any], owner: Any) -> Callable[..., Any]:
        """A Python function that calls what a cell leads to; it keeps `owner`, which has the code."""
        if self._definition is None:
            self._definition = _MethodDefinition(b"kernel", self.address, _METH_FASTCALL_KEYWORDS, None)
        make = ctypes.pythonapi.PyCFunction_NewEx
        make.argtypes, make.restype = (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p), ctypes.py_object
        state = (struct.pack("=Q", cell.address), slow, cell, self, owner)
        function: Callable[..., Any] = make(ctypes.addressof(self._definition), state, None)
        return function


def vectorcall_symbols(signature: Signature) -> tuple[dict[str, int], tuple[Any, ...]]:
    """The addresses that the text refers to by name, and the objects that have to stay for them to hold."""
    symbols = {name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0 for name in _API}
    symbols |= {name: id(value) for name, value in _OBJECTS.items()}
    dtypes = tuple(p.type.dtype.dtype for p in signature.params if isinstance(p.type, ArrayType))
    symbols |= {f"sj_dtype{i}": id(dtype) for i, dtype in enumerate(dtypes)}
    return symbols, dtypes


def vectorcall_source(signature: Signature, is_member: bool) -> str:
    """The C text: one function that CPython calls with a vector of arguments (PEP 590).

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
    objects = "".join(f"extern char {n}[];\n" for n in [*_OBJECTS, *(f"sj_dtype{i}" for i in range(arrays))])
    return f"""{"".join(f"extern {d}{chr(10)}" for d in _API.values())}{objects}{_ARRAY}
void *{ENTRY}(void *self, void *const *args, int64_t count, void *keywords)
{{
{declared}  uint64_t *cell = *(uint64_t **)PyBytes_AsString(PyTuple_GetItem(self, 0));
  if (count != {len(signature.params)} || keywords)
    goto slow;
{"".join(unpack)}  uint64_t *slot = {"(uint64_t *)*cell" if is_member else "cell"};
  if (!__atomic_load_n(slot, __ATOMIC_ACQUIRE))
    goto slow;
  __atomic_fetch_add(cell + 1, 1, __ATOMIC_SEQ_CST);
  uint64_t target = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
{"  target = *(uint64_t *)(target + cell[2]);" if is_member else ""}
  void *state = PyEval_SaveThread();
  {assign}{call}
  PyEval_RestoreThread(state);
  __atomic_fetch_sub(cell + 1, 1, __ATOMIC_SEQ_CST);
  return {_PACK[kind]};
slow:
  return PyObject_Vectorcall(PyTuple_GetItem(self, 1), args, count, keywords);
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


def _unpack_scalar(scalar: Scalar, n: int) -> str:
    given, typ = f"args[{n}]", f"((sj_object *)args[{n}])->type"
    if scalar.kind == "b":
        return f"""  if ({given} != sj_true && {given} != sj_false)
    goto slow;
  bool v{n} = {given} == sj_true;
"""
    if scalar.kind == "f":
        return f"""  if ({typ} != sj_float && {typ} != sj_float64)
    goto slow;
  {scalar.c} v{n} = ({scalar.c})PyFloat_AsDouble({given});
"""
    if scalar.kind == "c":
        part = scalar.c.split()[0]
        return f"""  if ({typ} != sj_complex)
    goto slow;
  {scalar.c} v{n} = __builtin_complex(({part})PyComplex_RealAsDouble({given}), ({part})PyComplex_ImagAsDouble({given}));
"""
    wide, function = ("long long", "PyLong_AsLongLong")
    if scalar.kind == "u":
        wide, function = ("unsigned long long", "PyLong_AsUnsignedLongLong")
    return f"""  if ({typ} != sj_int)
    goto slow;
  {wide} w{n} = {function}({given});
  if (w{n} == ({wide})-1 && PyErr_Occurred()) {{
    PyErr_Clear();
    goto slow;
  }}
  {scalar.c} v{n} = ({scalar.c})w{n};
  if (v{n} != w{n})
    goto slow;
"""


def _unpack_array(param: Param, n: int, number: int, lengths: dict[str, str]) -> str:
    assert isinstance(param.type, ArrayType)
    array = f"a{n}"
    flags = _C_CONTIGUOUS | _ALIGNED | (0 if param.mode is Mode.IN else _WRITEABLE)
    conditions = [f"{array}->dtype != sj_dtype{number}", f"({array}->flags & {flags}) != {flags}"]
    if param.type.dims:
        conditions.append(f"{array}->dimensions != {len(param.type.dims)}")
    else:
        conditions.append(f"{array}->dimensions > 1 || ({array}->dimensions == 1 && {array}->shape[0] != 1)")
    found: list[str] = []
    places: dict[str, str] = {}
    for axis, dim in enumerate(param.type.dims):
        place = f"{array}->shape[{axis}]"
        if isinstance(dim, int):
            conditions.append(f"{place} != {dim}")
        elif dim in places:
            conditions.append(f"{place} != {places[dim]}")
        elif dim in lengths:
            conditions.append(f"{place} != {lengths[dim]}")
        else:
            places[dim] = place  # its length is in a variable only after this array's conditions
            lengths[dim] = f"d{len(lengths)}"
            found.append(f"  int64_t {lengths[dim]} = {place};\n")
    return f"""  const sj_array *{array} = args[{n}];
  if ({array}->head.type != sj_ndarray || {" || ".join(conditions)})
    goto slow;
  void *p{n} = {array}->data;
{"".join(found)}"""
