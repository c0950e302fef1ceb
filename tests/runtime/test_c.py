"""The runtime's C as C: it compiles without a warning, and its own tests pass under the sanitizers of this machine.

The tests are the functions that `driver.h` lists. A machine without a compiler that has a sanitizer skips those tests.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from symbiont_jit.runtime.sources import ROOT
from tests.runtime.compilers import FLAGS, compiler_with, compilers, ours

HERE = Path(__file__).parent
OWN_C = sorted(f for folder in ("runtime", "dispatch", "evaluate") for f in (ROOT / folder).glob("*.[ch]"))
TESTS = re.findall(r"^  T\((\w+)\)", (HERE / "driver.h").read_text(), re.MULTILINE)
#: Our own clang has no ASan; it is asked for the rest, because compilers differ in what they take for undefined.
SANITIZERS = [
    pytest.param("address,undefined", marks=pytest.mark.slow),
    pytest.param("undefined by ours", marks=pytest.mark.slow),
    pytest.param("thread", marks=pytest.mark.slow),
]

#: The entry shim around any body, as `call_instrumented` in `driver.h` declares it.
SHIM = """#include "driver.h"
#include "runtime/entry_shim.h"

int64_t call_instrumented(body *body, void *with)
{
  SJ_OPEN_CALL(1 << 19);
  SJ_BEGIN_CALL(return 0);
  int64_t const sj_result = body(&sj_f, with);
  SJ_END_CALL();
  return sj_result;
}
"""


@pytest.mark.table
@pytest.mark.parametrize("file", OWN_C, ids=lambda f: str(f.relative_to(ROOT)))
def test_every_file_compiles_without_a_warning(file, tmp_path):
    """Each file can be compiled for itself, and the compilers of this machine, ours among them, have nothing to say."""
    text = tmp_path / "file.c"
    text.write_text(f'#include "{file.relative_to(ROOT)}"\n')
    options = [*FLAGS, "-DSJ_PREFERS_NEW=1", "-Wmissing-prototypes", "-O2", "-c", text, "-o", tmp_path / "file.o"]
    assert "ours" in compilers()
    for command in compilers().values():
        done = subprocess.run([*command, *options], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.fixture(scope="module", params=SANITIZERS)
def program(request, tmp_path_factory):
    """All tests in one program, built with a sanitizer."""
    sanitizers, _, is_ours = request.param.partition(" by ")
    command = ours() if is_ours else compiler_with(sanitizers)
    if command is None:
        pytest.skip("no compiler of this machine has this sanitizer")
    folder = tmp_path_factory.mktemp("runtime")
    (folder / "shim.c").write_text(SHIM)
    sources = [*HERE.glob("*.c"), folder / "shim.c", *(ROOT / "runtime").glob("*.c")]
    sanitize = (f"-fsanitize={sanitizers}", "-fsanitize-trap=all" if is_ours else "-fno-sanitize-recover=all")
    run([*command, *FLAGS, "-O1", *sanitize, f"-I{HERE}", "-c", *sources], folder)
    # A trap needs nothing of the sanitizer's, which zig would build first, in half a minute.
    linker = next(iter(compilers().values())) if is_ours else (*command, *sanitize)
    run([*linker, *folder.glob("*.o"), "-o", "tests", "-pthread"], folder)
    return folder / "tests"


def run(command, folder):
    """Run a command that has nothing to say."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.table
@pytest.mark.parametrize("test", TESTS)
def test_a_test_in_c_passes(program, test):
    """The program ends well, and no sanitizer has found anything."""
    environment = {**os.environ, "TSAN_OPTIONS": "die_after_fork=0"}
    done = subprocess.run([program, test], capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_test_in_c_is_listed():
    """A test that nobody runs would always pass."""
    text = "".join(f.read_text() for f in HERE.glob("*.c") if f.name != "main.c")
    assert set(re.findall(r"^void (\w+)\(void\)$", text, re.MULTILINE)) == set(TESTS)
