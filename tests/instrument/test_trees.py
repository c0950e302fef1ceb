"""Instrumented trees: every check is a node, no node holds C text, and the tree that was given stays as it is."""

import contextlib
import functools
import re

import pytest
from pycparser import c_ast

from fuzz.cases import signature_in
from symbiont_jit import CandidateError
from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.c.tree import print_tree, walk
from symbiont_jit.c.types import Refused
from symbiont_jit.frontend import canonical_source
from symbiont_jit.instrument.nodes import Check, Hidden, SavedStack, StatementExpr, copy_tree
from symbiont_jit.instrument.printer import print_instrumented
from symbiont_jit.instrument.unit import instrument, instrument_tree, open_context, parse_canonical
from symbiont_jit.runtime.panics import pack_sites, unpack_sites
from tests.attacks.files import attacks
from tests.frontend.test_corpus import ACCEPT, signature_for

PROFILES = ("safe", "checked")
NAME = re.compile(r"[A-Za-z_]\w*")
#: What a constant may look like, by a word in its type.
LITERALS = {
    "int": re.compile(r"-?(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)[uUlL]*"),
    "float": re.compile(r"[0-9a-fA-FxX.+\-pP]+[fFlL]?"),
    "double": re.compile(r"[0-9a-fA-FxX.+\-pP]+[fFlL]?"),
    "char": re.compile(r"(u8|[LuU])?'(\\.[^']*|[^'\\])+'"),
    "string": re.compile(r'(u8|[LuU])?"(\\.|[^"\\])*"'),
}
#: The panics that a check can give, by the check's name without the integer type at its end.
KINDS = {
    "sj_index": {"index"},
    "sj_at": {"pointer"},
    "sj_far": {"pointer"},
    "sj_aligned": {"alignment"},
    "sj_live": {"freed"},
    "sj_span": {"memory"},
    "sj_div": {"division"},
    "sj_rem": {"division"},
    "sj_add": {"overflow"},
    "sj_sub": {"overflow"},
    "sj_mul": {"overflow"},
    "sj_abs": {"overflow"},
    "sj_fit": {"conversion"},
    "sj_shift": {"shift"},
    "sj_assume": {"assumption"},
    "sj_panic": {"unreachable"},
    "sj_step": {"endless"},
    "sj_steps": {"endless"},
    "sj_enter": {"recursion"},
    "sj_length": {"length"},
    "sj_row": {"row"},
    "sj_room": {"stack"},
    "sj_alloc": {"allocation"},
    "sj_product": {"allocation"},
    "sj_grown": {"allocation", "free"},
    "sj_free": {"free"},
}


def texts():
    """The accepted files of the corpus and the attacks, with their signatures."""
    for path in ACCEPT:
        yield path.stem, path.read_bytes(), signature_for(path.read_bytes().decode())
    for attack in attacks():
        yield attack.name, attack.text, signature_in(attack.signature)


def canonical(proposed, signature):
    """The canonical text of a candidate."""
    return canonical_source(proposed, signature, preprocess).text


def instrumented_tree(text, signature, profile, tree=None):
    """The instrumented tree of a canonical text, whose own tree may be there already, and its sites."""
    context = open_context(text, profile)
    return instrument_tree(context, tree or parse_canonical(text), [signature]), context.sites


@functools.cache
def instrumented_trees():
    """What can be instrumented of all texts, in both profiles: name, tree, sites."""
    made = []
    for name, proposed, signature in texts():
        with contextlib.suppress(CandidateError):
            text = canonical(proposed, signature)
            tree = parse_canonical(text)
            for profile in PROFILES:
                with contextlib.suppress(CandidateError, Refused):
                    made.append((f"{name}, {profile}", *instrumented_tree(text, signature, profile, tree)))
    assert len(made) > 300, "most texts can be instrumented"
    return made


def is_literal(node):
    """Whether a constant is one literal of its type."""
    return any(kind in node.type and pattern.fullmatch(node.value) for kind, pattern in LITERALS.items())


def names_of(node):
    """The names that a node holds."""
    match node:
        case c_ast.ID() | Hidden() | SavedStack() | Check():
            return [node.name]
        case c_ast.IdentifierType():
            return node.names
        case c_ast.TypeDecl():
            return [node.declname] if node.declname else []
        case c_ast.Decl():
            return [node.name] if node.name else []
    return []


