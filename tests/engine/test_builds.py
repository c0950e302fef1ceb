"""Builds: one parse for one text, the sites of panics kept with the code, and which unit a text becomes."""

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest
from numba import float64 as f64
from pycparser.c_generator import CGenerator
from pycparser.c_parser import CParser

from symbiont_jit import (
    Array,
    Candidate,
    CandidateError,
    Evolution,
    Kernel,
    Mutator,
    PanicError,
    Speedup,
    UsageError,
    evolvable,
)
from symbiont_jit.backend.cache import forget_cached
from symbiont_jit.backend.child_process import Deadline
from symbiont_jit.backend.codegen import code_generators
from symbiont_jit.engine import builds
from symbiont_jit.engine.builds import PLAIN_FRAME, REMEMBERED, Builder
from symbiont_jit.frontend import canonical_source
from symbiont_jit.instrument.unit import FRAMES
from symbiont_jit.runtime.library import BOUND
from symbiont_jit.runtime.panics import Site, pack_sites, unpack_sites
from symbiont_jit.signature import signature_of


def f(x: Array[f64, "n"], i: int) -> f64: ...


INDEX = "double f(int64_t n, const double x[n], int64_t i) { return x[i]; }"
PLAIN = "double f(int64_t n, const double x[n], int64_t i) { return i * 2.0; }"


@pytest.fixture
def builder():
    """Builds texts that supply `f`."""
    return Builder([signature_of(f)], ())


@pytest.fixture
def parses(monkeypatch):
    """The texts that were checked, as they were given."""
    seen = []

    def counted(source, *others):
        seen.append(source)
        return canonical_source(source, *others)

    monkeypatch.setattr(builds, "canonical_source", counted)
    return seen


def test_a_build_has_one_deadline(builder, monkeypatch):
    """However many units are tried for a text, the time for all of them is that for one."""
    made = []

    def one_that_is_over():
        made.append(Deadline(0.0))
        return made[-1]

    canonical = builder.canonical(INDEX)
    monkeypatch.setattr(builds, "Deadline", one_that_is_over)
    with pytest.raises(CandidateError, match="took longer than 0 seconds"):
        builder.build(canonical, "checked")
    assert len(made) == 1


def test_a_text_is_parsed_once(builder, parses):
    """The author's text and its canonical form give the same canonical text, from one parse, each in its own words."""
    canonical = builder.canonical(INDEX)
    assert builder.canonical(INDEX) is canonical
    assert canonical.author_text == INDEX
    own = builder.canonical(canonical.text)
    assert (own.text, own.names, own.author_text) == (canonical.text, canonical.names, canonical.text)
    assert parses == [INDEX]


def test_the_least_recently_used_text_is_forgotten(builder, parses):
    """Few texts are remembered, and one that is asked for stays."""
    builder.canonical(INDEX)
    for number in range(REMEMBERED):
        builder.canonical(PLAIN.replace("2.0", f"{number}.5"))
        builder.canonical(INDEX)
    assert parses.count(INDEX) == 1
    assert len(builder._remembered) == REMEMBERED
    builder.canonical(PLAIN.replace("2.0", "0.5"))
    assert len(parses) == REMEMBERED + 2


def test_what_is_refused_is_not_remembered(builder, parses):
    """A text that is wrong is checked again, and what is no text is refused."""
    for _ in range(2):
        with pytest.raises(CandidateError):
            builder.canonical("double g(void) { return 0; }")
    assert len(parses) == 2
    with pytest.raises(UsageError, match="a candidate is C text"):
        builder.canonical([INDEX])


def test_sites_survive_packing():
    """What a panic means is the same after packing, and takes few bytes."""
    sites = [Site("index", 3, number, "x", "n") for number in range(50)] + [Site("division", 1, 2)]
    assert unpack_sites(pack_sites(sites)) == tuple(sites)
    assert len(pack_sites(sites)) < 400
    assert pack_sites([]) == b""
    assert unpack_sites(b"") == ()


