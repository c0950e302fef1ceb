"""The command line in a fork of this process: the same program, without the seconds in which an interpreter imports Numba."""

import faulthandler
import os
import runpy
import subprocess
import sys
import tempfile
import traceback


def run_in_fork(*words, cwd=None):
    """What `python -m symbiont_jit` says to some words, and how it ends."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        child = os.fork()
        if child == 0:
            os._exit(_run(words, cwd, output.fileno(), errors.fileno()))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess(words, code, *texts)


def _run(words, cwd, output, errors):
    """Run the program in the child; gives its exit code."""
    faulthandler.disable()
    os.environ["COLUMNS"] = "200"
    os.chdir(cwd or ".")
    for number, descriptor in ((1, output), (2, errors)):
        os.dup2(descriptor, number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    sys.argv = ["symbiont_jit", *words]
    sys.path.insert(0, os.getcwd())
    code = 0
    try:
        runpy.run_module("symbiont_jit", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
