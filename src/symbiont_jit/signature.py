"""Annotations <-> C types <-> NumPy and Numba types: what an evolvable function looks like from outside.

In: a Python function with annotations. Out: a frozen `Signature` that every other layer reads.
Records and complex numbers are not built yet; they are refused with that message.
"""

from __future__ import annotations

import builtins
import enum
import inspect
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np

from symbiont_jit import vocabulary
from symbiont_jit.errors import SignatureError

__all__ = ["Array", "ArrayType", "InOut", "Mode", "Out", "Param", "Scalar", "Signature", "signature_of"]

MAX_DIMENSIONS = 4

#: Names that generated C keeps for itself: a candidate, a parameter or a dimension may not start with them.
RESERVED_PREFIXES: Final = ("__", "sj_", "symbiont_")

C_KEYWORDS: Final = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "asm typeof bool true false NULL _Bool _Complex _Atomic _Alignas _Alignof _Generic _Noreturn _Static_assert "
    "_Thread_local".split()
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type under its Numba name, with its C spelling; equal to its NumPy dtype in size and layout."""

    name: str
    c: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of one element."""
        return np.dtype("bool" if self.name == "boolean" else self.name)

    @property
    def kind(self) -> str:
        """NumPy's kind letter: `b`, `i`, `u` or `f`."""
        return self.dtype.kind

    def __str__(self) -> str:
        return self.name


SCALARS: Final[Mapping[str, Scalar]] = {
    name: Scalar(name, c)
    for name, c in {
        "int8": "int8_t",
        "int16": "int16_t",
        "int32": "int32_t",
        "int64": "int64_t",
        "uint8": "uint8_t",
        "uint16": "uint16_t",
        "uint32": "uint32_t",
        "uint64": "uint64_t",
        "float32": "float",
        "float64": "double",
        "boolean": "bool",
    }.items()
}

_PYTHON_SCALARS: Final[Mapping[type, str]] = {int: "int64", float: "float64", bool: "boolean"}

Dimension = str | int


class Mode(enum.StrEnum):
    """Who writes a buffer: nobody (`in`), the kernel (`out`), or both read and write (`inout`)."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"


@dataclass(frozen=True, slots=True)
class ArrayType:
    """A C-ordered array: `dims` holds names and literal lengths; no dimension is one value by reference."""

    dtype: Scalar
    dims: tuple[Dimension, ...]

    def __str__(self) -> str:
        return f"Array[{', '.join([self.dtype.name, *map(_dimension_text, self.dims)])}]"


@dataclass(frozen=True, slots=True)
class _Marked:
    """An annotation wrapped in `Out[...]` or `InOut[...]`, not yet resolved."""

    mode: Mode
    inner: Any


class Array:
    """`Array[dtype, "m", "n"]`: a C-ordered array with named or literal dimensions."""

    def __class_getitem__(cls, item: Any) -> _RawArray:
        dtype, *dims = (item if isinstance(item, tuple) else (item,)) or (None,)
        return _RawArray(dtype, tuple(dims))


@dataclass(frozen=True, slots=True)
class _RawArray:
    """`Array[...]` as written: the dtype and dimensions are checked where the parameter's name is known."""

    dtype: Any
    dims: tuple[Any, ...]


class _Marker:
    """Base of `Out` and `InOut`: subscription wraps what is written inside."""

    mode: ClassVar[Mode]

    def __class_getitem__(cls, item: Any) -> _Marked:
        if isinstance(item, tuple):
            return _Marked(cls.mode, _RawArray(item[0] if item else None, item[1:]))
        return _Marked(cls.mode, item)


class Out(_Marker):
    """`Out[dtype, "n"]` or `Out[Array[...]]`: a buffer of the caller that the kernel fills."""

    mode = Mode.OUT


class InOut(_Marker):
    """`InOut[dtype, "n"]` or `InOut[Array[...]]`: a buffer that the kernel reads and writes."""

    mode = Mode.INOUT


