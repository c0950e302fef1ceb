"""Types of elements: records that lie in C as in NumPy, which ones are refused, and arithmetic of complex numbers."""

import functools

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import float64 as f64
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, InOut, Out, SignatureError, evolvable
from symbiont_jit.signature import SCALARS, signature_of
from tests.signature.declared import deep, deep_class
from tests.signature.values import DTYPES, require_same

# -- layout of records ------------------------------------------------------------------------------------------------
# A record's fields as (name, type, lengths); the type is a scalar's name or the fields of an inner record.

DIMENSIONS = st.one_of(st.just(()), st.just(()), st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple))


def record_fields(depth, most, is_for_numba=False):
    """Fields of a record with records inside down to a depth; Numba has no records with sub-arrays of bool."""
    types = st.sampled_from(sorted(SCALARS))
    if depth:
        types = st.one_of(types, types, record_fields(depth - 1, 3, is_for_numba))
    field = st.tuples(types, DIMENSIONS)
    if is_for_numba:
        field = field.filter(lambda field: field[0] != "boolean" or not field[1])
    fields = st.lists(field, min_size=1, max_size=most)
    return fields.map(lambda fields: tuple((f"f{i}", *field) for i, field in enumerate(fields)))


FIELDS = record_fields(2, 8)


def dtype_of(fields):
    """The aligned dtype of fields, by NumPy alone."""
    return np.dtype([(n, dtype_of(t) if isinstance(t, tuple) else DTYPES[t], d) for n, t, d in fields], align=True)


def class_of(fields, name):
    """A class made by `@record`, with the inner ones named after their fields."""
    annotations = {}
    for field, typ, dims in fields:
        inner = class_of(typ, f"{name}_{field}") if isinstance(typ, tuple) else getattr(numba, typ)
        annotations[field] = Array[(inner, *dims)] if dims else inner
    return sj.record(type(name, (), {"__annotations__": annotations}))


def structs_of(fields, tag):
    """The struct of fields and those inside it: tag and dtype."""
    yield tag, dtype_of(fields)
    for name, typ, _ in fields:
        if isinstance(typ, tuple):
            yield from structs_of(typ, f"{tag}_{name}")


def copies_of(fields, source, target, depth=0):
    """C that copies a record field by field."""
    for name, typ, dims in fields:
        indices = [f"i{depth + axis}" for axis in range(len(dims))]
        loops = "".join(f"for (int {i} = 0; {i} < {d}; {i}++) " for i, d in zip(indices, dims, strict=True))
        place = name + "".join(f"[{i}]" for i in indices)
        inner = [f"{target}{place} = {source}{place};"]
        if isinstance(typ, tuple):
            inner = copies_of(typ, f"{source}{place}.", f"{target}{place}.", depth + len(dims))
        yield f"{loops}{{ {' '.join(inner)} }}"


def copying_kernel(fields, kind):
    """A kernel that copies a record and many, and says how large the structs are and where their fields."""
    R = dtype_of(fields) if kind == "dtype" else class_of(fields, "Rec")
    tag = "many" if kind == "dtype" else "Rec"
    said = []
    for struct, dtype in structs_of(fields, tag):
        said.append((f"sizeof(struct {struct})", dtype.itemsize))
        said += [(f"offsetof(struct {struct}, {n})", dtype.fields[n][1]) for n in dtype.names]
    COUNT = len(said)

    def copy(one: R, many: Array[R, "n"], first: Out[R], out: InOut[R, "n"], layout: Out[i64, COUNT]) -> i64: ...

    kernel = evolvable(copy)
    kernel.swap(
        f"{kernel.c_prototype} {{ {' '.join(copies_of(fields, 'one->', 'first->'))}\n"
        f"for (int64_t n0 = 0; n0 < n; n0++) {{ {' '.join(copies_of(fields, 'many[n0].', 'out[n0].'))} }}\n"
        f"{' '.join(f'layout[{i}] = {c};' for i, (c, _) in enumerate(said))} return sizeof(*many); }}"
    )
    return kernel, R, [number for _, number in said]


def filled(dtype, length, seed):
    """An array of random bytes in which a bool is 0 or 1."""
    array = np.frombuffer(np.random.default_rng(seed).bytes(length * dtype.itemsize), np.uint8).copy().view(dtype)
    for leaf in leaves(array):
        if leaf.dtype.kind == "b":
            leaf.view(np.uint8)[...] &= 1
    return array


def leaves(array):
    """The scalar fields of an array of records, as views."""
    if array.dtype.names is None:
        return [array]
    return [leaf for name in array.dtype.names for leaf in leaves(array[name])]


def require_equal_records(found, wanted):
    """Every scalar field has the same bits; what is between them does not matter."""
    for one, other in zip(leaves(found), leaves(wanted), strict=True):
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()


