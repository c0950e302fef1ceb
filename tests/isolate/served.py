"""What workers of these tests serve, by name, and how they are asked."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import time
from pathlib import Path

import numpy as np

from symbiont_jit.isolate.child import _answer, enter_phase
from symbiont_jit.isolate.worker import WorkerReply

ROOT = Path(__file__).parents[2]
SECRETS = (
    *("OPENAI_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "GOOGLE_CREDENTIALS", "my_token"),
    *("MYSQL_PWD", "DB_PASS", "GH_PAT", "SENTRY_DSN", "SSH_AUTH_SOCK"),
)


def ask(worker, name, *arguments, deadline=10.0):
    """The value of an answer."""
    answer = worker.ask((name, *arguments), deadline)
    assert isinstance(answer, WorkerReply), answer
    return answer.value


def secrets():
    found = [n for n in os.environ if n in SECRETS]
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    return found + [n for n in SECRETS if libc.getenv(n.encode()) is not None]


def environment(name):
    return os.environ.get(name)


def standard_input():
    return os.read(0, 100), os.isatty(0), os.readlink("/proc/self/fd/0")


def speak_and(words, what, phase):
    enter_phase(phase)
    os.write(1, words.encode())
    if what == "crash":
        ctypes.string_at(0)
    if what == "exit":
        os._exit(5)
    if what == "hang":
        time.sleep(60)
    return words


def output_size():
    return os.fstat(1).st_size


def process():
    return os.getpid()


def take_memory(size):
    try:
        return np.empty(size, np.uint8).nbytes
    except MemoryError:
        return "no memory"


def limits():
    return {n: resource.getrlimit(getattr(resource, n)) for n in ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU")}


def spin():
    while True:
        pass


def handlers():
    return int(signal.getsignal(signal.SIGINT))


def run_thread():
    done = []
    threads = [threading.Thread(target=done.append, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(done)


def limit_of_tasks():
    return resource.getrlimit(resource.RLIMIT_NPROC)


def start_threads():
    """How many threads a worker has started when the system starts no more."""
    started, end = 0, threading.Event()
    threading.stack_size(1 << 16)  # Memory would be at an end first.
    with contextlib.suppress(RuntimeError):
        while started < 5000:
            threading.Thread(target=end.wait, daemon=True).start()
            started += 1
    end.set()
    return started


def read_file(path):
    return Path(path).read_text()


def own_signal():
    received = []
    signal.signal(signal.SIGUSR1, lambda number, frame: received.append(number))
    signal.raise_signal(signal.SIGUSR1)
    return received


def leave_a_child_behind():
    if os.fork() == 0:
        time.sleep(60)
    os._exit(7)


def refused(name, path):
    """The errno of something that reaches outside; 0 where it was possible."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function, *arguments):
        ctypes.set_errno(0)
        if (result := getattr(libc, function)(*arguments)) == -1:
            raise OSError(ctypes.get_errno(), function)
        return result

    def clone(flags):
        return call("syscall", 56, ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0) or os._exit(0)

    tries = {
        "fork": lambda: os.fork() or os._exit(0),
        "vfork": lambda: subprocess.Popen(["/bin/true"]),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "socket": lambda: socket.socket().close(),
        "a pair of sockets of another family": lambda: call("socketpair", socket.AF_INET, 1, 0, (ctypes.c_int * 2)()),
        "unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "a pair of datagram sockets": lambda: socket.socketpair(type=socket.SOCK_DGRAM),
        "connect": lambda: call("connect", 0, None, 0),
        "write": lambda: os.open(path, os.O_WRONLY),
        "append": lambda: os.open(path, os.O_RDWR | os.O_APPEND),
        "create": lambda: os.open(path + ".new", os.O_RDONLY | os.O_CREAT),
        "unnamed file": lambda: os.open(os.path.dirname(path), os.O_TMPFILE | os.O_RDWR),
        "unlink": lambda: os.unlink(path),
        "rename": lambda: os.rename(path, path + ".old"),
        "truncate": lambda: os.truncate(path, 0),
        "chmod": lambda: os.chmod(path, 0o777),
        "link": lambda: os.link(path, path + ".link"),
        "symlink": lambda: os.symlink(path, path + ".link"),
        "mkdir": lambda: os.mkdir(path + ".d"),
        "mkfifo": lambda: os.mkfifo(path + ".fifo"),
        "kill the parent": lambda: os.kill(os.getppid(), 0),
        "kill itself": lambda: os.kill(os.getpid(), 0),
        "kill the group": lambda: os.killpg(0, 0),
        "kill a thread of the parent": lambda: call("tgkill", os.getppid(), os.getppid(), 0),
        "pidfd": lambda: os.pidfd_open(os.getppid()),
        "ptrace": lambda: call("ptrace", 16, os.getppid(), None, None),
        "read the parent's memory": lambda: call("process_vm_readv", os.getppid(), None, 0, None, 0, 0),
        "write the parent's memory": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR),
        "read the parent's environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "open the parent's memory": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY),
        "read another's file": lambda: os.open("/var/lib", os.O_RDONLY),
        "fchmodat2": lambda: call("syscall", 452, -100, path.encode(), 0o777, 0),
        "own the signals of a file": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
        "choose the signal of a file": lambda: fcntl.fcntl(0, fcntl.F_SETSIG, 9),
        "lease a file": lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "a larger pipe": lambda: fcntl.fcntl(os.pipe()[0], 1031, 1 << 20),
        "lock for all who have it open": lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), 37, bytes(32)),
        "wait for such a lock": lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), 38, bytes(32)),
        "own the signals of a file in another way": lambda: fcntl.fcntl(0, 15, struct.pack("ii", 1, os.getppid())),
        "watch a folder": lambda: fcntl.fcntl(os.open(os.path.dirname(path), os.O_RDONLY), 1026, 0),
        "own the signals of a socket": lambda: fcntl.ioctl(
            socket.socketpair()[0], 0x8901, os.getppid().to_bytes(4, "little")
        ),
        "own the group of a socket": lambda: fcntl.ioctl(
            socket.socketpair()[0], 0x8902, os.getppid().to_bytes(4, "little")
        ),
        "the attributes of a file": lambda: fcntl.ioctl(
            os.open(path, os.O_RDONLY), 0x40086602, (0x40).to_bytes(8, "little")
        ),
        "lock a file": lambda: fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX),
        "how long an inode's data live": lambda: fcntl.fcntl(
            os.open(path, os.O_RDONLY), 1036, (5).to_bytes(8, "little")
        ),
        "how long a file's data live": lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), 1038, (5).to_bytes(8, "little")),
        "set a terminal": lambda: fcntl.ioctl(0, termios.TCSETS, bytes(60)),
        "set a terminal's speed": lambda: fcntl.ioctl(0, 0x402C542B, bytes(44)),
        "size a terminal": lambda: fcntl.ioctl(0, termios.TIOCSWINSZ, bytes(8)),
        "take a terminal alone": lambda: fcntl.ioctl(0, termios.TIOCEXCL),
        "files in memory": lambda: os.memfd_create("hoard"),
        "let others go": lambda: call("prctl", 36, 0, 0, 0, 0),
        "delegate a file": lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), 1040, bytes(8)),
        "outlive the parent": lambda: call("prctl", 1, 0, 0, 0, 0),
        "a buffer beyond the limit": lambda: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, 32, 1 << 30),
        "type into a terminal": lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"),
        "type with more bits": lambda: call("ioctl", 0, ctypes.c_ulong(1 << 32 | termios.TIOCSTI), b"x"),
        "schedule the parent": lambda: os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0)),
        "the parent's priority": lambda: call("syscall", 251, 1, os.getppid(), 3 << 13),
        "shared memory of System V": lambda: call("shmctl", 0, 0, None),
        "a ruleset of files": lambda: call("syscall", 444, None, ctypes.c_size_t(0), 1),
        "mount": lambda: call("mount", None, b"/", None, 0, None),
        "unshare": lambda: call("unshare", 0),
        "a sibling": lambda: clone(0x8000),
        **{f"a name space {bit}": lambda bit=bit: clone(1 << bit) for bit in (17, *range(25, 31))},
        "setuid": lambda: os.setuid(os.getuid()),
    }
    try:
        tries[name]()
    except OSError as error:
        return error.errno
    return 0


