"""Annotations -> a signature: what a person may write, and what to write instead where it has no C form.

In: a Python function or a class of fields. Out: a `Signature` or a `Record`; or `SignatureError`, which names the
parameter.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, NoReturn, TypeVar

import numpy as np

from symbiont_jit.errors import SignatureError
from symbiont_jit.signature.elements import (
    SCALARS,
    Element,
    Field,
    Record,
    Scalar,
    numpy_name,
    record_of_dtype,
    require_depth,
    require_dtype,
    require_name,
    sub_array,
)
from symbiont_jit.signature.model import ArrayType, Dimension, Mode, Param, Signature
from symbiont_jit.signature.requirements import (
    ARRAY_HINT,
    require_dimensions,
    require_distinct_names,
    require_free_name,
    require_length,
    require_one_meaning,
    require_size,
)

__all__ = [
    "Array",
    "InOut",
    "Out",
    "Ref",
    "record",
    "signature_of",
]

_PYTHON_SCALARS: Final[Mapping[type, str]] = {int: "int64", float: "float64", bool: "boolean", complex: "complex128"}


class _Annotation:
    """The base of annotations with brackets; a union with one of them ("or nothing" in Python) has no C form."""

    __slots__ = ()

    def __or__(self, other: object) -> NoReturn:
        raise SignatureError(f"{self} | {other!r:.60}: an argument is always passed; write {self} alone")

    __ror__ = __or__


class _Subscripted:
    """An annotation that is written with brackets; parentheses would make an object that means nothing."""

    def __init__(self, *args: Any) -> None:
        name = type(self).__name__
        raise SignatureError(f"{name} is subscripted, not called; write {name}[{', '.join(map(_describe, args))}]")


@dataclass(frozen=True, slots=True, repr=False)
class _Marked(_Annotation):
    """An annotation wrapped in `Out[...]` or `InOut[...]`, not yet resolved."""

    mode: Mode
    inner: Any

    def __repr__(self) -> str:
        inside = self.inner.inside if isinstance(self.inner, _RawArray) else _describe(self.inner)
        return f"{'Out' if self.mode is Mode.OUT else 'InOut'}[{inside}]"


class Array(_Subscripted):
    """`Array[dtype, "m", "n"]`: a C-ordered array, which the kernel only reads unless `Out` or `InOut` is around it.

    Args:
        dtype: The type of an element: a scalar, a class made by `@record`, or an aligned structured dtype.
        dims: The dimensions, outermost first: each is a name or a number of elements. A dimension that is named twice
            has one length in a call.

    Example:
        `x: Array[f64, "n"]` is `const double x[n]` in C, `a: Array[f32, "m", 3]` is `const float a[m][3]`.
    """

    def __class_getitem__(cls, item: Any) -> _RawArray:
        dtype, *dims = (item if isinstance(item, tuple) else (item,)) or (None,)
        return _RawArray(dtype, tuple(dims))


@dataclass(frozen=True, slots=True, repr=False)
class _RawArray(_Annotation):
    """`Array[...]` as written: the dtype and dimensions are checked where the parameter's name is known."""

    dtype: Any
    dims: tuple[Any, ...]

    @property
    def inside(self) -> str:
        """The text between the brackets of the annotation."""
        return ", ".join(map(_describe, (self.dtype, *self.dims)))

    def __repr__(self) -> str:
        return f"Array[{self.inside}]"


def _describe(part: Any) -> str:
    """Print a part of an annotation as it is written, with names in double quotes as in the messages around."""
    if isinstance(part, str):
        return f'"{part}"'
    return part.__name__ if isinstance(part, type) else f"{part!r:.100}"


class _Marker(_Subscripted):
    """The base of `Out`, `InOut` and `Ref`: the brackets wrap what is written inside."""

    mode: ClassVar[Mode]

    def __class_getitem__(cls, item: Any) -> _Marked:
        if isinstance(item, tuple):
            return _Marked(cls.mode, _RawArray(item[0] if item else None, item[1:]))
        return _Marked(cls.mode, item)


