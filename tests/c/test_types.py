"""The model of C types: what words mean, how types are spelled, what declarations say."""

import pytest
from pycparser import c_ast

from symbiont_jit.c.scopes import DeclaredTypes, is_redundant_typedef, read_declared_types
from symbiont_jit.c.tree import parse, print_tree
from symbiont_jit.c.type_reader import TypeReader
from symbiont_jit.c.types import (
    DOUBLE,
    INT,
    LONG,
    Arithmetic,
    ArrayOf,
    Enumeration,
    FunctionOf,
    Length,
    PointerTo,
    StructOf,
    common_type,
    scalar_of,
    spelling_of,
)
from symbiont_jit.signature import SCALARS


def declared(text):
    """The last node of a text, and the types that its typedefs declare."""
    tree = parse(text)
    assert isinstance(tree, c_ast.FileAST)
    return tree.ext[-1].type, read_declared_types(tree)


@pytest.mark.parametrize(
    ("words", "spelling"),
    [
        ("int", "int32_t"),
        ("unsigned", "uint32_t"),
        ("long long unsigned int", "uint64_t"),
        ("short", "int16_t"),
        ("signed char", "int8_t"),
        ("char", "int8_t"),
        ("int64_t", "int64_t"),
        ("size_t", "uint64_t"),
        ("bool", "bool"),
        ("_Bool", "bool"),
        ("float", "float"),
        ("double", "double"),
        ("long double", "long double"),
        ("_Complex double", "double _Complex"),
        ("float _Complex", "float _Complex"),
        ("void", "void"),
        ("short double", None),
        ("double double", None),
        ("nonsense", None),
    ],
)
def test_words_of_a_scalar_type_have_one_exact_spelling(words, spelling):
    """The words of a scalar type are one type, in whatever order, and C spells it with its width."""
    typ = scalar_of(words.split())
    assert (None if typ is None else spelling_of(typ)) == spelling


def test_a_spelling_is_read_as_the_type_it_is_of():
    """Round trip: the words of a type's spelling are that type."""
    kinds = [Arithmetic(k, b) for k in "iu" for b in (8, 16, 32, 64)]
    kinds += [
        Arithmetic("b", 8),
        *(Arithmetic("f", b) for b in (32, 64, 80)),
        *(Arithmetic("c", b) for b in (64, 128, 160)),
    ]
    assert [scalar_of(spelling_of(t).split()) for t in kinds] == kinds


def test_declared_scalars_have_exact_spellings():
    """What a signature calls a scalar in C is the spelling of its type: the two are compared as texts."""
    for scalar in SCALARS.values():
        assert spelling_of(scalar_of(scalar.c.split())) == scalar.c
    assert len({scalar_of(s.c.split()) for s in SCALARS.values()}) == len(SCALARS)


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        (INT, LONG, LONG),
        (Arithmetic("u", 32), INT, Arithmetic("u", 32)),
        (Arithmetic("u", 32), LONG, LONG),
        (Arithmetic("u", 8), Arithmetic("i", 16), INT),
        (DOUBLE, LONG, DOUBLE),
        (Arithmetic("f", 32), DOUBLE, DOUBLE),
        (Arithmetic("f", 32), LONG, Arithmetic("f", 32)),
        (Arithmetic("c", 64), DOUBLE, Arithmetic("c", 128)),
        (Arithmetic("c", 64), INT, Arithmetic("c", 64)),
        (Arithmetic("c", 128), Arithmetic("f", 80), Arithmetic("c", 160)),
    ],
)
def test_usual_arithmetic_conversions(one, other, result):
    """Two operands have the type that C11, 6.3.1.8 gives them, in either order."""
    assert common_type(one, other) == common_type(other, one) == result


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("double x;", "double"),
        ("typedef long T; typedef T U; U x;", "int64_t"),
        ("struct point { double x; } p;", "struct point"),
        ("typedef struct point { double x; } P; P p;", "struct point"),
        ("struct { double x; } p;", None),
        ("union u { double x; } p;", None),
        ("enum color { RED } c;", None),
        ("double *p;", None),
        ("double p[3];", None),
        ("typedef double T[2]; T x;", None),
    ],
)
def test_spelling_of_a_declaration(text, spelling):
    """Scalars and structs with a tag have an exact name, through typedefs; nothing else has one."""
    node, types = declared(text)
    assert types.spelling(node) == spelling


