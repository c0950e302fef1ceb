"""Names that a signature cannot have, because C or the frontend has them."""

from __future__ import annotations

import pytest

from symbiont_jit import Group, SignatureError
from symbiont_jit.signature import signature_of
from symbiont_jit.signature.elements import C_KEYWORDS
from tests.signature.declared import declare


def test_a_function_named_complex_takes_no_complex_numbers():
    """The word is C's where the signature has complex numbers; elsewhere it is a name like any other."""
    assert signature_of(declare("x: f64", "f64", "complex")).c_prototype == "double complex(double x)"
    with pytest.raises(SignatureError, match="the function is named 'complex'"):
        signature_of(declare("x: complex", "f64", "complex"))


def test_complex_is_a_word_for_a_whole_group():
    """A text of several functions has one meaning of the word: a name of one cannot be a type of another."""
    group = Group()
    group.evolvable(declare("z: complex", "f64", "first"))
    with pytest.raises(SignatureError, match="second: a parameter is named 'complex'"):
        group.evolvable(declare("complex: f64", "f64", "second"))


@pytest.mark.parametrize("name", ["sj_k", "symbiont_k", "__k", "_K", "größe", "sqrt", "memcpy", "isnan", "M_PI", "int64_t", "restrict", "offsetof", "main"])  # fmt: skip
def test_a_function_name_that_no_candidate_may_define_is_refused(name):
    """A kernel's name is one that the frontend lets a candidate define."""
    with pytest.raises(SignatureError, match=name):
        signature_of(declare("x: f64", "f64", name))


@pytest.mark.parametrize("keyword", sorted(C_KEYWORDS - {"bool", "true", "false", "NULL"}))
def test_keywords_of_c_name_no_dimension(keyword):
    """Whatever C reserves cannot stand in a prototype."""
    with pytest.raises(SignatureError, match=r"keyword|reserved|meaning"):
        signature_of(declare(f"x: Array[f64, '{keyword}']"))