class Out(_Marker):
    """`Out[dtype, "n"]` or `Out[Array[...]]`: an array that the caller passes and the kernel fills.

    Args:
        dtype, dims: The element and the dimensions as in `Array`, or the whole `Array[...]`.

    Example:
        `y: Out[f64, "n"]` is `double y[n]` in C.
    """

    mode = Mode.OUT


class InOut(_Marker):
    """`InOut[dtype, "n"]` or `InOut[Array[...]]`: an array that the kernel reads and writes.

    Args:
        dtype, dims: The element and the dimensions as in `Array`, the whole `Array[...]`, or one record.

    Example:
        `a: InOut[f64, "n", "n"]` is `double a[n][n]` in C.
    """

    mode = Mode.INOUT


class Ref(_Marker):
    """`Ref[i64]`: one value by reference, which the kernel reads and writes.

    Args:
        dtype: The type of the value; the caller passes an array of it with one element, or without an axis.

    Example:
        `count: Ref[i64]` is `int64_t *count` in C; a call passes `np.zeros(1, np.int64)`.
    """

    mode = Mode.INOUT

    def __class_getitem__(cls, item: Any) -> _Marked:
        if isinstance(item, tuple | _RawArray | _Marked) or _is_numba_array(item):
            raise SignatureError(f"Ref is of one value, as in Ref[int64]; an array that is written is {_INOUT_HINT}")
        return _Marked(cls.mode, item)


Class = TypeVar("Class", bound=type)
_RECORD: Final = "__symbiont_record__"