@dataclass(frozen=True, slots=True)
class Param:
    """One declared parameter."""

    name: str
    type: Scalar | ArrayType
    mode: Mode = Mode.IN

    @property
    def c_declaration(self) -> str:
        """The parameter as it stands in the C prototype."""
        if isinstance(self.type, Scalar):
            return f"{self.type.c} {self.name}"
        const = "const " if self.mode is Mode.IN else ""
        if not self.type.dims:
            return f"{const}{self.type.dtype.c} *{self.name}"
        return f"{const}{self.type.dtype.c} {self.name}{''.join(f'[{d}]' for d in self.type.dims)}"


@dataclass(frozen=True)
class Signature:
    """Name, parameters and return type of an evolvable function; `returns` None is C's `void`."""

    name: str
    params: tuple[Param, ...]
    returns: Scalar | None
    doc: str = ""

    @cached_property
    def arrays(self) -> tuple[Param, ...]:
        """The parameters that are passed by pointer, in order."""
        return tuple(p for p in self.params if isinstance(p.type, ArrayType))

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """The named dimensions in order of first appearance: the leading `int64_t` parameters in C."""
        names = (d for p in self.params if isinstance(p.type, ArrayType) for d in p.type.dims if isinstance(d, str))
        return tuple(dict.fromkeys(names))

    @cached_property
    def c_prototype(self) -> str:
        """The C prototype, dimensions first, without a semicolon."""
        params = [f"int64_t {d}" for d in self.dimensions] + [p.c_declaration for p in self.params]
        return f"{self.returns.c if self.returns else 'void'} {self.name}({', '.join(params) or 'void'})"

    @cached_property
    def shape_key(self) -> str:
        """What a caller's machine code depends on: types and dimension pattern, but no names.

        Two kernels with the same key can take each other's place in a compiled loop.
        """
        index = {d: f"d{i}" for i, d in enumerate(self.dimensions)}
        parts = []
        for p in self.params:
            if isinstance(p.type, Scalar):
                parts.append(p.type.name)
            else:
                dims = ", ".join(index[d] if isinstance(d, str) else str(d) for d in p.type.dims)
                parts.append(f"{'' if p.mode is Mode.IN else 'mut '}{p.type.dtype.name}[{dims}]")
        return f"({', '.join(parts)}) -> {self.returns.name if self.returns else 'none'}"

    def __str__(self) -> str:
        params = ", ".join(f"{p.name}: {_annotation_text(p)}" for p in self.params)
        return f"{self.name}({params}) -> {self.returns}"


def _annotation_text(param: Param) -> str:
    if param.mode is Mode.IN or isinstance(param.type, Scalar):
        return str(param.type)
    marker = "Out" if param.mode is Mode.OUT else "InOut"
    return f"{marker}[{', '.join([param.type.dtype.name, *map(_dimension_text, param.type.dims)])}]"


def _dimension_text(dim: Dimension) -> str:
    return f'"{dim}"' if isinstance(dim, str) else str(dim)


def signature_of(function: Callable[..., Any], namespace: Mapping[str, Any] | None = None) -> Signature:
    """The signature that a function's annotations declare.

    `namespace` holds names that the annotations may use besides the function's globals (the locals of the
    function that defines it). Raises `SignatureError`, which names the parameter and what to write.
    """
    name = function.__name__
    if name in vocabulary.FUNCTIONS or name in vocabulary.LIBRARY_SYMBOLS or name in vocabulary.LIBRARY_NAMES:
        raise SignatureError(f"function {name!r}: C's library has a function of that name; choose another")
    require_name(name, f"function {name!r}")
    scope = {**vars(builtins), **function.__globals__, **(namespace or {}), **_closure(function)}
    params = tuple(_param(p, scope, name) for p in inspect.signature(function).parameters.values())
    returns = _returns(function.__annotations__.get("return", inspect.Parameter.empty), scope, name)
    signature = Signature(name, params, returns, inspect.getdoc(function) or "")
    _require_distinct_names(signature)
    return signature


