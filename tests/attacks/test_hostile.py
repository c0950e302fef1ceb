"""Broken and hostile candidates and metrics, all evaluated in this one process, which stays as it was.

`CANDIDATES` and `METRICS` are the corpus: what is tried, and the status, the rule and the line that have to be found.
"""

import ctypes
import functools
import hashlib
import itertools
import os
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64

from symbiont_jit import Array, Evolution, InOut, Out, Speedup, Status, evolvable, record
from symbiont_jit.backend.clang import clang
from symbiont_jit.isolate.sandbox import filter_problem

NO_CODE, UNPARSED, REJECTED, UNLOWERED, PANICKED, CRASHED, TIMED_OUT, WRONG, VALID = Status

DEADLINE = 2.0
PARENT = os.getpid()

HEADS = {
    "scalar": "double scalar(double x, double y)",
    "dot": "double dot(int64_t n, const double x[n], const double y[n])",
    "matmul": "void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m])",
    "sort": "void sort(int64_t n, double x[n])",
    "centre": "void centre(int64_t n, const struct Point p[n], struct Point *out)",
    "total": "int64_t total(int64_t a, int64_t b)",
    "trick": "double trick(double x)",
}
NUMBERS = itertools.count()


def body(key, text, before=""):
    """A candidate with a number of its own, so that no two compile to the same code, which would be judged once."""
    return f"{before}{HEADS[key]} {{ volatile int row = {next(NUMBERS)}; {text} }}"


