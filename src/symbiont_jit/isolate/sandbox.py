"""What a worker process may still do: limits on memory and processor time, and no system calls that reach outside.

In: nothing; called in a worker that is ready to serve. Out: a process that computes, answers through the pipes it has,
and reads files, and nothing else. The filter is libseccomp's, by `pyseccomp` (the `sandbox` extra); without it the
limits remain.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

__all__ = ["filter_problem", "limit_memory", "limit_processor_time", "restrict"]

#: How many bytes of memory a worker may have more than at its start.
MEMORY: Final = 4 << 30

#: How many bytes a worker may write to a file, its output among them.
OUTPUT: Final = 64 << 20

#: System calls that reach outside of the process: other processes, the network, the file system, the kernel itself.
REFUSED: Final = (
    "execve execveat fork vfork ptrace process_vm_readv process_vm_writev kill tkill pidfd_send_signal "
    "pidfd_open pidfd_getfd socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg "
    "unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat truncate "
    "chmod fchmod fchmodat chown fchown lchown fchownat setxattr lsetxattr fsetxattr mknod mknodat creat mount "
    "umount2 pivot_root chroot setns unshare reboot kexec_load init_module finit_module delete_module bpf "
    "perf_event_open userfaultfd keyctl add_key request_key io_uring_setup setuid setgid setreuid setregid "
    "setresuid setresgid setgroups capset personality swapon swapoff sethostname setdomainname syslog acct "
    "quotactl openat2 open_by_handle_at sched_setaffinity setpriority utime utimes utimensat futimesat shmget "
    "semget msgget mq_open fsopen open_tree move_mount settimeofday clock_settime adjtimex clock_adjtime "
    "rt_sigqueueinfo rt_tgsigqueueinfo removexattr lremovexattr fremovexattr process_madvise fallocate"
).split()

_CLONE_THREAD: Final = 0x10000


def limit_memory() -> None:
    """Limit this process to `MEMORY` bytes more than it has now, to `OUTPUT` bytes a file, and to no core file."""
    with contextlib.suppress(OSError, ValueError):
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, OUTPUT)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))


def limit_processor_time(seconds: float) -> None:
    """Let the kernel end this process (SIGXCPU) when nobody is left to kill it.

    Args:
        seconds: The processor time that the process may use beyond what it has used so far.
    """
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 2, hard))


@functools.cache
def _library() -> Any:
    """The module `pyseccomp`, or a text that says why there is none."""
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
    """The reason why there is no filter of system calls; None where there is one."""
    library = _library()
    return library if isinstance(library, str) else None


def restrict() -> None:
    """Let system calls of this process that reach outside fail with EPERM from now on; this cannot be undone."""
    library = _library()
    if isinstance(library, str):
        return
    refusal = library.ERRNO(errno.EPERM)
    rules = library.SyscallFilter(library.ALLOW)
    rules.set_attr(library.Attr.CTL_TSYNC, 1)  # the filter is for all threads: a metric may have started some already
    for name in REFUSED:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # an older Linux has fewer calls
            rules.add_rule(refusal, name)
    for name, place in (("open", 1), ("openat", 2)):
        for flag in (0o1, 0o2, 0o100, 0o1000):  # these are O_WRONLY, O_RDWR, O_CREAT and O_TRUNC
            rules.add_rule(refusal, name, library.Arg(place, library.MASKED_EQ, flag, flag))
    # The C library makes threads by `clone3`, and where there is none by `clone` with CLONE_THREAD, which can be told
    # from the making of a process.
    rules.add_rule(library.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(refusal, "clone", library.Arg(0, library.MASKED_EQ, _CLONE_THREAD, 0))
    rules.add_rule(refusal, "prlimit64", library.Arg(0, library.NE, 0))
    rules.add_rule(refusal, "tgkill", library.Arg(0, library.NE, os.getpid()))
    rules.load()
