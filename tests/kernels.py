"""Kernels that several tests use: what they are called in Python, and a body of each in C.

The functions are plain; `evolvable(dot)` is a new kernel with the Python body, `signature_of(dot)` its signature.
"""

from numba import float64 as f64

from symbiont_jit import Array, InOut, Out

DOT_HEAD = "double dot(int64_t n, const double x[n], const double y[n])"

#: The beginning of a body that is written in one line.
DOT_OPEN = DOT_HEAD + " {"

DOT = f"""{DOT_HEAD} {{
    double s = 0.0;
    for (int64_t i = 0; i < n; i++) s += x[i] * y[i];
    return s;
}}"""

MATMUL_HEAD = "void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m])"

MATMUL = f"""{MATMUL_HEAD} {{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {{
            double s = 0.0;
            for (int64_t p = 0; p < k; p++) s += a[i][p] * b[p][j];
            c[i][j] = s;
        }}
}}"""

TOTAL_HEAD = "double total(int64_t n, const double x[n])"

TOTAL = f"{TOTAL_HEAD} {{ double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; return s; }}"

SORT_HEAD = "void sort(int64_t n, double x[n])"

SORT = f"""{SORT_HEAD} {{
    for (int64_t i = 1; i < n; i++) {{
        double key = x[i];
        int64_t j = i - 1;
        while (j >= 0 && x[j] > key) {{ x[j + 1] = x[j]; j--; }}
        x[j + 1] = key;
    }}
}}"""

#: Another body of `square`.
CUBE = "double square(double x) { return x * x * x; }"


def step_text(number):
    """A revision of `step`, which adds its number."""
    return f"int64_t step(int64_t x) {{ return x + {number}; }}"


def statements_of(text):
    """What stands between the braces of a function."""
    return text[text.index("{") + 1 : text.rindex("}")]


def total(x: Array[f64, "n"]) -> f64:
    """Sum of x."""
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i]
    return s


def scalar(x: f64, y: f64) -> f64: ...


def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    """Inner product of x and y."""
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s


def dot_without_c(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
    """Inner product of x and y, in Python that has no C form."""
    assert len(x) == len(y)
    return (x * y).sum()


def matmul(a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None:
    """Matrix product of a and b."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = 0.0
            for p in range(a.shape[1]):
                s += a[i, p] * b[p, j]
            c[i, j] = s


def sort(x: InOut[f64, "n"]) -> None:
    """The numbers of x in ascending order."""
    x.sort()
