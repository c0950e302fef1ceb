"""The record of what is compiled, and the key of what it became."""

import dataclasses

import pytest

from symbiont_jit.backend import objects, toolchain
from symbiont_jit.backend.batch import compile_units
from symbiont_jit.backend.clang import clang
from symbiont_jit.backend.objects import compile_unit, key_of
from symbiont_jit.backend.unit import Unit, digest_of
from symbiont_jit.c import vocabulary

UNIT = Unit(
    "double f(double x)\n{\n  return x;\n}\n",
    ("f",),
    frozenset({"g"}),
    "extern double g(double x);\n",
    "static int h;\n",
    ("-O1",),
    "static double o(double x)\n{\n  return x;\n}\n",
)
CHANGED = {
    "text": UNIT.text + " ",
    "entries": ("f", "f"),
    "may_need": frozenset({"g", "k"}),
    "prologue": UNIT.prologue + " ",
    "epilogue": UNIT.epilogue + " ",
    "flags": ("-O2",),
    "original": UNIT.original + " ",
    "is_audited": True,
}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Unit)])
def test_every_field_is_part_of_the_key(field):
    """Units that differ in any field are never one another's object code."""
    assert key_of(dataclasses.replace(UNIT, **{field: CHANGED[field]})) != key_of(UNIT)
    assert key_of(dataclasses.replace(UNIT)) == key_of(UNIT)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (toolchain, "target_triple", lambda: "aarch64-unknown-linux-gnu"),
        (toolchain, "target_cpu", lambda: "znver9"),
        (toolchain, "target_features", lambda: ("+other",)),
        (objects, "llvm_version", lambda: (99, 0, 0)),
        (objects, "FIXED", ("-std=c11",)),
        (vocabulary, "PRELUDE", {**vocabulary.PRELUDE, "sin": "double sin(double x, double y);"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_circumstance_is_part_of_the_key(monkeypatch, where, name, value):
    """Target, CPU, features, the versions of the compilers, their options and our declarations change the key."""
    before = key_of(UNIT)
    monkeypatch.setattr(where, name, value)
    assert key_of(UNIT) != before


def test_the_version_of_clang_is_part_of_the_key(monkeypatch):
    """Another clang makes other code."""
    before = key_of(UNIT)
    monkeypatch.setattr(clang(), "toolchain", dataclasses.replace(clang().toolchain, version=(1, 2, 3)))
    assert key_of(UNIT) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        ((("a", "b"),), (("ab",),)),
        ((("a",), ()), ((), ("a",))),
        (("1:a",), (("1:a", ""),)),
        (("",), ()),
        ((("a", "b"),), ("a", "b")),
    ],
)
def test_no_two_splits_have_one_digest(one, other):
    """What is in one field cannot be taken for what is in its neighbour."""
    assert digest_of(one) != digest_of(other)


def test_what_clang_reads_has_the_original_until_it_was_checked():
    """The prologue stands before the text and the epilogue behind it; the original is in front of both."""
    text = UNIT.c_text()
    parts = [text.index(part) for part in (UNIT.original, UNIT.prologue, UNIT.text, UNIT.epilogue)]
    assert parts == sorted(parts)
    assert UNIT.original not in UNIT.c_text(already_checked=True)
    assert UNIT.prologue in UNIT.c_text(already_checked=True)


def test_many_units_are_compiled_at_once():
    """Each unit gets its own object code or its own findings, in order."""
    texts = [f"double f(double x)\n{{\n  return x + {n};\n}}\n" for n in range(5)]
    texts[3] = "double f(double x)\n{\n  return missing;\n}\n"
    outcomes = compile_units([Unit(text, ("f",)) for text in texts])
    expected = [None if n == 3 else compile_unit(Unit(text, ("f",))) for n, text in enumerate(texts)]
    assert [None if n == 3 else outcome for n, outcome in enumerate(outcomes)] == expected
    (finding,) = outcomes[3]
    assert (finding.line, finding.rule) == (3, "compiler")
    assert compile_units([]) == []
