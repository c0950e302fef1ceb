"""Signals to a whole run: it ends soon, with what was found."""

import os
import signal

import pytest

from tests.concurrency import has_ended
from tests.isolate.served import run_python

SEARCH = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have been inherited as ignored, as under nohup
import numpy as np
from numba import float64
from symbiont_jit import Array, Evolution, Mutator, Status, evolvable
from tests.kernels import DOT

@evolvable(source=DOT)
def dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64:
    return 0.0

parent = os.getpid()

def metric(kernel):
    if os.getpid() != parent:
        time.sleep(0.05)
    return kernel(np.ones(3), np.ones(3))

def progress(done):
    workers = [w._child.process.pid for w in search._evaluator.local.pool.workers if w._child.process is not None]
    os.write(1, " ".join(map(str, [done.evaluated, *workers, "\\n"])).encode())  # Ctrl-C does not cut a line in two

search = Evolution(dot, metric=metric, proposer=Mutator(), workers=2, deadline=30.0)
result = search.run(seconds=600, on_progress=progress)
counted = result.counts.get(Status.VALID, 0)
print("result", result.evaluated, result.best is not None, counted, dot.active.number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run(sent):
    """Ctrl-C or SIGTERM to all processes of the group ends a run soon; the result has what was evaluated, and only that.

    None of it is a candidate whose compiler or worker was ended, which would not be valid.
    """
    running = run_python(SEARCH)
    try:
        lines = [running.stdout.readline().split() for _ in range(3)]
        assert [line[0] for line in lines] == ["1", "2", "3"]
        os.killpg(running.pid, sent)
        output, errors = running.communicate(timeout=20)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0, errors
    *more, last = output.splitlines()
    word, evaluated, has_best, counted, active = last.split()
    told = int(more[-1].split()[0]) if more else 3
    assert (word, has_best, evaluated) == ("result", "True", counted)
    assert told <= int(evaluated) <= told + 4  # as many are under way
    assert int(active) >= 0
    assert all(has_ended(int(pid)) for pid in lines[-1][1:])