def _closure(function: Callable[..., Any]) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found = {}
    for free, cell in cells:
        try:
            found[free] = cell.cell_contents
        except ValueError:  # not assigned yet, as a function's own name while it is being decorated
            continue
    return found


def require_name(name: str, where: str) -> None:
    """Raise `SignatureError` unless `name` can stand in the C prototype."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise SignatureError(f"{where}: {name!r} is no C identifier; use ASCII letters, digits and underscores")
    if name in C_KEYWORDS or keyword.iskeyword(name):
        raise SignatureError(f"{where}: {name!r} is a keyword in C or Python; rename it, for example to '{name}_'")
    if name.startswith(RESERVED_PREFIXES) or re.match("_[A-Z]", name):
        raise SignatureError(f"{where}: the name {name!r} is reserved for generated C; choose another")
    if name in vocabulary.PRELUDE and not vocabulary.PRELUDE[name].endswith(");"):
        raise SignatureError(f"{where}: the name {name!r} has a standard meaning in C; choose another")


def _require_distinct_names(signature: Signature) -> None:
    taken = {p.name for p in signature.params}
    for dimension in signature.dimensions:
        if dimension in taken:
            raise SignatureError(
                f"{signature.name}: the dimension {dimension!r} has the name of a parameter; rename one of them "
                f"(the dimension is passed to C as 'int64_t {dimension}' already)"
            )


def _param(p: inspect.Parameter, scope: Mapping[str, Any], function: str) -> Param:
    where = f"{function}: parameter {p.name!r}"
    if p.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD and p.kind is not inspect.Parameter.POSITIONAL_ONLY:
        raise SignatureError(f"{where}: {p.kind.description} parameters have no C form; declare plain positional ones")
    if p.default is not inspect.Parameter.empty:
        raise SignatureError(f"{where}: defaults have no C form; remove '= {p.default!r}'")
    require_name(p.name, where)
    if p.annotation is inspect.Parameter.empty:
        raise SignatureError(f"{where} has no annotation; write for example '{p.name}: float64' or {_ARRAY_HINT}")
    annotation = _resolve(p.annotation, scope, where)
    mode = Mode.IN
    if isinstance(annotation, _Marked):
        mode, annotation = annotation.mode, annotation.inner
        if isinstance(annotation, _Marked):
            raise SignatureError(f"{where}: Out and InOut do not nest; write one of them")
    array = _array(annotation, p.name, where)
    if array is not None:
        return Param(p.name, array, mode)
    scalar = _scalar(annotation, where)
    if mode is Mode.IN:
        return Param(p.name, scalar)
    return Param(p.name, ArrayType(scalar, ()), mode)


_ARRAY_HINT: Final = "'Array[float64, \"n\"]'"


def _resolve(annotation: Any, scope: Mapping[str, Any], where: str) -> Any:
    """A string annotation (as `from __future__ import annotations` makes them) evaluated where it was written."""
    if not isinstance(annotation, str):
        return annotation
    try:
        value = eval(annotation, dict(scope))  # noqa: S307  the user's own source, as typing.get_type_hints does
        return _resolve(value, scope, where)  # text within text: quotes under future annotations
    except SignatureError:
        raise
    except Exception as error:
        raise SignatureError(
            f"{where}: the annotation {annotation!r} cannot be evaluated ({type(error).__name__}: {error}); "
            f"import the name, or write a Numba type or {_ARRAY_HINT}"
        ) from error


def _array(annotation: Any, name: str, where: str) -> ArrayType | None:
    """The array type an annotation means, or None where it means no array."""
    if isinstance(annotation, _RawArray):
        dims = tuple(_dimension(d, where) for d in annotation.dims)
        if not 1 <= len(dims) <= MAX_DIMENSIONS:
            raise SignatureError(
                f"{where}: an array has 1 to {MAX_DIMENSIONS} dimensions, not {len(dims)}; write {_ARRAY_HINT}"
            )
        return ArrayType(_scalar(annotation.dtype, where), dims)
    ndim = getattr(annotation, "ndim", None)
    if not _is_numba(annotation) or ndim is None:
        return None
    if getattr(annotation, "layout", None) != "C":
        colons = ", ".join([":"] * (ndim - 1) + ["::1"])
        raise SignatureError(f"{where}: {annotation} is not C-contiguous; write '{annotation.dtype}[{colons}]'")
    if not 1 <= ndim <= MAX_DIMENSIONS:
        raise SignatureError(f"{where}: an array has 1 to {MAX_DIMENSIONS} dimensions, not {ndim}")
    return ArrayType(_scalar(annotation.dtype, where), tuple(f"{name}_{i}" for i in range(ndim)))


def _dimension(dim: Any, where: str) -> Dimension:
    if isinstance(dim, str):
        require_name(dim, f"{where}, dimension")
        return dim
    if isinstance(dim, (int, np.integer)) and not isinstance(dim, bool):
        if not 1 <= dim < 2**31:
            raise SignatureError(f"{where}: a literal dimension is 1 to 2**31 - 1, not {dim}")
        return int(dim)
    raise SignatureError(f'{where}: a dimension is a name like "n" or a literal like 3, not {dim!r}')


def _is_numba(annotation: Any) -> bool:
    return type(annotation).__module__.partition(".")[0] == "numba"


def _scalar(annotation: Any, where: str) -> Scalar:
    name = _scalar_name(annotation)
    if name in SCALARS:
        return SCALARS[name]
    if name.startswith("complex"):
        raise SignatureError(f"{where}: {name} is not supported yet; pass real and imaginary parts as float64")
    raise SignatureError(
        f"{where}: {annotation!r} has no C type here; write a Numba scalar (int8 ... uint64, float32, float64, "
        f"boolean), int, float, bool, a NumPy scalar type, or an array such as {_ARRAY_HINT}"
    )


def _scalar_name(annotation: Any) -> str:
    """Numba's name of a scalar annotation; empty where it is none."""
    if isinstance(annotation, Scalar):
        return annotation.name
    if isinstance(annotation, type) and annotation in _PYTHON_SCALARS:
        return _PYTHON_SCALARS[annotation]
    if _is_numba(annotation):
        return {"bool": "boolean"}.get(str(annotation), str(annotation))
    if isinstance(annotation, np.dtype) or (isinstance(annotation, type) and issubclass(annotation, np.generic)):
        return _numpy_name(annotation)
    if annotation is complex:
        return "complex128"
    return ""


