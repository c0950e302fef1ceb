"""Attacks on the profiles `safe` and `checked`: hostile and awkward candidates, each run in a forked child.

Arrays lie between pages that cannot be touched, once against the upper and once against the lower one; what is left of
their pages is filled and looked at afterwards, and arrays that are only read must stay what they were.

`expected` is one of these, or several with ` | ` between them; the part before the first `/` is for both profiles, or for `safe`
where a second part for `checked` follows:

    refused             CandidateError (of whatever rule)
    refused RULE        CandidateError of a rule
    panic KIND          the call panicked; `panic KIND LINE:COLUMN` says where
    value REPR          what the call gave
    contained           any of these: no crash, no hang, nothing changed outside, no other exception
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import resource
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import symbiont_jit as sj
from symbiont_jit import InOut, Kernel
from symbiont_jit.engine.target import target_of
from symbiont_jit.errors import CandidateError
from symbiont_jit.runtime.interrupt import time_limit

PAGE = mmap.PAGESIZE
MEMORY = 4 << 30
_KEPT: list[Any] = []


class Placed:
    """An array against a page that cannot be touched; `at_end` says against which one."""

    def __init__(self, array: np.ndarray, at_end: bool, is_read: bool) -> None:
        libc = ctypes.CDLL(None)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        pages = -(-max(array.nbytes, 1) // PAGE)
        memory = mmap.mmap(-1, (pages + 2) * PAGE)
        _KEPT.append(memory)
        base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self.all = np.frombuffer(memory, np.uint8, pages * PAGE, PAGE)
        self.all[:] = 0xA5
        self.start = pages * PAGE - array.nbytes if at_end else 0
        self.view = np.frombuffer(memory, array.dtype, array.size, PAGE + self.start).reshape(array.shape)
        self.view[...] = array
        self.before, self.is_read = array.tobytes(), is_read
        libc.mprotect(base, PAGE, 0)
        libc.mprotect(base + (pages + 1) * PAGE, PAGE, 0)

    def is_intact(self) -> bool:
        """Whether nobody wrote around the array."""
        end = self.start + self.view.nbytes
        around = bool((self.all[: self.start] == 0xA5).all() and (self.all[end:] == 0xA5).all())
        return around and (not self.is_read or self.view.tobytes() == self.before)


class Attack(NamedTuple):
    """A candidate, a call of it, and what should come of that."""

    name: str
    signature: str
    text: str
    arguments: Callable[[], tuple[Any, ...]]
    expected: str


def default(signature: str) -> str:
    return signature + (" { }" if signature.startswith("void") else " { return 0; }")


def attempt(attack: Attack, profile: str, at_end: bool) -> str:
    before = "#include <complex.h>\n" if "complex" in attack.signature else ""
    kernel = Kernel.from_c(before + default(attack.signature), name="k", profile="release")
    try:
        revision = kernel.compile(before + attack.text, profile=profile)
    except CandidateError as error:
        return f"refused {error.diagnostics[0].rule}"
    target_of(kernel).limit_steps(10_000_000)
    placed: list[Placed] = []
    given: list[Any] = []
    for value, param in zip(attack.arguments(), kernel.signature.params, strict=True):
        if isinstance(value, np.ndarray):
            placed.append(Placed(np.ascontiguousarray(value), at_end, param.mode.name == "IN"))
            given.append(placed[-1].view)
        else:
            given.append(value)
    with time_limit(1.0):
        result = revision(*given)
    panic = revision.take_panic()
    if not all(p.is_intact() for p in placed):
        return "CORRUPTED"
    if panic is not None:
        return f"panic {panic.kind} {panic.line}:{panic.column}"
    return f"value {result!r}"


def in_child(act: Callable[[], str], seconds: float = 15.0) -> str:
    """What a function says in a forked child, or how the child ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                said = act()
            except BaseException as error:
                said = f"EXCEPTION {type(error).__name__}: {error}"
            os.write(writer, said.encode()[:4000])
        finally:
            os._exit(0)
    os.close(writer)
    said, deadline = b"", time.monotonic() + seconds
    hangs = False
    while not hangs:
        ready = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]
        hangs = not ready
        chunk = os.read(reader, 1 << 16) if ready else b""
        said += chunk
        if ready and not chunk:
            break
    os.close(reader)
    if hangs:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if hangs:
        return "HANGS"
    return f"CRASHED {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else said.decode()


def agrees(outcome: str, expected: str) -> bool:
    for wanted in expected.split(" | "):
        if wanted == "contained" and outcome.startswith(("refused ", "panic ", "value ")):
            return True
        if outcome == wanted or outcome.startswith(f"{wanted} "):
            return True
    return False


S = "double k(int64_t n, double x[n])"
R = "double k(int64_t n, const double x[n])"
M = "double k(int64_t n, int64_t m, double x[n][m])"
I = "double k(int64_t i)"  # noqa: E741
C = "int64_t k(int64_t n, const int64_t x[n])"
L = "int64_t k(int64_t n, int64_t x[n])"
W = "0 + *(volatile int64_t *)64"  # somebody else's address
FAR = 1 << 28


def doubles(n: int = 4) -> Callable[[], tuple[Any, ...]]:
    return lambda: (np.arange(1.0, n + 1),)


def ints(n: int = 5) -> Callable[[], tuple[Any, ...]]:
    return lambda: (np.arange(1, n + 1),)


def number(i: Any = FAR) -> Callable[[], tuple[Any, ...]]:
    return lambda: (i,)


def rows() -> tuple[Any, ...]:
    return (np.arange(12.0).reshape(3, 4),)


MANY = " ".join(f"int64_t w{j} = n * {j + 3};" for j in range(12))
MIX = " ".join(f"w{j} = w{(j + 1) % 12} / (w{(j + 2) % 12} | 1) + w{(j + 5) % 12};" for j in range(12))
ADD = " ".join(f"w{j} = w{(j + 1) % 12} * 3 + x[w{(j + 5) % 12} & 1];" for j in range(12))
AIMED = " ".join(f"int64_t w{j} = (int64_t)x + n * 0;" for j in range(14))
XOR = " ".join(f"w{j} = w{(j + 1) % 14} ^ w{(j + 3) % 14} ^ w{(j + 5) % 14};" for j in range(14))
SUM = "+".join(f"w{j}" for j in range(12))
CALLS = "static double f0(double x) { return x * 1.0000001 + 1; }\n" + "".join(
    f"static double f{j}(double x) {{ return f{j - 1}(x * 1.0000001) + f{j - 1}(x + {j}); }}\n" for j in range(1, 61)
)
FRAMES = "static double g0(int64_t i) { return i; }\n" + "".join(
    f"static double g{j}(int64_t i) {{ char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; "
    f"return b[(i * 7) % 250000] + g{j - 1}(i + 1) + g{j - 1}(i + b[3]) * b[77]; }}\n"
    for j in range(1, 45)
)
UNIONS = "union U0 { double a; char c; };\n" + "".join(
    f"union U{j} {{ union U{j - 1} a; union U{j - 1} b; }};\n" for j in range(1, 41)
)


def tripled(depth: int) -> str:
    text = "p"
    for _ in range(depth):
        text = f"(p + (int)*({text} + 1))"
    return f"*{text}"


BIG = "struct T { char a[1 << 29]; };\n"
SMALL = "struct T { char a[2]; };\n"
USE = "struct T s; s.a[i] = 1; return s.a[i] + s.a[0];"

SI = "double k(int64_t n, double x[n], int64_t i)"
LI = "int64_t k(int64_t n, int64_t x[n], int64_t i)"

