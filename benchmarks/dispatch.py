"""Nanoseconds a call inside a Numba loop: our cell against every other way to reach a small function.

`latency` feeds every result into the next call, `throughput` makes independent calls and stores their results,
`dot of 16` passes two arrays. Pointer, symbol and cell lead to the same machine code; the sides that are Numba's own
run the equivalent Python. All sides take turns in every round, and ratios are taken within a round. Times are the
thread's CPU time: waiting for a core is nobody's cost. Entering the loop from Python is measured by a loop of no calls,
taken off, and shown in a column of its own.

A call that Numba does not inline passes its result through memory, and an exception's address too (`Numba's ABI`
there); one through a C prototype returns in a register. That, not the indirection, is most of the distance between
Numba's function type and the cell.
"""

import ctypes
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from _table import Spread, options, ratio, save, say, show, spread
from numba import float64, int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from symbiont_jit import Array, evolvable

#: Calls a measurement: about two milliseconds of them.
CALLS: Final = {"latency": 1_000_000, "throughput": 1_000_000, "dot of 16": 250_000}
TARGET: Final = 1.05
POINTER: Final = "constant pointer"
CELLS: Final = ("cell, kernel as argument", "cell, kernel as global")

MASK: Final = 1023
OUT: Final = np.zeros(MASK + 1)
X: Final = np.linspace(0.5, 1.5, 16)
Y: Final = np.linspace(-1.0, 2.0, 16)


@evolvable(source="double scale(double x) { return x * 1.0000001 + 1e-9; }", profile="release")
def scale(x: float64) -> float64: ...


@evolvable(
    source="""
double dot(int64_t n, const double x[n], const double y[n])
{
  double s = 0.0;
  for (int64_t i = 0; i < n; i++)
    s += x[i] * y[i];
  return s;
}
""",
    profile="release",
)
def dot(x: Array[float64, "n"], y: Array[float64, "n"]) -> float64: ...


@njit
def numba_scale(x):
    return x * 1.0000001 + 1e-9


@njit
def numba_dot(x, y):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s


@dataclass(frozen=True, slots=True)
class Side:
    """One way to call: a compiled loop for each column, which takes `before`, the column's arrays and a count."""

    name: str
    loops: dict[str, Any]
    before: dict[str, tuple[Any, ...]]

    def run(self, column: str, calls: int) -> Any:
        """Make that many calls; what comes back is the same for every side."""
        arrays = {"latency": (), "throughput": (OUT,), "dot of 16": (X, Y)}[column]
        return self.loops[column](*self.before[column], *arrays, calls)


def constant_side(name: str, scale: Any, dot: Any) -> Side:
    """The kernels are globals of the loops."""

    @njit(nogil=True)
    def latency(calls):
        x = 1.0
        for _ in range(calls):
            x = scale(x)
        return x

    @njit(nogil=True)
    def throughput(out, calls):
        for i in range(calls):
            out[i & MASK] = scale(i * 1.0)
        return out[0]

    @njit(nogil=True)
    def dot_of_16(x, y, calls):
        total = 0.0
        for _ in range(calls):
            total += dot(x, y)
        return total

    return Side(name, dict(zip(CALLS, (latency, throughput, dot_of_16), strict=True)), dict.fromkeys(CALLS, ()))


def argument_side(name: str, scale: Any, dot: Any, signatures: Sequence[Any] = ((), (), ())) -> Side:
    """The kernels are the loops' first argument; without signatures, its type is whatever Numba sees in it."""

    def latency(kernel, calls):
        x = 1.0
        for _ in range(calls):
            x = kernel(x)
        return x

    def throughput(kernel, out, calls):
        for i in range(calls):
            out[i & MASK] = kernel(i * 1.0)
        return out[0]

    def dot_of_16(kernel, x, y, calls):
        total = 0.0
        for _ in range(calls):
            total += kernel(x, y)
        return total

    bodies = (latency, throughput, dot_of_16)
    loops = [njit(s or None, nogil=True)(body) for s, body in zip(signatures, bodies, strict=True)]
    kernels = ((scale,), (scale,), (dot,))
    return Side(name, dict(zip(CALLS, loops, strict=True)), dict(zip(CALLS, kernels, strict=True)))


def not_inlined_side() -> Side:
    """Numba's direct call, marked `noinline` where it stands: `njit(inline="never")` does not keep LLVM from it."""

    @intrinsic
    def scale(typing_context, x):
        return _not_inlined(numba_scale, (x,))

    @intrinsic
    def dot(typing_context, x, y):
        return _not_inlined(numba_dot, (x, y))

    return constant_side("direct call, Numba's ABI", scale, dot)


