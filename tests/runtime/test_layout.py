"""Memory that C and Python share: neither can change its mind alone."""

import ctypes
import re
import signal
import subprocess

import numpy as np
import pytest

from symbiont_jit.backend.clang import SYNTAX, clang
from symbiont_jit.backend.unit import Unit
from symbiont_jit.dispatch import vectorcall
from symbiont_jit.dispatch.cell import CellLayout, offset_of
from symbiont_jit.engine.stubs import cell_declaration, vectorcall_unit
from symbiont_jit.runtime import faults, interrupt, layout
from symbiont_jit.runtime.library import runtime_unit
from symbiont_jit.runtime.sources import NUMBERS, ROOT, include
from symbiont_jit.signature import signature_of
from tests.kernels import scalar
from tests.runtime.compilers import ours

#: The files that declare what `runtime/thread_slots.h` does not.
OTHER_FILES = {
    "struct sj_fallback": "runtime/panics.c",
    "struct sj_action": "runtime/signals.h",
    "struct sj_code_range": "runtime/code_ranges.h",
    "struct sj_code_ranges": "runtime/code_ranges.h",
}
#: Every structure that our C declares too: the file that does, its name there, Python's.
STRUCTURES = [
    *((OTHER_FILES.get(name, "runtime/thread_slots.h"), name, given) for name, given in layout.SHARED.items()),
    ("dispatch/cell.h", "struct sj_cell", CellLayout),
    ("dispatch/vectorcall.h", "struct sj_array", vectorcall.ArrayLayout),
]


def refusals(header, name, given):
    """What clang has against a header whose structure is asserted to be laid out as given."""
    found = clang().lower(Unit(include(header) + layout.assertions({name: given}), ()).c_text(), SYNTAX)
    return [d.message for d in found] if isinstance(found, list) else []


def with_fields(fields):
    return type("Changed", (ctypes.Structure,), {"_fields_": fields})


CHANGES = {
    "exchanged": lambda fields: [*fields[1::-1], *fields[2:]],
    "narrower": lambda fields: [*fields[:-1], (fields[-1][0], ctypes.c_int8)],
    "one more": lambda fields: [*fields, ("_more", ctypes.c_int64)],
    "one missing": lambda fields: fields[:-1],
}


@pytest.mark.parametrize(("header", "name", "given"), STRUCTURES, ids=[name for _, name, _ in STRUCTURES])
def test_clang_refuses_a_layout_that_drifts(header, name, given):
    """It accepts the structure as it is, and refuses each change of one field."""
    assert refusals(header, name, given) == []
    fields = list(given._fields_)
    for change in (c for c in CHANGES.values() if c(fields) != fields):  # A single field cannot be exchanged.
        found = refusals(header, name, with_fields(change(fields)))
        assert found
        assert all("static assertion failed" in message for message in found)


def test_assertions_are_compiled_with_the_c():
    """Each text that shares memory with Python carries the assertions about it."""
    assert layout.assertions(layout.SHARED) in runtime_unit().text
    assert layout.assertions({"struct sj_cell": CellLayout}) in cell_declaration()
    for is_member in (False, True):
        text = vectorcall_unit(signature_of(scalar), is_member).text
        assert layout.assertions({"struct sj_array": vectorcall.ArrayLayout}) in text
        assert layout.assertions({"struct sj_cell": CellLayout}) in text


def test_what_compiled_loops_read_is_where_they_look():
    """Loops load a cell and a panic table's count from their first words, as snapshots of groups do."""
    assert offset_of("target") == layout.PanicTableLayout.head.offset == layout.PanicHead.count.offset == 0


def test_the_slots_of_threads_are_a_power_of_two():
    """A slot is found by masking."""
    assert NUMBERS["SJ_THREADS"].bit_count() == 1


#: Numbers of the system's by which Python and the runtime's C call it.
SYSTEM_NUMBERS = {
    "SJ_PROT_READ_WRITE": "PROT_READ | PROT_WRITE",
    "SJ_MAP_PRIVATE_ANONYMOUS_NORESERVE": "MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE",
    "SJ_MADV_DONTNEED": "MADV_DONTNEED",
    "SJ_CLOCK_THREAD_CPUTIME_ID": "CLOCK_THREAD_CPUTIME_ID",
    interrupt._SA_SIGINFO_NODEFER_RESTART: "SA_SIGINFO | SA_NODEFER | SA_RESTART",
    faults._SA_SIGINFO_ONSTACK_NODEFER: "SA_SIGINFO | SA_ONSTACK | SA_NODEFER",
    "SJ_SA_SIGINFO": "SA_SIGINFO",
    "SJ_SI_TIMER": "SI_TIMER",
    "SJ_SIG_DFL": "(uint64_t)SIG_DFL",
    "SJ_SIG_IGN": "(uint64_t)SIG_IGN",
    "SJ_SS_DISABLE": "SS_DISABLE",
    "SJ_SIG_UNBLOCK": "SIG_UNBLOCK",
    "8 * SJ_SIGNAL_WORDS": "sizeof(sigset_t)",
    "SJ_FAULT_SIGNALS": "1ULL << (SIGILL - 1) | 1ULL << (SIGBUS - 1) | 1ULL << (SIGFPE - 1) | 1ULL << (SIGSEGV - 1)",
    interrupt._SIGEV_THREAD_ID: "SIGEV_THREAD_ID",
    interrupt._CLOCK_MONOTONIC: "CLOCK_MONOTONIC",
}


