"""The words a candidate may use: functions, constants, types, headers and pragmas, each in one table.

The frontend checks against these tables, the backend declares and links what they list, and prompts and
documentation are printed from them. Adding a function is adding a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = [
    "INSTEAD",
    "ARENA_FUNCTIONS",
    "CONSTANTS",
    "FUNCTIONS",
    "HEADERS",
    "LIBRARY_SYMBOLS",
    "PRAGMAS",
    "PRELUDE",
    "TYPEDEFS",
    "Function",
    "prelude",
]


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a candidate may call: its C prototype, or an empty text where the compiler knows it by itself."""

    name: str
    prototype: str = ""
    macro: str = ""


def _prototypes(text: str) -> list[Function]:
    rows = [row.strip() for row in text.split(";") if row.strip()]
    return [Function(re.findall(r"(\w+)\(", row)[0], row + ";") for row in rows]


def _libm(shape: str, names: str) -> list[Function]:
    """Declare both precisions of a family: in `shape`, R is double or float and F the function's name."""
    rows = []
    for name in names.split():
        rows += [
            Function(n, shape.replace("R", r).replace("F", n)) for n, r in ((name, "double"), (name + "f", "float"))
        ]
    return rows


_ROWS: Final = [
    *_libm(
        "R F(R);",
        "acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp2 expm1 fabs floor lgamma log log10 log1p "
        "log2 logb nearbyint rint round sin sinh sqrt tan tanh tgamma trunc",
    ),
    *_libm("R F(R, R);", "atan2 copysign fdim fmax fmin fmod hypot nextafter pow remainder"),
    *_libm("R F(R, R, R);", "fma"),
    *_libm("R F(R, int);", "ldexp scalbn"),
    *_libm("R F(R, int *);", "frexp"),
    *_libm("R F(R, R *);", "modf"),
    *_libm("int F(R);", "ilogb"),
    *_libm("long F(R);", "lrint lround"),
    *_libm("long long F(R);", "llrint llround"),
    *_prototypes(
        "int abs(int); long labs(long); long long llabs(long long);"
        "void *memcpy(void *, const void *, size_t); void *memmove(void *, const void *, size_t);"
        "void *memset(void *, int, size_t); int memcmp(const void *, const void *, size_t)"
    ),
    *_prototypes(
        "void *malloc(size_t); void *calloc(size_t, size_t); void *realloc(void *, size_t); void free(void *)"
    ),
    *(Function(n, macro=f"(x) __builtin_{n}(x)") for n in "isnan isinf isfinite isnormal signbit".split()),
    *(
        Function(n, macro=f"(x, y) __builtin_{n}(x, y)")
        for n in "isgreater isgreaterequal isless islessequal islessgreater isunordered".split()
    ),
    *_libm("R _Complex F(R _Complex);", "cacos cacosh casin casinh catan catanh ccos ccosh cexp clog conj cproj"),
    *_libm("R _Complex F(R _Complex);", "csin csinh csqrt ctan ctanh"),
    *_libm("R _Complex F(R _Complex, R _Complex);", "cpow"),
    *_libm("R F(R _Complex);", "cabs carg cimag creal"),
    Function("CMPLX", macro="(x, y) __builtin_complex((double)(x), (double)(y))"),
    Function("CMPLXF", macro="(x, y) __builtin_complex((float)(x), (float)(y))"),
    Function("offsetof", macro="(type, member) __builtin_offsetof(type, member)"),
    *(
        Function("__builtin_" + n)
        for n in (
            "popcount popcountl popcountll clz clzl clzll ctz ctzl ctzll parity parityl parityll ffs ffsl ffsll "
            "bswap16 bswap32 bswap64 complex expect assume unreachable prefetch"
        ).split()
    ),
    # The builtin takes any pointer and gives one that may write; here a pointer to what is const stays one.
    Function(
        "__builtin_assume_aligned",
        macro="(p, ...) ((__typeof__(0 ? *(void **)0 : (p)))__builtin_assume_aligned(p, __VA_ARGS__))",
    ),
    *(
        Function("__builtin_" + n)
        for n in (
            "fabs fabsf sqrt sqrtf fma fmaf fmin fminf fmax fmaxf copysign copysignf isnan inf inff "
            "huge_val huge_valf nan nanf"
        ).split()
    ),
]

#: Functions for memory that lasts as long as a call. They are the project's own, never the C library's.
ARENA_FUNCTIONS: Final = ("malloc", "calloc", "realloc", "free")

#: Every function a candidate may call, by name.
FUNCTIONS: Final[Mapping[str, Function]] = {row.name: row for row in _ROWS}

#: Names that lowering may leave undefined in object code. What clang makes of the table's functions is more than
#: their names: `memcmp` can become `bcmp`, `sin` with `cos` becomes `sincos`, `pow(2, x)` becomes `exp2` or `ldexp`.
LIBRARY_SYMBOLS: Final = frozenset(
    [row.name for row in _ROWS if row.prototype and row.name not in ARENA_FUNCTIONS]
    + "bcmp nan nanf strlen wcslen sincos sincosf exp10 exp10f fmodl roundeven roundevenf".split()
)

