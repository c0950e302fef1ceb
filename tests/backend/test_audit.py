"""The audit of optimised IR: what undefined behaviour leaves behind is found, and nothing else."""

import pytest

from symbiont_jit import Kernel
from symbiont_jit.backend.generator import find_undefined

#: A lane of the third value is nobody's; the fourth takes lanes of two vectors, of which the first has those from 0 on.
LANES = """  %3 = add <4 x i64> %2, <i64 poison, i64 1, i64 2, i64 3>
  %4 = shufflevector <4 x i64> {}, <4 x i32> <i32 {}, i32 5, i32 6, i32 7>
"""

HONEST = {
    "a panic": "  call void @sj_panic(ptr %0)\n  unreachable\n",
    "the jump of a panic": "  tail call void @llvm.eh.sjlj.longjmp(ptr %0)\n  unreachable\n",
    "a switch over all values": (
        "  switch i64 %0, label %9 [\n    i64 0, label %2\n    i64 1, label %2\n  ]\n\n2:\n  ret void\n\n9:\n  unreachable\n"
    ),
    "a vector that is filled": "  %1 = insertelement <2 x double> poison, double %0, i64 0\n  ret void\n",
    "a constant of which lanes are filled": (
        "  %1 = insertelement <4 x double> <double 1.0, double poison, double 2.0, double poison>, double %0, i64 1\n"
        "  %2 = insertelement <4 x double> %1, double %0, i64 3\n  ret void\n"
    ),
    "a way that is never gone": "  br label %2\n\n2:\n  %3 = phi i64 [ poison, %1 ], [ %0, %2 ]\n  ret void\n",
    "a struct that is filled": "  %1 = insertvalue { double, i64 } poison, double %0, 0\n  ret void\n",
    "a call of a function with a dollar": "  call void @spin$1()\n  unreachable\n",
    "a shuffle": "  %2 = shufflevector <2 x double> %1, <2 x double> poison, <2 x i32> zeroinitializer\n  ret void\n",
    "a lane that nobody takes, of the second vector": LANES.format("%1, <4 x i64> %3", 0) + "  ret void\n",
    "a lane that nobody takes, of the first vector": LANES.format("%3, <4 x i64> %1", 1) + "  ret void\n",
    "a lane of a constant on the left": (
        LANES.format("%1, <4 x i64> %3", 0).replace("%2, <", "<").replace("3>\n", "3>, %2\n", 1) + "  ret void\n"
    ),
    "a lane of a function of each lane": (
        "  %3 = fmul <2 x double> %2, <double 0.25, double poison>\n"
        "  %4 = tail call <2 x double> @llvm.tanh.v2f64(<2 x double> %3)\n"
        "  %5 = extractelement <2 x double> %4, i64 0\n  ret void\n"
    ),
    "a lane of a choice": (
        "  %3 = select <2 x i1> %2, <2 x double> <double poison, double 0.0>, <2 x double> %1\n"
        "  %4 = extractelement <2 x double> %3, i64 1\n  ret void\n"
    ),
    "a lane beside one that is taken": (
        "  %3 = fadd <2 x float> %2, <float -2.0, float poison>\n  %4 = extractelement <2 x float> %3, i64 0\n  ret void\n"
    ),
    "a lane that is replaced": (
        "  %3 = sub <4 x i64> <i64 2, i64 0, i64 0, i64 poison>, %2\n"
        "  %4 = insertelement <4 x i64> %3, i64 0, i64 3\n  ret void\n"
    ),
    "a lane of a vector that is added": (
        LANES.format("%1, <4 x i64> %3", 0) + "  %5 = add <4 x i64> %3, %3\n  ret void\n"
    ),
    "one lane for all": (
        "  %3 = and <8 x i64> %2, <i64 -64, i64 poison, i64 poison, i64 poison, i64 1, i64 1, i64 1, i64 1>\n"
        "  %4 = shufflevector <8 x i64> %3, <8 x i64> poison, <8 x i32> zeroinitializer\n  ret void\n"
    ),
    "a store under a mask": (
        "  call void @llvm.masked.store.v2i64.p0(<2 x i64> <i64 13, i64 poison>, ptr nonnull align 8 %0, "
        "<2 x i1> <i1 true, i1 false>)\n  ret void\n"
    ),
    "a load under a mask": (
        "  %3 = tail call <4 x double> @llvm.masked.gather.v4f64.v4p0(<4 x ptr> %1, <4 x i1> %2, <4 x double> poison)\n"
        "  ret void\n"
    ),
}