#: By group: name, kernel, text, status, rule of the first finding, and its line in the text that the finding is about.
#: The body's first statement is in line 4 of the canonical text, where nothing stands before the function.
# fmt: off
CANDIDATES = {
    "texts": [
        ("empty", "dot", "", NO_CODE, "empty", 0),
        ("blanks", "dot", " \n\t\r\n ", NO_CODE, "empty", 0),
        ("no bytes", "dot", b"", NO_CODE, "empty", 0),
        ("only a comment", "dot", "/* nothing */ // at all\n", REJECTED, "signature", 0),
        ("prose", "dot", "I cannot help with that.", UNPARSED, "syntax", 1),
        ("markdown", "dot", "```c\n" + body("dot", "return 0;") + "\n```", UNPARSED, "syntax", 1),
        ("python", "dot", "def dot(x, y):\n    return x @ y\n", UNPARSED, "syntax", 1),
        ("truncated in a block", "dot", HEADS["dot"] + " { double s = 0; for (int64_t i = 0; i < n; i++", UNPARSED, "syntax", 0),
        ("truncated in a literal", "dot", HEADS["dot"] + ' { const char *t = "abc', UNPARSED, "literal", 1),
        ("truncated in a comment", "dot", body("dot", "return 0;") + " /* and so on", UNPARSED, "comment", 1),
        ("10 MB", "dot", body("dot", "return 0;") + "\n" * 10_000_000, UNPARSED, "too-large", 0),
        ("10 MB of bytes", "dot", b"\xff" * 10_000_000, UNPARSED, "too-large", 0),
        ("NUL characters", "dot", body("dot", "return 0;\0"), UNPARSED, "character", 1),
        ("NUL bytes", "dot", b"\0" * 1000, UNPARSED, "character", 1),
        ("no UTF-8", "dot", b"\xc3\x28", UNPARSED, "encoding", 1),
        ("lone surrogate", "dot", body("dot", "return 0; \ud800"), UNPARSED, "character", 1),
        ("right to left", "dot", body("dot", "return 0; \u202e"), UNPARSED, "character", 1),
        ("deep parentheses", "dot", body("dot", "return " + "(" * 5000 + "1" + ")" * 5000 + ";"), UNPARSED, "too-deep", 1),
        ("deep blocks", "dot", HEADS["dot"] + "{" * 5000 + "}" * 5000, UNPARSED, "too-deep", 1),
        ("deep unary", "dot", body("dot", "return " + "- " * 20000 + "1;"), UNPARSED, "too-deep", 0),
        ("deep if", "dot", body("dot", "if (n) " * 3000 + "; return 0;"), UNPARSED, "too-deep", 0),
        ("deep sum", "dot", body("dot", "return " + "n + " * 20000 + "1;"), UNPARSED, "too-deep", 0),
        ("deep declarator", "dot", body("dot", "double " + "*" * 5000 + "p; return 0;"), UNPARSED, "too-deep", 0),
    ],
    "preprocessor": [
        ("macro bomb", "dot", "#define A0 n + n\n" + "".join(f"#define A{i} A{i-1} + A{i-1}\n" for i in range(1, 40)) + body("dot", "return A39;"), UNPARSED, "limit", 0),
        ("macro grows", "dot", "#define A0 n + n\n" + "".join(f"#define A{i} A{i-1} + A{i-1}\n" for i in range(1, 16)) + body("dot", "return A15;"), UNPARSED, "too-large", 0),
        ("macro that calls itself", "dot", "#define F F(1)\n" + body("dot", "return F;"), REJECTED, "call", 2),
        ("macro makes a call", "dot", "#define G(a, b) a ## b\n" + body("dot", 'return G(sys, tem)("true");'), REJECTED, "call", 2),
        ("macro makes assembler", "dot", "#define G(a, b) a ## b\n" + body("dot", 'G(as, m)("nop"); return 0;'), REJECTED, "assembler", 2),
        ("macro makes an attribute", "dot", "#define A __attri\n#define G(a, b) a ## b\n#define H(a, b) G(a, b)\n" + body("dot", "int H(A, bute__)((aligned(1))) k = 0; return k;"), REJECTED, "attribute", 4),
        ("macro hides a brace", "dot", "#define B {\n" + HEADS["dot"] + " B return 0;", UNPARSED, "syntax", 0),
        ("macro makes a pragma", "dot", "#define G(a, b) a ## b\n" + body("dot", 'G(_Pra, gma)("once") return 0;'), REJECTED, "pragma", 2),
        ("macro renames a type", "dot", "#define double float\n" + body("dot", "return 0;"), REJECTED, "signature", 2),
        ("macro renames the function", "dot", "#define dot main\n" + body("dot", "return 0;"), REJECTED, "signature", 0),
        ("include a secret", "dot", '#include "/etc/passwd"\n' + body("dot", "return 0;"), UNPARSED, "include", 1),
        ("include stdin", "dot", "#include </dev/stdin>\n" + body("dot", "return 0;"), UNPARSED, "include", 1),
        ("embed", "dot", body("dot", "static const char t[] = {\n#embed </etc/passwd>\n}; return t[0];"), UNPARSED, "directive", 2),
        ("asks for a file", "dot", "#if __has_include(</etc/shadow>)\n#endif\n" + body("dot", "return 0;"), UNPARSED, "directive", 1),
        ("line marker", "dot", '# 1 "/etc/passwd"\n' + body("dot", "return 0;"), UNPARSED, "directive", 1),
        ("time of day", "dot", "#define T __TIME__\n" + body("dot", "return T[0];"), UNPARSED, "directive", 1),
        ("error directive", "dot", "#error no\n" + body("dot", "return 0;"), UNPARSED, "compiler", 1),
        ("open condition", "dot", "#if 1\n" + body("dot", "return 0;"), UNPARSED, "compiler", 1),
        ("division in a condition", "dot", "#if 1 / 0\n#endif\n" + body("dot", "return 0;"), UNPARSED, "compiler", 1),
    ],
    "forbidden": [
        ("system", "dot", body("dot", 'return system("true");'), REJECTED, "call", 1),
        ("aligned_alloc", "dot", body("dot", "return aligned_alloc(8, 8) != 0;"), REJECTED, "call", 1),
        ("abort", "dot", body("dot", "abort(); return 0;"), REJECTED, "call", 1),
        ("printf", "dot", body("dot", 'printf("%s"); return 0;'), REJECTED, "call", 1),
        ("alloca", "dot", body("dot", "return __builtin_alloca(8) != 0;"), REJECTED, "call", 1),
        ("trap", "dot", body("dot", "__builtin_trap(); return 0;"), REJECTED, "call", 1),
        ("longjmp", "dot", body("dot", "__builtin_longjmp(0, 1); return 0;"), REJECTED, "call", 1),
        ("syscall", "dot", body("dot", "return syscall(1);"), REJECTED, "call", 1),
        ("own runtime", "dot", body("dot", "sj_panic(sj_f, 0, 0, 0); return 0;"), REJECTED, "call", 1),
        ("own runtime's frame", "dot", body("dot", "sj_f = 0; return 0;"), REJECTED, "reserved", 1),
        ("reserved name", "dot", body("dot", "int __x = 0; return __x;"), REJECTED, "reserved", 1),
        ("assembler", "dot", body("dot", '__asm__ volatile ("syscall"); return 0;'), REJECTED, "assembler", 1),
        ("attribute", "dot", "__attribute__((constructor)) static void f(void) { }\n" + body("dot", "return 0;"), REJECTED, "attribute", 1),
        ("attribute in brackets", "dot", "[[noreturn]] static void f(void) { for (;;) ; }\n" + body("dot", "return 0;"), REJECTED, "attribute", 1),
        ("pragma", "dot", '#pragma weak dot = main\n' + body("dot", "return 0;"), UNPARSED, "pragma", 1),
        ("extern variable", "dot", "extern char **environ;\n" + body("dot", "return environ != 0;"), REJECTED, "extern", 1),
        ("extern function", "dot", "int getpid(void);\n" + body("dot", "return getpid();"), REJECTED, "extern", 1),
        ("global", "dot", "int64_t count;\n" + body("dot", "return count++;"), REJECTED, "mutable-static", 1),
        ("static local", "dot", body("dot", "static int64_t k = 0; return k++;"), REJECTED, "mutable-static", 1),
        ("thread-local", "dot", body("dot", "static _Thread_local int64_t k = 0; return k++;"), REJECTED, "type", 1),
        ("function pointer", "dot", body("dot", "double (*f)(double) = sin; return f(1);"), REJECTED, "function-pointer", 1),
        ("call of a number", "dot", body("dot", "return ((double (*)(void))4096)();"), REJECTED, "function-pointer", 1),
        ("call of a parameter", "dot", body("dot", "return x(1);"), REJECTED, "function-pointer", 1),
        ("variadic", "dot", "static int f(int k, ...) { return k; }\n" + body("dot", "return f(1);"), REJECTED, "variadic", 1),
        ("generic", "dot", body("dot", "return _Generic(n, default: 1);"), REJECTED, "generic", 1),
        ("atomic", "dot", body("dot", "_Atomic int64_t k = 1; return k;"), REJECTED, "type", 1),
        ("128 bits", "dot", body("dot", "__int128 k = n; return k;"), REJECTED, "type", 1),
        ("_Alignas", "dot", body("dot", "_Alignas(64) double k = 1; return k;"), REJECTED, "alignment", 1),
        ("_Noreturn", "dot", "_Noreturn static void f(void) { for (;;) ; }\n" + body("dot", "return 0;"), REJECTED, "attribute", 1),
        ("statement expression", "dot", body("dot", "return ({ 1; });"), REJECTED, "statement-expression", 1),
        ("label address", "dot", body("dot", "a: ; void *p = &&a; goto *p; return 0;"), UNPARSED, "syntax", 1),
        ("nested function", "dot", body("dot", "double f(void) { return 1; } return f();"), UNPARSED, "syntax", 1),
        ("library function again", "dot", "static double sin(double v) { return v; }\n" + body("dot", "return sin(1);"), REJECTED, "redefined", 1),
        ("NULL is something else", "dot", body("dot", "int NULL = 0; return NULL;"), REJECTED, "redefined", 1),
        ("twice", "dot", body("dot", "return 0;") + body("dot", "return 1;"), REJECTED, "redefined", 1),
        ("dimension is missing", "dot", "double dot(const double *x, const double *y) { return 0; }", REJECTED, "signature", 1),
        ("other name", "dot", "double dott(int64_t n, const double x[n], const double y[n]) { return 0; }", REJECTED, "signature", 0),
        ("other type", "dot", "float dot(int64_t n, const float x[n], const float y[n]) { return 0; }", REJECTED, "signature", 1),
        ("const is missing", "dot", "double dot(int64_t n, double x[n], double y[n]) { return 0; }", REJECTED, "signature", 1),
        ("record is another one", "centre", "struct Point { double x; };\n" + body("centre", "out->x = 0;"), REJECTED, "struct", 1),
    ],
    "compiler": [
        ("undeclared", "dot", body("dot", "return z;"), UNLOWERED, "compiler", 4),
        ("writes a const input", "dot", body("dot", "x[0] = 1; return 0;"), UNLOWERED, "compiler", 4),
        ("casts const away", "dot", body("dot", "((double *)x)[0] = 1; return 0;"), UNLOWERED, "compiler", 4),
        ("memcpy into a const input", "dot", body("dot", "memcpy(x, y, 8); return 0;"), UNLOWERED, "compiler", 4),
        ("const lost in a variable", "dot", body("dot", "double *p = x; p[0] = 1; return 0;"), UNLOWERED, "compiler", 4),
        ("no result", "dot", body("dot", "if (n > 3) return 1;"), UNLOWERED, "compiler", 8),
        ("index of a fraction", "dot", body("dot", "return x[1.5];"), UNLOWERED, "compiler", 4),
        ("constant past a table", "dot", body("dot", "return t[3];", "static const double t[3] = {1, 2, 3};\n"), UNLOWERED, "compiler", 5),
        ("constant past a literal", "dot", body("dot", 'return "abc"[9];'), UNLOWERED, "compiler", 4),
        ("static assertion", "dot", body("dot", "_Static_assert(1 / 2, \"\"); return 0;"), UNLOWERED, "compiler", 4),
        ("jump out of the function", "dot", body("dot", "goto nowhere; return 0;"), UNLOWERED, "compiler", 4),
        ("table of 4 GB", "dot", body("dot", "return t[n];", "static const double t[1 << 29] = {1};\n"), UNLOWERED, "compiler", 0),
        ("table with a negative length", "dot", body("dot", "return t[n];", "static const double t[-1] = {1};\n"), UNLOWERED, "compiler", 1),
        ("local of 4 GB", "dot", body("dot", "volatile double t[1 << 29]; t[n] = 1; return t[n];"), UNLOWERED, "compiler", 0),
        ("local of 1 MB", "dot", body("dot", "volatile double t[1 << 17]; t[n] = 1; return t[n];"), UNLOWERED, "compiler", 0),
        ("union of 2**60 bytes", "dot", "union u { char a[1LL << 60]; int b; };\n" + body("dot", "return sizeof(union u) > 9 ? 1.25 : 0;"), UNLOWERED, "compiler", 1),
        ("structs of structs", "dot", "struct s0 { double a[2]; };\n" + "".join(f"struct s{i} {{ struct s{i - 1} a[2]; }};\n" for i in range(1, 64)) + body("dot", "return sizeof(struct s63) > 9;"), UNLOWERED, "compiler", 225),
        ("helpers that double", "dot", "static double f0(double v) { return v + 1; }\n" + "".join(f"static double f{i}(double v) {{ return f{i - 1}(v) + f{i - 1}(v * 0.5); }}\n" for i in range(1, 20)) + body("dot", "return f19(x[0]);"), WRONG, "wrong", 0),
        ("1000 cases", "dot", body("dot", "switch (n) { " + " ".join(f"case {i}: return {i * i % 997};" for i in range(1000)) + " } return -1;"), WRONG, "wrong", 0),
        ("conditions in a table", "dot", body("dot", "return t[n % 3];", "static const double t[] = {" + ", ".join(["1 ? " * 20 + "1" + " : 2" * 20] * 100) + "};\n"), WRONG, "wrong", 0),
        ("constants of constants", "dot", "enum { e0 = 1" + "".join(f", e{i} = e{i - 1} * 2 % 1000003" for i in range(1, 2000)) + " };\n" + body("dot", "return e1999;"), WRONG, "wrong", 0),
    ],
    "bounds": [
        ("read at n", "dot", body("dot", "return x[0] + x[n];"), PANICKED, "index", 4),
        ("write at n", "sort", body("sort", "x[0] = 1; x[n] = 1;"), PANICKED, "index", 5),
        ("read at -1", "dot", body("dot", "return x[0] + x[-1];"), PANICKED, "index", 4),
        ("write at -1", "sort", body("sort", "x[0] = 1; x[-1] = 1;"), PANICKED, "index", 5),
        ("read at n + 1", "dot", body("dot", "return x[0] + x[n + 1];"), PANICKED, "index", 4),
        ("write at n + 1", "sort", body("sort", "x[0] = 1; x[n + 1] = 1;"), PANICKED, "index", 5),
        ("read huge", "dot", body("dot", "return x[0] + x[n + (1LL << 60)];"), PANICKED, "index", 4),
        ("write huge", "sort", body("sort", "x[0] = 1; x[n + (1LL << 60)] = 1;"), PANICKED, "index", 5),
        ("read very negative", "dot", body("dot", "return x[0] + x[-n - (1LL << 60)];"), PANICKED, "index", 4),
        ("write very negative", "sort", body("sort", "x[0] = 1; x[-n - (1LL << 60)] = 1;"), PANICKED, "index", 5),
        ("read least", "dot", body("dot", "return x[0] + x[INT64_MIN + n];"), PANICKED, "index", 4),
        ("write least", "sort", body("sort", "x[0] = 1; x[INT64_MIN + n] = 1;"), PANICKED, "index", 5),
        ("rows end", "matmul", body("matmul", "c[n][0] = 1;"), PANICKED, "index", 4),
        ("rows begin", "matmul", body("matmul", "c[-1][0] = 2;"), PANICKED, "index", 4),
        ("columns end", "matmul", body("matmul", "c[0][m] = 3;"), PANICKED, "index", 4),
        ("columns begin", "matmul", body("matmul", "c[1][-1] = 4;"), PANICKED, "index", 4),
        ("transposed", "matmul", body("matmul", "for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) c[j][i] = 5;"), PANICKED, "index", 8),
        ("read past inner rows", "matmul", body("matmul", "c[0][0] = b[k][0];"), PANICKED, "index", 4),
        ("read past inner columns", "matmul", body("matmul", "c[0][0] = a[0][k];"), PANICKED, "index", 4),
        ("whole matrix as one row", "matmul", body("matmul", "for (int64_t i = 0; i < n * m; i++) c[0][i] = 6;"), PANICKED, "index", 6),
        ("grown dimension", "dot", body("dot", "n = 1000; return x[n - 1];"), PANICKED, "index", 5),
        ("one too far in a loop", "dot", body("dot", "double s = 0; for (int64_t i = 0; i <= n; i++) s += x[i] * y[i]; return s;"), PANICKED, "index", 7),
        ("counting down past zero", "dot", body("dot", "double s = 0; for (int64_t i = n - 1; i >= -1; i--) s += x[i] * y[i]; return s;"), PANICKED, "index", 7),
        ("unsigned counter never negative", "dot", body("dot", "double s = 0; for (uint64_t i = n - 1; i >= 0; i--) s += x[i] * y[i]; return s;"), PANICKED, "index", 7),
        ("index on the left", "dot", body("dot", "return n[x];"), PANICKED, "index", 4),
        ("32-bit index wrapped", "dot", body("dot", "return x[(int32_t)(n + (1LL << 31))];"), PANICKED, "index", 4),
        ("local array", "dot", body("dot", "double t[4] = {0}; t[n] = 1; return t[0];"), PANICKED, "index", 5),
        ("local array at -1", "dot", body("dot", "double t[4] = {0}; t[n - n - 1] = 1; return t[1];"), PANICKED, "index", 5),
        ("local array of arrays", "dot", body("dot", "double t[4][3] = {{0}}; t[1][n] = 1; return t[2][0];"), PANICKED, "index", 5),
        ("variable-length array", "dot", body("dot", "double t[n]; t[n] = 2; return t[0];"), PANICKED, "index", 5),
        ("variable-length row", "dot", body("dot", "double t[3][n]; t[0][n] = 3; return t[1][0];"), PANICKED, "index", 5),
        ("array in a struct", "dot", body("dot", "struct s t = {{0}, 1}; t.a[n] = 1; return t.b;", "struct s { double a[2], b; };\n"), PANICKED, "index", 10),
        ("array in a struct in an array", "dot", body("dot", "struct s t[3] = {0}; t[1].a[n] = 1; return t[2].b;", "struct s { double a[2], b; };\n"), PANICKED, "index", 10),
        ("array in a union", "dot", body("dot", "union u t = {0}; t.a[n] = 1; return t.b;", "union u { int8_t a[8]; int64_t b; };\n"), PANICKED, "index", 10),
        ("table", "dot", body("dot", "return t[n];", "static const double t[3] = {1, 2, 3};\n"), PANICKED, "index", 5),
        ("table of rows", "dot", body("dot", "return t[1][n];", "static const double t[2][3] = {{1, 2, 3}, {4, 5, 6}};\n"), PANICKED, "index", 5),
        ("string", "dot", body("dot", 'return "abc"[n];'), PANICKED, "index", 4),
        ("string behind its zero", "dot", body("dot", 'return "abcd"[n - 15];'), PANICKED, "index", 4),
        ("record past the end", "centre", body("centre", "out->x = p[n].x;"), PANICKED, "index", 10),
        ("field's array read", "centre", body("centre", "out->w[0] = p[0].w[n];"), PANICKED, "index", 10),
        ("field's array written", "centre", body("centre", "out->w[n] = 7;"), PANICKED, "index", 10),
        ("field's array at 2", "centre", body("centre", "int i = 2; out->y = 0; out->w[i] = 7;"), PANICKED, "index", 12),
        ("second output record", "centre", body("centre", "out[n].x = 1;"), PANICKED, "index", 10),
    ],
    "pointers": [
        ("p++ past the end", "dot", body("dot", "double s = 0; const double *p = x; for (int64_t i = 0; i <= n; i++) s += *p++; return s;"), PANICKED, "pointer", 8),
        ("p-- past the beginning", "dot", body("dot", "double s = 0; const double *p = x + n; for (int64_t i = 0; i <= n; i++) s += *--p; return s;"), PANICKED, "pointer", 8),
        ("p + k", "dot", body("dot", "const double *p = x; return *(p + n);"), PANICKED, "pointer", 5),
        ("p += k", "dot", body("dot", "const double *p = x; p += n + 1; return *p;"), PANICKED, "pointer", 6),
        ("p -= k", "dot", body("dot", "const double *p = x; p -= 1; return p[0];"), PANICKED, "pointer", 6),
        ("&x[k]", "dot", body("dot", "const double *p = &x[n - 1]; return p[1];"), PANICKED, "pointer", 5),
        ("&x[-1]", "dot", body("dot", "return *&x[-2];"), PANICKED, "pointer", 4),
        ("behind a negative index", "dot", body("dot", "const double *p = x + 5; return p[-6];"), PANICKED, "pointer", 5),
        ("overflowing index", "dot", body("dot", "const double *p = x; return p[n + (1LL << 61)];"), PANICKED, "pointer", 5),
        ("into the other array", "dot", body("dot", "const double *p = x; return p[y - x];"), PANICKED, "pointer", 5),
        ("half of an element", "dot", body("dot", "const char *p = (const char *)x; p += 8 * n - 4; return *(const double *)p;"), PANICKED, "pointer", 6),
        ("wider than the array", "sort", body("sort", "struct w *p = (struct w *)x; p->a[0] = 1;", "struct w { double a[100]; };\n"), PANICKED, "pointer", 9),
        ("through a parameter", "dot", body("dot", "return f(x + n - 2, 3);", "static double f(const double *p, int64_t k) { double s = 0; for (int64_t i = 0; i < k; i++) s += p[i]; return s; }\n"), PANICKED, "pointer", 6),
        ("parameter of another length", "dot", body("dot", "return f(n + 1, x);", "static double f(int64_t k, const double p[k]) { return p[k - 1]; }\n"), PANICKED, "pointer", 3),
        ("address of a scalar", "dot", body("dot", "double t = n; double *p = &t; p[1] = 1; return t;"), PANICKED, "pointer", 6),
        ("address of a field", "dot", body("dot", "struct s t = {1, 2}; double *p = &t.a; return p[n];", "struct s { double a, b; };\n"), PANICKED, "pointer", 11),
        ("null", "dot", body("dot", "const double *p = 0; return *p;"), PANICKED, "pointer", 5),
        ("null with an index", "dot", body("dot", "const double *p = NULL; return p[n];"), PANICKED, "pointer", 5),
        ("null as an argument", "dot", body("dot", "return f(0);", "static double f(const double *p) { return p[1]; }\n"), PANICKED, "pointer", 3),
        ("null in a branch", "dot", body("dot", "const double *p = n > 3 ? 0 : x; return p[0];"), PANICKED, "pointer", 5),
        ("never set", "dot", body("dot", "const double *p; return p[0] + 1;"), PANICKED, "pointer", 5),
        ("set on one path only", "dot", body("dot", "const double *p; if (n < 3) p = x; return p[0];"), PANICKED, "pointer", 9),
        ("field behind null", "centre", body("centre", "struct Point *q = 0; q->x = 1;"), PANICKED, "pointer", 11),
        ("string walked over", "dot", body("dot", 'const char *p = "abc"; int64_t s = 0; while (*p != 7) s += *p++; return s;'), PANICKED, "pointer", 6),
        ("memcpy too long", "dot", body("dot", "double t[4]; memcpy(t, x, 8 * n); return t[0];"), PANICKED, "memory", 5),
        ("memcpy reads too much", "dot", body("dot", "double t[400]; memcpy(t, x, sizeof(t)); return t[0];"), PANICKED, "memory", 5),
        ("memcpy negative", "dot", body("dot", "double t[4]; memcpy(t, x, -n); return t[1];"), PANICKED, "memory", 5),
        ("memcpy from behind", "sort", body("sort", "memcpy(x, x + n, 8);"), PANICKED, "memory", 4),
        ("memmove too long", "sort", body("sort", "memmove(x + 1, x, 8 * n);"), PANICKED, "memory", 4),
        ("memset too long", "sort", body("sort", "memset(x, 0, 8 * n + 1);"), PANICKED, "memory", 4),
        ("memset negative", "sort", body("sort", "memset(x, 1, -8 * n);"), PANICKED, "memory", 4),
        ("memset a struct", "dot", body("dot", "struct s t; memset(&t, 0, sizeof(t) + n); return t.a;", "struct s { double a, b; };\n"), PANICKED, "memory", 10),
        ("memcmp too long", "dot", body("dot", "return memcmp(x, y, 8 * n + 8);"), PANICKED, "memory", 4),
        ("memcmp negative", "dot", body("dot", "return memcmp(x, x, -1);"), PANICKED, "memory", 4),
        ("memset of null", "dot", body("dot", "double *p = 0; memset(p, 0, 8); return 1;"), PANICKED, "memory", 5),
        ("frexp into null", "dot", body("dot", "int *e = 0; return frexp(x[0], e);"), PANICKED, "memory", 5),
        ("frexp behind an array", "dot", body("dot", "int e[2] = {0}; return frexp(x[0], e + 2) + e[0];"), PANICKED, "memory", 5),
    ],
    "refused pointers": [
        ("number as a pointer", "dot", body("dot", "return *(const double *)(uintptr_t)4096;"), REJECTED, "untraceable", 4),
        ("pointer through a number", "dot", body("dot", "((double *)(uintptr_t)x)[0] = 7; return 0;"), REJECTED, "untraceable", 4),
        ("number assigned", "dot", body("dot", "const double *p; p = (const double *)n; return *p;"), REJECTED, "untraceable", 5),
        ("pointer in a struct", "dot", body("dot", "struct s t = {x}; return t.p[0];", "struct s { const double *p; };\n"), REJECTED, "untraceable", 8),
        ("pointer in a union", "dot", body("dot", "union u t; t.k = 4096; return *t.p;", "union u { const double *p; int64_t k; };\n"), REJECTED, "untraceable", 9),
        ("array of pointers", "dot", body("dot", "const double *t[2] = {x, y}; return t[n][0];"), REJECTED, "untraceable", 4),
        ("table of pointers", "dot", body("dot", "return t[n][0];", 'static const char *const t[2] = {"a", "b"};\n'), REJECTED, "untraceable", 1),
        ("pointer to a pointer", "dot", body("dot", "const double *p = x; const double **q = &p; return **q;"), REJECTED, "untraceable", 5),
        ("pointer to a pointer in a parameter", "dot", body("dot", "return 0;", "static double f(const double **p) { return **p; }\n"), REJECTED, "untraceable", 1),
        ("function returns a pointer", "dot", body("dot", "return *f(x);", "static const double *f(const double *p) { return p + 1; }\n"), REJECTED, "untraceable", 1),
        ("void pointer", "dot", body("dot", "const void *p = x; return *(const double *)(p + 800);"), REJECTED, "untraceable", 5),
        ("outlives a block", "dot", body("dot", "double *p; { double t[n]; p = t; } return *p;"), REJECTED, "untraceable", 7),
        ("static pointer", "dot", body("dot", 'static const char *const p = "abc"; return p[0];'), REJECTED, "untraceable", 4),
        ("jump past a declaration", "dot", body("dot", "goto a; double t[4]; a: t[0] = 1; return t[0];"), REJECTED, "untraceable", 4),
        ("pointer bytes copied", "dot", body("dot", "const double *p = x; int64_t k = 4096; memcpy(&p, &k, 8); return *p;"), REJECTED, "untraceable", 6),
    ],
    "alignment": [
        ("a double between two", "dot", body("dot", "return *(double *)((char *)x + 4);").replace("(double *)((char *)x", "(const double *)((const char *)x"), PANICKED, "alignment", 4),
        ("an odd integer", "dot", body("dot", "char b[16] = {0}; int32_t *p = (int32_t *)(b + 1); return p[0] + p[1];"), PANICKED, "alignment", 6),
        ("a struct on a byte", "dot", "struct P { double a; };\n" + body("dot", "char b[32] = {0}; struct P *p = (struct P *)(b + 3); return p->a;"), PANICKED, "alignment", 10),
    ],
    "arena": [
        ("block overrun", "dot", body("dot", "double *t = malloc(n * sizeof(double)); t[n] = 1; return t[0];"), PANICKED, "pointer", 5),
        ("block underrun", "dot", body("dot", "double *t = malloc(n * sizeof(double)); return t[-1];"), PANICKED, "pointer", 5),
        ("header overwritten", "dot", body("dot", "char *t = malloc(8); for (int i = 0; i < 64; i++) t[-1 - i] = 127; free(t); return 0;"), PANICKED, "pointer", 7),
        ("after free", "dot", body("dot", "double *t = calloc(n, 8); free(t); return t[0];"), PANICKED, "freed", 6),
        ("after realloc", "dot", body("dot", "double *t = calloc(n, 8); double *u = realloc(t, 1024); return t[0] + u[0];"), PANICKED, "freed", 6),
        ("memcpy after free", "dot", body("dot", "double *t = calloc(n, 8); free(t); memcpy(t, x, 8); return 0;"), PANICKED, "freed", 6),
        ("freed twice", "dot", body("dot", "double *t = calloc(n, 8); free(t); free(t); return 0;"), PANICKED, "free", 6),
        ("free inside of a block", "dot", body("dot", "double *t = calloc(n, 8); free(t + 1); return 0;"), PANICKED, "free", 5),
        ("free a local", "dot", body("dot", "double t[4]; free(t); return 0;"), PANICKED, "free", 5),
        ("free an argument", "dot", body("dot", "free((double *)x); return 0;"), UNLOWERED, "compiler", 4),
        ("realloc of a local", "dot", body("dot", "double t[4]; double *u = realloc(t, 64); return u[0];"), PANICKED, "free", 5),
        ("free in a helper", "dot", "static void give(double *p) { free(p); }\n" + body("dot", "double *t = malloc(64); give(t); return t[0];"), PANICKED, "freed", 10),
        ("too much", "dot", body("dot", "double s = 0; for (int64_t i = 0; i < 4096; i++) { double *t = malloc(1 << 16); t[0] = i; s += t[0]; } return s;"), PANICKED, "allocation", 7),
        ("too much at once", "dot", body("dot", "return malloc(1LL << 40) != NULL;"), PANICKED, "allocation", 4),
        ("a product that wraps", "dot", body("dot", "double *t = calloc(1LL << 61, 16); return t[0];"), PANICKED, "allocation", 4),
        ("a negative size", "dot", body("dot", "double *t = malloc(-8); return t[0];"), PANICKED, "allocation", 4),
        ("a block kept in an integer", "dot", body("dot", "int64_t k = (int64_t)malloc(8); return *(double *)k;"), REJECTED, "untraceable", 5),
        ("size is forgotten", "dot", body("dot", "double *t = malloc(n); t[n - 1] = 1; return t[n - 1];"), PANICKED, "pointer", 5),
    ],
    "arithmetic": [
        ("addition", "total", body("total", "int64_t k = INT64_MAX; return k + b;"), PANICKED, "overflow", 5),
        ("subtraction", "total", body("total", "int64_t k = INT64_MIN; return k - b;"), PANICKED, "overflow", 5),
        ("multiplication", "total", body("total", "return (a + (1LL << 40)) * (b + (1LL << 40));"), PANICKED, "overflow", 4),
        ("negation", "total", body("total", "int64_t k = INT64_MIN + a - a; return -k;"), PANICKED, "overflow", 5),
        ("32 bits", "total", body("total", "int32_t k = INT32_MAX; return k + (int32_t)a;"), PANICKED, "overflow", 5),
        ("32-bit product", "total", body("total", "int32_t k = (int32_t)a + 65536; return k * k;"), PANICKED, "overflow", 5),
        ("increment", "total", body("total", "int64_t k = INT64_MAX - a; for (int i = 0; i < 20; i++) k++; return k;"), PANICKED, "overflow", 7),
        ("decrement", "total", body("total", "int32_t k = INT32_MIN; --k; return k + a;"), PANICKED, "overflow", 5),
        ("+=", "total", body("total", "int64_t k = INT64_MAX; k += b; return k + a;"), PANICKED, "overflow", 5),
        ("-=", "total", body("total", "int64_t k = INT64_MIN; k -= b; return k + a;"), PANICKED, "overflow", 5),
        ("*=", "total", body("total", "int64_t k = a; for (int i = 0; i < 100; i++) k *= 3; return k;"), PANICKED, "overflow", 7),
        ("fibonacci", "total", body("total", "int32_t p = 1, q = 1; for (int i = 0; i < 99; i++) { int32_t r = p + q; p = q; q = r; } return q;"), PANICKED, "overflow", 8),
        ("least / -1", "total", body("total", "int64_t k = INT64_MIN, m = a - a - 1; return k / m;"), PANICKED, "division", 6),
        ("least % -1", "total", body("total", "int64_t k = INT64_MIN, m = a - a - 1; return k % m;"), PANICKED, "division", 6),
        ("32-bit least / -1", "total", body("total", "int32_t k = INT32_MIN, m = (int32_t)(a - a) - 1; return k / m;"), PANICKED, "division", 6),
        ("division by zero", "total", body("total", "return a / (b - b);"), PANICKED, "division", 4),
        ("remainder of zero", "total", body("total", "return a % (b - b);"), PANICKED, "division", 4),
        ("unsigned division by zero", "total", body("total", "return (uint64_t)a / (uint64_t)(b - b);"), PANICKED, "division", 4),
        ("/= zero", "total", body("total", "int64_t z = a - a; b /= z; return b;"), PANICKED, "division", 5),
        ("%= zero", "total", body("total", "int64_t z = a - a; b %= z; return b + 1;"), PANICKED, "division", 5),
        ("constant division by zero", "total", body("total", "return a + 1 / 0;"), PANICKED, "division", 4),
        ("shift too far", "total", body("total", "return a << (b + 64);"), PANICKED, "shift", 4),
        ("negative shift", "total", body("total", "return a >> -b;"), PANICKED, "shift", 4),
        ("32-bit shift", "total", body("total", "uint32_t k = 1; return k << (b + 31);"), PANICKED, "shift", 5),
        ("<<= too far", "total", body("total", "b <<= 64 + a; return b;"), PANICKED, "shift", 4),
        (">>= negative", "total", body("total", "b >>= -a; return b;"), PANICKED, "shift", 4),
        ("large to int", "total", body("total", "double v = 1e10 * (double)a; return (int32_t)v;"), PANICKED, "conversion", 5),
        ("large to int64", "total", body("total", "double v = 1e19 * (double)a; int64_t k = v; return k;"), PANICKED, "conversion", 5),
        ("negative to unsigned", "total", body("total", "double v = -(double)a; return (uint64_t)v;"), PANICKED, "conversion", 5),
        ("NaN to int", "total", body("total", "double v = NAN; return (int64_t)v + a;"), PANICKED, "conversion", 5),
        ("infinity to int", "total", body("total", "return INFINITY * (double)b;"), PANICKED, "conversion", 4),
        ("float to int8", "total", body("total", "float v = 1000.0f * (float)a; int8_t k = v; return k;"), PANICKED, "conversion", 5),
        ("argument to int", "total", body("total", "return f(1e12 * (double)a);", "static int64_t f(int32_t k) { return k; }\n"), PANICKED, "conversion", 8),
        ("+= a large number", "total", body("total", "int32_t k = 0; k += 1e12 * (double)a; return k;"), PANICKED, "conversion", 5),
        ("unreachable", "total", body("total", "if (a > 0) __builtin_unreachable(); return a + b;"), PANICKED, "unreachable", 6),
        ("false assumption", "total", body("total", "__builtin_assume(a > b + 1000); return a + b + 2;"), PANICKED, "assumption", 4),
    ],
    "stack": [
        ("no elements", "dot", body("dot", "volatile double q[n - n - 1]; return 3 * y[0];"), PANICKED, "length", 4),
        ("negative length", "dot", body("dot", "double t[-n]; return 4;"), PANICKED, "length", 4),
        ("2**62 elements", "dot", body("dot", "double t[n << 57]; t[0] = 1; return t[0] + 4;"), PANICKED, "length", 4),
        ("2**24 elements", "dot", body("dot", "int64_t k = n - n + (1 << 24); double t[k]; t[0] = 1; return t[0] + 5;"), PANICKED, "stack", 5),
        ("1 MB", "dot", body("dot", "volatile double q[n * 6600]; q[0] = 1; return q[0] + 6;"), PANICKED, "stack", 4),
        ("rows of 1 MB", "dot", body("dot", "volatile double q[n][n][n * 20]; q[0][0][0] = 1; return q[0][0][0] + 7;"), PANICKED, "stack", 4),
        ("recursion", "dot", body("dot", "return f(x, 0);", "static double f(const double *p, int64_t k) { volatile double t[8]; t[k & 7] = p[0]; return f(p, k + 1) + t[k & 7]; }\n"), PANICKED, "recursion", 1),
        ("recursion with arrays", "dot", body("dot", "return f(n);", "static double f(int64_t k) { volatile double q[k]; q[0] = 1; return f(k + 1) + q[0]; }\n"), PANICKED, "stack", 3),
        ("mutual recursion", "dot", body("dot", "return f(n);", "static double g(int64_t k);\nstatic double f(int64_t k) { volatile double t = k; return g(k + 1) * t; }\nstatic double g(int64_t k) { volatile double t = k; return f(k - 1) + t; }\n"), PANICKED, "recursion", 2),
        ("recursion that doubles", "total", body("total", "return f(a);", "static int64_t f(int64_t k) { volatile int64_t t = k; return f(t + 1) ^ f(t + 2); }\n"), PANICKED, "recursion", 1),
    ],
    "loops": [
        ("for", "dot", body("dot", "for (;;) ; return 0;"), PANICKED, "endless", 4),
        ("for with an effect", "dot", body("dot", "double s = 0; for (;;) { s = s * 0.5 + x[0]; if (s > 1e9) break; } return s;"), PANICKED, "endless", 5),
        ("for without a step", "dot", body("dot", "double s = 0; for (int64_t i = 0; i < n;) s += x[i]; return s;"), PANICKED, "endless", 5),
        ("while", "dot", body("dot", "volatile int k = 1; while (k) k = 2; return 0;"), PANICKED, "endless", 5),
        ("while on the data", "dot", body("dot", "double s = 0; while (x[0] < 2) s = y[1]; return s;"), PANICKED, "endless", 5),
        ("do", "dot", body("dot", "volatile int k = 1; do { k = 3; } while (k); return 0;"), PANICKED, "endless", 5),
        ("goto back", "dot", body("dot", "volatile int k = 1; a: k = 4; goto a;"), PANICKED, "endless", 5),
        ("continue", "dot", body("dot", "double s = 0; int64_t i = 0; while (i < n) { if (x[i] < 2) continue; i++; } return s;"), PANICKED, "endless", 6),
        ("switch in a loop", "dot", body("dot", "volatile int k = 0; for (;;) switch (k) { case 0: k = 1; break; default: k = 0; } return 0;"), PANICKED, "endless", 5),
        ("nested", "dot", body("dot", "volatile int k = 0; for (int64_t i = 0; i < (1LL << 40); i++) for (int64_t j = 0; j < (1LL << 40); j++) k = 7; return k;"), PANICKED, "endless", 7),
        ("in place", "sort", body("sort", "for (int64_t i = 0; i < n; i = i ? 0 : 1) x[i] = -x[i];"), PANICKED, "endless", 4),
        ("swapping for ever", "sort", body("sort", "while (x[0] != x[1]) { double t = x[0]; x[0] = x[1]; x[1] = t; }"), PANICKED, "endless", 4),
        ("goto back on the data", "dot", body("dot", "double s = 0; a: s = x[0]; if (s < 2) goto a; return s;"), PANICKED, "endless", 5),
        ("in a helper", "dot", body("dot", "return f(n);", "static double f(int64_t k) { volatile int64_t t = k; while (t != -1) t = k; return t; }\n"), PANICKED, "endless", 4),
        ("wrapping counter", "dot", body("dot", "double s = 0; for (uint8_t i = 0; i < 300; i++) s += 1e-9; return s;"), PANICKED, "endless", 5),
        ("fractions that never meet", "scalar", body("scalar", "double t = 0; while (t != 1.0) t += 0.3; return t * x * y;"), PANICKED, "endless", 5),
        ("long but finite", "dot", body("dot", "volatile int64_t k = 0; for (int64_t i = 0; i < 20000000000; i++) k = i; return k;"), PANICKED, "endless", 5),
        ("long before the answer", "dot", body("dot", "volatile int64_t k = 0; for (int64_t i = 0; i < 190000000; i++) k += 1; double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * y[i]; return s;"), PANICKED, "endless", 5),
    ],
    "results": [
        ("a constant", "scalar", body("scalar", "return 1.5;"), WRONG, "wrong", 0),
        ("NaN", "scalar", body("scalar", "return NAN;"), WRONG, "wrong", 0),
        ("infinity", "scalar", body("scalar", "return INFINITY;"), WRONG, "wrong", 0),
        ("division of nothing", "scalar", body("scalar", "return (x - x) / (y - y);"), WRONG, "wrong", 0),
        ("nearly", "scalar", body("scalar", "return x * y + 1.0000001;"), WRONG, "wrong", 0),
        ("one element left out", "dot", body("dot", "double s = 0; for (int64_t i = 1; i < n; i++) s += x[i] * y[i]; return s;"), WRONG, "wrong", 0),
        ("one element off", "dot", body("dot", "double s = 0; for (int64_t i = 1; i < n; i++) s += x[i - 1] * y[i]; return s;"), WRONG, "wrong", 0),
        ("untouched output", "matmul", body("matmul", ""), WRONG, "wrong", 0),
        ("one output left out", "matmul", body("matmul", "for (int64_t i = 0; i < n; i++) for (int64_t j = i == 0; j < m; j++) { double s = 0; for (int64_t q = 0; q < k; q++) s += a[i][q] * b[q][j]; c[i][j] = s; }"), WRONG, "wrong", 0),
        ("output of NaN", "matmul", body("matmul", "for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) c[i][j] = NAN;"), WRONG, "wrong", 0),
        ("not sorted", "sort", body("sort", ""), WRONG, "wrong", 0),
        ("sorted backwards", "sort", body("sort", "for (int64_t i = 0; i < n; i++) for (int64_t j = i + 1; j < n; j++) if (x[j] > x[i]) { double t = x[i]; x[i] = x[j]; x[j] = t; }"), WRONG, "wrong", 0),
        ("sorted but lost one", "sort", body("sort", "for (int64_t i = 0; i < n; i++) x[i] = i;"), WRONG, "wrong", 0),
        ("record half written", "centre", body("centre", "out->x = 0;"), WRONG, "wrong", 0),
        ("integer off by one", "total", body("total", "return a + b + 1;"), WRONG, "wrong", 0),
        ("right for small numbers only", "total", body("total", "return (int8_t)(a * 20 + b * 20) / 20;"), WRONG, "wrong", 0),
    ],
}
# fmt: on

