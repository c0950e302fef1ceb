"""The lock of the LLVM in this process: no fork comes upon it while it is held."""

import subprocess
import sys
import textwrap

import pytest

from symbiont_jit.backend.objects import compile_unit
from symbiont_jit.backend.unit import Unit
from tests.backend.generating import square_of

FORKS = """
    import os, signal, sys, threading
    import llvmlite.binding  # all of it is there before the first fork, as where Numba is used
    from symbiont_jit.backend.codegen import code_generators
    from tests.backend.test_llvm_lock import compiled_anew

    signal.alarm(120)
    code_generators().is_refused = sys.argv[1] == "here"
    worker = threading.Thread(target=lambda: [compiled_anew(number) for number in range(40)])
    worker.start()
    statuses = set()
    for _ in range(8):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if not code_generators().children and compiled_anew(1000) else 1)
        statuses.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    worker.join()
    print(statuses)
"""


def compiled_anew(number):
    """Compile a text that nobody has compiled, and say whether its value is right."""
    code = compile_unit(Unit(f"double f(double x)\n{{\n  return x + {number}.25;\n}}\n", ("f",)))
    return square_of(code.data, 1.0, "f") == number + 1.25


def assert_all_end_well(program, where):
    """Run a program of forks, which prints the exit codes of its children."""
    command = [sys.executable, "-c", textwrap.dedent(program), where]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "{0}\n"), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "apart"])
def test_a_fork_while_another_thread_compiles_hangs_nobody(where):
    """Both go on, and the child may compile, wherever code is generated."""
    assert_all_end_well(FORKS, where)


FORKS_IN_HANDLERS = """
    import os, signal, sys
    import llvmlite.binding  # all of it is there before the first fork, as where Numba is used
    from symbiont_jit.backend.codegen import code_generators
    from tests.backend.test_llvm_lock import compiled_anew
    from tests.concurrency import signal_every

    signal.alarm(120)
    code_generators().is_refused = sys.argv[1] == "here"
    children, ours = [], os.getpid()

    def fork():
        child = os.fork()
        if child:
            children.append(child)
        else:
            signal.alarm(60)

    with signal_every(0.011, fork, times=6):
        number = 0
        while len(children) < 6 and os.getpid() == ours:
            assert compiled_anew(number), number
            number += 1
    if os.getpid() != ours:
        os._exit(0 if compiled_anew(1000) else 1)
    print({os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children})
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "apart"])
def test_a_signal_handler_may_fork_while_a_compilation_waits(where):
    """The child comes back from the handler into the compilation, does it anew, and goes on."""
    assert_all_end_well(FORKS_IN_HANDLERS, where)