def require_copied(call, kernel_of, length, seed):
    """A kernel of `copying_kernel` copies from `many` to `out`, the last of them alone to `first`, and knows the layout."""
    _, R, wanted = kernel_of
    dtype = R if isinstance(R, np.dtype) else R.dtype
    many, out = filled(dtype, length, seed), filled(dtype, length, seed + 1)
    first, layout = np.zeros(1, dtype), np.zeros(len(wanted), np.int64)
    assert call(many[-1:], many, first, out, layout) == dtype.itemsize
    assert layout.tolist() == wanted
    require_equal_records(out, many)
    require_equal_records(first, many[-1:])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dtype", "class"])
@settings(max_examples=13, deadline=None)
@given(fields=FIELDS, length=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_a_record_lies_in_c_as_in_numpy(kind, fields, length, seed):
    """Sizes, offsets and every scalar of random records with sub-arrays and records inside, copied field by field."""
    made = copying_kernel(fields, kind)
    kernel, R, _ = made
    if kind == "class":
        assert R.dtype == dtype_of(fields)
        assert R.dtype.isalignedstruct
    for call in (kernel, kernel, kernel.revision(0)):
        require_copied(call, made, length, seed)
    empty = np.zeros(0, dtype_of(fields))
    one, layout = np.zeros(1, dtype_of(fields)), np.zeros(len(made[2]), np.int64)
    assert kernel(one, empty, one.copy(), empty.copy(), layout) == empty.itemsize


@njit
def copy_loop(kernel, one, many, first, out, layout):
    return kernel(one[0], many, first, out, layout)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    fields=record_fields(1, 5, is_for_numba=True), kind=st.sampled_from(["dtype", "class"]), seed=st.integers(0, 2**32)
)
def test_a_record_lies_in_c_as_in_numba(fields, kind, seed):
    """The same through a compiled loop, the scalar record as an element of an array."""
    made = copying_kernel(fields, kind)
    require_copied(functools.partial(copy_loop, made[0]), made, 3, seed)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(fields=FIELDS)
def test_a_dtype_that_is_not_laid_out_like_c_is_refused(fields):
    """A packed dtype is taken where C would lay it out so anyway; otherwise the message says `align=True`."""
    dtype = dtype_of(fields)
    packed = np.dtype([(n, dtype.fields[n][0]) for n in dtype.names])

    def k(r: packed) -> None: ...

    if packed == dtype:
        assert evolvable(k).signature.params[0].type.dtype.dtype == dtype
    else:
        with pytest.raises(SignatureError, match=r"k: parameter 'r'.* not laid out like a C struct.*align=True"):
            evolvable(k)


REFUSED_DTYPES = [
    (np.dtype([("a", "i1"), ("b", "f8")]), r"align=True"),
    (np.dtype([("a", "i1"), ("b", np.dtype([("c", "i1"), ("d", "f8")]))], align=True), r"field 'b'.*align=True"),
    (np.dtype({"names": ["a", "b"], "formats": ["i4", "f8"], "offsets": [4, 8]}), r"align=True"),
    (np.dtype({"names": ["a", "b"], "formats": ["f8", "f8"], "offsets": [8, 0]}), r"align=True"),
    (np.dtype({"names": ["a", "b"], "formats": ["f8", "i4"], "offsets": [0, 0]}), r"align=True"),
    (np.dtype({"names": ["a"], "formats": ["f8"], "offsets": [0], "itemsize": 32}), r"align=True"),
    (np.dtype([("a", ">f8")], align=True), r"field 'a'.* native byte order"),
    (np.dtype([("a", ">i4", (3,))], align=True), r"field 'a'.* native byte order"),
    (np.dtype([("a", np.dtype([("b", ">i4")], align=True))], align=True), r"field 'b'.* native byte order"),
    (np.dtype([("a", object)], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "S4")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "U4")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "V4")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "M8[s]")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "f2")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "g")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "f8", (0,))], align=True), r"field 'a'.*at least one element"),
    (np.dtype([("a b", "f8")], align=True), r"field 'a b'.*underscores"),
    (np.dtype([("int", "f8")], align=True), r"field 'int'.*'int_'"),
    (np.dtype([]), r"aligned structured dtype"),
]


@pytest.mark.parametrize(("dtype", "said"), REFUSED_DTYPES, ids=range(len(REFUSED_DTYPES)))
def test_a_dtype_with_no_struct_is_refused(dtype, said):
    """As parameter, element and field of a record, with what to write instead."""

    def one(r: dtype) -> None: ...
    def many(r: Array[dtype, "n"]) -> None: ...
    def out(r: Out[dtype]) -> None: ...

    for function in (one, many, out):
        with pytest.raises(SignatureError, match=rf"^{function.__name__}: parameter 'r'.*{said}"):
            evolvable(function)
    with pytest.raises(SignatureError, match=rf"^record 'Rec', field 'x'.*{said}"):
        sj.record(type("Rec", (), {"__annotations__": {"x": dtype}}))


# -- complex arithmetic -----------------------------------------------------------------------------------------------


