"""What a worker process may still do: limits on memory and processor time, and no system calls that reach outside.

In: nothing; called in a worker that is ready to serve. Out: a process that computes, answers through the pipes it has,
and reads files, and nothing else. The filter is libseccomp's, by `pyseccomp` (the `sandbox` extra); without it the
limits remain.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import re
import resource
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = [
    "CHILD_SUBREAPER",
    "DEATH_SIGNAL",
    "filter_problem",
    "give_up_privileges",
    "limit_memory",
    "limit_processor_time",
    "limit_signals",
    "limit_tasks",
    "restrict",
]

#: How many bytes of memory a worker may have more than at its start.
MEMORY: Final = 4 << 30

#: The longest limit on processor time, in seconds: the kernel counts it in nanoseconds that fit 64 bits.
MOST_SECONDS: Final = 1e9

#: How many bytes a worker may write to a file, its output among them.
OUTPUT: Final = 64 << 20
#: How many threads and processes a user may have more than at the start of a worker, as far as that starts them, and
#: how many there are at most where the user has no limit.
TASKS: Final = 1024
MOST_TASKS: Final = 1 << 20
_TASKS_OF: Final = re.compile(rb"^Uid:\s+(\d+).*^Threads:\s+(\d+)", re.MULTILINE | re.DOTALL)
#: How many files a worker may have open, of which half may be its own where its parent has more.
FILES: Final = 1024

#: System calls that nobody may make, however it is called: they reach into other processes, the kernel or the terminal.
NEVER: Final = (
    "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd mount umount2 "
    "pivot_root chroot setns unshare reboot kexec_load kexec_file_load init_module finit_module delete_module bpf "
    "perf_event_open userfaultfd keyctl add_key request_key io_uring_setup io_uring_enter io_uring_register io_setup "
    "io_submit setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset personality "
    "swapon swapoff sethostname setdomainname syslog acct quotactl quotactl_fd open_by_handle_at name_to_handle_at "
    "fanotify_init sched_setaffinity sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set "
    "migrate_pages move_pages settimeofday stime clock_settime adjtimex clock_adjtime fsopen fsconfig fsmount fspick "
    "open_tree open_tree_attr move_mount mount_setattr iopl ioperm modify_ldt vhangup uselib lookup_dcookie "
    "nfsservctl rt_sigqueueinfo rt_tgsigqueueinfo shmget shmat shmdt shmctl semget semop semtimedop semctl msgget "
    "msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify vmsplice inotify_init "
    "inotify_init1 inotify_add_watch mlock mlock2 mlockall landlock_create_ruleset landlock_add_rule "
    "landlock_restrict_self"
).split()
#: System calls that need a permission.
GRANTED_BY: Final[Mapping[str, Sequence[str]]] = {
    "write": (
        "unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat truncate chmod "
        "fchmod fchmodat fchmodat2 chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat removexattr "
        "lremovexattr fremovexattr removexattrat file_setattr mknod mknodat creat openat2 utime utimes utimensat "
        "futimesat fallocate memfd_create memfd_secret flock"
    ).split(),
    # `sendmsg` also sends descriptors, which stay open in the kernel however many a process may have.
    "network": "socket connect bind listen accept accept4 sendmmsg sendmsg".split(),
    "processes": "execve execveat fork vfork kill tkill pidfd_send_signal pidfd_open".split(),
}
#: The numbers of system calls that are younger than many a libseccomp, the same on all machines that Linux runs on.
NUMBERS: Final[Mapping[str, int]] = {
    "quotactl_fd": 443,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
}
#: Commands of `fcntl` that send signals to others, or let others wait: F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE,
#: F_SETDELEG, F_NOTIFY; those that say for everybody how long a file's data will live: F_SET_RW_HINT,
#: F_SET_FILE_RW_HINT; and those that take memory of the kernel's without an end: F_OFD_SETLK, F_OFD_SETLKW,
#: F_SETPIPE_SZ.
SIGNALLING: Final = (8, 10, 15, 1024, 1040, 1026, 1036, 1038, 37, 38, 1031)
#: The only commands of `ioctl` that are let through. They ask a terminal for its settings, size, group and session
#: (TCGETS, TCGETA, TCGETS2, TIOCGWINSZ, TIOCGPGRP, TIOCGSID), ask how much waits to be read or sent (FIONREAD,
#: TIOCOUTQ), and say of a descriptor alone whether it blocks and is closed by exec (FIONBIO, FIONCLEX, FIOCLEX).
#: Others change terminals or files' attributes, or send signals.
ASKING: Final = (
    *(0x5401, 0x5405, 0x802C542A, 0x5413, 0x540F, 0x5429),
    *(0x541B, 0x5411),
    *(0x5421, 0x5450, 0x5451),
)
#: What `prctl` may not change: that the process ends with its parent, and that it keeps what others have left.
DEATH_SIGNAL: Final = 1
CHILD_SUBREAPER: Final = 36
#: The kernel looks at 32 bits of an `int`, whatever else the register has.
_INT: Final = 0xFFFFFFFF

_CLONE_THREAD: Final = 0x10000
#: Flags of `clone` that nobody may use: what is started is no child of who starts it (CLONE_PARENT), or has name spaces
#: of its own, for mounts, control groups, host names, semaphores, users, processes or networks (CLONE_NEW*).
_CLONE_NEVER: Final = (0x8000, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
#: Version 3 of the header of `capset`, and the privileges about files: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH.
_CAPABILITY_VERSION: Final = 0x20080522
_FILE_CAPABILITIES: Final = 1 << 1 | 1 << 2
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33


def limit_memory() -> None:
    """Limit this process to `MEMORY` bytes more than it has now, to `OUTPUT` bytes a file, and to no core file.

    Each pipe that it opens is memory of the kernel's, so those are limited as well.
    """
    with contextlib.suppress(OSError, ValueError):
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, OUTPUT)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))
    with contextlib.suppress(OSError, ValueError):
        files = max(FILES, max(map(int, os.listdir("/proc/self/fd"))) + FILES // 2)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, soft), min(files, hard)))


def limit_signals() -> None:
    """Leave half of the user's pending signals to others: timers take them, and a worker may make thousands."""
    if hasattr(resource, "RLIMIT_SIGPENDING"):
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)
            if hard > 1:
                resource.setrlimit(resource.RLIMIT_SIGPENDING, (hard // 2, hard // 2))


def limit_tasks() -> None:
    """Limit the threads and processes of this process's user to `TASKS` more than there are, and to half of the rest.

    The system counts all of a user's together, and those of root not at all. Where it counts some that this process
    does not see, so that it could start no thread, all stays as it was.
    """
    if sys.platform != "linux" or os.getuid() == 0:
        return
    with contextlib.suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        now, most = _count_tasks(), MOST_TASKS if soft == resource.RLIM_INFINITY else soft
        limit = now + max(1, min(TASKS, (most - now) // 2))
        if limit < most:
            resource.setrlimit(resource.RLIMIT_NPROC, (limit, hard))
            final = (limit, limit) if _can_start_thread() else (soft, hard)
            resource.setrlimit(resource.RLIMIT_NPROC, final)


def _count_tasks() -> int:
    """Count the threads of all processes that this process's user has, as far as they are seen from here."""
    users, count = (os.getuid(), os.geteuid()), 0
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            if os.stat(f"/proc/{name}").st_uid in users:
                found = _TASKS_OF.search(Path(f"/proc/{name}/status").read_bytes())
                count += int(found[2]) if found and int(found[1]) == users[0] else 0
    return count


def _can_start_thread() -> bool:
    thread = threading.Thread(target=lambda: None)
    with contextlib.suppress(RuntimeError):
        thread.start()
        thread.join()
        return True
    return False


def give_up_privileges() -> None:
    """Give up what a privileged user may do beyond reading and writing files, such as going beyond limits."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform != "linux" or not hasattr(libc, "capset"):
        return
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    have = (ctypes.c_uint32 * 6)()
    if libc.capget(head, have) == 0:  # Effective, permitted and inheritable ones, in two words each.
        kept = [number & _FILE_CAPABILITIES if word < 3 else 0 for word, number in enumerate(have)]
        libc.capset(head, (ctypes.c_uint32 * 6)(*kept))


def limit_processor_time(seconds: float) -> None:
    """Let the kernel end this process (SIGXCPU) when nobody is left to kill it.

    Args:
        seconds: The processor time that the process may use beyond what it has used so far; it may be infinite.
    """
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        limit = int(used + min(seconds, MOST_SECONDS)) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


@functools.cache
def _library() -> Any:
    """Return the module `pyseccomp`, or a text that says why there is none."""
    if sys.platform != "linux":
        return "the system has no seccomp"
    try:
        import pyseccomp
    except ImportError:
        return "pyseccomp is not installed (pip install 'symbiont-jit[sandbox]')"
    except (OSError, RuntimeError) as error:
        return f"libseccomp cannot be loaded ({error})"
    return pyseccomp


def filter_problem() -> str | None:
    """Return the reason why there is no filter of system calls; None where there is one."""
    library = _library()
    return library if isinstance(library, str) else None


def restrict(granted: frozenset[str] = frozenset()) -> None:
    """Let system calls of this process that reach outside fail with EPERM from now on; this cannot be undone.

    Args:
        granted: The permissions that it has, of `permissions.PERMISSIONS`.
    """
    library = _library()
    if isinstance(library, str):
        return
    rules = library.SyscallFilter(library.ALLOW)
    rules.set_attr(
        library.Attr.CTL_TSYNC, 1
    )  # The filter is for all threads, because a metric may have started some already.
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # Older systems end the thread alone.
        rules.set_attr(library.Attr.ACT_BADARCH, library.KILL_PROCESS)
    needing = (name for permission, names in GRANTED_BY.items() if permission not in granted for name in names)
    for name in (*NEVER, *needing):
        _refuse(library, rules, name)
    for command in SIGNALLING:
        _refuse(library, rules, "fcntl", library.Arg(1, library.MASKED_EQ, _INT, command))
    for mask, value in all_but(ASKING):
        _refuse(library, rules, "ioctl", library.Arg(1, library.MASKED_EQ, mask, value))
    for option in (DEATH_SIGNAL, CHILD_SUBREAPER):
        _refuse(library, rules, "prctl", library.Arg(0, library.MASKED_EQ, _INT, option))
    _refuse(library, rules, "prlimit64", library.Arg(0, library.NE, 0))
    # Its flags lie in memory, where no filter looks; the C library goes on with `clone` where there is none.
    rules.add_rule(library.ERRNO(errno.ENOSYS), "clone3")
    for flag in _CLONE_NEVER:
        _refuse(library, rules, "clone", library.Arg(0, library.MASKED_EQ, flag, flag))
    for permission, refuse in _REFUSALS.items():
        if permission not in granted:
            refuse(library, rules)
    _refuse_memory_of_the_kernel(library, rules)
    rules.load()


def all_but(commands: Collection[int]) -> Iterator[tuple[int, int]]:
    """Name all numbers of 32 bits but some: each other one has exactly one of the values under its mask.

    A number that is none of those leaves them at its first bit, seen from the highest one, at which none of them is
    as it is. The bits up to there are a mask.
    """
    for place in range(32):
        mask = _INT & ~((1 << place) - 1)
        beginnings = {command & mask for command in commands}
        for other in sorted({beginning ^ (1 << place) for beginning in beginnings} - beginnings):
            yield mask, other


def _refuse(library: Any, rules: Any, call: str, *arguments: Any) -> None:
    """Refuse a system call, as far as the system and its libseccomp know it."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        rules.add_rule(library.ERRNO(errno.EPERM), NUMBERS.get(call, call), *arguments)


def _refuse_writing(library: Any, rules: Any) -> None:
    for name, place in (("open", 1), ("openat", 2)):
        for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
            _refuse(library, rules, name, library.Arg(place, library.MASKED_EQ, flag, flag))


def _refuse_memory_of_the_kernel(library: Any, rules: Any) -> None:
    """Refuse what makes the buffers of a socket larger than the system's limit, which a privileged user may."""
    for option in (_SO_SNDBUFFORCE, _SO_RCVBUFFORCE):
        numbers = ((1, socket.SOL_SOCKET), (2, option))
        matches = [library.Arg(place, library.MASKED_EQ, _INT, number) for place, number in numbers]
        _refuse(library, rules, "setsockopt", *matches)


def _refuse_network(library: Any, rules: Any) -> None:
    """Leave pairs of connected streams, which asyncio wakes itself with, and which reach nobody else."""
    _refuse(library, rules, "socketpair", library.Arg(0, library.NE, socket.AF_UNIX))
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        _refuse(library, rules, "socketpair", library.Arg(1, library.MASKED_EQ, 0xF, kind))


def _refuse_processes(library: Any, rules: Any) -> None:
    """Leave threads, which the C library makes by `clone` with CLONE_THREAD."""
    _refuse(library, rules, "clone", library.Arg(0, library.MASKED_EQ, _CLONE_THREAD, 0))
    _refuse(library, rules, "tgkill", library.Arg(0, library.NE, os.getpid()))


_REFUSALS: Final[Mapping[str, Callable[[Any, Any], None]]] = {
    "write": _refuse_writing,
    "network": _refuse_network,
    "processes": _refuse_processes,
}