ATTACKS = [
    # -- the shim: a panic or an interruption in code with more live values than registers -------------------------
    Attack(
        "panic with many live values",
        L,
        L + f"{{ {MANY} for (int64_t q = 0; ; q++) {{ {MIX} x[q] = {SUM}; }} }}",
        ints(),
        "panic index | panic division",
    ),
    Attack(
        "interrupted with many live values",
        L,
        L + f"{{ {MANY} for (;;) {{ {MIX} }} }}",
        ints(),
        "panic interrupted | panic division/panic endless | panic overflow | panic division",
    ),
    Attack(
        "interrupted with many loads",
        L,
        L + f"{{ {MANY} for (;;) {{ {ADD} }} }}",
        ints(),
        "panic interrupted/panic endless | panic overflow",
    ),
    Attack(
        "panic of a complex kernel with many live values",
        "double complex k(int64_t n, int64_t x[n])",
        f"double complex k(int64_t n, int64_t x[n]) {{ {MANY} for (int64_t q = 0; ; q++) {{ {MIX} x[q] = {SUM}; }} }}",
        ints(),
        "panic index | panic division",
    ),
    Attack(
        "interruption stores where the candidate says",
        C,
        C + f"{{ {AIMED} for (;;) {{ {XOR} if (w1 == 77) w2 += x[w3 & 1]; }} }}",
        lambda: (np.full(8, 99),),
        "panic interrupted/panic endless",
    ),
    # -- text that is compiled as it was written: sizeof, offsetof, types in casts and declarations --------------------
    Attack("sizeof reads", S, S + f"{{ return sizeof(char[{W}]); }}", doubles(), "contained"),
    Attack(
        "sizeof reads past an array", S, S + "{ return sizeof(char[(int64_t)x[1 << 28]]); }", doubles(), "contained"
    ),
    Attack("sizeof writes", S, S + "{ return sizeof(char[(*(int64_t *)64)++]); }", doubles(), "contained"),
    Attack(
        "sizeof divides",
        I,
        I + "{ int64_t s = 0; for (int64_t q = 0; q < 5; q++) s += sizeof(char[100 / (i + q)]); return s; }",
        number(0),
        "contained",
    ),
    Attack(
        "offsetof reads",
        S,
        "struct T { char a[4]; };\n" + S + "{ return offsetof(struct T, a[*(int64_t *)64]); }",
        doubles(),
        "contained",
    ),
    Attack(
        "offsetof reads past an array",
        S,
        "struct T { char a[4]; };\n" + S + "{ return offsetof(struct T, a[(int64_t)x[1 << 28]]); }",
        doubles(),
        "contained",
    ),
    Attack("length in a cast reads", S, S + f"{{ return (double (*)[{W}])x == 0; }}", doubles(), "contained"),
    Attack(
        "length in a compound literal reads",
        S,
        S + f"{{ return (double (*)[{W}]){{0}} == 0; }}",
        doubles(),
        "contained",
    ),
    Attack("length behind a pointer reads", S, S + f"{{ double (*p)[{W}]; return 1; }}", doubles(), "contained"),
    Attack("length in a typedef reads", S, S + f"{{ typedef double row[{W}]; return 1; }}", doubles(), "contained"),
    Attack(
        "length of an entry's parameter reads",
        S,
        f"double k(int64_t n, double x[{W}]) {{ return 1; }}",
        doubles(),
        "contained",
    ),
    Attack(
        "length of an entry's parameter writes",
        S,
        "double k(int64_t n, double x[(*(int64_t *)64)++]) { return 1; }",
        doubles(),
        "contained",
    ),
    Attack(
        "length of a helper's parameter reads",
        S,
        f"static double h(double (*a)[{W}]) {{ return 1; }}\n{S}{{ return h((double (*)[3])x); }}",
        doubles(),
        "contained",
    ),
    Attack("length without a name is no constant", S, S + f"{{ char a[{W}]; return 1; }}", doubles(), "contained"),
    Attack(
        "length from a string's address",
        I,
        I
        + '{ char a[(int64_t)"abc" & 0xfffffff]; for (int64_t j = 0; j < 0xf00000; j += 4096) a[j] = j; return a[i]; }',
        number(5),
        "contained",
    ),
    # -- lengths whose text means something else where they are checked ----------------------------------------------
    Attack(
        "length changed behind a pointer to rows",
        S,
        S + "{ int64_t m = 2; double (*p)[m] = (double (*)[m])x; m = 1LL << 40; return p[0][1 << 28]; }",
        doubles(),
        "contained",
    ),
    Attack(
        "dimension hidden by a local",
        S,
        S + "{ { int64_t n = 1; double (*p)[n] = (double (*)[n])(x + 3); return (*p)[1]; } }",
        doubles(),
        "contained",
    ),
    Attack(
        "dimension hidden by a local, written",
        S,
        S + "{ { int64_t n = 1; double (*p)[n] = (double (*)[n])(x + 3); (*p)[1] = 7; return 1; } }",
        doubles(),
        "contained",
    ),
    Attack(
        "helper changes its parameter's length",
        S,
        "static double h(int64_t m, double a[][m]) { m = 1LL << 40; return a[0][1 << 28]; }\n"
        + S
        + "{ return h(2, (double (*)[2])x); }",
        doubles(),
        "contained",
    ),
    Attack(
        "length changed behind a typedef",
        I,
        I + "{ int64_t m = 4; typedef double row[m]; m = 1LL << 40; row a; a[i] = 1; return a[i] + a[0]; }",
        number(),
        "contained",
    ),
    Attack(
        "enumerator hidden, array in a struct",
        I,
        "enum { N = 4 }; struct T { int a[N]; };\n"
        + I
        + "{ struct T s; int64_t N = 1LL << 40; s.a[i] = 1; return s.a[i] + s.a[0]; }",
        number(),
        "contained",
    ),
    Attack(
        "enumerator hidden, local array",
        I,
        "enum { N = 4 };\n" + I + "{ int a[N]; { int64_t N = 1LL << 40; a[i] = 1; return a[i] + a[0]; } }",
        number(),
        "contained",
    ),
    Attack(
        "initialiser reads what it hides",
        "double k(int64_t n, double x[n], int64_t i)",
        "double k(int64_t n, double x[n], int64_t i) { { double x[2] = {x[i]}; return x[0]; } }",
        lambda: (np.zeros(1 << 23), (1 << 23) - 2),
        "contained",
    ),
    Attack(
        "row so long that its size wraps",
        S,
        S + "{ int64_t m = (1LL << 61) + 1; double (*p)[m] = (double (*)[m])x; return (*p)[1 << 28]; }",
        doubles(),
        "contained",
    ),
    Attack(
        "size of a local array wraps",
        I,
        I
        + "{ int64_t m = 1 << 24; float q[m][m][m]; for (int64_t j = 0; j < 8; j++) q[0][i + j][j] = j; double s = 0; for (int64_t j = 0; j < 8; j++) s += q[0][i + 7 - j][j % 3]; return s; }",
        number(1 << 20),
        "contained",
    ),
    # -- room on the stack ------------------------------------------------------------------------------------------------
    Attack(
        "typedef of a huge local array",
        I,
        I + "{ typedef char row[i]; row a; for (int64_t j = 0; j < i; j += 4096) a[j] = 1; return a[0]; }",
        number(1 << 26),
        "contained",
    ),
    Attack(
        "type's name contains the variable's",
        I,
        "typedef struct { char b[4096]; } bigsmall; typedef char small;\n"
        + I
        + "{ bigsmall big[i]; for (int64_t j = 0; j < i; j++) big[j].b[0] = 1; return big[i - 1].b[0]; }",
        number(100000),
        "contained",
    ),
    Attack("chain of large frames", I, FRAMES + I + "{ return g44(i); }", number(1), "contained"),
    Attack(
        "local arrays in a loop",
        I,
        I + "{ double s = 0; for (int64_t j = 0; j < i; j++) { double t[j % 8 + 1]; t[0] = j; s += t[0]; } return s; }",
        number(100000),
        "value 4999950000.0",
    ),
    Attack(
        "local array in a helper that is called often",
        I,
        "static double h(int64_t m) { double t[m]; for (int64_t q = 0; q < m; q++) t[q] = q; return t[m - 1]; }\n"
        + I
        + "{ double s = 0; for (int64_t j = 0; j < i; j++) s += h(j % 8 + 1); return s; }",
        number(100000),
        "value 350000.0",
    ),
    Attack("local array named d", S, S + "{ double d[n]; d[0] = 1; return d[0]; }", doubles(), "value 1.0"),
    Attack(
        "local array for no input",
        S,
        S + "{ double t[n]; double s = 0; for (int64_t i = 0; i < n; i++) { t[i] = x[i]; s += t[i]; } return s; }",
        doubles(0),
        "value 0.0",
    ),
    Attack(
        "local array of negative length",
        I,
        I + "{ double t[i]; t[0] = 1; return t[0]; }",
        number(-3),
        "panic length 3:12",
    ),
    Attack(
        "local array too large",
        I,
        I + "{ double t[i]; t[0] = 1; return t[0]; }".replace("t[", "tt["),
        number(1 << 20),
        "panic stack",
    ),
    Attack(
        "deep recursion",
        I,
        "static double h(int64_t d) { double y[100]; y[d % 100] = d; return d ? h(d - 1) + y[d % 100] : 0; }\n"
        + I
        + "{ return h(i); }",
        number(10**9),
        "panic recursion 1:15",
    ),
    Attack(
        "deep recursion with local arrays",
        I,
        "static double h(int64_t d) { double yy[d % 100 + 1]; yy[0] = d; return d ? h(d - 1) + yy[0] : 0; }\n"
        + I
        + "{ return h(i); }",
        number(10**9),
        "panic stack | panic recursion",
    ),
    Attack(
        "recursion through a prototype",
        I,
        "static double g(int64_t d);\nstatic double h(int64_t d) { return d ? g(d - 1) * 2 + 1 : 0; }\nstatic double g(int64_t d) { char b[1000]; b[d % 1000] = 1; return d ? h(d - 1) + b[d % 1000] : 0; }\n"
        + I
        + "{ return h(i); }",
        number(10**9),
        "panic recursion",
    ),
    # -- struct tags that clang sees and the checks do not ---------------------------------------------------------------
    Attack(
        "tag declared again inside",
        I,
        BIG
        + I
        + "{ struct T; struct T *p; struct T { char a[2]; } s; p = &s; p->a[i] = 1; return p->a[i] + p->a[0]; }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in sizeof",
        I,
        BIG + I + "{ int q = sizeof(struct T { char a[2]; }); " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in _Alignof",
        I,
        BIG + I + "{ int q = _Alignof(struct T { char a[2]; }); " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in an assertion",
        I,
        BIG + I + '{ _Static_assert(sizeof(struct T { char a[2]; }) == 2, ""); ' + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in a length",
        I,
        BIG + I + "{ char q[sizeof(struct T { char a[2]; })]; " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in an enumerator",
        I,
        BIG + I + "{ enum { Q = sizeof(struct T { char a[2]; }) }; " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in offsetof",
        I,
        BIG + I + "{ int q = offsetof(struct T { char a[2]; }, a); " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in a parameter",
        I,
        SMALL + "static int h(struct T { char a[1 << 29]; } *p) { return 1; }\n" + I + "{ " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in a condition",
        I,
        SMALL + I + "{ if ((struct T { char a[1 << 29]; } *)0 == 0) { } " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in a loop's condition",
        I,
        SMALL + I + "{ while ((struct T { char a[1 << 29]; } *)0 != 0) { } " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "tag defined in a switch",
        I,
        SMALL + I + "{ switch ((struct T { char a[1 << 29]; } *)0 != 0) { default: break; } " + USE + " }",
        number(),
        "contained",
    ),
    Attack(
        "integers taken for floats",
        "int64_t k(int64_t i)",
        "struct T { double a, b; };\nint64_t k(int64_t i) { int q = sizeof(struct T { int64_t a, b; }); struct T s = {1000, i}; return s.a / s.b; }",
        number(0),
        "contained",
    ),
    # -- calls ------------------------------------------------------------------------------------------------------------
    Attack(
        "frexp through void",
        S,
        S + "{ void *p = (char *)x + n * 8 - 1; return frexp(3.0, p); }",
        doubles(),
        "refused | panic memory",
    ),
    Attack(
        "modf through void",
        S,
        S + "{ void *p = (char *)x + n * 8 - 1; return modf(3.5, p); }",
        doubles(),
        "refused | panic memory",
    ),
    Attack("memset of a const parameter", R, R + "{ memset(x, 0, 8); return x[0]; }", doubles(), "refused"),
    Attack("modf into a const parameter", R, R + "{ return modf(2.5, x); }", doubles(), "refused"),
    Attack(
        "frexp into a table",
        I,
        "static const int t[300] = {1, 2, 3};\n" + I + "{ return frexp(i, t) + t[i]; }",
        number(1),
        "refused",
    ),
    Attack(
        "memcpy into a table",
        S,
        "static const double t[3] = {1, 2, 3};\n" + S + "{ memcpy(t, x, 24); return t[0] + t[1]; }",
        doubles(),
        "refused",
    ),
    Attack(
        "entry called with too few arguments",
        "double k(int64_t n, double x[n], int64_t a, int64_t b)",
        "double k(int64_t n, double x[n], int64_t a, int64_t b) { if (a == 0) return k(1LL << 40, x); return x[1 << 28]; }",
        lambda: (np.arange(4.0), 0, 0),
        "refused | panic index",
    ),
    Attack(
        "entry calls itself with an array",
        S,
        S + "{ return n < 1 ? 0 : x[0] + k(n - 1, x + 1); }",
        doubles(),
        "value 10.0",
    ),
    Attack("entry calls itself", I, I + "{ return i < 2 ? i : k(i - 1) + k(i - 2); }", number(20), "value 6765.0"),
    Attack(
        "more arguments than parameters",
        I,
        "static double h(double a) { return a; }\n" + I + "{ return h(i, i + 1); }",
        number(20),
        "refused",
    ),
    Attack(
        "memcpy of negative length",
        S,
        S + "{ double y[4]; memcpy(y, x, n - 5); return y[0]; }",
        doubles(),
        "panic memory",
    ),
    Attack(
        "memcpy too long",
        S,
        S + "{ double y[4]; memcpy(y, x, (n + 1) * sizeof *x); return y[0]; }",
        doubles(),
        "panic memory",
    ),
    Attack(
        "memset through void",
        S,
        S + "{ void *p = x; memset(p, 0, n * 8 + 1); return x[0]; }",
        doubles(),
        "panic memory 4:10",
    ),
    Attack(
        "memcpy of memcpy",
        S,
        S + "{ double y[4]; memcpy(memcpy(y, x, 32), x + 1, 24); return y[0] + y[2]; }",
        doubles(),
        "value 6.0",
    ),
    # -- values that the compiler believes in ------------------------------------------------------------------------------
    Attack(
        "bool that is neither 0 nor 1",
        "double k(int64_t n, const bool f[n], double x[2])",
        "double k(int64_t n, const bool f[n], double x[2]) { double s = 0; for (int64_t i = 0; i < n; i++) { x[f[i]] += 1; s += x[f[i]]; } return s; }",
        lambda: (np.array([200, 201, 3], np.uint8).view(bool), np.zeros(2)),
        "contained",
    ),
    Attack(
        "bool of its own making",
        I,
        I
        + "{ double t[2] = {1, 2}, r = 0; bool b[256]; unsigned char *c = (unsigned char *)b; for (int64_t j = 0; j < 256; j++) c[j] = i + j; for (int j = 0; j < 256; j++) { t[b[j]] += j; r += t[b[255 - j]]; } return r; }",
        number(200),
        "contained",
    ),
    Attack(
        "assumption in code without checks",
        "double k(double a)",
        "double k(double a) { __builtin_assume(0); return a; }",
        number(1.0),
        "value 1.0/panic assumption 3:3",
    ),
    Attack(
        "assumption that a switch is complete",
        I,
        I
        + "{ __builtin_assume((uint64_t)i < 8); switch (i) { case 0: return 3; case 1: return 11; case 2: return 5; case 3: return 1.5; case 4: return 9; case 5: return 19; case 6: return 23; case 7: return 42; } return 0; }",
        number(),
        "value 0.0/panic assumption",
    ),
    Attack(
        "assumption that a default is not reached",
        I,
        I
        + "{ double s = 1; switch (i) { case 0: s = 3; break; case 1: s = 4; break; case 2: s = cos(i); break; case 3: s = sin(i); break; case 5: s = tan(i); break; default: __builtin_assume(0); } return s; }",
        number(),
        "value 1.0/panic assumption",
    ),
    Attack(
        "assumption about an index",
        I,
        "static const double t[4] = {1, 2, 3, 4};\n" + I + "{ __builtin_assume(i >= 0 && i < 4); return t[i]; }",
        number(),
        "panic index/panic assumption",
    ),
    Attack("unreachable", I, I + "{ if (i > 3) __builtin_unreachable(); return i; }", number(), "panic unreachable"),
    Attack(
        "misaligned struct",
        S,
        "struct L { long double a; };\n" + S + "{ *(struct L *)(x + 1) = *(struct L *)(x + 3); return x[1]; }",
        doubles(8),
        "value 4.0 | refused | panic",
    ),
    Attack(
        "misaligned local struct",
        I,
        "struct L { long double a; };\n"
        + I
        + "{ char c[100]; for (int j = 0; j < 100; j++) c[j] = i * j; struct L *p = (struct L *)(c + i), *q = (struct L *)(c + i + 40); *p = *q; double s = 0; for (int j = 0; j < 100; j++) s += c[j]; return s; }",
        number(1),
        "contained",
    ),
    Attack(
        "difference of pointers to rows of no length",
        S,
        S
        + "{ int64_t m = n - 4; double (*p)[m] = (double (*)[m])x; double (*q)[m] = (double (*)[m])(x + 1); return p - q; }",
        doubles(),
        "contained",
    ),
    Attack(
        "difference of pointers to nothing",
        S,
        "struct E { };\n"
        + S
        + "{ struct E *p = (struct E *)x; struct E *q = (struct E *)(x + n); int64_t d = q - p; if (d >= 0 && d < 4) return x[d]; return 5; }",
        doubles(),
        "refused | panic division | value 5.0",
    ),
    Attack(
        "shift too far",
        "int64_t k(int64_t a, int64_t b)",
        "int64_t k(int64_t a, int64_t b) { return (a << b) + ((int)a >> b); }",
        lambda: (5, 64),
        "contained/panic shift 3:11",
    ),
    Attack(
        "float too large for an index",
        S,
        S + "{ return x[(int64_t)(x[0] * 1e300)]; }",
        doubles(),
        "panic index/panic conversion 3:12",
    ),
    Attack(
        "NaN as an index", S, S + "{ return x[(int64_t)(0.0 / (x[0] - 1))]; }", doubles(), "value 1.0/panic conversion"
    ),
    Attack(
        "leading zeros of zero",
        "int k(int a)",
        "int k(int a) { return __builtin_clz(a) < 33 && __builtin_ctz(a) < 33; }",
        number(0),
        "value 1",
    ),
    Attack(
        "absolute value of the least integer",
        "int k(int a)",
        "int k(int a) { return abs(a); }",
        number(-(2**31)),
        "value -2147483648/panic overflow",
    ),
    Attack(
        "index times size wraps",
        S,
        S + "{ double *p = x; return p[(n << 59) + 1]; }",
        doubles(),
        "contained/panic pointer | panic index",
    ),
    # -- types that decide what is computed ---
    *(
        Attack(
            f"shift by {by}",
            "int64_t k(int64_t i)",
            f"int64_t k(int64_t i) {{ int s = {by}; if (1LL << s) return 1; return 2; }}",
            number(1),
            "contained/panic shift",
        )
        for by in (70, -1, 64)
    ),
    *(
        Attack(name, "int64_t k(int64_t i)", text, number(1), expected)
        for name, text, expected in [
            (
                "wide bit-field",
                "struct B { uint64_t f : 40; }; int64_t k(int64_t i) { struct B s; s.f = 1LL << 35; return s.f / 3 + (s.f + 1); }",
                "value 45812984491",
            ),
            (
                "full bit-field",
                "struct B { unsigned f : 32; }; int64_t k(int64_t i) { struct B s; s.f = 4000000000u; return s.f / 3; }",
                "value 1333333333",
            ),
            (
                "negative enumerator",
                "enum E { A = ~0 }; int64_t k(int64_t i) { enum E e = A; return e / 2; }",
                "value 0",
            ),
            (
                "enumerator that is no int",
                "enum E { A = 0xffffffff }; int64_t k(int64_t i) { return A / 3; }",
                "refused untraceable",
            ),
            (
                "counted enumerators",
                "enum E { A = 3, B = A << 2, C }; int64_t k(int64_t i) { enum E e = C; return e / 2; }",
                "value 6",
            ),
            (
                "rows by stars",
                "int64_t k(int64_t i) { int64_t a[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}; int64_t (*r)[3] = a; return *(*(r + 1) + 2) + (*(r + 1))[2] + (*r++)[2] + *(*(a + i) + 2); }",
                "value 21",
            ),
            (
                "rows by stars beyond",
                "int64_t k(int64_t i) { int64_t a[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}; int64_t (*r)[3] = a; return *(*(r + 2 * i) + 3); }",
                "panic pointer | panic index",
            ),
        ]
    ),
    # -- found by a second pair of eyes ---
    *(
        Attack(name, signature, text.replace("SI", signature), arguments, expected)
        for name, signature, text, arguments, expected in [
            (
                "row whose size wraps",
                SI,
                "SI { return (*(double (*)[n][n][n][n])x)[i][i][i][i]; }",
                lambda: (np.ones(65536), 5),
                "panic pointer",
            ),
            (
                "row of constants whose size wraps",
                "int64_t k(int64_t n, int8_t x[n])",
                "SI { int64_t m = 16; int8_t (*p)[m][1 << 30][1 << 30] = (int8_t (*)[n][1 << 30][1 << 30])x; (*p)[0][0][100000] = 3; return 1; }",
                lambda: (np.zeros(16, np.int8),),
                "refused | panic pointer | panic length",
            ),
            (
                "row of structs whose size wraps",
                SI,
                "struct Z { char c[1 << 30]; }; SI { int64_t m = 1 << 24; void *v = x; struct Z (*p)[m] = v; return (*p)[1].c[i]; }",
                lambda: (np.ones(4), 5),
                "panic pointer",
            ),
            (
                "parameter's row whose size wraps",
                "int64_t k(int64_t n, int8_t x[n])",
                "static int64_t h(int64_t m, int8_t a[][m][m][m]) { return a[0][9][9][9] + a[1][m - 1][m - 1][m - 1]; } SI { return h(1 << 22, (void *)x); }",
                lambda: (np.zeros(16, np.int8),),
                "refused | panic pointer",
            ),
            (
                "jump back past a variable array",
                SI,
                "static void h(double *p, int64_t d) { for (int64_t j = 0; j < 400; j++) p[j] = 12345.0; if (d > 0) h(p, d - 1); } SI { int64_t m = 400; double *p = x; again:; double a[m]; a[0] = i; if (m == 400) { m = 1; p = a; goto again; } h(p, 1); return a[0] + p[1]; }",
                lambda: (np.ones(4), 5),
                "refused untraceable",
            ),
            (
                "enumerator named like a dimension",
                SI,
                "SI { { enum { n = 2 }; double a[n]; a[i] = 5; return a[0]; } }",
                lambda: (np.ones(1 << 20), 90000),
                "panic index",
            ),
            (
                "row of an enumerator named like a dimension",
                SI,
                "SI { enum { m = 2 }; { enum { n = 2 }; double (*p)[n] = (double (*)[2])x; (*p)[i + 2] = 5; return 1; } }",
                lambda: (np.ones(4), 1),
                "panic index",
            ),
            (
                "constant that a later parameter hides",
                SI,
                "static const int64_t m = 3; static double h(double (*a)[m], int64_t m) { return (*a)[1 << 20]; } SI { return h((double (*)[3])x, 1 << 24); }",
                lambda: (np.ones(4), 1),
                "refused untraceable",
            ),
            (
                "rows of different length by ?:",
                "double k(int64_t n, int64_t m, double x[n], double y[m], int64_t i)",
                "SI { return (*(i > 0 ? (double (*)[m])x : (double (*)[3])x))[i]; }",
                lambda: (np.ones(4), np.ones(1 << 20), 10**6),
                "refused",
            ),
            (
                "length that is no constant for clang",
                SI,
                "SI { char a[8 / (3 - 3)]; a[0] = i; return a[0]; }",
                lambda: (np.ones(4), 1),
                "refused | panic division",
            ),
            (
                "lifetime of a length that is no constant",
                SI,
                "SI { double *p = x; { double a[8 / (2 - 2) + 4]; p = a; } return p[0]; }",
                lambda: (np.ones(4), 1),
                "refused",
            ),
            (
                "one case behind a pointer",
                LI,
                "SI { switch (i) { int64_t *p = x; default: p[0] = 5; } return 1; }",
                lambda: (np.ones(4, np.int64), 1),
                "refused untraceable",
            ),
            (
                "one case behind an array",
                LI,
                "SI { switch (i) { volatile int64_t j[400] = {0}; default: return j[5]; } }",
                lambda: (np.ones(4, np.int64), 1),
                "refused untraceable",
            ),
            (
                "jump into a for past its variable",
                LI,
                "SI { int64_t s = 0; goto L; for (int64_t j = x[0];; ) { L: return 5 / j; } return s; }",
                lambda: (np.ones(4, np.int64), 1),
                "refused untraceable",
            ),
            (
                "case inside of a block",
                LI,
                "SI { int64_t s = 0; switch (i) { case 0: { int64_t j = x[0]; s = 1; case 1: x[j] = 5; s += x[j ^ 1]; } } return s; }",
                lambda: (np.ones(4, np.int64), 1),
                "refused untraceable",
            ),
            (
                "case inside of a loop",
                LI,
                "SI { int64_t s = 0; switch (i) { case 0: for (int64_t j = 0; j < 2; j++) { case 1: s += x[j]; } } return s; }",
                lambda: (np.ones(4, np.int64), 1),
                "refused untraceable",
            ),
            (
                "bool that is no bool updated",
                "int64_t k(int64_t n, bool x[n], int64_t i)",
                "SI { int64_t t[2] = {10, 20}; t[x[0] ^= 0] = 7; return t[0] + t[i]; }",
                lambda: (np.full(4, 255, np.uint8).view(bool), 1),
                "value 17",
            ),
            (
                "bool made of bytes updated",
                LI,
                "SI { bool b; memset(&b, 254 + i, 1); int64_t t[2] = {5, 6}; t[(b ^= 0)] = 9; return t[0] + t[1]; }",
                lambda: (np.ones(4, np.int64), 1),
                "value 14",
            ),
            (
                "bool made of bytes stepped",
                LI,
                "SI { bool b; memset(&b, 254 + i, 1); int64_t t[2] = {5, 6}; t[b--] += 9; t[b++] += 1; t[b] += 1; return t[0] + 100 * t[1]; }",
                lambda: (np.ones(4, np.int64), 1),
                "value 1606",
            ),
            (
                "large struct without a subscript",
                SI,
                "struct S { double a; char c[12 << 20]; double b; }; SI { volatile struct S s; s.a = i; s.b = i; return s.a + s.b; }",
                lambda: (np.ones(4), 1),
                "refused compiler",
            ),
            (
                "bit-field of 32 bits shifted",
                LI,
                "struct B { uint64_t f : 32; }; SI { struct B s = {5}; int64_t j = s.f << 40; if (j < 0 || j >= n) return -5; return x[j]; }",
                lambda: (np.ones(4, np.int64), 1),
                "contained/panic shift",
            ),
            (
                "assigned bit-field shifted",
                LI,
                "struct B { uint64_t f : 5; }; SI { struct B s; int64_t j = (s.f = i) << 40; if (j < 0 || j >= n) return -5; return x[j]; }",
                lambda: (np.ones(4, np.int64), 1),
                "contained/panic shift",
            ),
            (
                "width by an outer enumerator",
                LI,
                "enum { N = 5 }; SI { { enum { N = 40 }; i += N; } struct B { uint64_t f : N; } s = {1}; int64_t j = s.f << 40; if (j < 0 || j >= n) return -5; return x[j]; }",
                lambda: (np.ones(4, np.int64), 1),
                "contained/panic shift",
            ),
            (
                "subscript of variable rows computed once",
                LI,
                "SI { int64_t m = 4, c = 0; int64_t a[m][2][m]; memset(a, 0, sizeof(a)); a[c++][1][2] = 5; return c * 10 + a[0][1][2]; }",
                lambda: (np.ones(4, np.int64), 1),
                "value 15",
            ),
            (
                "assigned bit-field is narrow",
                LI,
                "struct B { uint64_t c : 31; }; SI { struct B s; return ((s.c = 2) - 5) / 2; }",
                lambda: (np.ones(4, np.int64), 1),
                "value -1",
            ),
            (
                "field of an assignment",
                LI,
                "struct V { int64_t v[3]; }; SI { struct V a, b = {{4, 5, 6}}; return *((a = b).v + 1); }",
                lambda: (np.ones(4, np.int64), 1),
                "value 5",
            ),
            (
                "field of a returned struct",
                LI,
                "struct V { bool ok; int64_t v[3]; }; static struct V h(int64_t i) { struct V r = {i > 0, {1, 2, 3}}; return r; } static int64_t g(const int64_t *p) { return p[2]; } SI { return h(i).ok ? g(h(i).v) + h(i).v[1] : 0; }",
                lambda: (np.ones(4, np.int64), 1),
                "value 5",
            ),
            (
                "field of a returned struct beyond",
                LI,
                "struct V { int64_t v[3]; }; static struct V h(int64_t i) { struct V r = {{1, 2, 3}}; return r; } SI { return h(i).v[i + 2]; }",
                lambda: (np.ones(4, np.int64), 1),
                "panic index",
            ),
            (
                "static in a helper's parameter",
                SI,
                "static double h(const double a[static 3]) { return a[2]; } SI { return h(x); }",
                lambda: (np.ones(4), 1),
                "value 1.0",
            ),
            (
                "plain constants of many kinds",
                LI,
                "enum E { A = '\\n', B = sizeof(double), C = A > 2, D = A && 1, F = 1 ? 3 : 4, G = (int)2, H = 3u }; SI { int64_t t[A + B + C + D + F + G + H] = {0}; return sizeof(t) / sizeof(t[0]); }",
                lambda: (np.ones(4, np.int64), 1),
                "value 28",
            ),
            (
                "sizeof of a parameter",
                LI,
                "SI { int64_t y[n]; return sizeof x / sizeof x[0] + 100 * sizeof(x) + 10000 * sizeof(y) + x[0] - 1; }",
                lambda: (np.ones(4, np.int64), 1),
                "value 320801",
            ),
            (
                "sizeof of a row",
                LI,
                "SI { int64_t a[n][n]; memset(a, 0, sizeof(a)); a[0][1] = 7; memcpy(a[1], a[0], sizeof(a[0])); return a[1][1] + sizeof(a[0]); }",
                lambda: (np.ones(4, np.int64), 1),
                "value 39",
            ),
        ]
    ),
    *(
        Attack(name, signature, text.replace("SI", signature), arguments, expected)
        for name, signature, text, arguments, expected in [
            *(
                (
                    f"member that declares nothing {nth}",
                    I,
                    f"{structs} SI {{ struct S s; s.a[(int64_t)i] = 1; return s.a[(int64_t)i] + s.a[0]; }}",
                    number(700000),
                    "refused | panic index",
                )
                for nth, structs in enumerate(
                    (
                        "struct S { struct T { char a[800000]; }; char a[2]; };",
                        "struct T { char a[800000]; }; struct S { struct T; char a[2]; };",
                        "struct S { union T { char a[800000]; }; char a[2]; };",
                        "typedef struct { char a[800000]; } T; struct S { T; char a[2]; };",
                    )
                )
            ),
            (
                "member that declares nothing in a buffer",
                S,
                "struct S { struct T { double a[1 << 28]; }; double a[1]; }; SI { struct S *p = (struct S *)x; return p->a[1 << 27]; }",
                doubles(),
                "refused",
            ),
            (
                "division by such a member",
                "int64_t k(int64_t a)",
                "struct S { struct T { double a; }; int64_t a; }; SI { struct S s; s.a = a; return 5 / s.a; }",
                number(0),
                "refused",
            ),
            *(
                (
                    f"length of signs {nth}",
                    I,
                    f"enum {{ A = -1 }}; SI {{ volatile double a[{length}]; for (int64_t j = 0; j < 3000000; j++) a[j] = j; return a[(int64_t)i]; }}",
                    number(5),
                    "refused | panic index | panic length | panic stack",
                )
                for nth, length in enumerate(
                    (
                        "(-1 < sizeof(int)) * 3000000 + 2",
                        "A < sizeof(int) ? 3000000 : 2",
                        "-3 % 3u == 0 ? 3000000 : 2",
                        "-1 / 2u == 0 ? 3000000 : 2",
                        "(unsigned)1 > -1 ? 3000000 : 2",
                    )
                )
            ),
            (
                "complex integers",
                I,
                "SI { volatile char a[sizeof(_Complex int) * 12500]; for (int64_t j = 0; j < 400000; j++) a[j] = j; return a[(int64_t)i]; }",
                number(5),
                "refused type",
            ),
            (
                "division of complex integers",
                I,
                "SI { int _Complex a = 3, b = i; a = a / b; return a == 1; }",
                number(0),
                "refused type",
            ),
            (
                "bit-field of an anonymous struct",
                "int64_t k(int64_t a)",
                "struct B { struct { unsigned a : 3; int b : 5; }; }; SI { struct B s = {{2, 1}}; s.b = a; s.b /= 1; s.a <<= 0; return s.b + (s.a - 6) / 2; }",
                number(9),
                "value 7",
            ),
            (
                "wide string",
                I,
                'SI { const int *w = L"abc"; return w[0]; }',
                number(0),
                "refused untraceable | refused compiler",
            ),
            (
                "jump back over an array of constant length",
                LI,
                "SI { int64_t c = 0; again:; double y[sizeof(double) * 4]; y[0] = ++c; if (c < 3) goto again; return y[0]; }",
                lambda: (np.ones(4, np.int64), 1),
                "value 3",
            ),
        ]
    ),
    # -- ends ---------------------------------------------------------------------------------------------------------------
    Attack(
        "calls that double",
        I,
        CALLS + I + "{ return f60(i); }",
        number(3),
        "panic interrupted/panic interrupted | panic endless",
    ),
    Attack(
        "recursion that doubles",
        "int64_t k(int64_t i)",
        "static int64_t h(int64_t x) { return x < 2 ? x : h(x - 1) + h(x - 2); }\nint64_t k(int64_t i) { return h(i); }",
        number(90),
        "panic interrupted/panic endless",
    ),
    Attack(
        "endless tail recursion",
        "int k(int i)",
        "static int h(int x) { return x == 5000 ? 0 : h(x ^ 1); }\nint k(int i) { return h(i); }",
        number(1),
        "panic interrupted | panic recursion/panic endless | panic recursion",
    ),
    Attack(
        "endless loop without effect",
        "int k(int i)",
        "int k(int i) { while (i) { } return 3; }",
        number(1),
        "panic interrupted/panic endless 3:3",
    ),
    Attack(
        "endless goto", "int k(int i)", "int k(int i) { L: goto L; }", number(1), "panic interrupted/panic endless 3:3"
    ),
    Attack(
        "checks that take for ever: types",
        I,
        UNIONS + I + "{ union U40 *p = 0; return p == 0; }",
        number(1),
        "contained",
    ),
    Attack(
        "checks that take for ever: text",
        S,
        S + "{ double *p = x; return " + tripled(16) + "; }",
        doubles(),
        "contained",
    ),
    # -- results ------------------------------------------------------------------------------------------------------------
    Attack(
        "struct named before it is defined",
        I,
        "typedef struct P P;\nstruct P { double x; double y; };\n"
        + I
        + "{ P p; p.x = 3; p.y = i; return p.x / 2 + p.y / 2; }",
        number(3),
        "value 3.0",
    ),
    Attack(
        "struct initialised",
        I,
        "struct P { double x, y; };\n" + I + "{ struct P p = {0.5, i + 0.25}; return p.x + p.y; }",
        number(3),
        "value 3.75",
    ),
    Attack(
        "struct initialised by name",
        I,
        "struct P { double x, y; };\n" + I + "{ struct P p = {.x = 0.5, .y = i + 0.25}; return p.x + p.y; }",
        number(3),
        "value 3.75",
    ),
    Attack(
        "array initialised by index", I, I + "{ double p[4] = {[1] = i + 0.5}; return p[1]; }", number(3), "value 3.5"
    ),
    Attack(
        "UCHAR_MAX is an int",
        "int k(int a)",
        "int k(int a) { return a / UCHAR_MAX + a % UINT16_MAX; }",
        number(-1000),
        "value -1003",
    ),
    Attack(
        "negative enumerators",
        "int k(int a)",
        "enum E { M = -1, Z }; int k(int a) { enum E e = (enum E)a; return e / 2; }",
        number(-10),
        "value -5",
    ),
    Attack(
        "bit-fields are promoted",
        "int64_t k(int64_t a)",
        "struct B { unsigned a : 3; unsigned b : 5; }; int64_t k(int64_t a) { struct B s = {2, 1}; s.b = a; return (s.a - 5) / 2; }",
        number(3),
        "value -1",
    ),
    Attack(
        "bit-fields divided and stepped",
        "int64_t k(int64_t a)",
        "struct B { unsigned a : 3; unsigned b : 5; }; int64_t k(int64_t a) { struct B s = {2, 1}; s.b = a; s.b /= 2; s.a++; return s.a + s.b; }",
        number(7),
        "value 6",
    ),
    Attack(
        "bit-field as an operand",
        "int64_t k(int64_t a)",
        "struct B { int a : 9; unsigned b : 5; }; int64_t k(int64_t a) { struct B s = {2, 1}; s.b = a; s.a += 5; a += s.b; s.a--; return s.a + s.b + a; }",
        number(7),
        "value 27",
    ),
    Attack(
        "long double to integer",
        "int64_t k(int64_t a)",
        "int64_t k(int64_t a) { long double v = a; return (int64_t)v; }",
        number((1 << 53) + 1),
        "value 9007199254740993",
    ),
    Attack(
        "long double complex",
        I,
        I + "{ long double _Complex v = i; v = v / 2; return (double)v; }",
        number(7),
        "value 3.5 | refused",
    ),
    Attack(
        "pointer to rows stepped in a difference",
        S,
        S
        + "{ double (*p)[n] = (double (*)[n])x; double (*q)[n] = p; int64_t d = (p++) - q; return (char *)p - (char *)q + d; }",
        doubles(),
        "value 32.0",
    ),
    Attack(
        "narrow integers stepped",
        "int32_t k(int32_t a)",
        "int32_t k(int32_t a) { int32_t b = a++; int16_t c = 32767; c++; bool d = 0; d++; d++; return b + a + c + d; }",
        number(5),
        "value -32756",
    ),
    Attack(
        "unsigned wraps",
        "uint32_t k(uint32_t a)",
        "uint32_t k(uint32_t a) { a -= 10; return a * a; }",
        number(5),
        "value 25",
    ),
    Attack(
        "least integer over minus one",
        "int64_t k(int64_t a, int64_t b)",
        "int64_t k(int64_t a, int64_t b) { return a / b + a % b; }",
        lambda: (-(2**63), -1),
        "panic division 3:10",
    ),
    Attack(
        "narrow integer over minus one",
        "int32_t k(int32_t a, int32_t b)",
        "int32_t k(int32_t a, int32_t b) { int8_t c = a; c /= b; return c; }",
        lambda: (-128, -1),
        "value -128",
    ),
    Attack(
        "union as a cast",
        "int64_t k(double a)",
        "int64_t k(double a) { union { double d; int64_t i; } u; u.d = a; return u.i >> 52; }",
        number(1.0),
        "value 1023",
    ),
    Attack(
        "memcpy as a cast",
        "int64_t k(double a)",
        "int64_t k(double a) { int64_t i; memcpy(&i, &a, sizeof i); return i >> 52; }",
        number(1.0),
        "value 1023",
    ),
    # -- code that models write -------------------------------------------------------------------------------------------
    Attack(
        "best row so far",
        M,
        M
        + "{ const double *best = x[0]; for (int64_t i = 1; i < n; i++) { const double *row = x[i]; if (row[0] > best[0]) best = row; } return best[0]; }",
        rows,
        "value 8.0",
    ),
    Attack(
        "two buffers swapped",
        S,
        S
        + "{ double a[16] = {0}, b[16] = {0}; double *cur = a, *prev = b; for (int64_t i = 0; i < n; i++) { double *t = cur; cur = prev; prev = t; for (int j = 1; j < 16; j++) cur[j] = prev[j - 1] + x[i]; } return cur[n]; }",
        doubles(),
        "value 10.0",
    ),
    Attack(
        "either of two arrays for a helper",
        S,
        "static double h(const double *p, int64_t n) { return p[n - 1]; }\n"
        + S
        + "{ double y[4] = {0}; return h(n > 2 ? x : y, 4); }",
        doubles(),
        "value 4.0",
    ),
    Attack(
        "goto the end",
        S,
        S + "{ double s = 0; if (n < 100) goto done; int64_t q = n * 2; s = q; done: return s; }",
        doubles(),
        "value 0.0",
    ),
    Attack("compound literal indexed", I, I + "{ return (double[3]){1, 2, 3}[i]; }", number(2), "value 3.0"),
    Attack(
        "compound literal for a helper",
        I,
        "struct P { double x, y; };\nstatic double h(const struct P *p) { return p->x + p->y; }\n"
        + I
        + "{ return h(&(struct P){1, i}); }",
        number(2),
        "value 3.0",
    ),
    Attack("string behind a plain pointer", I, I + '{ char *p = "hello"; return p[i]; }', number(2), "value 108.0"),
    Attack(
        "typedef of a const pointer",
        S,
        "typedef double *const cp;\n" + S + "{ cp p = x; return *p; }",
        doubles(),
        "value 1.0",
    ),
    Attack(
        "length is what a pointer leads to",
        "double k(int64_t n, const int32_t q[1], double x[n])",
        "double k(int64_t n, const int32_t q[1], double x[n]) { double tt[(*q)]; tt[0] = 1; return tt[0]; }",
        lambda: (np.array([3], np.int32), np.ones(3)),
        "value 1.0",
    ),
    Attack(
        "quicksort",
        S,
        "static void qs(double *a, int64_t n) { if (n < 2) return; double p = a[n / 2]; int64_t i = 0, j = n - 1; for (;; i++, j--) { while (a[i] < p) i++; while (a[j] > p) j--; if (i >= j) break; double t = a[i]; a[i] = a[j]; a[j] = t; } qs(a, i); qs(a + i, n - i); }\n"
        + S
        + "{ qs(x, n); return x[0]; }",
        lambda: (np.array([3.0, 1, 2, 9, 5]),),
        "value 1.0",
    ),
    Attack(
        "results through pointers",
        S,
        "static void mm(const double *p, int64_t n, double *lo, double *hi) { *lo = *hi = p[0]; for (int64_t i = 1; i < n; i++) { if (p[i] < *lo) *lo = p[i]; if (p[i] > *hi) *hi = p[i]; } }\n"
        + S
        + "{ double lo, hi; mm(x, n, &lo, &hi); return hi - lo; }",
        doubles(),
        "value 3.0",
    ),
    Attack(
        "pointer found in a loop",
        S,
        S + "{ double *p = NULL; for (int64_t i = 0; i < n; i++) if (x[i] > 2) p = &x[i]; return p ? *p : 0; }",
        doubles(),
        "value 4.0",
    ),
    Attack(
        "pointer to rows walks",
        M,
        M
        + "{ double s = 0; for (double (*r)[m] = x; r < x + n; r++) for (int64_t j = 0; j < m; j++) s += (*r)[j]; return s; }",
        rows,
        "value 66.0",
    ),
    Attack(
        "matrix as a flat array",
        M,
        M + "{ const double *p = &x[0][0]; double s = 0; for (int64_t i = 0; i < n * m; i++) s += p[i]; return s; }",
        rows,
        "value 66.0",
    ),
    Attack(
        "backwards in steps",
        S,
        S + "{ double s = 0; for (const double *p = &x[n - 1]; p >= x; p -= 2) s += *p; return s; }",
        doubles(),
        "value 6.0",
    ),
    Attack(
        "matrix for a helper",
        M,
        "static double h(int64_t n, int64_t m, double a[n][m]) { double s = 0; for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) s += a[i][j]; return s; }\n"
        + M
        + "{ return h(n, m, x); }",
        rows,
        "value 66.0",
    ),
    # -- what holds: pointers and indices -----------------------------------------------------------------------------------
    Attack("index below", S, S + "{ return x[-1]; }", doubles(), "panic index 3:10"),
    Attack("index above", S, S + "{ return x[n]; }", doubles(), "panic index 3:10"),
    Attack(
        "index turned round",
        S,
        S + "{ const double *e = x + n; return e[-1] + (-1)[e] + x[-0]; }",
        doubles(),
        "value 9.0",
    ),
    Attack("column above", M, M + "{ return x[1][m]; }", rows, "panic index 3:10"),
    Attack(
        "row above through a pointer", M, M + "{ double (*r)[m] = x + n; return r[0][0]; }", rows, "panic pointer 4:10"
    ),
    Attack("dimension changed", S, S + "{ n = 1LL << 40; return x[n - 1]; }", doubles(), "panic index 4:10"),
    Attack("inner dimension changed", M, M + "{ m = 1LL << 40; return x[0][m - 1]; }", rows, "panic index 4:10"),
    Attack(
        "helper told a wrong length",
        S,
        "static double h(const double *p, int64_t n) { double s = 0; for (int64_t i = 0; i < n; i++) s += p[i]; return s; }\n"
        + S
        + "{ return h(x, n + 1); }",
        doubles(),
        "panic pointer 6:10",
    ),
    Attack(
        "helper told wrong dimensions",
        M,
        "static double h(int64_t n, int64_t m, double a[n][m]) { return a[0][m - 1]; }\n"
        + M
        + "{ return h(1, n * m + 1, x); }",
        rows,
        "panic pointer",
    ),
    Attack(
        "pointer walks off",
        S,
        S + "{ double s = 0; for (const double *p = x; p <= x + n; p++) s += *p; return s; }",
        doubles(),
        "panic pointer 6:11",
    ),
    Attack("pointer never set", S, S + "{ double *p; return *p; }", doubles(), "panic pointer 4:11"),
    Attack("null pointer", S, S + "{ double *p = NULL; return p[n]; }", doubles(), "panic pointer 4:10"),
    Attack(
        "helper's null pointer",
        S,
        "static double h(const double *p) { return *p; }\n" + S + "{ return h(NULL); }",
        doubles(),
        "panic pointer",
    ),
    Attack(
        "struct pointer over the end",
        S,
        "struct Q { double a, b; };\n" + S + "{ struct Q *p = (struct Q *)(x + n - 1); return p->a; }",
        doubles(),
        "panic pointer",
    ),
    Attack(
        "parameter stepped past its end",
        S,
        S + "{ double s = 0; while (n-- >= 0) s += *x++; return s; }",
        doubles(),
        "panic pointer",
    ),
    Attack(
        "array in a struct",
        I,
        "struct P { int a[3]; int b; };\n" + I + "{ struct P p = {{0}, 5}; return p.a[i]; }",
        number(3),
        "panic index",
    ),
    Attack(
        "array in a table of structs",
        I,
        "struct P { int a[2]; int b; };\nstatic const struct P t[2] = {{{1, 2}, 3}, {{4, 5}, 6}};\n"
        + I
        + "{ return t[1].a[i]; }",
        number(2),
        "panic index",
    ),
    Attack(
        "flexible array",
        I,
        "struct P { int n; int a[]; };\n" + I + "{ struct P p; p.n = 1; return p.a[i]; }",
        number(0),
        "panic pointer | refused",
    ),
    Attack("array of no length", I, I + "{ int a[0]; return a[i]; }", number(0), "panic index | refused"),
    Attack(
        "one inside the other hidden",
        S,
        S
        + "{ double s = 0; { double *q = x; { double y[2] = {5, 6}; double *q = y; s += q[1]; } s += q[3]; } return s; }",
        doubles(),
        "value 10.0",
    ),
    Attack(
        "jump into a block past a pointer",
        S,
        S + "{ double s = 0; switch (n) { case 0: { double *p = x; s = 1; case 4: s += p[1 << 28]; } } return s; }",
        doubles(),
        "panic pointer | refused",
    ),
    Attack(
        "jump into a block past an index",
        S,
        S + "{ double s = 0; switch (n) { case 0: { int64_t j = 1 << 28; case 4: s += x[j]; } } return s; }",
        doubles(),
        "contained",
    ),
    Attack(
        "goto into a block",
        S,
        S + "{ double s = 0; if (n > 3) goto in; { double y[4] = {1, 2, 3, 4}; in: s += y[n - 1]; } return s; }",
        doubles(),
        "refused untraceable",
    ),
    Attack(
        "goto back over a block's array",
        S,
        S
        + "{ int64_t c = 0; double s = 0; again: { double y[4] = {0}; double *p = y; p[c] = c; s += y[3]; if (++c < 4) goto again; } return s; }",
        doubles(),
        "value 3.0",
    ),
    Attack(
        "pointer outlives a local array",
        I,
        I
        + "{ double s = 0; double *p; for (int64_t j = 1; j < i; j++) { double tt[j]; tt[0] = j; if (j == 1) p = tt; s += *p; } return s; }",
        number(9),
        "refused untraceable",
    ),
    Attack("pointer from a number", I, I + "{ return *(double *)i; }", number(), "refused untraceable"),
    Attack(
        "pointer to a pointer",
        S,
        S + "{ double *p = x; double **q = &p; return **q; }",
        doubles(),
        "refused untraceable",
    ),
    Attack(
        "pointer in a struct",
        S,
        "struct P { double *p; };\n" + S + "{ struct P s; s.p = x; return s.p[n]; }",
        doubles(),
        "refused untraceable",
    ),
    Attack(
        "pointer read from an array",
        S,
        "struct P { double *p; };\n" + S + "{ return ((struct P *)x)->p[0]; }",
        doubles(),
        "panic pointer",
    ),
    # -- what holds: names ---------------------------------------------------------------------------------------------------
    *(
        Attack(f"reserved {what}", S, text, doubles(), "refused")
        for what, text in {
            "label": S + "{ sj_f: return 1; }",
            "goto": S + "{ goto sj_x; return 1; }",
            "field": "struct P { double sj_f; };\n" + S + "{ return 1; }",
            "tag": "struct sj_frame { double a; };\n" + S + "{ return 1; }",
            "typedef": S + "{ typedef double sj_f; return 1; }",
            "enumerator": S + "{ enum { sj_f }; return 1; }",
            "parameter": "static double h(double sj_f) { return sj_f; }\n" + S + "{ return h(1); }",
            "use": S + "{ return sj_f->site; }",
            "call": S + "{ sj_panic(0, 0, 0, 0); return 1; }",
            "pasted name": "#define A(x) sj_##x\n" + S + "{ return A(f)->site; }",
            "designator": "struct P { double a; };\n" + S + "{ struct P p = {.sj_f = 1}; return p.a; }",
        }.items()
    ),
]