HONEST = {
    "scalar": "return x * y + 1.0;",
    "dot": "double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * y[i]; return s;",
    "matmul": "for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) { double s = 0;"
    " for (int64_t q = 0; q < k; q++) s += a[i][q] * b[q][j]; c[i][j] = s; }",
    "sort": "for (int64_t i = 1; i < n; i++) { double t = x[i]; int64_t j = i;"
    " for (; j > 0 && x[j - 1] > t; j--) x[j] = x[j - 1]; x[j] = t; }",
    "centre": "out->x = out->y = 0; for (int64_t i = 0; i < n; i++) { out->x += p[i].x; out->y += p[i].y; }"
    " out->w[0] = (int32_t)n; out->w[1] = 7;",
    "total": "return a + b;",
    "trick": "return 2 * x;",
}


# -- the kernels ------------------------------------------------------------------------------------------------------


@evolvable
def scalar(x: f64, y: f64) -> f64:
    """Two numbers."""
    return x * y + 1.0


@evolvable
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    """Two arrays of one length."""
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s


@evolvable
def matmul(a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None:
    """Three dimensions and an output."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = 0.0
            for q in range(a.shape[1]):
                s += a[i, q] * b[q, j]
            c[i, j] = s


@evolvable
def sort(x: InOut[f64, "n"]) -> None:
    """An array changed in place."""
    x.sort()


@record
class Point:
    """A record with an array in it."""

    x: f64
    y: f64
    w: Array[np.int32, 2]


@evolvable
def centre(p: Array[Point, "n"], out: Out[Point]) -> None:
    """Records in, a record out."""
    x = y = 0.0
    for i in range(p.shape[0]):
        x += p[i].x
        y += p[i].y
    out.x = x
    out.y = y
    out.w[0] = p.shape[0]
    out.w[1] = 7


@evolvable
def total(a: int64, b: int64) -> int64:
    """Integers."""
    return a + b


@evolvable
def trick(x: f64) -> f64:
    """What the callable metric calls."""
    return 2.0 * x


def points(rng):
    p = np.zeros(12, Point.dtype)
    p["x"], p["y"] = rng.random((2, 12))
    return p, np.zeros((), Point.dtype)


METRIC_OF = {
    "scalar": (scalar, Speedup(lambda rng: (rng.uniform(0.5, 1.0), rng.uniform(0.5, 1.0)))),
    "dot": (dot, Speedup(lambda rng: (rng.random(20), rng.random(20)))),
    "matmul": (matmul, Speedup(lambda rng: (rng.random((3, 4)), rng.random((4, 5)), np.zeros((3, 5))))),
    "sort": (sort, Speedup(lambda rng: (rng.random(20),))),
    "centre": (centre, Speedup(points)),
    "total": (total, Speedup(lambda rng: (int(rng.integers(1, 9)), int(rng.integers(1, 9))))),
    "trick": (trick, lambda kernel: chosen(kernel)),
}


# -- hostile metrics --------------------------------------------------------------------------------------------------


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
    "gives a dict in a dict": (lambda k: {"a": {"b": 1.0}}, WRONG, "TypeError"),
    "gives what cannot be shown": (lambda k: Unprintable("nan"), CRASHED, "exit code 1"),
    "exits": (lambda k: sys.exit(3), CRASHED, "exit code 3"),
    "exits with words": (lambda k: sys.exit("goodbye"), CRASHED, "exit code 1"),
    "exits at once": (lambda k: os._exit(7), CRASHED, "exit code 7"),
    "kills itself": (lambda k: signal.raise_signal(signal.SIGKILL), CRASHED, "signal SIGKILL"),
    "terminates itself": (lambda k: signal.raise_signal(signal.SIGTERM), CRASHED, "signal SIGTERM"),
    "aborts": (lambda k: os.abort(), CRASHED, "signal SIGABRT"),
    "reads address 0": (lambda k: ctypes.string_at(0), CRASHED, "signal SIGSEGV"),
    "stops itself": (lambda k: signal.raise_signal(signal.SIGSTOP), TIMED_OUT, "no result within 2 seconds"),
    "spins": (spins, TIMED_OUT, "no result within 2 seconds while asking the metric, with checks"),
    "sleeps": (lambda k: time.sleep(60), TIMED_OUT, "no result within 2 seconds"),
    "ignores signals": (ignores_signals_and_spins, TIMED_OUT, "no result within 2 seconds"),
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


def chosen(kernel):
    """The metric: a candidate that returns 1000 and more chooses a trick by that number, in a worker."""
    value = kernel(1.0)
    if value < FIRST_TRICK or os.getpid() == PARENT:
        return value
    return list(TRICKS.values())[int(value) - FIRST_TRICK](kernel)


def tricked(search, name):
    number = list(TRICKS).index(name) + FIRST_TRICK
    return search["trick"].evaluate(body("trick", f"return {number};"))


# -- the process ------------------------------------------------------------------------------------------------------


def descriptors():
    """What is open: names of files, and how many pipes and sockets there are."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # the listing's own
            continue
        found.append(target.partition("[")[0] if target.startswith(("pipe:", "socket:", "anon_inode:")) else target)
    return sorted(found)


def children():
    """The processes that this one has, without the compilers that wait for their next text."""
    waiting = {process.pid for process in clang().waiting}
    found = [int(n) for path in Path("/proc/self/task").glob("*/children") for n in path.read_text().split()]
    return sorted(set(found) - waiting)


def state():
    """What no candidate and no metric may change."""
    limits = [n for n in dir(resource) if n.startswith("RLIMIT_")]
    masks = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(("Sig", "Shd"))]
    return {
        "handlers": {n: signal.getsignal(n) for n in signal.valid_signals()},
        "masks": [line for line in masks if not line.startswith("SigQ")],
        "timers": signal.getitimer(signal.ITIMER_REAL),
        "descriptors": descriptors(),
        "environment": {n: v for n, v in os.environ.items() if n != "PYTEST_CURRENT_TEST"},
        "directory": os.getcwd(),
        "threads": sorted(t.name for t in threading.enumerate()),
        "tasks": len(os.listdir("/proc/self/task")),
        "limits": {n: resource.getrlimit(getattr(resource, n)) for n in limits},
        "recursion": sys.getrecursionlimit(),
        "floating point": np.geterr(),
        "children": children(),
    }