def _numpy_name(annotation: Any) -> str:
    """The name of a NumPy scalar type in native byte order; empty for abstract and foreign ones."""
    if isinstance(annotation, type) and annotation in (
        np.number,
        np.integer,
        np.signedinteger,
        np.unsignedinteger,
        np.inexact,
        np.floating,
        np.generic,
        np.complexfloating,
    ):
        return ""
    dtype = np.dtype(annotation)
    return {"bool": "boolean"}.get(dtype.name, dtype.name) if dtype.isnative else ""


def _returns(annotation: Any, scope: Mapping[str, Any], function: str) -> Scalar | None:
    where = f"{function}: the return value"
    if annotation is inspect.Parameter.empty:
        raise SignatureError(f"{where} has no annotation; write '-> float64', or '-> None' where buffers are filled")
    annotation = _resolve(annotation, scope, where)
    if annotation is None or (_is_numba(annotation) and str(annotation) in ("none", "void")):
        return None
    is_array = _is_numba(annotation) and getattr(annotation, "ndim", None) is not None
    if is_array or isinstance(annotation, _RawArray | _Marked):
        raise SignatureError(
            f"{where} cannot be an array; add a parameter such as 'out: Out[float64, \"n\"]' and return None"
        )
    return _scalar(annotation, where)