def cases() -> list[Any]:
    made = []
    for attack in ATTACKS:
        both = attack.expected.split("/")
        for profile, expected in (("safe", both[0]), ("checked", both[-1])):
            made.append(pytest.param(attack, profile, expected, id=f"{attack.name}-{profile}"))
    return made


@pytest.mark.parametrize(("attack", "profile", "expected"), cases())
def test_an_attack_is_contained(attack: Attack, profile: str, expected: str) -> None:
    for at_end in (True, False) if any(isinstance(a, np.ndarray) for a in attack.arguments()) else (True,):
        outcome = in_child(lambda: attempt(attack, profile, at_end))  # noqa: B023
        assert agrees(outcome, expected), f"{outcome}; wanted {expected}"


def test_a_member_of_a_group_cannot_pass_a_wrong_length() -> None:
    """`a` is entered with the length and root that `b` says: with two arguments left out, the counts still agree."""

    def act() -> str:
        group = sj.Group()

        @group.evolvable
        def a(x: InOut[float, "n"], p: int, q: int) -> float: ...

        @group.evolvable
        def b(y: InOut[float, "n"]) -> float: ...

        text = (
            "double a(int64_t n, double x[n], int64_t p, int64_t q) { return x[1 << 28]; }\n"
            "double b(int64_t n, double y[n]) { return a(1LL << 40, y); }"
        )
        try:
            group.activate(group.compile(text, profile="safe"))
        except CandidateError:
            return "refused"
        return f"value {b(np.ones(3))}"

    assert in_child(act).startswith(("refused", "value 0.0"))