GUESSED = {
    "a function without an end": "  unreachable\n",
    "a block without an end": "  br label %2\n\n2:                 ; preds = %1\n  unreachable\n",
    "one side of a branch": "  br i1 %0, label %2, label %3\n\n2:\n  ret void\n\n3:\n  unreachable\n",
    "a switch and a branch": (
        "  switch i64 %0, label %9 [\n    i64 0, label %2\n  ]\n\n2:\n  br label %9\n\n9:\n  unreachable\n"
    ),
    "a case of a switch": "  switch i64 %0, label %2 [\n    i64 0, label %9\n  ]\n\n2:\n  ret void\n\n9:\n  unreachable\n",
    "a function of the library": "  call void @exit(i32 1)\n  unreachable\n",
    "a store": "  store i64 1, ptr %0\n  unreachable\n",
    "a value that is undefined": "  store i64 undef, ptr %0\n  ret void\n",
    "an argument that is poison": "  call void @sj_panic(i64 poison)\n  ret void\n",
    "a lane that a shuffle takes": LANES.format("%1, <4 x i64> %3", 4) + "  ret void\n",
    "a lane of the first vector that a shuffle takes": LANES.format("%3, <4 x i64> %1", 0) + "  ret void\n",
    "a lane of a vector that is stored too": (
        LANES.format("%1, <4 x i64> %3", 0) + "  store <4 x i64> %3, ptr %0\n  ret void\n"
    ),
    "a lane of a sum of all lanes": (
        "  %3 = fmul <2 x double> %2, <double 0.25, double poison>\n"
        "  %4 = tail call double @llvm.vector.reduce.fadd.v2f64(double 0.0, <2 x double> %3)\n  ret void\n"
    ),
    "a lane that is passed on": (
        "  %3 = fmul <2 x double> %2, <double 0.25, double poison>\n"
        "  %4 = tail call <2 x double> @victim.v2f64(<2 x double> %3)\n  ret void\n"
    ),
    "a lane of a choice that is taken": (
        "  %3 = select <2 x i1> %2, <2 x double> <double poison, double 0.0>, <2 x double> %1\n"
        "  %4 = extractelement <2 x double> %3, i64 0\n  ret void\n"
    ),
    "a choice of nothing": "  %3 = select i1 %2, double poison, double %1\n  ret void\n",
    "a choice of vectors of nothing": (
        "  %3 = select <2 x i1> %2, <2 x double> poison, <2 x double> %1\n"
        "  %4 = extractelement <2 x double> %3, i64 1\n  ret void\n"
    ),
    "a lane that is taken": (
        "  %3 = fadd <2 x float> %2, <float -2.0, float poison>\n  %4 = extractelement <2 x float> %3, i64 1\n  ret void\n"
    ),
    "a lane of a divisor": LANES.format("%1, <4 x i64> %3", 0).replace("add", "udiv") + "  ret void\n",
    "an undefined value by a way": "  br label %2\n\n2:\n  %3 = phi i64 [ undef, %1 ], [ %0, %2 ]\n  ret void\n",
    "a lane that a mask keeps": (
        "  call void @llvm.masked.store.v2i64.p0(<2 x i64> <i64 13, i64 poison>, ptr nonnull align 8 %0, "
        "<2 x i1> <i1 true, i1 true>)\n  ret void\n"
    ),
    "an undefined value that is inserted": (
        "  %1 = insertelement <2 x double> poison, double undef, i64 0\n  ret void\n"
    ),
    "an undefined value in a vector that is there": (
        "  %2 = insertelement <2 x double> %1, double undef, i64 0\n  ret void\n"
    ),
    "an undefined value in a struct": ("  %1 = insertvalue { double, i64 } poison, double poison, 0\n  ret void\n"),
    "a comparison": "  %1 = icmp eq i64 undef, 0\n  ret void\n",
}


