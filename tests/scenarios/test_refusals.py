"""The system refuses something, once, at any moment: what follows is an error of the documented kinds, and nothing is lost.

Invariant: whichever call of a kind fails, the work either succeeds all the same or raises an error that says whose fault it
is; done again it succeeds; values are right before and after; no process, descriptor or memory is left behind.
"""

import contextlib
import ctypes
import errno
import itertools
import os

import pytest
from numba import njit

from symbiont_jit import CandidateError, Kernel, ToolchainError
from symbiont_jit.backend import child_process, code_memory, pipe_ends
from symbiont_jit.backend.cache import forget_cached
from symbiont_jit.backend.objects import end_compilers


@njit
def call(kernel, x):
    return kernel(x)


def refuse_result(monkeypatch, library, name, result, number):
    """Let a function of C give a failure with an error number."""
    real = getattr(library, name)

    def install(fails):
        def refuse(*arguments):
            if fails():
                ctypes.set_errno(number)
                return result
            return real(*arguments)

        monkeypatch.setattr(library, name, refuse)

    return install


def refuse_by_error(monkeypatch, module, name, number):
    """Let a function of Python's raise the system's error."""
    real = getattr(module, name)

    def install(fails):
        def refuse(*arguments, **options):
            if fails():
                raise OSError(number, os.strerror(number))
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, refuse)

    return install


#: What may fail, and how: the first argument is pytest's `monkeypatch`.
REFUSALS = {
    "memory for code": lambda m: refuse_result(m, code_memory._LIBC, "mmap", code_memory._MAP_FAILED, errno.ENOMEM),
    "a change of protection": lambda m: refuse_result(m, code_memory._LIBC, "mprotect", -1, errno.ENOMEM),
    "a pipe": lambda m: refuse_result(m, pipe_ends._LIBC, "pipe2", -1, errno.EMFILE),
    "a process": lambda m: refuse_by_error(m, os, "posix_spawnp", errno.EAGAIN),
    "a write to a pipe": lambda m: refuse_by_error(m, os, "write", errno.EPIPE),
    "a read from a pipe": lambda m: refuse_by_error(m, os, "read", errno.EIO),
    "a look at a process": lambda m: refuse_by_error(m, os, "pidfd_open", errno.EMFILE),
}
#: Kinds that compilers have a part in: where the others are refused, compilers may go on as they are.
OF_COMPILERS = REFUSALS.keys() - {"memory for code", "a change of protection"}
#: The most calls of one kind that the work below makes.
MOST = 80


def text(value):
    """A candidate that adds a number, with a macro, so that the preprocessor is asked too."""
    return f"#define ADDED {value}\ndouble f(double x) {{ double t[4] = {{x, 1}}; return t[(int)x % 2] + ADDED; }}"


def work(kernel, value):
    """Compile, load, activate, call, unload, load again."""
    other = kernel.compile(text(value + 1))
    assert other(0.0) == value + 1
    kernel.swap(text(value), profile="checked")
    assert kernel(2.0) == 2.0 + value == call(kernel, 2.0)
    kernel.prune()
    return other


@pytest.mark.slow
@pytest.mark.parametrize("kind", REFUSALS)
def test_whatever_is_refused_once_nothing_is_lost(kind, monkeypatch):
    """Each call of the kind fails in one attempt; the attempt after it works as ever."""
    kernel = Kernel.from_c(text(0))
    work(kernel, 0)
    known, children = 0, len(child_process._KNOWN)
    for at in range(MOST):
        if kind in OF_COMPILERS:
            end_compilers()  # They are started anew, so that starting them can fail.
        forget_cached()
        count, value = itertools.count(), 10 * (at + 1)
        with monkeypatch.context() as patch:
            REFUSALS[kind](patch)(lambda at=at, count=count: next(count) == at)
            with contextlib.suppress(CandidateError, ToolchainError):
                work(kernel, value)
        has_failed = next(count) > at
        assert kernel(0.0) == call(kernel, 0.0)
        assert kernel(0.0) in (known, value) if has_failed else kernel(0.0) == value
        work(kernel, value)
        assert kernel(2.0) == call(kernel, 2.0) == 2.0 + value
        known = value
        if not has_failed:
            break
    else:
        pytest.fail("the work makes more calls than are tried")
    end_compilers()
    assert len(child_process._KNOWN) <= children