def _not_inlined(function: Any, args: tuple[types.Type, ...]) -> tuple[Any, Callable[..., Any]]:
    """An intrinsic's signature and code: a call of a compiled function that LLVM leaves a call."""
    function.compile(args)
    overload = function.overloads[args]

    def generate(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        context.add_linking_libs([overload.library])
        callee = context.declare_function(builder.module, overload.fndesc)
        status, result = context.call_conv.call_function(
            builder, callee, signature.return_type, signature.args, values, attrs=("noinline",)
        )
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return result

    return overload.signature, generate


def symbol_side() -> Side:
    """A C function known by name: its address is in the instructions, and nothing is loaded for the call."""
    pointer = types.voidptr
    names = {"scale": "sj_benchmark_scale", "dot": "sj_benchmark_dot"}
    llvm.add_symbol(names["scale"], scale.active.entry_address)
    llvm.add_symbol(names["dot"], dot.active.entry_address)
    scale_symbol = types.ExternalFunction(names["scale"], float64(float64))
    dot_symbol = types.ExternalFunction(names["dot"], float64(int64, pointer, pointer))
    return constant_side("direct call, C symbol", scale_symbol, _of_pointers(dot_symbol))


def pointer_side() -> Side:
    """A `ctypes` function pointer as a global; Numba keeps its address in memory, so each call loads it."""
    real, pointer = ctypes.c_double, ctypes.c_void_p
    scale_pointer = ctypes.CFUNCTYPE(real, real)(scale.active.entry_address)
    dot_pointer = ctypes.CFUNCTYPE(real, ctypes.c_int64, pointer, pointer)(dot.active.entry_address)
    return constant_side(POINTER, scale_pointer, _of_pointers(dot_pointer))


def _of_pointers(entry: Any) -> Any:
    """A function of arrays that calls an entry of a length and pointers; Numba inlines it."""

    @njit
    def dot(x, y):
        return entry(x.shape[0], x.ctypes, y.ctypes)

    return dot


def function_type_side() -> Side:
    """Numba's first-class functions: the loop is compiled for the type, the function is a value."""
    vector = float64[::1]
    scale_type = types.FunctionType(float64(float64))
    dot_type = types.FunctionType(float64(vector, vector))
    signatures = (
        float64(scale_type, int64),
        float64(scale_type, vector, int64),
        float64(dot_type, vector, vector, int64),
    )
    numba_scale.compile((float64,))
    numba_dot.compile((vector, vector))
    return argument_side("Numba's function type", numba_scale, numba_dot, signatures)


def all_sides() -> list[Side]:
    """Every side, compiled, checked and warm."""
    inlined = constant_side("inlined njit function", numba_scale, numba_dot)
    called = [
        not_inlined_side(),
        symbol_side(),
        pointer_side(),
        function_type_side(),
        argument_side(CELLS[0], scale, dot),
        constant_side(CELLS[1], scale, dot),
    ]
    for column in CALLS:
        wanted = inlined.run(column, 5000)
        for side in called:
            found = side.run(column, 5000)
            assert found == wanted, f"{side.name}, {column}: {found!r}, not {wanted!r}"
            assert calls_in(side.loops[column]), f"{side.name}, {column}: the call was inlined away"
        assert not calls_in(inlined.loops[column]), f"{inlined.name}, {column}: the call is still there"
    return [inlined, *called]


def calls_in(loop: Any) -> list[str]:
    """The call instructions in a loop's optimised LLVM IR, besides LLVM's own and reference counting."""
    (signature,) = loop.signatures
    name = re.escape(loop.overloads[signature].fndesc.mangled_name)
    body = re.search(rf'^define [^\n]*@"?{name}"?\(.*?^}}', loop.inspect_llvm(signature), re.DOTALL | re.MULTILINE)
    assert body is not None, f"no definition of {name}"
    lines = body[0].splitlines()
    return [line for line in lines if re.search(r"\bcall\b", line) and not re.search(r"@(NRT_|llvm\.)", line)]


Times = dict[str, dict[str, list[float]]]
Results = dict[str, dict[str, dict[str, Spread]]]


def measure(sides: Sequence[Side], rounds: int) -> tuple[Times, dict[str, list[float]]]:
    """Nanoseconds a call, by column, side and round; and those of entering the latency loop, by side."""
    times: Times = {column: {side.name: [] for side in sides} for column in CALLS}
    entering: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(rounds):
        for column, calls in CALLS.items():
            for side in sides:
                clocked(side, column, 0)  # the others have cooled the caches that entering needs
                empty = clocked(side, column, 0)
                times[column][side.name].append((clocked(side, column, calls) - empty) / calls)
                if column == "latency":
                    entering[side.name].append(empty)
    return times, entering


def clocked(side: Side, column: str, calls: int) -> int:
    """Nanoseconds of a loop."""
    start = time.thread_time_ns()
    side.run(column, calls)
    return time.thread_time_ns() - start


def summary(times: Times) -> Results:
    """Times and their ratios to the constant pointer, by side and column."""
    return {
        side: {column: {"ns": spread(of[side]), "ratio": ratio(of[side], of[POINTER])} for column, of in times.items()}
        for side in times["latency"]
    }


def report(results: Results, entering: dict[str, Spread]) -> None:
    """The table, and the lines that the targets are read from."""
    columns = ["ns a call"]
    for column in CALLS:
        columns += [column, "ratio"]
    columns.append("entry us")
    rows = []
    for side, found in results.items():
        row = [side]
        for column in CALLS:
            row += [f"{found[column]['ns']:.2f}", f"{found[column]['ratio'].median:.2f}"]
        rows.append([*row, f"{entering[side].median / 1000:.1f}"])
    show(f"A call from a Numba loop: median [quartiles], and ratio to the {POINTER}", columns, rows)
    for column in ("latency", "throughput"):
        for cell in CELLS:
            found_ratio = results[cell][column]["ratio"]
            say(f"{column}, {cell}: cell / constant pointer: {found_ratio.median:.3f} (target at most {TARGET})")


def main() -> None:
    chosen = options("dispatch", __doc__, rounds=300)
    times, empty = measure(all_sides(), chosen.rounds)
    results, entering = summary(times), {side: spread(values) for side, values in empty.items()}
    report(results, entering)
    save(chosen.json, chosen.rounds, {"unit": "ns", "calls": CALLS, "sides": results, "entering": entering})


if __name__ == "__main__":
    main()