def test_a_build_has_the_sites_of_its_panics(builder):
    """Code with checks says what each can panic with; release code has none."""
    canonical = builder.canonical(INDEX)
    build = builder.build(canonical, "safe")
    assert [(site.kind, site.line, site.what) for site in unpack_sites(build.sites)] == [("index", 1, "x")]
    assert (build.canonical, build.profile) == (canonical, "safe")
    assert builder.build(canonical, "release").sites == b""
    with pytest.raises(dataclasses.FrozenInstanceError):
        build.profile = "release"


def test_a_panic_is_put_into_words_without_instrumenting_again(monkeypatch):
    """The words for a panic's number come from the build."""

    @evolvable(source=INDEX)
    def f(x: Array[f64, "n"], i: int) -> f64: ...

    f.compile(INDEX)
    monkeypatch.setattr(builds, "instrument", lambda *_: pytest.fail("instrumented again"))
    with pytest.raises(PanicError, match="index 7 out of bounds for x with n = 3"):
        f(np.ones(3), 7)


def test_plain_code_is_compiled_as_it_is(builder):
    """What cannot panic needs nothing of ours, and only a small frame."""
    code = builder.build(builder.canonical(PLAIN), "safe").object_code
    assert BOUND.isdisjoint(code.needs)
    unit = builder.unit_of(builder.canonical(PLAIN), "safe", code.key)
    assert unit.original == ""
    assert f"-Wframe-larger-than={PLAIN_FRAME}" in unit.flags


@pytest.mark.parametrize(("elements", "size"), [(10, FRAMES[0]), (4000, FRAMES[1])])
def test_the_smallest_frame_that_is_enough_is_allowed(builder, elements, size):
    """A unit with larger frames is tried only where a function needs them."""
    text = f"""double f(int64_t n, const double x[n], int64_t i) {{
        double a[{elements}] = {{0}};
        a[i] = x[0];
        return a[i / 2] + x[i];
    }}"""
    canonical = builder.canonical(text)
    code = builder.build(canonical, "safe").object_code
    assert f"-Wframe-larger-than={size}" in builder.unit_of(canonical, "safe", code.key).flags


def test_without_code_generators_frames_are_looked_at_too(builder, monkeypatch):
    """Where code is generated in this process, its frames are held to the same sizes."""
    forget_cached()
    monkeypatch.setattr(code_generators(), "is_refused", True)
    text = """double f(int64_t n, const double x[n], int64_t i) {
        double a[4001] = {0};
        a[i] = x[0];
        return a[i / 2] + x[i];
    }"""
    canonical = builder.canonical(text)
    code = builder.build(canonical, "safe").object_code
    assert f"-Wframe-larger-than={FRAMES[1]}" in builder.unit_of(canonical, "safe", code.key).flags


def test_a_frame_that_is_too_large_is_told_with_both_sizes(builder):
    """Beyond the largest frame the candidate is refused by the rule `frame`."""
    text = """double f(int64_t n, const double x[n], int64_t i) {
        double a[40000] = {0};
        a[i] = x[0];
        return a[i / 2] + x[i];
    }"""
    with pytest.raises(CandidateError, match=rf"local arrays take \d+ bytes; at most {FRAMES[-1]}") as caught:
        builder.build(builder.canonical(text), "safe")
    (finding,) = caught.value.diagnostics
    assert (finding.rule, finding.line) == ("frame", 0)


@pytest.mark.parametrize("profile", ["release", "safe", "checked"])
def test_what_clang_finds_has_the_authors_lines(builder, profile):
    """Whatever is compiled around a text, clang's findings are about the text."""
    text = "double f(int64_t n, const double x[n], int64_t i) {\n  double *p = x;\n  return p[i];\n}"
    with pytest.raises(CandidateError) as caught:
        builder.build(builder.canonical(text), profile)
    (finding,) = caught.value.diagnostics
    assert (finding.rule, finding.line) == ("compiler", 2)
    assert "discards qualifiers" in finding.message