def ask_descriptors():
    """What descriptors answer to questions: whether it is a terminal, and how much waits to be read."""
    here, there = socket.socketpair()
    here.send(b"abc")
    waiting = int.from_bytes(fcntl.ioctl(there, termios.FIONREAD, bytes(4)), "little")
    there.setblocking(False)
    return os.isatty(0), waiting, os.get_blocking(there.fileno())


def ask_of_null(name):
    """The errno with which the null device, which is no terminal, answers a command of `ioctl`; 0 where it knows it."""
    with open(os.devnull) as null:
        try:
            fcntl.ioctl(null, getattr(termios, name, 0x5429), bytes(64))
        except OSError as error:
            return error.errno
    return 0


def own_pipe():
    """The descriptor of a worker's end of the pipe to its parent."""
    numbers = [n for n in map(int, os.listdir("/proc/self/fd")) if n > 2]
    return next(n for n in numbers if os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode))


def nonce():
    """What an answer to the request begins with that is served now, by the thread that calls this."""
    frame = sys._getframe()
    while frame.f_code is not _answer.__code__:
        frame = frame.f_back
    return frame.f_locals["nonce"]


def framed(message):
    """Some bytes as a message to the parent."""
    return struct.pack("!i", len(message)) + message


def forge(*messages):
    """Write messages to the parent in the place of what this worker's function returns."""
    os.write(own_pipe(), b"".join(framed(nonce() + message) for message in messages))


