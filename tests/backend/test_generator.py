"""The code generator: the code is clang's own, and what LLVM cannot do is a finding."""

import re
import signal
import subprocess
import sys
import textwrap

import pytest

from symbiont_jit import CandidateError, ToolchainError
from symbiont_jit.backend import codegen
from symbiont_jit.backend.clang import BITCODE, OBJECT, clang
from symbiont_jit.backend.codegen import CodeGenerators
from symbiont_jit.backend.elf import read_elf
from symbiont_jit.backend.objects import bitcode_of, compile_unit
from symbiont_jit.backend.unit import Unit
from tests.backend.generating import SQUARE, square_of
from tests.kernels import DOT, MATMUL, SORT

BIG_FRAME = Unit(
    "double f(double x)\n{\n  volatile double a[4096];\n  a[(int)x] = x;\n  return a[(int)x + 1];\n}\n",
    ("f",),
    flags=("-Werror=frame-larger-than", "-Wframe-larger-than=16384"),
)


def machine_code(data):
    obj = read_elf(data)
    return {
        obj.section_name(s): obj.content(s) for s in obj.sections if obj.section_name(s) in (".text", ".rodata.cst8")
    }


@pytest.mark.parametrize("text", [DOT, MATMUL, SORT], ids=["dot", "matmul", "sort"])
def test_the_code_is_what_clang_itself_would_write(text):
    """Llvmlite's code generator, given the same CPU and options, writes clang's machine code byte for byte."""
    name = text.split("(")[0].split()[-1]
    unit = Unit(text + "\n", (name,))
    by_clang = clang().lower(unit.c_text(), OBJECT)
    assert machine_code(compile_unit(unit).data) == machine_code(by_clang)


def test_in_this_process_the_code_is_the_same(here, generators):
    """Where no process can be started, the same bytes come from the user's."""
    bitcode = bitcode_of(SQUARE)
    assert here.generate(codegen.OBJECT, bitcode) == generators.generate(codegen.OBJECT, bitcode)
    assert square_of(here.generate(codegen.OBJECT, bitcode), 3.0) == 9.0


@pytest.mark.parametrize("where", ["here", "generators"])
def test_a_large_frame_is_a_finding_of_its_own(where, request):
    """What needs more stack than the flags allow is told by the rule `frame`, with both sizes."""
    data = clang().lower(BIG_FRAME.c_text(), BITCODE, BIG_FRAME.flags)
    (finding,) = request.getfixturevalue(where).generate(codegen.OBJECT, data)
    assert (finding.stage, finding.rule) == ("lower", "frame")
    assert finding.message.endswith("bytes; at most 16384")


@pytest.mark.parametrize("where", ["here", "generators"])
def test_what_is_no_bitcode_is_refused(where, request):
    """Bytes that LLVM cannot read are a finding, and the next unit is served."""
    pool = request.getfixturevalue(where)
    (finding,) = pool.generate(codegen.OBJECT, b"BC\xc0\xde and nothing else")
    assert (finding.stage, finding.rule) == ("lower", "compiler")
    assert "refuses" in finding.message
    assert square_of(pool.generate(codegen.OBJECT, bitcode_of(SQUARE)), 2.0) == 4.0


@pytest.mark.slow
def test_a_fault_of_llvms_is_the_candidates(monkeypatch):
    """A table that takes more memory than a code generator has ends it, and is a finding with advice."""
    table = f"static const char table[{2 << 30}] = {{[5] = 1}};"
    with pytest.raises(CandidateError) as caught:
        compile_unit(Unit(f"{table}\ndouble f(double x)\n{{\n  return table[(long)x];\n}}\n", ("f",)))
    assert caught.value.stage == "lower"
    assert caught.value.diagnostics[0].rule in ("compiler", "limit")
    assert isinstance(compile_unit(SQUARE).data, bytes)


def test_an_llvm_that_does_not_warn_of_large_frames_is_refused(monkeypatch):
    """Limits of frames rest on LLVM's warning, so a code generator that does not give it serves nobody."""
    monkeypatch.setattr(codegen, "_FRAME", re.compile("another wording"))
    started = CodeGenerators(1)
    try:
        with pytest.raises(ToolchainError, match="too much stack; install the one"):
            started.generate(OBJECT, b"")
        assert started.children == []
    finally:
        started.close()


def test_this_process_is_asked_for_the_warning_too(monkeypatch):
    """Where code is generated here, LLVM has to warn here."""
    monkeypatch.setattr(codegen, "_FRAME", re.compile("another wording"))
    refused = CodeGenerators(1, is_refused=True)
    codegen._machine.cache_clear()
    with pytest.raises(ToolchainError, match="too much stack"):
        refused.generate(OBJECT, b"")
    codegen._machine.cache_clear()


LONELY = """
    import sys
    from symbiont_jit.backend import generator

    def generate_for_ever(*_):
        while True:
            pass

    generator.SECONDS, generator.generate, generator.provoke_warning = 1, generate_for_ever, lambda machine: None
    generator._main(*sys.argv[1:])
"""


@pytest.mark.slow
def test_a_request_of_somebody_who_was_killed_ends():
    """A code generator has a clock of its own, for whoever cannot end it any more."""
    command = [sys.executable, "-c", textwrap.dedent(LONELY), *codegen._command()[-4:]]
    request = codegen.HEAD.pack(codegen.OBJECT, 1, 0)
    done = subprocess.run(command, input=request, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGALRM, done.stderr