@pytest.mark.parametrize(
    ("text", "is_const"),
    [
        ("const double x;", True),
        ("double const x;", True),
        ("double x;", False),
        ("const double *p;", False),
        ("double *const p;", True),
        ("const double t[2][3];", True),
        ("typedef const double T; T x;", True),
        ("typedef const double T; T *p;", False),
        ("typedef double T[2]; const T x;", True),
        ("typedef const double T[2]; T x[3];", True),
        ("typedef const double *T; T p;", False),
        ("typedef double *const T; T p;", True),
        ("typedef int T;", False),
    ],
)
def test_const_is_seen_through_typedefs(text, is_const):
    """An object is const that is declared so itself or by the typedef of its type; what a pointer points to is not."""
    tree = parse(text)
    assert read_declared_types(tree).is_const(tree.ext[-1].type) is is_const


@pytest.mark.parametrize(
    ("text", "typ", "is_const"),
    [
        ("const double *p;", PointerTo(DOUBLE), True),
        ("double *const p;", PointerTo(DOUBLE), False),
        ("typedef const double T; T *p;", PointerTo(DOUBLE), True),
        ("typedef double T[2]; const T *p;", PointerTo(ArrayOf(DOUBLE)), True),
        ("const int t[4];", ArrayOf(INT), True),
        ("int t[4];", ArrayOf(INT), False),
    ],
)
def test_what_is_never_written_through(text, typ, is_const):
    """Pointers and arrays say whether what they lead to is const; two types are equal whatever they say of that."""
    node, types = declared(text)
    found = types.read(node)
    assert found == typ
    assert found.is_const is is_const


def test_lengths_stay_as_they_are_written():
    """Whoever only reads declarations finds their lengths as they are in the text, and changes no tree."""
    tree = parse("double f(long n, double a[0x10u][n][n + 1], double b[]);")
    before = print_tree(tree)
    types = read_declared_types(tree)
    array, other = (types.read(p.type) for p in tree.ext[0].type.args.params[1:])
    written = Length(16, name="0x10u"), Length(name="n"), Length(name="n + 1"), None
    assert (array.length, array.of.length, array.of.of.length, other.length) == written
    assert print_tree(tree) == before


def test_a_typedef_ends_with_its_block():
    """A name of a type means the innermost one that is open, with its const."""
    types = DeclaredTypes()
    outer, inner = parse("typedef const int T;").ext[0], parse("typedef double T;").ext[0]
    variable = parse("typedef int T; T x;").ext[1].type
    types.declare(outer)
    types.open()
    types.declare(inner)
    assert (types.spelling(variable), types.is_const(variable)) == ("double", False)
    types.close()
    assert (types.spelling(variable), types.is_const(variable)) == ("int32_t", True)
    assert types.has_typedef("T")
    assert not types.has_typedef("U")


def test_a_typedef_of_itself_ends():
    """`typedef T T;` once more is legal C and means what it meant."""
    node, types = declared("typedef int T; typedef T T; T x;")
    assert types.spelling(node) == "int32_t"


def test_a_list_of_names_declares_no_types():
    """Parameters without types, as before C89, are read as ints: nothing breaks, and clang refuses them."""
    node, types = declared("typedef int f(a, b);")
    assert types.read(node) == FunctionOf(INT, (INT, INT))


def test_a_tag_is_one_type_in_its_scope():
    """A struct that is mentioned before it is defined is the type that the definition gives fields."""
    reader = TypeReader()
    mention, definition = parse("struct s; struct s { int a; } x;").ext
    first, second = reader.read(mention.type), reader.read(definition.type)
    assert first is second
    assert isinstance(second, StructOf)
    assert second.fields == (("a", INT),)
    assert second.name == "struct s"


def test_an_enum_is_no_type_of_a_fixed_width():
    """The type behind an enum agrees with no scalar, although it has 32 bits."""
    assert Enumeration("u", 32) != Arithmetic("u", 32)
    assert spelling_of(Enumeration("u", 32)) is None


@pytest.mark.parametrize(
    ("text", "is_redundant"),
    [
        ("typedef long int64_t;", True),
        ("typedef unsigned long size_t;", True),
        ("typedef _Bool bool;", True),
        ("typedef signed char int8_t;", True),
        ("typedef char int8_t;", False),
        ("typedef int int64_t;", False),
        ("typedef const long int64_t;", False),
        ("typedef long T;", False),
        ("typedef struct int64_t int64_t;", False),
        ("long x;", False),
    ],
)
def test_redundant_typedefs(text, is_redundant):
    """A typedef repeats a standard one where it gives the same name the same type, without qualifiers."""
    assert is_redundant_typedef(parse(text).ext[0]) is is_redundant