@pytest.mark.slow
def test_no_node_holds_text():
    """A name is an identifier and a constant a literal, also inside of what instrumentation writes."""
    for name, tree, _ in instrumented_trees():
        for node in walk(tree):
            assert all(map(NAME.fullmatch, names_of(node))), (name, names_of(node))
            assert not isinstance(node, c_ast.Constant) or is_literal(node), (name, node.value)


@pytest.mark.slow
def test_every_check_knows_its_sites():
    """The sites of a check are of the kind that the check looks for; nothing else calls a check."""
    for name, tree, sites in instrumented_trees():
        for node in walk(tree):
            if isinstance(node, Check):
                kinds = {sites[number].kind for number in node.sites}
                assert kinds == KINDS[re.sub(r"[iu]?[0-9]+(_80)?$", "", node.name)], (name, node.name)
            elif isinstance(node, c_ast.FuncCall):
                assert node.name.name not in KINDS, (name, node.name.name)


@pytest.mark.slow
def test_packed_sites_come_back():
    """Sites survive packing, in which they take a fraction of their memory."""
    assert unpack_sites(pack_sites(())) == ()
    for name, _, sites in instrumented_trees():
        packed = pack_sites(sites)
        assert unpack_sites(packed) == tuple(sites), name
        assert len(packed) <= 40 + 24 * len(sites), name


def outcome(text, tree, signature, profile):
    """What comes of a tree: what is compiled, or why nothing is."""
    try:
        return instrument(text, tree, [signature], profile)
    except CandidateError as refused:
        return refused.diagnostics


@pytest.mark.table
@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_one_tree_serves_both_profiles(path):
    """Instrumenting a tree leaves it as it was, so the second profile comes out as from a tree of its own."""
    signature = signature_for(path.read_bytes().decode())
    text = canonical(path.read_bytes(), signature)
    tree = parse_canonical(text)
    before = repr(tree)
    for profile in PROFILES:
        expected = outcome(text, parse_canonical(text), signature, profile)
        assert outcome(text, tree, signature, profile) == expected
        assert repr(tree) == before


#: 245 terms are as many levels of parentheses, more than the parser reads.
READABLE = [path for path in ACCEPT if path.stem != "long_sum"]


@pytest.mark.table
@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_printing_binds_as_the_tree_does(path):
    """Read again, what the printer prints is the same tree: its parentheses are where they are needed."""
    text = canonical(path.read_bytes(), signature_for(path.read_bytes().decode()))
    tree = parse_canonical(text)
    assert print_tree(parse_canonical(print_instrumented(tree))) == print_tree(tree)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_text_is_the_tree_printed(profile):
    """What is compiled is the instrumented tree and nothing else."""
    signature = signature_in("double k(int64_t n, const double x[n])")
    text = canonical("double k(int64_t n, const double x[n]) { const double *p = x; return p[n / 2]; }", signature)
    tree, sites = instrumented_tree(text, signature, profile)
    made = instrument(text, parse_canonical(text), [signature], profile)
    assert (made.text, made.sites) == (print_instrumented(tree), tuple(sites))


def test_checks_can_be_found_in_the_tree():
    """Walking a tree meets every check in the order of evaluation, also inside of statement expressions."""
    signature = signature_in("void k(int64_t n, int32_t x[n], int64_t i)")
    text = canonical("void k(int64_t n, int32_t x[n], int64_t i) { x[i] /= x[i + 1] << i; }", signature)
    tree, sites = instrumented_tree(text, signature, "checked")
    checks = [node for node in walk(tree) if isinstance(node, Check)]
    names = ["sj_index", "sj_add64", "sj_shift", "sj_index", "sj_divi32"]
    assert [check.name for check in checks] == names
    assert [(sites[c.sites[0]].line, sites[c.sites[0]].what) for c in checks[:2]] == [(3, "x"), (3, "+")]
    assert [type(node) for node in walk(tree)].count(StatementExpr) == 2


def test_a_copy_shares_nothing_but_what_its_tree_shares():
    """Two variables of one struct definition have one definition in the copy too; no node is of both trees."""
    tree = parse_canonical("double k(double x)\n{\n  struct\n  {\n    double a;\n  } s, t;\n  return x;\n}\n")
    copied = copy_tree(tree)
    assert repr(copied) == repr(tree)
    assert not {id(node) for node in walk(tree)} & {id(node) for node in walk(copied)}
    structs = [node for node in walk(copied) if isinstance(node, c_ast.Struct)]
    assert len(structs) == 2
    assert structs[0] is structs[1]