def canary():
    """A mebibyte of a pattern that begins a page, and its checksum."""
    room = np.zeros((1 << 20) + resource.getpagesize(), np.uint8)
    start = -room.ctypes.data % resource.getpagesize()
    page = room[start : start + (1 << 20)]
    page[:] = np.arange(1 << 20) % 251
    return page, hashlib.sha256(page).hexdigest()


@pytest.fixture(scope="module")
def search():
    """One search for each kernel; they end with the module."""
    opened = {
        key: Evolution(kernel, metric=metric, workers=2, deadline=DEADLINE)
        for key, (kernel, metric) in METRIC_OF.items()
    }
    yield opened
    for evolution in opened.values():
        evolution.close()


@pytest.fixture(scope="module")
def before(search):
    """The process after one honest evaluation of each kernel, and the evaluations."""
    first = {key: honest(search, key) for key in HONEST}
    contained(
        search["dot"].evaluate(body("dot", "double big[16384]; big[n] = 1; return big[0];")), WRONG
    )  # other flags
    for evolution in search.values():
        evolution.close()
    return state(), first, canary()


@pytest.fixture(scope="module")
def codes():
    """The object code of each row that got so far."""
    return {}


def honest(search, key):
    """What is said of an honest candidate, which has never been seen before; scores that are times are left out."""
    evaluation = search[key].evaluate(body(key, HONEST[key]))
    scores = dict(evaluation.scores) if key == "trick" else list(evaluation.scores)
    return evaluation.status, scores, evaluation.diagnostics, evaluation.panic


