"""Hostile metrics: what a user's own callable may do to the worker that runs it, and what has to be said of it."""

import ctypes
import functools
import os
import resource
import signal
import socket
import sys
import threading
import time

import numpy as np

from symbiont_jit import Status

CRASHED, TIMED_OUT, WRONG = Status.CRASHED, Status.TIMED_OUT, Status.WRONG
PARENT = os.getpid()


class Stubborn(Exception):
    """An exception that cannot be pickled."""

    def __reduce__(self):
        raise TypeError("not to be pickled")


def raises(error):
    def metric(kernel):
        raise error

    return metric


def spins(kernel):
    while True:
        pass


def ignores_signals_and_spins(kernel):
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGXCPU, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    spins(kernel)


def forks(kernel):
    if os.fork() == 0:
        os._exit(0)
    return 1.0


def writes(kernel):
    with open(f"/tmp/symbiont-hostile-{PARENT}", "w") as file:
        return float(file.write("owned"))


def prints(kernel):
    print("x" * 100_000_000)
    raise ValueError("the output has no limit")


def closes_its_descriptors(kernel):
    os.closerange(3, 1024)
    return 1.0


def closes_its_output(kernel):
    os.closerange(0, 3)
    return 1.0


def starts_a_thread_that_stays(kernel):
    threading.Thread(target=time.sleep, args=(60,)).start()
    raise ValueError("with a thread left")


class Unprintable(float):
    """A number that is none and cannot be shown."""

    def __repr__(self):
        raise ValueError("no words")


#: Name: what the metric does, the status, and a part of the message. With the filter of system calls, what reaches
#: outside is an error in the metric.
METRICS = {
    "raises": (raises(ValueError("no")), WRONG, "ValueError: no"),
    "raises far down": (lambda k: functools.reduce(lambda a, b: a / b, [1, 0]), WRONG, "ZeroDivisionError"),
    "raises what cannot be pickled": (raises(Stubborn("x")), WRONG, "Stubborn"),
    "raises a long message": (raises(ValueError("m" * 10_000_000)), WRONG, "mmmm"),
    "recurses": (lambda k: (lambda f: f(f))(lambda f: f(f)), WRONG, "RecursionError"),
    "raises KeyboardInterrupt": (raises(KeyboardInterrupt()), CRASHED, "exit code 1"),
    "raises GeneratorExit": (raises(GeneratorExit()), CRASHED, "exit code 1"),
    "gives None": (lambda k: None, WRONG, "TypeError"),
    "gives NaN": (lambda k: float("nan"), WRONG, "nan, which is no finite number"),
    "gives infinity": (lambda k: float("inf"), WRONG, "inf, which is no finite number"),
    "gives a str": (lambda k: "fast", WRONG, "ValueError"),
    "gives a huge int": (lambda k: 10**400, WRONG, "OverflowError"),
    "gives a complex number": (lambda k: 1j, WRONG, "TypeError"),
    "gives an array": (lambda k: np.ones(3), WRONG, "TypeError"),
    "gives an empty dict": (lambda k: {}, WRONG, "no finite number"),
    "gives a dict of words": (lambda k: {"a": "b"}, WRONG, "ValueError"),
    "gives a dict with NaN": (lambda k: {"a": 1.0, "b": float("nan")}, WRONG, "no finite number"),
    "gives two numbers of one name": (lambda k: {1: 1.0, "1": 2.0}, WRONG, "two scores of one name: '1'"),
    "gives too many numbers": (lambda k: dict.fromkeys(range(3000), 1.0), WRONG, "gave 3,000 scores"),
    "gives a long name": (lambda k: {"n" * 10_000_000: 1.0}, WRONG, "the longest name of 10,000,000 characters"),
    "gives a dict in a dict": (lambda k: {"a": {"b": 1.0}}, WRONG, "TypeError"),
    "gives what cannot be shown": (lambda k: Unprintable("nan"), WRONG, "ValueError: no words"),
    "exits": (lambda k: sys.exit(3), CRASHED, "exit code 3"),
    "exits with words": (lambda k: sys.exit("goodbye"), CRASHED, "exit code 1"),
    "exits at once": (lambda k: os._exit(7), CRASHED, "exit code 7"),
    "kills itself": (lambda k: signal.raise_signal(signal.SIGKILL), CRASHED, "signal SIGKILL"),
    "terminates itself": (lambda k: signal.raise_signal(signal.SIGTERM), CRASHED, "signal SIGTERM"),
    "aborts": (lambda k: os.abort(), CRASHED, "signal SIGABRT"),
    "reads address 0": (lambda k: ctypes.string_at(0), CRASHED, "signal SIGSEGV"),
    "stops itself": (lambda k: signal.raise_signal(signal.SIGSTOP), TIMED_OUT, "no result within 1 seconds"),
    "spins": (spins, TIMED_OUT, "no result within 1 seconds while asking the metric, with checks"),
    "sleeps": (lambda k: time.sleep(60), TIMED_OUT, "no result within 1 seconds"),
    "ignores signals": (ignores_signals_and_spins, TIMED_OUT, "no result within 1 seconds"),
    "leaves a thread": (starts_a_thread_that_stays, WRONG, "with a thread left"),
    "takes 1 TB": (lambda k: float(np.empty(1 << 40, np.uint8).nbytes), WRONG, "Unable to allocate"),
    "takes 8 GB": (lambda k: float(np.empty(8 << 30, np.uint8).nbytes), WRONG, "Unable to allocate"),
    "prints 100 MB": (prints, WRONG, "File too large"),
    "closes its descriptors": (closes_its_descriptors, CRASHED, "exit code 1"),
    "changes the environment": (lambda k: os.environ.clear() or float("nan"), WRONG, "no finite number"),
    "changes the directory": (lambda k: os.chdir("/") or float("nan"), WRONG, "no finite number"),
    "lowers its limits": (
        lambda k: resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0)) or float("nan"), WRONG, "no finite number"),
}  # fmt: skip
#: These are answers like any other.
HARMLESS = {"closes its output": closes_its_output}
#: These need the filter: without it they are not tried. Signal 0 is none; a refusal comes before that matters.
OUTSIDE = {
    "forks": forks,
    "kills its process": lambda k: os.kill(os.getpid(), 9),
    "kills its parent": lambda k: os.kill(os.getppid(), 0),
    "kills its group": lambda k: os.killpg(0, 0),
    "starts a program": lambda k: os.execv("/bin/true", ["true"]),
    "writes a file": writes,
    "makes a directory": lambda k: os.mkdir(f"/tmp/symbiont-hostile-{PARENT}"),
    "deletes a file": lambda k: os.unlink(f"/tmp/symbiont-hostile-{PARENT}"),
    "opens a socket": lambda k: socket.socket(),
}
TRICKS = {
    **{name: row[0] for name, row in METRICS.items()},
    **HARMLESS,
    **OUTSIDE,
}
FIRST_TRICK = 1000


def choose(kernel):
    """The metric: a candidate that returns 1000 and more chooses a trick by that number, in a worker."""
    value = kernel(1.0)
    if value < FIRST_TRICK or os.getpid() == PARENT:
        return value
    return list(TRICKS.values())[int(value) - FIRST_TRICK](kernel)


def number_of(name):
    """What a candidate returns that chooses a trick."""
    return list(TRICKS).index(name) + FIRST_TRICK
