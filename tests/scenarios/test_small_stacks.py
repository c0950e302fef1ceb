"""Where the program gives its threads small stacks, what is compiled has enough all the same."""

import subprocess
import sys
import textwrap

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("size", [32768, 65536, 262144])
def test_deep_texts_are_compiled_or_refused_where_threads_have_small_stacks(size):
    """The thread that reads a text has a stack of its own size; the program's choice stays what it was."""
    program = f"""
        import threading
        from symbiont_jit import CandidateError, Kernel
        threading.stack_size({size})
        kernel = Kernel.from_c("double k(double n) {{ return 0; }}", profile="checked")
        for body in ("n" + "/n" * 400, "(" * 95 + "n" + ")" * 95, "n" + "+n" * 240, "-(" * 90 + "n" + ")" * 90):
            try:
                kernel.compile("double k(double n) {{ return " + body + "; }}")
            except CandidateError as error:
                assert error.diagnostics[0].rule == "too-deep", error
        assert threading.stack_size() == {size}
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