def contained(evaluation, status, said=""):
    """Assert an ordinary evaluation: no score, and a message that says something."""
    assert evaluation.status is status, str(evaluation)
    assert (evaluation.score, dict(evaluation.scores)) == (None, {})
    assert evaluation.diagnostics[0].message.strip()
    assert said in evaluation.diagnostics[0].message
    assert len(str(evaluation)) < 20_000
    return evaluation.diagnostics[0]


# -- the tests, in this order -----------------------------------------------------------------------------------------

ROWS = [(group, *row) for group, rows in CANDIDATES.items() for row in [*rows, (f"honest after {group}", *[None] * 5)]]


@pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])
def test_candidates(search, before, codes, row):
    """Every candidate gets the status, the rule and the line that the table says; honest ones pass after each group."""
    _, name, key, text, status, rule, line = row
    if key is None:
        assert {k: honest(search, k) for k in HONEST} == before[1]
        return
    evaluation = search[key].evaluate(text)
    found = contained(evaluation, status)
    assert (found.rule, found.line) == (rule, line), str(evaluation)
    assert line == 0 or found.column > 0
    assert line <= evaluation.source.count("\n") + 1
    if evaluation.code:
        assert codes.setdefault(evaluation.code, name) == name
    panic = evaluation.panic
    assert (panic is None) is (status is not PANICKED)
    if panic is not None:
        assert (panic.kind, panic.message, panic.line, panic.column) == (rule, found.message, line, found.column)
        assert panic.source == evaluation.source
        assert str(panic).splitlines()[-1].strip() == "^"