RECURSION = (
    "static double h(int64_t d) { double y[100]; y[d % 100] = d; return d ? h(d - 1) + y[d % 100] : 0; }\n"
    "double k(int64_t i) { return h(i); }"
)


@pytest.mark.parametrize("profile", ["safe", "checked"])
@pytest.mark.parametrize("size", [1 << 17, 1 << 18, 1 << 20, 1 << 25])
def test_recursion_ends_however_small_the_stack(size: int, profile: str) -> None:
    """A thread's own stack is what counts, also where a thread with a larger one was at the same address before."""

    def act() -> str:
        kernel = Kernel.from_c(RECURSION, name="k", profile=profile)
        found: list[str] = []

        def call() -> None:
            kernel(10**9)
            panic = kernel.take_panic()
            found.append(panic.kind if panic else "none")

        for stack in (1 << 23, size, size, 1 << 23):
            threading.stack_size(stack)
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
        return " ".join(sorted(set(found)))

    assert in_child(act) in ("recursion", "recursion stack", "stack")


def test_a_call_can_be_ended_however_many_threads_there_are() -> None:
    def act() -> str:
        kernel = Kernel.from_c("int k(int i) { while (i) { } return 3; }", name="k")
        stay, here = threading.Event(), threading.Semaphore(0)

        def idle() -> None:
            kernel(0)
            here.release()
            stay.wait()

        threading.stack_size(256 << 10)
        for _ in range(300):
            threading.Thread(target=idle, daemon=True).start()
        for _ in range(300):
            here.acquire()

        def endless() -> None:
            with time_limit(0.5):
                kernel(1)

        thread = threading.Thread(target=endless, daemon=True)
        thread.start()
        thread.join(8)
        return "hangs" if thread.is_alive() else "ended"

    assert in_child(act, 30) == "ended"


