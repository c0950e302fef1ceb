"""What a worker may be allowed beyond computing, by name, and what it tried to do without.

In: the names that the user gave. Out: words for a finding. A refused system call is an error of the system like any
other, which libraries report in words of their own; Python's audit events (PEP 578) say what was asked for before.
"""

from __future__ import annotations

import dis
import errno
import os
import socket
import sys
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, Final

from symbiont_jit.errors import UsageError
from symbiont_jit.options import require_names

__all__ = ["PERMISSIONS", "describe_refusals", "forget_tries", "require_permissions", "watch_tries"]

#: The names of permissions, and what each allows.
PERMISSIONS: Final[Mapping[str, str]] = {
    "read": "read any file",
    "write": "write and change files",
    "network": "use the network",
    "processes": "start and signal processes",
}

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: The beginnings of audit events and the permission that what they announce needs.
_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "read": ("os.listdir", "os.scandir"),
    "write": (
        "os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
        "os.setxattr", "os.removexattr", "os.symlink", "os.truncate", "os.utime", "shutil.", "sqlite3.connect",
        "tempfile.",
    ),
    "network": ("socket.",),
    "processes": (
        "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn", "os.system",
        "pty.spawn", "subprocess.Popen",
    ),
}  # fmt: skip

#: What the system says of a descriptor that a worker has given up, and what is needed to open such a thing there.
_NOT_OPEN: Final = (errno.EBADF, errno.ENOTSOCK)
_OPENING: Final = ("network", "write")

#: Modules of Python's that say nothing of what they ask the system for, and the permissions that they need.
_SILENT_NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "multiprocessing.managers": frozenset({"network", "processes", "write"}),
    "multiprocessing.synchronize": frozenset({"processes", "write"}),
    "multiprocessing.shared_memory": frozenset({"processes", "write"}),
    "multiprocessing.process": frozenset({"processes"}),
}
#: What these raise, if it is not the system's own error: Python lets a worker without permissions start no process,
#: and a process that was to answer has ended.
_SILENT_ERRORS: Final = (PermissionError, AssertionError, EOFError)

#: Functions of Python's that announce nothing, and the permission that they need; nothing for what is allowed to none.
_SILENT_CALLS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("flock", "memfd_create", "mkfifo", "mknod", "openpty", "posix_fallocate"), "write"),
    **dict.fromkeys(("pidfd_open", "pidfd_send_signal"), "processes"),
    "socketpair": "network",
    **dict.fromkeys(
        (
            "chroot", "clock_settime", "fcntl", "initgroups", "ioctl", "nice", "prlimit", "sched_setaffinity",
            "sched_setparam", "sched_setscheduler", "setegid", "seteuid", "setgid", "setgroups", "setns",
            "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setsid", "settimeofday", "setuid",
            "unshare",
        ),
        "",
    ),
}  # fmt: skip

#: What was tried last, in words, by the permission that it needed; and the permissions that there are.
_TRIED: Final[dict[str, str]] = {}
_GRANTED: Final[set[str]] = set()


def require_permissions(names: Iterable[str]) -> frozenset[str]:
    """Return the names as a set.

    Raises:
        UsageError: One of them is no permission.
    """
    given = require_names("permissions", [names] if isinstance(names, str) else names)
    if unknown := sorted(given - PERMISSIONS.keys()):
        raise UsageError(f"permissions are among {', '.join(map(repr, PERMISSIONS))}, not {unknown[0]!r}")
    return given


def watch_tries(granted: frozenset[str]) -> None:
    """Note from now on what this process tries that needs a permission that it lacks."""
    _GRANTED.update(granted)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        permission = _find_permission(event, arguments)
        if permission is not None and permission not in _GRANTED:
            _TRIED[permission] = f"{event}({', '.join(f'{a!r:.80}' for a in arguments[:2])})"

    sys.addaudithook(note)


def _find_permission(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event == "socket.__new__" and arguments[1] == socket.AF_UNIX:
        return None  # A pair of sockets reaches nobody; to connect one is another event.
    if event == "open":
        return "write" if isinstance(arguments[2], int) and arguments[2] & _WRITING else "read"
    return next((name for name, events in _EVENTS.items() if event.startswith(events)), None)


def forget_tries() -> None:
    """Begin anew, before something else is tried."""
    _TRIED.clear()


def describe_refusals(error: BaseException) -> str:
    """Say which permissions would have allowed what an error speaks of; nothing where none has to do with it."""
    tried = {name: words for name, words in _TRIED.items() if name != "read" or _is_about(error, words)}
    if module := _find_silent(error):
        needs = _SILENT_NEEDS[module].union(tried.keys() - {"read"})
        return f"the sandbox of workers refuses what {module} asks for; {_with(needs)} allows it"
    if tried:
        refused = "; ".join(f"to {PERMISSIONS[name]} ({tried[name]})" for name in sorted(tried))
        return f"the sandbox of workers refuses {refused}; {_with(tried)} allows it"
    if isinstance(error, OSError) and error.errno in _NOT_OPEN:
        return (
            "if this program had opened it before: what was opened before is not open in its workers, so that no "
            f"candidate writes to it; open it in the metric, with {_with(_OPENING)}"
        )
    return _describe_silent_call(error) if isinstance(error, PermissionError) else ""


def _describe_silent_call(error: PermissionError) -> str:
    """Say what is known of a refusal that nothing announced."""
    called = _find_silent_call(error)
    if (permission := _SILENT_CALLS.get(called)) and permission not in _GRANTED:
        return f"the sandbox of workers refuses {called}; {_with({permission})} allows it"
    if called or not PERMISSIONS.keys() - _GRANTED:
        return f"the sandbox of workers refuses {called or 'some things'}, and no permission allows it"
    return f"the sandbox of workers may have refused this; {_with(PERMISSIONS)} allows all that can be allowed"


def _find_silent_call(error: PermissionError) -> str:
    """Find which function that announces nothing raised an error: the last that was named before; else nothing."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    steps = dis.get_instructions(last.tb_frame.f_code) if last is not None else ()
    named = [step.argval for step in steps if last is not None and step.offset <= last.tb_lasti]
    return next((name for name in reversed(named) if isinstance(name, str) and name in _SILENT_CALLS), "")


def _with(needed: Iterable[str]) -> str:
    """The option that has the permissions which there are, and some more."""
    return f"permissions={sorted(_GRANTED.union(needed))!r}"


def _find_silent(error: BaseException) -> str:
    """Return the module that says nothing, lacks something and raised an error; nothing where there is none."""
    if not isinstance(error, _SILENT_ERRORS):
        return ""
    modules = {str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)}
    return next((module for module, needs in _SILENT_NEEDS.items() if module in modules and needs - _GRANTED), "")


def _is_about(error: BaseException, words: str) -> bool:
    return isinstance(error, PermissionError) and isinstance(error.filename, str) and repr(error.filename) in words