@functools.cache
def arithmetic(name):
    """The kernel that adds, subtracts, multiplies and divides."""
    T, c = getattr(numba, name), SCALARS[name].c

    @evolvable(source=f"void four({c} x, {c} y, {c} out[4]) {{ out[0] = x + y; out[1] = x - y; out[2] = x * y; out[3] = x / y; }}")  # fmt: skip
    def four(x: T, y: T, out: Out[T, 4]) -> None: ...

    return four


MODERATE = st.one_of(st.floats(2.0**-20, 2.0**20, width=32), st.floats(-(2.0**20), -(2.0**-20), width=32), st.just(0.0))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tolerance"), [("complex64", 5e-7), ("complex128", 1e-15)])
@settings(max_examples=200, deadline=None)
@given(st.builds(complex, MODERATE, MODERATE), st.builds(complex, MODERATE, MODERATE), st.integers(1, 99))
def test_complex_arithmetic_is_numpys(name, tolerance, x, y, odd):
    """Sums and products are those of NumPy's scalars to the last bit, quotients to a few; arrays of NumPy's may fuse."""
    typ = DTYPES[name].type
    x, y = typ(x) / typ(odd), typ(y or 1.0) * typ(odd)
    out = np.empty(4, typ)
    arithmetic(name)(x, y, out)
    for found, wanted in zip(out[:3], (x + y, x - y, x * y), strict=True):
        require_same(found, np.asarray(wanted), (x, y))
    assert abs(out[3] - x / y) <= tolerance * abs(x / y)


# -- what was wrong once -----------------------------------------------------------------------------------------------

ZERO = np.dtype(("f8", (0,)))
INNER = np.dtype([("b", "f8")], align=True)


def test_a_sub_array_without_elements_is_refused():
    """In a dtype, of scalars or of records, and in a class."""
    for dtype in (np.dtype([("a", INNER, (0,))], align=True), np.dtype([("a", "f8", (0,))], align=True)):

        def f(r: dtype) -> None: ...

        with pytest.raises(SignatureError, match=r"field 'a'.*at least one element"):
            evolvable(f)
    with pytest.raises(SignatureError, match=r"field 'a'.*at least one element"):
        sj.record(type("Rec", (), {"__annotations__": {"a": ZERO}}))


@pytest.mark.parametrize("lengths", [(2**31 - 1,), (2**30, 2**30)])
def test_a_record_that_numpy_cannot_hold_is_refused(lengths):
    """A record of more than 2 GiB is the caller's mistake."""
    with pytest.raises(SignatureError, match="record 'Rec'"):
        sj.record(type("Rec", (), {"__annotations__": {"a": Array[(f64, *lengths)]}}))


def test_a_record_is_declared_in_code_that_is_no_module():
    """`exec` with a name that is not imported, as notebooks and runners do."""
    scope = {"__name__": "nowhere", "sj": sj}
    exec("@sj.record\nclass C:\n    x: float\n", scope)
    assert scope["C"].dtype == np.dtype([("x", "f8")])


def test_the_fields_of_a_base_class_are_not_lost():
    """A class that derives from a record has its fields or is refused, decorated or not."""

    @sj.record
    class Base:
        x: float

    class Plain(Base):
        y: int

    def f(r: Plain) -> None: ...

    with pytest.raises(SignatureError, match="Plain"):
        evolvable(f)
    try:
        made = sj.record(Plain)
    except SignatureError:
        return
    assert made.dtype.names == ("x", "y")


ALIGNED_BUT = [
    np.dtype([(("T", "a"), "f8")], align=True),
    np.dtype({"names": ["a"], "formats": ["f8"], "offsets": [0], "itemsize": 32}, align=True),
    np.dtype({"names": ["a", "b"], "formats": ["i4", "f8"], "offsets": [4, 8]}, align=True),
]


@pytest.mark.parametrize("dtype", ALIGNED_BUT, ids=["title", "itemsize", "offsets"])
def test_the_advice_for_an_aligned_dtype_is_another(dtype):
    """What is aligned already is not told to be aligned."""

    def f(r: dtype) -> None: ...

    with pytest.raises(SignatureError) as caught:
        evolvable(f)
    assert "make it with np.dtype(..., align=True)" not in str(caught.value)


def test_the_advice_for_a_field_is_one_that_a_field_can_follow():
    """A field has literal lengths; a message does not say to name them."""
    with pytest.raises(SignatureError) as caught:
        sj.record(type("Rec", (), {"__annotations__": {"a": f64[::1]}}))
    assert 'Array[float64, "n"]' not in str(caught.value)


def test_records_are_as_deep_as_the_limit_says():
    """Thirty-two records inside each other are fine, as classes and as dtypes."""
    for record_type in (deep_class(32), deep(f64, 32)):
        signature = signature_of(types_of(record_type))
        assert signature.params[0].type.dtype.depth == 32


def types_of(annotation):
    """A function of one parameter."""

    def k(x): ...

    k.__annotations__ = {"x": annotation, "return": None}
    return k