def answer(request):
    """What a worker serves: functions of this module, by name."""
    return globals()[request[0]](*request[1:])


def about_the_environment():
    block = Path("/proc/self/environ").read_bytes()
    names = {entry.partition(b"=")[0].decode() for entry in block.split(b"\0")}
    return secrets(), sorted(names & set(SECRETS)), block.count(b"canary"), os.environ.get("SYMBIONT_TEST_PLAIN")


def handled_signals():
    """The numbers of the signals that have a handler of Python's."""
    return [int(number) for number in signal.valid_signals() if callable(signal.getsignal(number))]


def close_and_live_on():
    os.close(own_pipe())
    time.sleep(60)


def about_itself():
    try:
        is_alone = os.tcgetpgrp(0) != os.getpgrp()
    except OSError:
        is_alone = True
    return os.read(0, 10), os.readlink("/proc/self/fd/0"), int(signal.getsignal(signal.SIGINT)), is_alone


def ask_in_32_bits():
    """Ask the system for its process's id by the way of older programs, which no filter of newer calls knows."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    threading.Thread(target=sleep, daemon=True).start()
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()


def start_hopping(program, log):
    """Start processes that start the next one and end, again and again."""
    subprocess.Popen([program, log])
    time.sleep(0.05)


def start_far_away(path):
    """Start a process in a session of its own, whose parent has ended; its id, which is written to a path and kept."""
    command = ["/bin/sh", "-c", "setsid sleep 1000 >&- 2>&- & echo $!"]
    pid = int(subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout)
    if path:
        Path(path).write_text(str(pid))
        time.sleep(60)
    return pid


def die():
    os.write(1, b"last words")
    ctypes.string_at(0)


def sleep():
    time.sleep(60)


def in_an_older_thread(path):
    """What a thread may do that was there before the system calls were filtered."""
    _QUESTION.append(path)
    _ASKED.set()
    _ANSWERED.wait(5)
    return _QUESTION[1:]


_ASKED, _ANSWERED, _QUESTION = threading.Event(), threading.Event(), []


def older_thread():
    _ASKED.wait()
    _QUESTION.append(refused("create", _QUESTION[0]))
    _ANSWERED.set()


def run_python(text, *arguments, variables=None):
    """A Python process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(text), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
