"""How a worker process comes to be: forked from this one, or a fresh interpreter.

In: the function that is to answer in the child, and the files that both share. Out: the process and this end of the
pipe. A forked child inherits the user's metric, data and compiled loops, so none of them has to pickle. A fresh one has
no threads and locks of this process, and no secret in its environment at any time; what it needs is pickled.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import gc
import io
import multiprocessing
import multiprocessing.spawn
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from types import FunctionType
from typing import Any, Final, TypeVar

from symbiont_jit.environment import strip_secrets
from symbiont_jit.errors import UsageError
from symbiont_jit.isolate.child import Serve, WorkerFiles, live, reset_signals
from symbiont_jit.isolate.descriptors import give_up_descriptors
from symbiont_jit.isolate.mappings import own_shared_mappings
from symbiont_jit.isolate.pipe import ParentsEnd, open_pipe
from symbiont_jit.isolate.process import Process
from symbiont_jit.isolate.shared import SHARED_NAME, open_shared_file
from symbiont_jit.options import require
from symbiont_jit.starting import FULL, insist
from symbiont_jit.uninterrupted import enough_stack

__all__ = ["STARTS", "NoRoomError", "Start", "choose_start"]

#: Seconds after which a start is tried again that the system had no room for.
WAITS: Final = (0.05, 0.2, 0.5)

T = TypeVar("T")


class NoRoomError(UsageError):
    """Raised where the system starts no more processes; what other workers have started may be why."""


Start = Callable[[Serve, WorkerFiles, frozenset[str]], tuple[Process, ParentsEnd]]

#: Says how an object is pickled for a fresh interpreter that can, or cannot, import `__main__`.
Reducer = Callable[[Any, bool], tuple[Any, ...] | None]


def choose_start(name: str | None) -> str:
    """Return the name of a start method.

    Args:
        name: `"fork"` or `"spawn"`, or None for `fork` where the platform has it.

    Returns:
        A key of `STARTS` that the platform offers.

    Raises:
        UsageError: There is no such start method, or the platform lacks it.
    """
    offered = [n for n in STARTS if n in multiprocessing.get_all_start_methods()]
    if name is None:
        return offered[0]
    require(isinstance(name, str) and name in STARTS, f"start_method is 'fork', 'spawn' or None, not {name!r}")
    require(name in offered, f"this platform has no start_method={name!r}; use {offered[0]!r}")
    return name


# -- forked -----------------------------------------------------------------------------------------------------------


def _start_forked(serve: Serve, files: WorkerFiles, granted: frozenset[str]) -> tuple[Process, ParentsEnd]:
    """Fork this process; the child inherits `serve`."""

    def start() -> tuple[Process, ParentsEnd]:
        """Make the pipe on the thread that forks, so that no other worker is forked before it is noted."""
        here, there = open_pipe()
        try:
            return Process(_fork(lambda: _live_forked(serve, here, there, files, granted))), here
        except BaseException:
            here.close()
            raise
        finally:
            there.close()

    return _insist(start)


def _live_forked(
    serve: Serve, parents_end: ParentsEnd, pipe: Connection, files: WorkerFiles, granted: frozenset[str]
) -> None:
    def give_up() -> None:
        parents_end.close()
        if "processes" in granted:
            multiprocessing.current_process().daemon = False  # Python lets a daemon have no processes of its own.
        try:
            give_up_descriptors((pipe.fileno(), *files), granted)
            own_shared_mappings(granted, SHARED_NAME)
        except FileNotFoundError as error:
            raise UsageError(
                f"a forked worker cannot give up what this program has open, because {error.filename} is missing: "
                "mount /proc, or use start_method='spawn'"
            ) from error
        # The pipe to the parent's tracker of shared memory was given up: a worker that may start one has its own.
        tracker: Any = resource_tracker._resource_tracker
        tracker._fd = tracker._pid = None

    live(lambda: serve, pipe, files, granted, give_up)


def _fork(live_on: Callable[[], None]) -> int:
    """Fork as `multiprocessing` does, and return the child's id.

    Its `Process.start` would keep the child in a list, from which whoever is forked later asks it to end, and two
    pipes beside it, which are lost where the system refuses to fork.
    """
    process: Any = multiprocessing.get_context("fork").Process(target=live_on, daemon=True)
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # Somebody may have put an object there that raises anything.
            stream.flush()  # Else the child has the text in its buffers too.
    with _hold_compilers(), warnings.catch_warnings():
        # Python 3.12 warns of forking with threads; the locks that matter are held while it happens.
        warnings.simplefilter("ignore", DeprecationWarning)
        # A signal that comes now would run the parent's handlers in the child.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
        finally:
            if os.getpid() == parent:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if pid == 0:
            code = 1
            try:
                reset_signals()
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                # What the parent has not collected yet is not the child's to end: finalisers unmap memory at addresses,
                # and close descriptors by numbers, that may be others' by then.
                gc.freeze()
                code = process._bootstrap()
            finally:
                os._exit(code)
    return pid


@contextlib.contextmanager
def _hold_compilers() -> Iterator[None]:
    """Hold the compilers' locks over a fork, so that no child inherits one that another thread held.

    Both are re-entrant and the forking thread is the child's only one, so the child goes on holding them.
    """
    from llvmlite.binding import ffi
    from numba.core.compiler_lock import global_compiler_lock

    with global_compiler_lock, ffi.lib._lock:
        yield


# -- spawned ----------------------------------------------------------------------------------------------------------


def _start_spawned(serve: Serve, files: WorkerFiles, granted: frozenset[str]) -> tuple[Process, ParentsEnd]:
    """Start a fresh interpreter, which unpickles `serve`; it has no terminal, so Ctrl-C does not reach it."""
    about, pickled = _pack(serve)
    luggage = open_shared_file("worker luggage")

    def start() -> tuple[Process, ParentsEnd]:
        here, there = open_pipe()
        try:
            descriptors = (there.fileno(), *files, luggage.require())
            program = (
                f"import sys; sys.path[:] = {about['sys_path']!r}; "
                "from symbiont_jit.isolate.child import live_spawned; "
                f"live_spawned({', '.join(map(str, descriptors))}, {sorted(granted)!r})"
            )
            return _run_program(program, descriptors, files.output), here
        except BaseException:
            here.close()
            raise
        finally:
            there.close()

    try:
        with os.fdopen(luggage.require(), "wb", closefd=False) as file:
            pickle.dump(about, file)
            file.write(pickled)
        os.lseek(luggage.require(), 0, os.SEEK_SET)
        return _insist(start)
    finally:
        luggage.close()


def _run_program(program: str, descriptors: Sequence[int], output: int) -> Process:
    """Start an interpreter that runs a program and has some descriptors."""
    started = subprocess.Popen(
        [multiprocessing.spawn.get_executable(), *subprocess._args_from_interpreter_flags(), "-c", program],  # type: ignore[attr-defined]
        env=strip_secrets(os.environ),
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    started.returncode = 0  # It is `Process` that waits, and not this object, which would warn that nobody has.
    return Process(started.pid)


def _pack(serve: Serve) -> tuple[dict[str, Any], bytes]:
    """What a fresh interpreter has to know of this one, and `serve` pickled; raises `UsageError` if that fails."""
    is_open = multiprocessing.get_start_method(allow_none=True) is None
    about = _describe_this_process()
    if is_open:  # `get_preparation_data` settles the start method, which is the user's choice.
        multiprocessing.set_start_method(None, force=True)
    del about["authkey"]  # The key is a secret, and a worker needs none.
    main = {name: about.pop(name) for name in ("init_main_from_name", "init_main_from_path") if name in about}
    has_main = "init_main_from_name" in main or Path(main.get("init_main_from_path", "")).is_file()
    try:
        pickled, needs_main = _pickle(serve, has_main, _find_reducer(serve))
    except Exception as error:
        raise UsageError(
            "start_method='spawn' sends the kernel and the metric to a fresh interpreter, and "
            f"{_find_culprit(serve, has_main)} cannot be pickled ({error}); write what it consists of at the top level "
            "of a module, or use start_method='fork'"
        ) from error
    return about | main if needs_main else about, pickled


def _describe_this_process() -> dict[str, Any]:
    try:
        return multiprocessing.spawn.get_preparation_data("symbiont_jit worker")
    except FileNotFoundError as error:
        raise UsageError(
            "start_method='spawn' starts workers in the working directory of this process, which was removed"
        ) from error


def _find_reducer(serve: Any) -> Reducer:
    """What `serve` says of pickling the objects in it: its method `reduce_for_spawn(value, has_main)`, if it has one.

    That returns what `__reduce__` would return, or None for what is pickled as usual.
    """
    reducer: Reducer = getattr(serve, "reduce_for_spawn", lambda value, has_main: None)
    return reducer


def _pickle(value: Any, has_main: bool, reduce: Reducer) -> tuple[bytes, bool]:
    """Pickle a value, and say whether `__main__` has to be imported before the bytes are read."""
    file = io.BytesIO()
    pickler = _Pickler(file, has_main, reduce)
    pickler.dump(value)
    return file.getvalue(), pickler.needs_main


def _find_culprit(serve: Any, has_main: bool) -> str:
    """Return the name of the part of `serve` that cannot be pickled."""
    for field in dataclasses.fields(serve) if dataclasses.is_dataclass(serve) else ():
        try:
            _pickle(getattr(serve, field.name), has_main, _find_reducer(serve))
        except Exception:
            return f"the {field.name}"
    return "something"


class _Pickler(pickle.Pickler):
    """Pickles for a fresh interpreter: some objects as `reduce` says, and nothing from a lost `__main__`."""

    def __init__(self, file: io.BytesIO, has_main: bool, reduce: Reducer) -> None:
        super().__init__(file)
        self._has_main = has_main
        self._reduce = reduce
        self.needs_main = False

    def reducer_override(self, value: Any) -> Any:
        """How an object is pickled: as `reduce` says, or as usual."""
        reduced = self._reduce(value, self._has_main)
        if reduced is not None:
            self.needs_main |= "__main__" in reduced[1]
            return reduced
        if isinstance(value, FunctionType | type) and value.__module__ == "__main__":
            if not self._has_main:
                raise pickle.PicklingError(
                    f"{value.__qualname__!r} is defined in __main__, which is no file that could be imported"
                )
            self.needs_main = True
        return NotImplemented


# -- the thread that starts -------------------------------------------------------------------------------------------


def _insist(start: Callable[[], T]) -> T:
    """Start something, some times if the system is full, as it may be for moments only.

    Raises:
        NoRoomError: It stays full.
    """
    try:
        return insist(lambda: _run_in_starting_thread(start), WAITS)
    except OSError as error:
        if error.errno not in (*FULL, errno.ENOSYS, errno.EPERM):
            raise
        problem = f"the system starts no more processes ({error.strerror})"
        raise NoRoomError(f"a worker cannot be started, because {problem}") from error


def _run_in_starting_thread(start: Callable[[], T]) -> T:
    """Run something in one thread that lives as long as the process, and wait for it.

    Linux kills a child with the *thread* that made it (PR_SET_PDEATHSIG), so no thread that may end must start one.
    """
    done: Future[T] = Future()
    _starting_queue().put((start, done))
    return done.result()


@functools.cache
def _starting_queue() -> queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]]:
    waiting: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()

    def work() -> None:
        while True:
            start, done = waiting.get()
            try:
                done.set_result(start())
            except BaseException as error:
                done.set_exception(error)
            del start, done  # The result would keep a process alive until the next start.

    try:
        with enough_stack():
            threading.Thread(target=work, name="symbiont_jit starts workers", daemon=True).start()
    except RuntimeError as error:  # This is how Python says that the system starts no more threads.
        raise OSError(errno.EAGAIN, str(error)) from error
    os.register_at_fork(after_in_child=_starting_queue.cache_clear)
    return waiting


STARTS: Final[Mapping[str, Start]] = {"fork": _start_forked, "spawn": _start_spawned}