@pytest.mark.table
@pytest.mark.parametrize("profile", ["release", "safe", "checked"])
@pytest.mark.parametrize("arena", [False, True])
@pytest.mark.parametrize("name", ["result", "d0", "d1", "a0", "a1", "n", "p"])
def test_no_name_of_a_kernel_is_hidden(name, arena, profile):
    """The generated entry around complex numbers has no names that a candidate could have."""
    body = "double *p = malloc(8); *p = x[0]; return z + *p;" if arena else "return z + x[0];"
    text = f"double _Complex {name}(int64_t n, const double x[n], double _Complex z) {{ {body} }}"
    assert Kernel.from_c(text, profile=profile)(np.ones(2), 1j) == 1 + 1j


# -- how often a candidate is parsed and printed -----------------------------------------------------------------------


@pytest.fixture
def counts(monkeypatch):
    """How many whole files pycparser's own classes have parsed and printed so far, whoever asked."""
    seen = Counter()

    def count(owner, method, name):
        original = getattr(owner, method)

        def counted(*args, **options):
            seen[name] += 1
            return original(*args, **options)

        monkeypatch.setattr(owner, method, counted)

    count(CParser, "parse", "parsed")
    count(CGenerator, "visit_FileAST", "printed")
    return seen


@pytest.mark.parametrize(("profile", "printed"), [("release", 1), ("safe", 2), ("checked", 2)])
def test_a_swap_parses_once_and_prints_at_most_twice(counts, profile, printed):
    """From text to address: one parse, one canonical print, and one of the instrumented tree where there is one."""

    @evolvable
    def f(x: Array[f64, "n"], i: int) -> f64: ...

    f.swap(INDEX, profile=profile)
    assert f(np.ones(3), 1) == 1.0
    assert counts == {"parsed": 1, "printed": printed}


def test_a_panic_parses_and_prints_nothing_more(counts):
    """The words for a panic were kept with the code."""

    @evolvable(source=INDEX)
    def f(x: Array[f64, "n"], i: int) -> f64: ...

    before = dict(counts)
    with pytest.raises(PanicError, match="index"):
        f(np.ones(3), 7)
    assert counts == before


@pytest.mark.slow
def test_a_candidate_of_a_search_is_parsed_once(counts):
    """Evaluated, told, confirmed and activated, a candidate is parsed once and printed twice."""

    @evolvable(source=INDEX)
    def f(x: Array[f64, "n"], i: int) -> f64: ...

    with Evolution(f, metric=Speedup(lambda rng: (rng.random(8), 3)), proposer=Mutator(), seed=0) as evolution:
        evolution.evaluate(INDEX)
        before = dict(counts)
        text = INDEX.replace("return x[i];", "double s = x[i]; return s;")
        evaluation = evolution.evaluate(text)
        assert evaluation.is_valid
        evolution.tell(Candidate(text, "by hand", number=1), evaluation)
        evolution._evaluator.confirm([evaluation.source])
        evolution._activate(evaluation, "test")
    assert f.active.author_text == evaluation.source
    assert {name: counts[name] - before[name] for name in counts} == {"parsed": 1, "printed": 2}


def test_a_macro_that_repeats_its_argument_repeats_no_finding(square):
    """What is wrong with an argument is said once, where its author wrote it; clang finds it once for each copy."""
    with pytest.raises(CandidateError) as caught:
        square.compile("#define SQ(v) ((v) * (v))\ndouble square(double x) { return SQ(unknown); }")
    assert [(d.line, d.column) for d in caught.value.diagnostics] == [(2, 37)]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("-ffp-contract=fast",), ("-ffast-math",)])
def test_code_does_not_depend_on_what_was_compiled_before(flags):
    """A text is looked at by clang in its first profile alone, which changes nothing of the code of any profile."""
    text = "double f(double a, double b, double c) { return a * b + c; }"
    found = set()
    for order in itertools.permutations(("release", "safe", "checked")):
        forget_cached()
        kernel = Kernel.from_c("double f(double a, double b, double c) { return 0; }", flags=flags)
        made = {profile: kernel.compile(text, profile).object_code.data for profile in order}
        found.add(tuple(made[profile] for profile in ("release", "safe", "checked")))
    assert len(found) == 1
