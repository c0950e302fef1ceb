"""The vocabulary: what the tables offer to a candidate compiles and links."""

import re

import pytest
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Kernel, evolvable
from symbiont_jit.c import vocabulary
from tests.frontend.candidates import SCALAR, canonical_text, whole

ARGUMENTS = {
    "double": "x",
    "float": "(float)x",
    "int": "(int)n",
    "long": "n",
    "long long": "n",
    "size_t": "16",
    "int *": "&i",
    "double *": "&d",
    "float *": "&f",
    "void *": "b",
    "const void *": "c",
    "double _Complex": "z",
    "float _Complex": "w",
}
BUILTIN_ARGUMENTS = {
    "expect": "n, 1",
    "assume": "n > 0",
    "prefetch": "&d",
    "assume_aligned": "c, 1",
    "inf": "",
    "inff": "",
    "huge_val": "",
    "huge_valf": "",
    "nan": '""',
    "nanf": '""',
    "fma": "x, x, x",
    "fmaf": "x, x, x",
    "complex": "x, x",
} | dict.fromkeys("fmin fminf fmax fmaxf copysign copysignf".split(), "x, x")


def example_call(row):
    """A call of a function of the table, as a statement."""
    if row.prototype:
        parameters = re.search(r"\((.*)\)", row.prototype)[1].split(", ")
        return f"{row.name}({', '.join(ARGUMENTS[p] for p in parameters)})"
    name = row.name.removeprefix("__builtin_")
    integer = re.match("popcount|clz|ctz|parity|ffs|bswap", name)
    return f"{row.name}({BUILTIN_ARGUMENTS.get(name, 'n' if integer else 'x')})"


def example_value(row):
    """The call as something that can be added up."""
    if row.name == "offsetof":
        return "offsetof(struct pair, second)"
    if row.name == "__builtin_unreachable":
        return "(n > 0 ? 1 : (__builtin_unreachable(), 0))"
    is_known = not row.macro or row.name.startswith("__builtin_")
    call = example_call(row) if is_known else f"{row.name}({'x, x' if ', y' in row.macro else 'x'})"
    if row.name == "realloc":
        return "(realloc(malloc(8), 16) != 0)"
    if row.prototype.startswith("void *") or row.name.endswith(("assume_aligned",)):
        return f"({call} != 0)"
    if row.name == "free":
        return "(free(malloc(8)), 1)"
    if row.name in ("__builtin_assume", "__builtin_prefetch"):
        return f"({call}, 1)"
    return call


ROWS = list(vocabulary.FUNCTIONS.values())
GROUPS = [ROWS[start : start + 16] for start in range(0, len(ROWS), 16)]


@pytest.mark.table
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].name)
def test_every_function_of_the_table_compiles_and_links(group):
    """A candidate that calls what the table offers is accepted, linked and runs."""

    @evolvable
    def offered(x: f64, n: i64) -> f64: ...

    lines = "".join(f"    s += (double){example_value(row)};\n" for row in group)
    revision = offered.compile(
        "struct pair { double first, second; };\n"
        "double offered(double x, int64_t n)\n{\n"
        "    double d = x, s = 0.0;\n    float f = (float)x;\n    double _Complex z = x;\n    float _Complex w = f;\n    int i = (int)n;\n"
        '    char b[16] = {1}, c[16] = "abc";\n'
        f"{lines}    return isnan(s) ? x : s + d + f + i + b[1] + c[1];\n}}\n"
    )
    assert isinstance(revision(0.5, 3), float)


@pytest.mark.table
@pytest.mark.parametrize("name", sorted(vocabulary.CONSTANTS))
def test_every_constant_of_the_table_has_a_value(name):
    """Each constant can be used without an include; compiling is asked once for all of them."""
    lines = "".join(f"    s += {constant} != 0;\n" for constant in vocabulary.CONSTANTS)
    assert f" {name} " in canonical_text(whole(f"double s = 0.0;\n{lines} return s;"))


def test_all_constants_and_types_compile():
    """One candidate that uses every constant and every type of the tables is compiled."""
    constants = "".join(f"s += {name} != 0;\n" for name in vocabulary.CONSTANTS)
    types = "".join(f"{{ {name} v = 1; s += sizeof v; }}\n" for name in vocabulary.TYPEDEFS)
    kernel = Kernel(SCALAR)
    zeros = {"NULL", "false"}
    sizes = sum(int(re.search(r"\d+", n)[0]) // 8 for n in vocabulary.TYPEDEFS if re.fullmatch(r"u?int\d+_t", n))
    value = kernel.compile(whole(f"double s = 0.0;\n{constants}{types} return s;"))(0.0, 0.0)
    assert value >= len(vocabulary.CONSTANTS) - len(zeros) + sizes