def record(cls: Class) -> Class:
    """Make a class of annotated fields a C struct of its name.

    Args:
        cls: A class whose annotated fields are scalars, other records, or `Array[...]` with literal lengths.

    Returns:
        The class itself, with the aligned NumPy dtype of the struct as `.dtype`.

    Raises:
        SignatureError: A field has no C form; the message names the field.

    Example:
        >>> @sj.record
        ... class Candle:
        ...     close: f64
        >>> candles = np.zeros(1000, Candle.dtype)
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
    require_depth(made.depth, f"record {name!r}")
    require_dtype(made, f"record {name!r}")
    require_one_meaning([*((f"record {name!r}, field {f.name!r}", f.type) for f in fields), (f"record {name!r}", made)])
    setattr(cls, _RECORD, made)
    cls.dtype = made.dtype  # type: ignore[attr-defined]
    return cls


def _record_field(name: str, annotation: Any, scope: Mapping[str, Any], record: str) -> Field:
    where = f"record {record!r}, field {name!r}"
    require_name(name, where)
    annotation = _unquote(_resolve(annotation, scope, where), scope, where)
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
        annotation, dims = sub_array(annotation, where)
    return Field(name, _element(annotation, f"{record}_{name}", where, _FIELD_HINT), dims)


def signature_of(
    function: Callable[..., Any], namespace: Mapping[str, Any] | None = None, types: Any | None = None
) -> Signature:
    """Read the signature that a function's annotations declare, or `types`: one a parameter, then the result.

    A parameter whose type is None is left out: it is what its default says, in each call.
    `namespace` holds names that the annotations may use besides the function's globals (the locals of what defines it).
    A parameter without a C form is a `SignatureError`, which says what to write.
    """
    name = function.__name__
    require_free_name(name)
    scope = {**vars(builtins), **function.__globals__, **(namespace or {}), **_closure(function)}
    parameters = list(inspect.signature(function).parameters.values())
    returns = function.__annotations__.get("return", inspect.Parameter.empty)
    if types is not None:
        *given, returns = types
        typed = zip(parameters, given, strict=True)
        parameters = [p.replace(annotation=a, default=p.empty) for p, a in typed if a is not None]
    params = tuple(_param(p, scope, name) for p in parameters)
    signature = Signature(name, params, _returns(returns, scope, name), inspect.getdoc(function) or "")
    require_distinct_names(signature)
    return signature


def _closure(function: Callable[..., Any]) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found = {}
    for free, cell in cells:
        try:
            found[free] = cell.cell_contents
        # The cell is still empty, as that of a function's own name is while the function is being decorated.
        except ValueError:
            continue
    return found


def _param(p: inspect.Parameter, scope: Mapping[str, Any], function: str) -> Param:
    where = f"{function}: parameter {p.name!r}"
    if p.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD and p.kind is not inspect.Parameter.POSITIONAL_ONLY:
        raise SignatureError(f"{where}: {p.kind.description} parameters have no C form; declare plain positional ones")
    if p.default is not inspect.Parameter.empty:
        raise SignatureError(f"{where}: defaults have no C form; remove '= {p.default!r}'")
    require_name(p.name, where)
    if p.annotation is inspect.Parameter.empty:
        raise SignatureError(f"{where} has no annotation; write for example '{p.name}: float64' or {ARRAY_HINT}")
    annotation = _resolve(p.annotation, scope, where)
    mode = Mode.IN
    if isinstance(annotation, _Marked):
        mode, annotation = annotation.mode, _resolve(annotation.inner, scope, where)
        if isinstance(annotation, _Marked):
            raise SignatureError(f"{where}: Out and InOut do not nest; write one of them")
        if _is_numba_array(annotation) and not annotation.mutable:
            raise SignatureError(f"{where}: the kernel writes it, and its type is read-only; leave out readonly=True")
    array = _array(_unquote(annotation, scope, where), p.name, where)
    if array is not None:
        return Param(p.name, array, mode)
    element = _element(annotation, p.name, where)
    if mode is Mode.IN and isinstance(element, Scalar):
        return Param(p.name, element)
    return Param(p.name, ArrayType(element, ()), mode)


_INOUT_HINT: Final = "'InOut[float64, \"n\"]'"
_FIELD_HINT: Final = "'Array[float64, 3]'"


def _resolve(annotation: Any, scope: Mapping[str, Any], where: str) -> Any:
    """Evaluate a string annotation where it was written; `from __future__ import annotations` makes such strings."""
    value = annotation
    for _ in range(MAX_QUOTES):
        if not isinstance(value, str):
            return value
        value = _evaluate(value, scope, where)
    raise SignatureError(f"{where}: the annotation {annotation!r} is text that stands for text; write a type")


#: How deeply texts may be within texts: quotes under future annotations, names of aliases.
MAX_QUOTES: Final = 8


def _evaluate(annotation: str, scope: Mapping[str, Any], where: str) -> Any:
    try:
        return eval(annotation, dict(scope))  # noqa: S307  the user's own source, as typing.get_type_hints does
    except SignatureError as error:
        raise SignatureError(f"{where}: {error}") from error
    except Exception as error:
        raise SignatureError(
            f"{where}: the annotation {annotation!r} cannot be evaluated ({type(error).__name__}: {error}); "
            f"import the name, or write a Numba type or {ARRAY_HINT}"
        ) from error


def _unquote(annotation: Any, scope: Mapping[str, Any], where: str) -> Any:
    """Replace a dtype that was written in quotes in `Array[...]` by the type that the quotes name."""
    if isinstance(annotation, _RawArray) and isinstance(annotation.dtype, str):
        return replace(annotation, dtype=_resolve(annotation.dtype, scope, where))
    return annotation


def _array(annotation: Any, name: str, where: str) -> ArrayType | None:
    """Return the array type that an annotation means; None where it means no array."""
    if isinstance(annotation, _RawArray):
        dims = tuple(_dimension(d, where) for d in annotation.dims)
        require_dimensions(len(dims), where)
        array = ArrayType(_element(annotation.dtype, name, where), dims)
        require_size(array, where)
        return array
    if not _is_numba_array(annotation):
        return None
    ndim = annotation.ndim
    if ndim == 0:
        one = annotation.dtype
        raise SignatureError(f"{where}: {annotation} is one value by reference; write 'InOut[{one}]' or 'Out[{one}]'")
    require_dimensions(ndim, where)
    if getattr(annotation, "layout", None) != "C":
        colons = ", ".join([":"] * (ndim - 1) + ["::1"])
        raise SignatureError(f"{where}: {annotation} is not C-contiguous; write '{annotation.dtype}[{colons}]'")
    return ArrayType(_element(annotation.dtype, name, where), tuple(f"{name}_{i}" for i in range(ndim)))


def _dimension(dim: Any, where: str) -> Dimension:
    if isinstance(dim, str):
        require_name(dim, f"{where}, dimension")
        return dim
    if isinstance(dim, (int, np.integer)) and not isinstance(dim, bool):
        require_length(int(dim), where)
        return int(dim)
    raise SignatureError(f'{where}: a dimension is a name like "n" or a literal like 3, not {dim!r}')


def _is_numba(annotation: Any) -> bool:
    """Whether an annotation is a Numba type; a class of Numba types is none."""
    return not isinstance(annotation, type) and type(annotation).__module__.partition(".")[0] == "numba"


def _is_numba_array(annotation: Any) -> bool:
    return _is_numba(annotation) and hasattr(annotation, "ndim")


def _element(annotation: Any, name: str, where: str, hint: str = ARRAY_HINT) -> Element:
    """Return a scalar, a class made by `@record`, or a structured dtype, named after its parameter or field."""
    made = getattr(annotation, _RECORD, None)
    if isinstance(made, Record):
        if not isinstance(annotation, type):
            raise SignatureError(
                f"{where}: this is an object of a record; write its class, {type(annotation).__name__}"
            )
        if _RECORD not in vars(annotation):
            raise SignatureError(
                f"{where}: {annotation.__name__} is derived from a record; decorate it with @record too"
            )
        return made
    dtype = _find_dtype(annotation)
    if dtype is not None:
        return record_of_dtype(dtype, name, where)
    if isinstance(annotation, _RawArray) or _is_numba_array(annotation):
        raise SignatureError(
            f'{where}: arrays do not nest; write one with all dimensions: \'Array[float64, "m", "n"]\''
        )
    if isinstance(annotation, _Marked):
        raise SignatureError(f"{where}: {annotation} goes around the array, not into it; write 'Out[float64, \"n\"]'")
    return _scalar(
        annotation, where, f"a class made by @sj.record, an aligned structured dtype, or an array such as {hint}"
    )


def _find_dtype(annotation: Any) -> np.dtype[Any] | None:
    """Find a structured dtype, also in Numba's record type. Anything else that has a dtype is data and no type."""
    dtype = getattr(annotation, "dtype", None) if _is_numba(annotation) else annotation
    return dtype if isinstance(dtype, np.dtype) and dtype.names else None


def _scalar(annotation: Any, where: str, besides: str) -> Scalar:
    """Return the scalar of an annotation; `besides` says what else may stand there."""
    name = _scalar_name(annotation)
    if name in SCALARS:
        return SCALARS[name]
    shown = " ".join(repr(annotation).split())[:100]
    raise SignatureError(
        f"{where}: {shown} has no C type here; write a Numba scalar (int8 ... uint64, float32, float64, complex64, "
        f"complex128, boolean), int, float, complex, bool, a NumPy scalar type, {besides}"
    )


def _scalar_name(annotation: Any) -> str:
    """Return Numba's name of a scalar annotation; empty where it is none."""
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
    if _is_numba_array(annotation) or isinstance(annotation, _RawArray | _Marked):
        raise SignatureError(
            f"{where} cannot be an array; add a parameter such as 'out: Out[float64, \"n\"]' and return None"
        )
    if hasattr(annotation, _RECORD) or _find_dtype(annotation) is not None:
        raise SignatureError(f"{where} cannot be a record; add a parameter such as 'out: Out[Candle]' and return None")
    return _scalar(annotation, where, "or None where buffers are filled")
