"""Faults of the processor: in an instrumented call they are panics, elsewhere they do what they always did."""

import ctypes
import signal
import subprocess
import sys

import pytest

COMMON = """
import ctypes, os, signal, sys, tempfile, threading, time
import numpy as np
import symbiont_jit as sj

TOTAL = "double total(int64_t n, const double x[n]) { double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; return s; }"
COPY = "void copy(int64_t n, const double x[n], double y[n]) { for (int64_t i = 0; i < n; i++) y[i] = x[i]; }"

def shortened():
    "An array whose file has become empty."
    file = tempfile.NamedTemporaryFile()
    file.truncate(1 << 16)
    mapped = np.asarray(np.memmap(file.name, np.float64, "r"))
    os.truncate(file.name, 0)
    return mapped

def kind_of(function, *arguments):
    try:
        return function(*arguments)
    except sj.PanicError as error:
        return error.panic.kind + " " + error.panic.message.split(": ")[1].split()[0]
"""


def run(text, *options):
    """What a program says that begins with `COMMON`, and how it ends."""
    done = subprocess.run([sys.executable, *options, "-c", COMMON + text], capture_output=True, text=True, timeout=120)
    return done.stdout.split("\n")[:-1], done.returncode, done.stderr


PANICS = {
    "an array's file is gone": """
total = sj.Kernel.from_c(TOTAL)
for _ in range(3):
    print(kind_of(total, shortened()), total(np.ones(4)))
thread = threading.Thread(target=lambda: print(kind_of(total, shortened()), total(np.ones(4))))
thread.start()
thread.join()
""",
    "the C library copies": """
copy = sj.Kernel.from_c(COPY)
for _ in range(4):
    there = np.zeros(4)
    print(kind_of(copy, shortened(), np.empty(1 << 13)), copy(np.ones(4), there) or there.mean() * 4)
""",
    "a caller in C lies": """
total = sj.Kernel.from_c(TOTAL)
call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_void_p)(total.address)
for _ in range(4):
    assert call(10, 8) == 0.0
    message = str(total.take_panic())
    print("fault SIGBUS" if "refused an instruction: SIGSEGV at address 0x8" in message else message, total(np.ones(4)))
""",
    "the checks of the stack are off": """
from symbiont_jit.runtime.library import thread_slots
deep = sj.Kernel.from_c("double deep(int64_t n) { volatile char x[999]; x[0] = 1; return n ? deep(n - 1) + deep(n - 2) : 4; }")
def act():
    deep(0)
    for slot in thread_slots():
        slot.floor = 1
    for _ in range(4):
        print(kind_of(deep, 10**6).replace("SEGV", "BUS"), deep(0))
threading.stack_size(1 << 17)
thread = threading.Thread(target=act)
thread.start()
thread.join()
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", PANICS.values(), ids=PANICS)
@pytest.mark.parametrize("options", [(), ("-X", "faulthandler")], ids=["plain", "faulthandler"])
def test_a_fault_of_an_instrumented_call_is_a_panic(text, options):
    """The process goes on, and the next call is right; again and again."""
    assert run(text, *options) == (["fault SIGBUS 4.0"] * 4, 0, "")


ENDS = {
    "elsewhere": ("total(np.ones(4)); ctypes.string_at(8)", signal.SIGSEGV),
    "in code without checks": ("total.compile(TOTAL, 'release')(shortened())", signal.SIGBUS),
    "sent by somebody": ("total(np.ones(4)); os.kill(os.getpid(), signal.SIGSEGV); time.sleep(60)", signal.SIGSEGV),
    "switched off": ("total(np.ones(4)); sj.catch_faults(False); total(shortened())", signal.SIGBUS),
}


@pytest.mark.slow
@pytest.mark.parametrize(("text", "number"), ENDS.values(), ids=ENDS)
def test_every_other_fault_ends_the_process_as_before(text, number):
    """Python's own fault handler sees it too."""
    text = f"total = sj.Kernel.from_c(TOTAL)\n{text}\nprint('it went on')\n"
    assert run(text) == ([], -number, "")
    said, status, error = run(text, "-X", "faulthandler")
    assert (said, status) == ([], -number)
    assert error.startswith("Fatal Python error")


@pytest.mark.slow
def test_handlers_that_were_there_before_are_asked():
    """A signal handler of Python's runs when somebody sends the signal; one that was ignored still is."""
    text = """
signal.signal(signal.SIGFPE, lambda *_: print("handled"))
signal.signal(signal.SIGBUS, signal.SIG_IGN)
total = sj.Kernel.from_c(TOTAL)
os.kill(os.getpid(), signal.SIGFPE)
os.kill(os.getpid(), signal.SIGBUS)
print(total(np.ones(4)))
"""
    assert run(text) == (["handled", "4.0"], 0, "")


@pytest.mark.slow
def test_switched_off_before_the_first_kernel_nothing_is_installed():
    """The signals have the handlers that they had."""
    text = """
sj.catch_faults(False)
sj.Kernel.from_c(TOTAL)(np.ones(4))
print({signal.getsignal(s) for s in (signal.SIGILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE)})
action = (ctypes.c_uint64 * 20)()
ctypes.CDLL(None).sigaction(11, None, action)
print(action[0])
"""
    assert run(text) == (["{<Handlers.SIG_DFL: 0>}", "0"], 0, "")


@pytest.mark.slow
def test_switched_on_again_the_net_holds_for_code_that_is_loaded():
    """It need not be loaded again."""
    text = """
sj.catch_faults(False)
total = sj.Kernel.from_c(TOTAL)
print(total(np.ones(4)))
sj.catch_faults(True)
print(kind_of(total, shortened()))
"""
    assert run(text) == (["4.0", "fault SIGBUS"], 0, "")


@pytest.mark.slow
def test_a_thread_that_blocks_all_signals_has_the_net_too():
    """The system ends a process for a fault whose signal is blocked."""
    text = """
def act():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    print(kind_of(sj.Kernel.from_c(TOTAL), shortened()))
thread = threading.Thread(target=act)
thread.start()
thread.join()
"""
    assert run(text) == (["fault SIGBUS"], 0, "")


@pytest.mark.slow
def test_an_interruption_takes_nothing_from_another_signal():
    """An alarm that comes at the same moment has its handler, and is not blocked afterwards."""
    text = """
spin = sj.Kernel.from_c("int64_t spin(int64_t n) { while (n) n = n / 2 + 1; return n; }", on_panic="zero")
spin(0)
alarms = []
signal.signal(signal.SIGALRM, lambda *_: alarms.append(1))
for turn in range(60):
    seconds = 0.005 + turn * 1e-6
    signal.setitimer(signal.ITIMER_REAL, seconds)
    with sj.time_limit(0.005):
        spin(1)
    while len(alarms) <= turn:
        time.sleep(0.001)
print(len(alarms), signal.SIGALRM in signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""
    assert run(text) == (["60 False"], 0, "")


@pytest.mark.slow
def test_rounding_stays_as_the_caller_has_set_it():
    """The system begins a handler with a floating-point state of its own; the call's is put back."""
    text = """
libm = ctypes.CDLL("libm.so.6")
UPWARD = 0x800
third = sj.Kernel.from_c("double third(double x) { return x / 3; }", profile="release")
spin = sj.Kernel.from_c("int64_t spin(int64_t n) { while (n) n = n / 2 + 1; return n; }", on_panic="zero")
total = sj.Kernel.from_c(TOTAL, on_panic="zero")
near = third(1.0), spin(0), total(np.ones(4))
gone = shortened()
assert libm.fesetround(UPWARD) == 0
above = third(1.0)
total(gone)
print(third(1.0) == above > near[0] and libm.fegetround() == UPWARD)
with sj.time_limit(0.05):
    spin(1)
print(third(1.0) == above and libm.fegetround() == UPWARD)
"""
    assert run(text) == (["True", "True"], 0, "")


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_code_is_known_wherever_it_was_placed():
    """Both loaders put their code into the table that the handler reads, and take it out again."""
    from symbiont_jit import Kernel
    from symbiont_jit.backend.code_memory import CODE_RANGES

    def is_known(address):
        return any(known.start <= address < known.end for known in CODE_RANGES.ranges)

    kernel = Kernel.from_c("double f(double x) { return x * 5; }", on_panic="zero")
    address = kernel.active.entry_address
    assert is_known(address)
    assert not is_known(ctypes.cast(ctypes.CDLL(None).malloc, ctypes.c_void_p).value)
