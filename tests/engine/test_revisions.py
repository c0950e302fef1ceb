"""What revisions keep, and what is ready before a text comes."""

import numpy as np
import pytest

from symbiont_jit import Kernel, KernelError
from symbiont_jit.backend.clang import BITCODE, Compiler, clang
from symbiont_jit.backend.objects import end_compilers
from symbiont_jit.engine.builds import REMEMBERED
from symbiont_jit.engine.engine import Memory
from symbiont_jit.engine.target import target_of
from symbiont_jit.instrument.unit import FLAGS, FRAMES, frame_flags
from tests.kernels import DOT, step_text

TEXT = "double f(double x)\n{\n  return x / NUMBER;\n}\n"


def test_memory_in_words():
    """The numbers of bytes are told in KiB, with one digit after the point."""
    memory = Memory(5, 1536, 2, 10240, (0, 3))
    assert str(memory) == "5 revisions, 1.5 KiB stored; 2 loaded, 10.0 KiB of machine code"


@pytest.mark.parametrize("written", [TEXT, "// mine\n" + TEXT, TEXT.replace("\n", " ")])
def test_what_a_revision_stores(written):
    """A revision keeps its canonical text, its author's where that is another one, its code and its sites."""
    written = written.replace("x / NUMBER", "(int64_t)x / NUMBER")
    kernel = Kernel.from_c(written.replace("NUMBER", "3"), profile="checked")
    info = target_of(kernel).engine.revisions.first
    assert info.author_text == written.replace("NUMBER", "3")
    assert (info._packed_text == b"") == (info.source == info.author_text)
    assert info.sites
    parts = (info.source.encode(), info._packed_text, info.object_code.data, info.sites)
    assert info.stored_bytes == sum(map(len, parts))


def test_few_canonical_texts_are_remembered():
    """The texts that were read last are, and no more than there is room for."""
    builder = target_of(Kernel.from_c(TEXT.replace("NUMBER", "1"))).engine.builder
    for number in range(2, REMEMBERED + 20):
        found = builder.canonical(TEXT.replace("NUMBER", str(number)))
        assert len(builder._remembered) <= REMEMBERED
    assert builder.canonical(TEXT.replace("NUMBER", str(REMEMBERED + 19))) is found
    assert len(builder._remembered) == REMEMBERED


@pytest.mark.parametrize(("profile", "flags"), [("release", ()), ("safe", (*FLAGS, *frame_flags(FRAMES[0])))])
def test_compilers_are_ready_for_a_profile(profile, flags):
    """What waits for texts has been started with the flags of their profile."""
    builder = target_of(Kernel.from_c(TEXT.replace("NUMBER", "1"))).engine.builder
    end_compilers()
    try:
        builder.prewarm(3, profile)
        assert {command: len(children) for command, children in clang()._waiting.items()} == {
            clang()._command(BITCODE, flags): 3
        }
    finally:
        end_compilers()


def test_equal_canonical_text_is_the_same_revision(dot):
    """Comments and layout make no new revision."""
    first = dot.compile(DOT)
    assert dot.compile(DOT.replace("double s", "/* sum */ double   s")) is first


@pytest.mark.parametrize("number", [7, -1, True, "0"])
def test_an_unknown_revision_is_an_error(dot, number):
    """The message says which numbers there are."""
    with pytest.raises(KernelError, match="there is 0 to 0"):
        dot.revision(number)


def test_a_revision_of_another_kernel_is_refused(dot, matmul):
    """Every kernel keeps to its own revisions."""
    with pytest.raises(KernelError, match="not a revision of 'dot'"):
        dot.activate(matmul.revision(1))


def test_a_known_text_needs_no_compiler(step, monkeypatch):
    """Canonically equal text gives the revision that exists, and no compiler is asked for it."""
    asked = []

    def ask(compiler, unit, deadline):
        asked.append(unit)
        return lower(compiler, unit, deadline)

    lower = Compiler.lower
    monkeypatch.setattr(Compiler, "lower", ask)
    assert step.compile("/* again */ int64_t step(int64_t number) { return number + 3; }") is not step.revision(3)
    assert len(asked) == 1
    again = step.compile("\n" + step_text(3).replace(" ", "  ") + "// the same")
    assert (again is step.revision(3), len(asked)) == (True, 1)


def test_memory_says_it_in_words(step):
    """The record prints as a sentence with numbers."""
    assert "5 revisions" in str(step.memory())
    assert "1 loaded" in str(step.memory())


@pytest.mark.parametrize("number", [True, -1, np.int64(-1), 5, 10**30], ids=str)
def test_no_such_number(step, number):
    """The message says which there are."""
    with pytest.raises(KernelError, match="there is 0 to 4"):
        step.activate(number)