_INTEGER_LIMITS: Final[Mapping[str, str]] = {
    **{f"INT{b}_MAX": f"__INT{b}_MAX__" for b in (8, 16, 32, 64)},
    **{f"INT{b}_MIN": f"(-__INT{b}_MAX__ - 1)" for b in (8, 16, 32, 64)},
    **{f"UINT{b}_MAX": f"__UINT{b}_MAX__" for b in (8, 16, 32, 64)},
    "CHAR_BIT": "8",
    "SCHAR_MAX": "__SCHAR_MAX__",
    "SCHAR_MIN": "(-__SCHAR_MAX__ - 1)",
    "UCHAR_MAX": "(2 * __SCHAR_MAX__ + 1)",
    "SHRT_MAX": "__SHRT_MAX__",
    "SHRT_MIN": "(-__SHRT_MAX__ - 1)",
    "USHRT_MAX": "(2 * __SHRT_MAX__ + 1)",
    "INT_MAX": "__INT_MAX__",
    "INT_MIN": "(-__INT_MAX__ - 1)",
    "UINT_MAX": "(2U * __INT_MAX__ + 1U)",
    "LONG_MAX": "__LONG_MAX__",
    "LONG_MIN": "(-__LONG_MAX__ - 1L)",
    "ULONG_MAX": "(2UL * __LONG_MAX__ + 1UL)",
    "LLONG_MAX": "__LONG_LONG_MAX__",
    "LLONG_MIN": "(-__LONG_LONG_MAX__ - 1LL)",
    "ULLONG_MAX": "(2ULL * __LONG_LONG_MAX__ + 1ULL)",
    "SIZE_MAX": "__SIZE_MAX__",
    "PTRDIFF_MAX": "__PTRDIFF_MAX__",
}

_FLOAT_LIMITS: Final[Mapping[str, str]] = {
    **{
        f"{kind}_{what}": f"__{kind}_{source}__"
        for kind in ("DBL", "FLT")
        for what, source in {
            "EPSILON": "EPSILON",
            "MAX": "MAX",
            "MIN": "MIN",
            "TRUE_MIN": "DENORM_MIN",
            "DIG": "DIG",
            "MANT_DIG": "MANT_DIG",
            "MAX_EXP": "MAX_EXP",
            "MIN_EXP": "MIN_EXP",
        }.items()
    },
    "_Complex_I": "__builtin_complex(0.0f, 1.0f)",
    "HUGE_VAL": "__builtin_huge_val()",
    "HUGE_VALF": "__builtin_huge_valf()",
    "INFINITY": "__builtin_inff()",
    "NAN": '__builtin_nanf("")',
}

_MATH: Final[Mapping[str, str]] = {
    "M_E": "2.71828182845904523536",
    "M_LOG2E": "1.44269504088896340736",
    "M_LOG10E": "0.43429448190325182765",
    "M_LN2": "0.69314718055994530942",
    "M_LN10": "2.30258509299404568402",
    "M_PI": "3.14159265358979323846",
    "M_PI_2": "1.57079632679489661923",
    "M_PI_4": "0.78539816339744830962",
    "M_1_PI": "0.31830988618379067154",
    "M_2_PI": "0.63661977236758134308",
    "M_2_SQRTPI": "1.12837916709551257390",
    "M_SQRT2": "1.41421356237309504880",
    "M_SQRT1_2": "0.70710678118654752440",
}

_COMPUTED: Final = (
    "sqrt cbrt log log2 log10 log1p exp exp2 exp10 expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "atan2 sincos sincospi pow ceil trunc rint nearbyint round roundeven floor copysign fmin fmax fminimum fmaximum "
    "fminimum_num fmaximum_num lround llround lrint llrint ldexp frexp modf fmod remainder fma hypot"
).split()
_MOVING: Final = (
    "memcpy memmove memset memcmp bcmp bzero memccpy mempcpy memchr memrchr strlen strnlen wcslen strcpy stpcpy abort"
).split()
#: Functions that LLVM's code generator calls where no text does: it makes `sincos` of `sin` and `cos`, and a loop may
#: become a `memcpy`. Whatever has such a name at file scope would be what is called.
COMPILER_NAMES: Final = LIBRARY_SYMBOLS.union(
    _MOVING, (name + suffix for name in _COMPUTED for suffix in ("", "f", "l", "f16", "f32", "f64", "f128", "f64x"))
)