@pytest.mark.parametrize("name", METRICS)
def test_metrics(search, before, name):
    """Whatever a metric does, it is the candidate's evaluation, with a message that says what happened."""
    _, status, said = METRICS[name]
    contained(tricked(search, name), status, said)


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_metrics(search, before, name):
    """A metric that spoils its own process only, and answers, has answered."""
    evaluation = tricked(search, name)
    assert (evaluation.status, evaluation.score) == (VALID, 1.0)


@pytest.mark.parametrize("name", OUTSIDE)
def test_metrics_that_reach_outside(search, before, name):
    """With the filter, what would reach outside is refused with EPERM; without it, the reason is known."""
    if filter_problem() is not None:
        assert "seccomp" in filter_problem()
        return
    contained(tricked(search, name), WRONG, "PermissionError: [Errno 1]")
    assert not Path(f"/tmp/symbiont-hostile-{PARENT}").exists()


def test_honest_candidates_after_the_metrics(search, before):
    """After all of them, honest candidates are judged as in the beginning."""
    assert {key: honest(search, key) for key in HONEST} == before[1]
    assert {row[0] for row in before[1].values()} == {VALID}
    assert before[1]["trick"][1] == {"score": 2.0}


def test_the_process_is_as_it_was(search, before):
    """After everything, and without workers, signals, descriptors, environment, limits and memory are as before."""
    for evolution in search.values():
        evolution.close()
    was, _, (page, checksum) = before
    now = state()
    assert {name: now[name] for name in was if now[name] != was[name]} == {}
    assert hashlib.sha256(page).hexdigest() == checksum
    assert page.ctypes.data % resource.getpagesize() == 0


def test_the_kernels_are_as_they_were(search, before):
    """Evaluating activates nothing: the kernels still run their Python bodies."""
    for kernel, _ in METRIC_OF.values():
        assert (kernel.active.number, len(kernel.revisions)) == (0, 1)
    assert trick(1.0) == 2.0
    assert dot(np.ones(3), np.ones(3)) == 3.0