def function(body, name="k"):
    """A function of the IR, beside the runtime's panic."""
    panic = "define internal void @sj_panic(ptr %0) #1 {\n  call void @llvm.eh.sjlj.longjmp(ptr %0)\n  unreachable\n}\n"
    spin = "define internal void @spin$1() #1 {\n  br label %1\n\n1:\n  br label %1\n}\n"
    return f"{panic}\n{spin}\ndefine void @{name}(ptr %0) #0 {{\n{body}}}\n\ndeclare void @exit(i32)\n"


@pytest.mark.parametrize("kind", HONEST)
def test_what_code_really_ends_in_passes(kind):
    """Panics, switches over all values and vectors that are filled are no signs of anything."""
    assert find_undefined(function(HONEST[kind])) == ""


@pytest.mark.parametrize("kind", GUESSED)
def test_what_the_optimiser_has_guessed_is_found(kind):
    """An end without a reason and a value without bits are found, with the function's name."""
    assert find_undefined(function(GUESSED[kind], "victim")).endswith("'victim'")


@pytest.mark.parametrize("name", ["f$g", "$", '"a b"'])
def test_functions_of_any_name_are_looked_at(name):
    """C's dollar, and what LLVM quotes."""
    assert find_undefined(function("  store i64 undef, ptr %0\n  ret void\n", name)).endswith(f"'{name}'")


ORDINARY = {
    "two quotients": "double a = x[0], b = x[1]; x[0] = 1 / a; x[1] = b / a;",
    "sums of quotients": "double g = 1 / x[0] + 1 / x[1], q = x[1] / 3; x[0] = g * q;",
    "a quotient of a constant": "double a = x[0], b = x[1], c = x[2]; x[0] = 1 / (a + b); x[1] = c / (a - b);",
    "an array of four": "double m[4] = {1, x[0], x[1], 1}; for (int i = 0; i < 4; i++) x[i] += m[i];",
    "an array of eight": "double m[8] = {1, x[0], 3, x[1], 5, 6, 7, 8}; for (int i = 0; i < 8; i++) x[i] += m[i];",
    "complex numbers": "double _Complex z = x[0] + x[1] * I; z = 1 / z + z * 2; x[0] = creal(z); x[1] = cimag(z);",
    "a sum of integers": "int64_t s = 0; for (int64_t i = 0; i < n; i++) s += (int64_t)x[i]; x[0] = s;",
    "a product of bytes": "uint8_t t[64] = {1, 2}, s = 1; for (int64_t i = 0; i < n && i < 64; i++) s ^= t[i]; x[0] = s;",
    "a loop that counts down": "int64_t k = n; for (; k > 0; k--) x[0] += k; x[1] = k;",
    "a loop until the end of bits": "uint64_t k = (uint64_t)x[0]; int64_t s = 0; while (k) { s ^= k; k--; } x[1] = s + k;",
    "a store of some lanes": (
        "char v[4] = {0}; char *p = v; int m = (~v[2] & 3) + 3; uint64_t w[m]; "
        "for (int i = 0; i < m; i++) w[i] = i * 3 + 1; v[1] ^= p[0] * n & 0xff; x[0] = w[m - 1] + v[1];"
    ),
    "floats": "float a = x[0], b = x[1]; float t[4] = {1, a, b, 2}; for (int i = 0; i < 4; i++) x[i] += t[i] / a;",
}


@pytest.mark.table
@pytest.mark.parametrize("profile", ["safe", "checked"])
@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_arithmetic_is_accepted(kind, profile):
    """The optimiser makes vectors of constants and values, whose lanes it fills one by one."""
    text = f"#include <complex.h>\nvoid f(int64_t n, double x[n])\n{{\n  if (n < 8) return;\n  {ORDINARY[kind]}\n}}\n"
    assert Kernel.from_c(text, profile=profile).active is not None


@pytest.mark.table
@pytest.mark.parametrize("operator", ["+", "*", "&", "|", "^"])
@pytest.mark.parametrize("element", ["int64_t", "int32_t", "uint8_t"])
def test_reductions_of_integers_are_accepted(element, operator):
    """The loop that comes behind a vectorised one begins with a constant of which one lane is filled."""
    body = f"int64_t s = 1; for (int64_t i = 0; i < n; i++) s {operator}= x[i]; return s;"
    assert Kernel.from_c(f"int64_t f(int64_t n, const {element} x[n]) {{ {body} }}").active is not None