def check_arguments(signature: Signature, args: Sequence[Any]) -> Exception | None:
    """What is wrong with a Python call's arguments: a `TypeError`, a `ValueError`, or None.

    Checks number, dtype, contiguity, dimensions, lengths and writability, in that order.
    """
    if len(args) != len(signature.params):
        return TypeError(f"{signature.name}() takes {len(signature.params)} arguments, got {len(args)}: {signature}")
    lengths: dict[str, tuple[int, str]] = {}
    for param, value in zip(signature.params, args, strict=True):
        problem = (
            _scalar_problem(param.type, value)
            if isinstance(param.type, Scalar)
            else _array_problem(param.type, param.mode, value)
            or _length_problem(param.type, param.name, value, lengths)
        )
        if problem is not None:
            kind, text = problem
            return kind(f"{signature.name}(): argument {param.name!r} {text}; wanted {signature}")
    return None


Problem = tuple[type[Exception], str]


def _scalar_problem(scalar: Scalar, value: Any) -> Problem | None:
    if isinstance(value, np.ndarray) or not isinstance(value, int | float | np.generic):
        return TypeError, f"is {_describe(value)}, not a scalar {scalar}"
    kind = value.dtype.kind if isinstance(value, np.generic) else {bool: "b", float: "f"}.get(type(value), "i")
    if kind not in _ACCEPTED_KINDS[scalar.kind]:
        return TypeError, f"is {_describe(value)}, which does not convert to {scalar} without loss"
    if scalar.kind == "f" and isinstance(value, int) and abs(value) > int(np.finfo(np.float64).max):
        return OverflowError, f"is {_describe(value)}, outside float64"
    if scalar.kind in "iu":
        info = np.iinfo(scalar.dtype)
        if not info.min <= int(value) <= info.max:
            return OverflowError, f"is {_describe(value)}, outside {scalar} ({info.min} to {info.max})"
    return None


#: Which kinds of value a scalar parameter takes, by its own kind.
_ACCEPTED_KINDS: Final[Mapping[str, str]] = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}


def _array_problem(array: ArrayType, mode: Mode, value: Any) -> Problem | None:
    if not isinstance(value, np.ndarray):
        return TypeError, f"is {_describe(value)}, not a NumPy array of {array.dtype}"
    if value.dtype != array.dtype.dtype:
        return TypeError, f"has dtype {value.dtype}, not {array.dtype.dtype}; convert it with .astype()"
    if not array.dims:
        if value.size != 1 or value.ndim > 1:
            return ValueError, f"has shape {value.shape}; one value by reference is a 0-d or one-element array"
    elif value.ndim != len(array.dims):
        return TypeError, f"has {value.ndim} dimensions, not {len(array.dims)}"
    if not value.flags.c_contiguous:
        return ValueError, "is not C-contiguous; pass np.ascontiguousarray(...)"
    if not value.flags.aligned:
        return ValueError, "is not aligned; pass a copy"
    if mode is not Mode.IN and not value.flags.writeable:
        return ValueError, f"is read-only, but the kernel writes it ({mode})"
    return None


def _length_problem(array: ArrayType, name: str, value: Any, lengths: dict[str, tuple[int, str]]) -> Problem | None:
    for axis, (dim, length) in enumerate(zip(array.dims, value.shape, strict=False)):
        if isinstance(dim, int):
            if length != dim:
                return ValueError, f"has shape {value.shape}; axis {axis} must have length {dim}"
            continue
        known, first = lengths.setdefault(dim, (length, name))
        if length != known:
            return ValueError, f"has {dim} = {length} (axis {axis}), but {first!r} has {dim} = {known}"
    return None


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {value.shape}"
    try:
        shown = f"{value!r:.60}"
    except Exception:  # an object may refuse, and an int may have too many digits
        shown = "something"
    return f"{shown} of type {type(value).__name__}"
