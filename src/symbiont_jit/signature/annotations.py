"""Annotations -> a signature: what a person may write, and what to write instead where it has no C form.

In: a Python function or a class of fields. Out: a `Signature` or a `Record`; or `SignatureError`, which names the
parameter.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

import numpy as np

from symbiont_jit import vocabulary
from symbiont_jit.errors import SignatureError
from symbiont_jit.signature.elements import (
    SCALARS,
    Element,
    Field,
    Record,
    Scalar,
    numpy_name,
    record_of_dtype,
    require_name,
)
from symbiont_jit.signature.model import ArrayType, Dimension, Mode, Param, Signature

__all__ = [
    "Array",
    "InOut",
    "Out",
    "record",
    "require_agreeing_records",
    "require_distinct_names",
    "require_free_name",
    "signature_of",
]

MAX_DIMENSIONS = 4

_PYTHON_SCALARS: Final[Mapping[type, str]] = {int: "int64", float: "float64", bool: "boolean", complex: "complex128"}


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


Class = TypeVar("Class", bound=type)
_RECORD: Final = "__symbiont_record__"


def record(cls: Class) -> Class:
    """Make a class of annotated fields a C struct of its name: `.dtype` is the aligned NumPy dtype.

    A field is a scalar, another record, or `Array[...]` with literal lengths. Raises `SignatureError`, which names the
    field.
    """
    if not isinstance(cls, type):
        raise SignatureError(f"@record takes a class with annotated fields, not {cls!r:.60}")
    name = cls.__name__
    require_name(name, f"record {name!r}")
    frame = sys._getframe(1)
    scope = {**vars(builtins), **frame.f_globals, **vars(sys.modules.get(cls.__module__, builtins)), **frame.f_locals}
    annotations = {n: a for base in reversed(cls.__mro__) for n, a in inspect.get_annotations(base).items()}
    fields = tuple(_record_field(n, a, scope, name) for n, a in annotations.items())
    if not fields:
        raise SignatureError(f"record {name!r} has no fields; annotate them, for example 'x: float64'")
    made = Record(name, fields)
    try:
        made.dtype  # noqa: B018  made now, where its size can be refused
    except ValueError as error:
        raise SignatureError(f"record {name!r}: NumPy cannot hold it ({error}); make its sub-arrays shorter") from error
    setattr(cls, _RECORD, made)
    cls.dtype = made.dtype  # type: ignore[attr-defined]
    return cls


def _record_field(name: str, annotation: Any, scope: Mapping[str, Any], record: str) -> Field:
    where = f"record {record!r}, field {name!r}"
    require_name(name, where)
    annotation = _resolve(annotation, scope, where)
    if isinstance(annotation, _Marked):
        raise SignatureError(f"{where}: Out and InOut belong to parameters, not to fields")
    dims: tuple[int, ...] = ()
    if isinstance(annotation, _RawArray):
        lengths = tuple(_dimension(d, where) for d in annotation.dims)
        dims = tuple(d for d in lengths if isinstance(d, int))
        if not dims or len(dims) != len(lengths):
            raise SignatureError(f"{where}: a sub-array has literal lengths, for example Array[float64, 3]")
        annotation = annotation.dtype
    elif isinstance(annotation, np.dtype) and annotation.subdtype is not None:
        annotation, dims = annotation.subdtype
        if any(d < 1 for d in dims):
            raise SignatureError(f"{where}: a sub-array has at least one element, not the shape {dims}")
    return Field(name, _element(annotation, f"{record}_{name}", where, _FIELD_HINT), dims)


def signature_of(
    function: Callable[..., Any], namespace: Mapping[str, Any] | None = None, types: Any | None = None
) -> Signature:
    """The signature that a function's annotations declare, or `types`: one for each parameter, then the result.

    `namespace` holds names that the annotations may use besides the function's globals (the locals of the
    function that defines it). Raises `SignatureError`, which names the parameter and what to write.
    """
    name = function.__name__
    require_free_name(name)
    scope = {**vars(builtins), **function.__globals__, **(namespace or {}), **_closure(function)}
    parameters = list(inspect.signature(function).parameters.values())
    returns = function.__annotations__.get("return", inspect.Parameter.empty)
    if types is not None:
        *given, returns = types
        parameters = [p.replace(annotation=a) for p, a in zip(parameters, given, strict=True)]
    params = tuple(_param(p, scope, name) for p in parameters)
    signature = Signature(name, params, _returns(returns, scope, name), inspect.getdoc(function) or "")
    require_distinct_names(signature)
    return signature


def require_free_name(name: str) -> None:
    """Raise `SignatureError` unless a function of that name can be compiled by itself."""
    if name in vocabulary.FUNCTIONS or name in vocabulary.LIBRARY_SYMBOLS or name in vocabulary.LIBRARY_NAMES:
        raise SignatureError(f"function {name!r}: C's library has a function of that name; choose another")
    require_name(name, f"function {name!r}")


def _closure(function: Callable[..., Any]) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found = {}
    for free, cell in cells:
        try:
            found[free] = cell.cell_contents
        except ValueError:  # not assigned yet, as a function's own name while it is being decorated
            continue
    return found


def require_distinct_names(signature: Signature) -> None:
    """Raise `SignatureError` where two different things would have one name in C."""
    taken = {p.name for p in signature.params}
    for dimension in signature.dimensions:
        if dimension in taken:
            raise SignatureError(
                f"{signature.name}: the dimension {dimension!r} has the name of a parameter; rename one of them "
                f"(the dimension is passed to C as 'int64_t {dimension}' already)"
            )
    require_agreeing_records([signature])


def require_agreeing_records(signatures: Sequence[Signature]) -> None:
    """Raise `SignatureError` where two different records have one name in C."""
    known: dict[str, Record] = {}
    for signature in signatures:
        for used in signature.records:
            if known.setdefault(used.name, used) != used:
                raise SignatureError(
                    f"{signature.name}: two different records are named {used.name!r}; rename one of them"
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
    element = _element(annotation, p.name, where)
    if mode is Mode.IN and isinstance(element, Scalar):
        return Param(p.name, element)
    return Param(p.name, ArrayType(element, ()), mode)


_ARRAY_HINT: Final = "'Array[float64, \"n\"]'"
_FIELD_HINT: Final = "'Array[float64, 3]'"


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
        return ArrayType(_element(annotation.dtype, name, where), dims)
    ndim = getattr(annotation, "ndim", None)
    if not _is_numba(annotation) or ndim is None:
        return None
    if getattr(annotation, "layout", None) != "C":
        colons = ", ".join([":"] * (ndim - 1) + ["::1"])
        raise SignatureError(f"{where}: {annotation} is not C-contiguous; write '{annotation.dtype}[{colons}]'")
    if not 1 <= ndim <= MAX_DIMENSIONS:
        raise SignatureError(f"{where}: an array has 1 to {MAX_DIMENSIONS} dimensions, not {ndim}")
    return ArrayType(_element(annotation.dtype, name, where), tuple(f"{name}_{i}" for i in range(ndim)))


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


def _element(annotation: Any, name: str, where: str, hint: str = _ARRAY_HINT) -> Element:
    """A scalar, a class made by `@record`, or a structured dtype, which is named after its parameter or field."""
    made = getattr(annotation, _RECORD, None)
    if isinstance(made, Record):
        if _RECORD not in vars(annotation):
            raise SignatureError(
                f"{where}: {annotation.__name__} is derived from a record; decorate it with @record too"
            )
        return made
    dtype = annotation if isinstance(annotation, np.dtype) else getattr(annotation, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.names:
        return record_of_dtype(dtype, name, where)
    return _scalar(annotation, where, hint)


def _scalar(annotation: Any, where: str, hint: str = _ARRAY_HINT) -> Scalar:
    name = _scalar_name(annotation)
    if name in SCALARS:
        return SCALARS[name]
    raise SignatureError(
        f"{where}: {annotation!r} has no C type here; write a Numba scalar (int8 ... uint64, float32, float64, "
        "complex64, complex128, boolean), int, float, complex, bool, a NumPy scalar type, a class made by @sj.record, "
        f"an aligned structured dtype, or an array such as {hint}"
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
        return numpy_name(annotation)
    return ""


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
    if hasattr(annotation, _RECORD) or (isinstance(annotation, np.dtype) and annotation.names):
        raise SignatureError(f"{where} cannot be a record; add a parameter such as 'out: Out[Candle]' and return None")
    return _scalar(annotation, where)