def test_each_thread_takes_its_own_panic() -> None:
    def act() -> str:
        kernel = Kernel.from_c("double k(int64_t n, double x[n], int64_t i) { return x[i]; }")
        wrong: list[str] = []

        def call(number: int) -> None:
            x = np.arange(4.0)
            for _ in range(100):
                kernel(x, number)
                panic = kernel.take_panic()
                if panic is None or f"index {nth} " not in panic.message:
                    wrong.append(str(panic))

        threads = [threading.Thread(target=call, args=(100 + j,)) for j in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return f"{len(wrong)} {wrong[:1]}"

    assert in_child(act, 60).startswith("0 ")


@pytest.mark.parametrize("profile", ["safe", "checked"])
def test_a_storm_of_interruptions_changes_no_result(profile: str) -> None:
    """Calls that return normally while signals arrive: each gives its result, or zero and a panic."""

    def act() -> str:
        import numba

        text = "int64_t k(int64_t n, const int64_t x[n], int64_t a) { int64_t s = a; for (int64_t j = 0; j < n; j++) s += x[j]; return s; }"
        kernel = Kernel.from_c(text, profile=profile)

        @numba.njit(nogil=True)
        def hot(kernel, x, count):  # type: ignore[no-untyped-def]
            wrong = 0
            for i in range(count):
                got = kernel(x, i)
                wrong += got not in (i + 6, 0)
            return wrong

        x = np.array([1, 2, 3])
        hot(kernel, x, 10)
        done = threading.Event()

        def storm() -> None:
            while not done.is_set():
                kernel.interrupt()

        thread = threading.Thread(target=storm)
        thread.start()
        wrong = hot(kernel, x, 20_000_000)
        done.set()
        thread.join()
        return f"{wrong} wrong"

    assert in_child(act, 60) == "0 wrong"


def test_an_interruption_leaves_the_arena_usable() -> None:
    """Calls that are ended while they allocate do not take memory from later ones."""

    def act() -> str:
        text = (
            "double k(int64_t n) { for (;;) { for (int64_t i = 0; i < n; i++) { double *t = malloc(8 * (i % 4096 + 1)); "
            "t[i % 4096] = 1; free(t); } if (n < 100) return 1; } }"
        )
        kernel = Kernel.from_c(text, name="k", profile="safe")
        wrong = 0
        for _ in range(100):
            with time_limit(0.01):
                kernel(1_000)
            wrong += kernel.take_panic() is None
            wrong += kernel(50) != 1.0
        return f"{wrong} wrong"

    assert in_child(act, 60) == "0 wrong"


def test_a_thread_that_ends_gives_its_arena_back() -> None:
    """Threads that come and go leave neither memory nor places behind."""

    def act() -> str:
        kernel = Kernel.from_c("double k(int64_t n) { double *t = calloc(n, 8); return t[n - 1] + n; }", name="k")

        def call() -> None:
            assert kernel(1000) == 1000.0

        def mapped() -> int:
            with open("/proc/self/statm") as file:
                return int(file.read().split()[0]) * PAGE

        call()
        before = mapped()
        for _ in range(20):
            threads = [threading.Thread(target=call) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return "grows" if mapped() - before > (1 << 30) else "stays"

    assert in_child(act, 60) == "stays"


@pytest.mark.parametrize("profile", ["safe", "checked", "release"])
def test_blocks_do_not_outlive_a_call(profile: str) -> None:
    """Every call has the whole arena, in each profile, whatever the one before left."""

    def act() -> str:
        text = "double k(int64_t n) { double *t = malloc(n); if (!t) return -1; t[0] = 1; return t[0]; }"
        kernel = Kernel.from_c(text, name="k", profile=profile)
        return f"{sum(kernel(60 << 20) for _ in range(20))} {kernel(65 << 20)}"

    assert in_child(act, 60) == ("20.0 -1.0" if profile == "release" else "20.0 0.0")


def test_a_fork_leaves_no_call_of_other_threads_behind() -> None:
    """A thread of the child that gets the address of one that was inside a call there is not sent back into it."""

    def act() -> str:
        kernel = Kernel.from_c("double k(int64_t n) { while (n > 0) n = n / 2 + 1; return n; }", name="k")
        with time_limit(0.05):
            kernel(5)
        inside = threading.Thread(target=kernel, args=(5,), daemon=True)
        inside.start()
        time.sleep(0.3)
        child = os.fork()
        if child == 0:

            def body() -> None:
                kernel(0)
                with time_limit(0.05):
                    time.sleep(0.2)

            for _ in range(3):
                thread = threading.Thread(target=body)
                thread.start()
                thread.join()
            os._exit(0)
        return f"status {os.waitpid(child, 0)[1]}"

    assert in_child(act, 60) == "status 0"


def test_more_threads_than_places_get_a_panic() -> None:
    """Whoever finds no place is told so: nothing is known of its stack."""

    def act() -> str:
        kernel = Kernel.from_c(
            "static int64_t h(int64_t d) { return d ? h(d - 1) + 1 : 0; } int64_t k(int64_t n) { return h(n); }"
        )
        kernel(3)
        threading.stack_size(64 << 10)
        done, stay = threading.Semaphore(0), threading.Event()

        def idle() -> None:
            kernel(3)
            done.release()
            stay.wait()

        threads = 0
        for _ in range(4200):
            try:
                threading.Thread(target=idle, daemon=True).start()
            except RuntimeError:  # the system allows no more
                break
            threads += 1
        for _ in range(threads):
            done.acquire()
        found: list[str] = []

        def last() -> None:
            result = kernel(10**6)
            panic = kernel.take_panic()
            found.append(f"{result} {panic.kind if panic else 'none'}")

        threading.stack_size(256 << 10)
        thread = threading.Thread(target=last)
        thread.start()
        thread.join()
        stay.set()
        return found[0]

    assert in_child(act, 90) in ("0 stack", "0 recursion")