#: Functions of the C library besides the table's (C11 annex B). clang knows what many of them do, and would treat a
#: kernel of that name accordingly.
LIBRARY_NAMES: Final = frozenset(
    (
        "abort abs acos asctime asin atan atexit atof atoi atol atoll bsearch calloc clearerr clock ctime difftime "
        "div exit fclose feof ferror fflush fgetc fgetpos fgets fopen fprintf fputc fputs fread free freopen fscanf "
        "fseek fsetpos ftell fwrite getc getchar getenv gets gmtime isalnum isalpha isblank iscntrl isdigit isgraph "
        "islower isprint ispunct isspace isupper isxdigit ldiv lldiv localtime longjmp main malloc mblen mbstowcs "
        "mbtowc memchr mktime perror printf putc putchar puts qsort raise rand realloc remove rename rewind scanf "
        "setbuf setjmp setlocale setvbuf signal sprintf srand sscanf strcat strchr strcmp strcoll strcpy strcspn "
        "strerror strftime strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtod strtof strtok strtol "
        "strtoll strtoul strtoull strxfrm system time tmpfile tmpnam tolower toupper ungetc vfprintf vprintf vsprintf "
        "wcstombs wctomb bcmp bcopy bzero alloca index rindex stpcpy strdup strndup strcasecmp fork vfork execl execv"
    ).split()
)

#: Every constant a candidate may use without defining it, with the C expression behind it.
CONSTANTS: Final[Mapping[str, str]] = {
    "NULL": "((void *)0)",
    "true": "1",
    "false": "0",
    **_INTEGER_LIMITS,
    **_FLOAT_LIMITS,
    **_MATH,
}

_EXACT: Final[Mapping[str, str]] = {
    f"{u}int{b}_t": f"{'unsigned ' if u else 'signed '}{base}"
    for b, base in {8: "char", 16: "short", 32: "int", 64: "long"}.items()
    for u in ("", "u")
}

#: Every type name a candidate may use without defining it, with the C type behind it on a 64-bit Unix.
TYPEDEFS: Final[Mapping[str, str]] = {
    **_EXACT,
    **{n.replace("int", "int_least", 1): t for n, t in _EXACT.items()},
    **{n.replace("int", "int_fast", 1): t if "8" in n else t.rpartition(" ")[0] + " long" for n, t in _EXACT.items()},
    "intmax_t": "signed long",
    "uintmax_t": "unsigned long",
    "intptr_t": "signed long",
    "uintptr_t": "unsigned long",
    "ptrdiff_t": "signed long",
    "size_t": "unsigned long",
    "ssize_t": "signed long",
    "bool": "_Bool",
}

#: Headers whose `#include` is dropped, because the prelude already declares what a candidate may use of them.
HEADERS: Final = frozenset(
    (
        "assert.h complex.h float.h inttypes.h limits.h math.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h"
    ).split()
)

#: Pragmas a candidate may use, as patterns of the whole directive after `#pragma`.
PRAGMAS: Final[Mapping[str, str]] = {
    "clang loop OPTION(ARGUMENT) ...": (
        r"clang loop(\s+("
        r"(vectorize|interleave|distribute|vectorize_predicate)\s*\(\s*(enable|disable)\s*\)"
        r"|(vectorize|interleave)\s*\(\s*assume_safety\s*\)"
        r"|unroll\s*\(\s*(enable|disable|full)\s*\)"
        r"|(unroll_count|vectorize_width|interleave_count)\s*\(\s*[1-9][0-9]{0,2}\s*\)"
        r"))+"
    ),
    "clang fp OPTION(ARGUMENT) ...": (
        r"clang fp(\s+((reassociate|reciprocal)\s*\(\s*(on|off)\s*\)|contract\s*\(\s*(on|off|fast)\s*\)))+"
    ),
    "unroll / nounroll": r"(unroll|nounroll|unroll\s*\(\s*[1-9][0-9]{0,2}\s*\)|unroll\s+[1-9][0-9]{0,2})",
    "GCC unroll N": r"GCC unroll\s+[1-9][0-9]{0,2}",
    "STDC FP_CONTRACT": r"STDC FP_CONTRACT (ON|OFF|DEFAULT)",
}


def _prelude_lines() -> dict[str, str]:
    lines = {name: f"typedef {c} {name};" for name, c in TYPEDEFS.items()}
    lines |= {row.name: row.prototype for row in _ROWS if row.prototype}
    lines |= {row.name: f"#define {row.name}{row.macro}" for row in _ROWS if row.macro}
    return lines | {name: f"#define {name} {c}" for name, c in CONSTANTS.items()}


#: The C that declares each type, function and constant of the tables.
PRELUDE: Final[Mapping[str, str]] = _prelude_lines()


#: What to do instead of calling functions that people and models often call, and that have no place in a kernel.
INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("assert", "printf", "puts", "fprintf"), "leave it out"),
    **dict.fromkeys(("abort", "exit"), "return a value that says what went wrong"),
    **dict.fromkeys(("rand", "srand", "random"), "write a generator whose state is an argument"),
}


def prelude(text: str) -> str:
    """Return the declarations of the standard types, functions and constants that a candidate uses.

    Other declarations are left out, because clang takes about a millisecond to read all of them.
    """
    words = set(re.findall(r"\w+", text))
    if any("size_t" in PRELUDE[word] for word in words & PRELUDE.keys()):
        words.add("size_t")
    return "".join(f"{line}\n" for name, line in PRELUDE.items() if name in words)