HEADERS_OF_THE_SYSTEM = ("pthread", "signal", "stddef", "stdint", "sys/mman", "time", "ucontext")
#: Where the handlers of signals find what they read: in our structures, and in the system's on x86-64.
SYSTEM_OFFSETS = {
    "offsetof(struct sj_signal, code)": "offsetof(siginfo_t, si_code)",
    "offsetof(struct sj_signal, address)": "offsetof(siginfo_t, si_addr)",
    "offsetof(struct sj_context, stack)": "offsetof(ucontext_t, uc_mcontext.gregs[REG_RSP])",
    "offsetof(struct sj_context, counter)": "offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP])",
    "offsetof(struct sj_context, floating)": "offsetof(ucontext_t, uc_mcontext.fpregs)",
    "offsetof(struct sj_floating, control)": "offsetof(struct _libc_fpstate, cwd)",
    "offsetof(struct sj_floating, vectors)": "offsetof(struct _libc_fpstate, mxcsr)",
    "sizeof(struct sj_floating)": "sizeof(struct _libc_fpstate)",
    "offsetof(struct sj_stack, start)": "offsetof(stack_t, ss_sp)",
    "offsetof(struct sj_stack, flags)": "offsetof(stack_t, ss_flags)",
    "offsetof(struct sj_stack, size)": "offsetof(stack_t, ss_size)",
    "sizeof(struct sj_stack)": "sizeof(stack_t)",
}


def test_the_system_is_laid_out_as_it_is_called(tmp_path):
    """The machine's own headers agree with the structures and numbers that Python and the runtime's C assume."""
    files = ("runtime/system.h", "runtime/signals.h", "evaluate/timing.h")
    lines = [line for f in files for line in (ROOT / f).read_text().splitlines() if line.startswith("#define")]
    lines += ["#define _GNU_SOURCE", *(f"#include <{h}.h>" for h in HEADERS_OF_THE_SYSTEM)]
    # glibc gives this member of a union no public name.
    lines += ["#define sigev_notify_thread_id _sigev_un._tid", layout.assertions(layout.SYSTEM)]
    lines += [layout.assertions({"struct timespec": layout.TimeSpan})]
    lines += [f'_Static_assert(({ours}) == ({theirs}), "{theirs}");' for ours, theirs in SYSTEM_NUMBERS.items()]
    lines += ['_Static_assert(sizeof(pthread_attr_t) <= 8 * SJ_ATTRIBUTE_WORDS, "pthread_attr_t");']
    stack = re.search(r"struct sj_stack\n\{.*?\};", (ROOT / "runtime/system.h").read_text(), re.DOTALL)[0]
    lines += ["#undef sa_handler", include("runtime/signals.h"), stack]
    lines += [f'_Static_assert(({ours}) == ({theirs}), "{theirs}");' for ours, theirs in SYSTEM_OFFSETS.items()]
    text = tmp_path / "system.c"
    text.write_text("\n".join(lines) + "\n")
    done = subprocess.run([*ours(), "-c", text, "-o", tmp_path / "system.o"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_signal_that_ends_calls_is_a_late_one():
    """It is the fourth from the end of the real-time signals."""
    assert NUMBERS["SJ_INTERRUPT_SIGNAL"] == signal.SIGRTMAX - 3


def test_numpys_flags_are_those_of_the_header():
    """The masks of the way in from Python take contiguous aligned arrays, and writable ones where it says so."""
    text = include("dispatch/vectorcall.h")
    readable = sum(int(n, 16) for n in re.search(r"SJ_READABLE \((\w+) \| (\w+)\)", text).groups())
    writable = readable | int(re.search(r"SJ_WRITABLE \(SJ_READABLE \| (\w+)\)", text)[1], 16)
    plain, frozen, packed = np.zeros(3), np.zeros(3), np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")]))["b"]
    frozen.flags.writeable = False
    assert [a.flags.num & readable == readable for a in (plain, frozen, plain[::2], packed)] == [
        True,
        True,
        False,
        False,
    ]
    assert [a.flags.num & writable == writable for a in (plain, frozen)] == [True, False]
