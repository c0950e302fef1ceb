"""Nanoseconds a call, in a Numba loop and from Python: our cell against every other way to reach a small function.

`latency` feeds every result into the next call, `throughput` makes independent calls and stores their results,
`dot of 16` passes two arrays and stores the sum so far, for all that LLVM knows into one of them: otherwise it would
call a frozen function once, before the loop. Pointer, symbol and cell lead to the same machine code; the sides that are
Numba's own run the equivalent Python. All sides take turns in every round, and ratios are taken within a round. Times
are the thread's CPU time: waiting for a core is nobody's cost. Entering the loop from Python is measured by a loop of
no calls, taken off, and shown in a column of its own.

Every side has compiled loops of its own. A processor remembers where an indirect call went; one that has had two
targets takes longer for a while, and a loop that two sides share would have had two. What a swap costs by that is
measured last, with loops made for it.

From Python, the loop is a plain `for`, one function for each side; the time of an empty one is taken off.

A call that Numba does not inline passes its result through memory, and an exception's address too (`Numba's ABI`
there); one through a C prototype returns in a register. That, not the indirection, is most of the distance between
Numba's function type and the cell.
"""

import ctypes
import re
import statistics
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

from symbiont_jit import Array, Group, evolvable
from symbiont_jit.kernel import Kernel
from symbiont_jit.kernel.group import declare_function

#: Calls a measurement: about two milliseconds of them.
CALLS: Final = {"latency": 1_000_000, "throughput": 1_000_000, "dot of 16": 250_000}
#: The same for a Python loop.
PYTHON_CALLS: Final = {"scalar": 20_000, "dot of 16": 10_000}
#: Loops of their own that are made for each measurement of a swap: one in so many rounds.
ROUNDS_A_SWAP: Final = 10

INLINED, POINTER, NUMBA = "inlined njit function", "constant pointer", "njit function"
ARGUMENT, GLOBAL, HANDLE, FROZEN = "cell, kernel as argument", "cell, kernel as global", "handle", "frozen"
MEMBER, ALONE, SNAPSHOT, STABLE = "group member", "group of one", "snapshot of a group", "stable address"
#: What is compared with what, and the target where there is one.
COMPARISONS: Final = (
    (ARGUMENT, POINTER, 1.05),
    (GLOBAL, POINTER, 1.05),
    (HANDLE, POINTER, 1.10),
    (MEMBER, POINTER, 1.10),
    (FROZEN, INLINED, 1.02),
    (ALONE, ARGUMENT, None),
)
PYTHON_COMPARISONS: Final = (("kernel", NUMBA, 1.5),)

MASK: Final = 1023
OUT: Final = np.zeros(MASK + 1)
X: Final = np.linspace(0.5, 1.5, 16)
Y: Final = np.linspace(-1.0, 2.0, 16)


SCALE_C: Final = "double scale(double x) { return x * 1.0000001 + 1e-9; }"
DOT_C: Final = """
double dot(int64_t n, const double x[n], const double y[n])
{
  double s = 0.0;
  for (int64_t i = 0; i < n; i++)
    s += x[i] * y[i];
  return s;
}
"""


@evolvable(source=SCALE_C, profile="release")
def scale(x: float64) -> float64: ...


@evolvable(source=DOT_C, profile="release")
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
        arrays = {"latency": (), "throughput": (OUT,), "dot of 16": (X, Y, OUT)}[column]
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
    def dot_of_16(x, y, out, calls):
        total = 0.0
        for i in range(calls):
            total += dot(x, y)
            out[i & MASK] = total
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

    def dot_of_16(kernel, x, y, out, calls):
        total = 0.0
        for i in range(calls):
            total += kernel(x, y)
            out[i & MASK] = total
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


def pointer_side(name: str, scale_address: int, dot_address: int) -> Side:
    """A `ctypes` function pointer as a global; Numba keeps its address in memory, so each call loads it."""
    real, pointer = ctypes.c_double, ctypes.c_void_p
    scale_pointer = ctypes.CFUNCTYPE(real, real)(scale_address)
    dot_pointer = ctypes.CFUNCTYPE(real, ctypes.c_int64, pointer, pointer)(dot_address)
    return constant_side(name, scale_pointer, _of_pointers(dot_pointer))


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
        float64(dot_type, vector, vector, vector, int64),
    )
    numba_scale.compile((float64,))
    numba_dot.compile((vector, vector))
    return argument_side("Numba's function type", numba_scale, numba_dot, signatures)


def group_of(*kernels: Kernel) -> Group:
    """A group whose functions have the signatures and the source of some kernels."""
    group = Group(profile="release")
    for kernel in kernels:
        declare_function(group, kernel.signature)
    group.swap("\n".join(kernel.source or "" for kernel in kernels))
    return group


def snapshot_side(group: Group) -> Side:
    """A snapshot of the group for every call."""

    @njit(nogil=True)
    def latency(group, calls):
        x = 1.0
        for _ in range(calls):
            x = group.snapshot().scale(x)
        return x

    @njit(nogil=True)
    def throughput(group, out, calls):
        for i in range(calls):
            out[i & MASK] = group.snapshot().scale(i * 1.0)
        return out[0]

    @njit(nogil=True)
    def dot_of_16(group, x, y, out, calls):
        total = 0.0
        for i in range(calls):
            total += group.snapshot().dot(x, y)
            out[i & MASK] = total
        return total

    loops = (latency, throughput, dot_of_16)
    return Side(SNAPSHOT, dict(zip(CALLS, loops, strict=True)), dict.fromkeys(CALLS, (group,)))


def all_sides(pair: Group) -> list[Side]:
    """Every side, compiled, checked and warm; `pair` is a group of both functions."""
    inlined = argument_side(INLINED, numba_scale, numba_dot)
    frozen = argument_side(FROZEN, scale.freeze(), dot.freeze())
    called = [
        not_inlined_side(),
        symbol_side(),
        pointer_side(POINTER, scale.active.entry_address, dot.active.entry_address),
        pointer_side(STABLE, scale.address, dot.address),
        function_type_side(),
        argument_side(ARGUMENT, scale, dot),
        constant_side(GLOBAL, scale, dot),
        argument_side(HANDLE, scale.revision(0), dot.revision(0)),
        argument_side(MEMBER, pair["scale"], pair["dot"]),
        argument_side(ALONE, group_of(scale)["scale"], group_of(dot)["dot"]),
        snapshot_side(pair),
    ]
    for column in CALLS:
        wanted = inlined.run(column, 5000)
        for side in (frozen, *called):
            found = side.run(column, 5000)
            assert found == wanted, f"{side.name}, {column}: {found!r}, not {wanted!r}"
        for side in called:
            assert calls_in(side.loops[column]), f"{side.name}, {column}: the call was inlined away"
        for side in (inlined, frozen):
            assert not calls_in(side.loops[column]), f"{side.name}, {column}: the call is still there"
    return [inlined, frozen, *called]


def calls_in(loop: Any) -> list[str]:
    """The call instructions in a loop's optimised LLVM IR, besides LLVM's own and reference counting."""
    (signature,) = loop.signatures
    name = re.escape(loop.overloads[signature].fndesc.mangled_name)
    body = re.search(rf'^define [^\n]*@"?{name}"?\(.*?^}}', loop.inspect_llvm(signature), re.DOTALL | re.MULTILINE)
    assert body is not None, f"no definition of {name}"
    lines = body[0].splitlines()
    return [line for line in lines if re.search(r"\bcall\b", line) and not re.search(r"@(NRT_|llvm\.)", line)]


# -- from Python ------------------------------------------------------------------------------------------------------


#: Side -> column -> a Python loop that makes so many calls.
PythonSides = dict[str, dict[str, Callable[[int], None]]]


def python_sides(pair: Group) -> PythonSides:
    """Every side, checked, and `empty`, which makes no calls. For ctypes the pointers are made before."""
    pointer = ctypes.POINTER(ctypes.c_double)
    pointers = (len(X), X.ctypes.data_as(pointer), Y.ctypes.data_as(pointer))
    called: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
        "kernel": (scale, dot, (X, Y)),
        HANDLE: (scale.revision(0), dot.revision(0), (X, Y)),
        MEMBER: (pair["scale"], pair["dot"], (X, Y)),
        NUMBA: (numba_scale, numba_dot, (X, Y)),
        "kernel.ctypes": (scale.ctypes, dot.ctypes, pointers),
    }
    sides: PythonSides = {"empty": dict.fromkeys(PYTHON_CALLS, python_loop(None))}
    for name, (of_scalar, of_arrays, arrays) in called.items():
        assert of_scalar(0.5) == numba_scale(0.5), f"{name} from Python"
        assert of_arrays(*arrays) == numba_dot(X, Y), f"{name} from Python"
        loops = (python_loop(of_scalar, 0.5), python_loop(of_arrays, *arrays))
        sides[name] = dict(zip(PYTHON_CALLS, loops, strict=True))
    return sides


def python_loop(function: Any, *arguments: Any) -> Callable[[int], None]:
    """A function of its own for each use, because CPython specialises the bytecode for what is called."""
    scope: dict[str, Any] = {}
    names = [f"a{i}" for i in range(len(arguments))]
    body = f"function({', '.join(names)})" if function is not None else "pass"
    exec(f"def loop({', '.join(['calls', 'function', *names])}):\n    for _ in range(calls):\n        {body}\n", scope)
    loop = scope["loop"]
    return lambda calls: loop(calls, function, *arguments)


# -- measuring --------------------------------------------------------------------------------------------------------

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


def measure_python(sides: PythonSides, rounds: int) -> Times:
    """Nanoseconds a call from Python, by column, side and round."""
    times: Times = {column: {side: [] for side in sides if side != "empty"} for column in PYTHON_CALLS}
    for _ in range(rounds):
        for column, calls in PYTHON_CALLS.items():
            found = {}
            for side, loops in sides.items():
                loops[column](calls // 20)
                start = time.thread_time_ns()
                loops[column](calls)
                found[side] = (time.thread_time_ns() - start) / calls
            for side, of in times[column].items():
                of.append(found[side] - found["empty"])
    return times


def measure_swaps(rounds: int) -> dict[str, dict[str, list[float]]]:
    """A call right after its call site's first swap, and some milliseconds later, over the same before; by column."""
    others = {
        scale: scale.compile(SCALE_C.replace("1.0000001", "1.0000002")),
        dot: dot.compile(DOT_C.replace("0.0", "1e-300")),
    }
    ratios: dict[str, dict[str, list[float]]] = {column: {"right after": [], "later": []} for column in CALLS}
    for _ in range(rounds):
        side = argument_side("swapped", scale, dot)
        for column, calls in CALLS.items():
            kernel = dot if column == "dot of 16" else scale
            side.run(column, calls)
            before = statistics.median(clocked(side, column, calls) for _ in range(5))
            kernel.activate(others[kernel])
            after = clocked(side, column, calls)
            for _ in range(20):
                later = clocked(side, column, calls)
            kernel.activate(0)
            ratios[column]["right after"].append(after / before)
            ratios[column]["later"].append(later / before)
    return ratios


# -- reporting --------------------------------------------------------------------------------------------------------


def summary(times: Times, base: str) -> Results:
    """Times and their ratios to a side's, by side and column."""
    sides = next(iter(times.values()))
    return {
        side: {column: {"ns": spread(of[side]), "ratio": ratio(of[side], of[base])} for column, of in times.items()}
        for side in sides
    }


def report(title: str, results: Results, entering: dict[str, Spread] | None = None) -> None:
    """A table of sides and columns."""
    columns = ["ns a call"]
    for column in next(iter(results.values())):
        columns += [column, "ratio"]
    rows = []
    for side, found in results.items():
        row = [side]
        for of in found.values():
            row += [f"{of['ns']:.2f}", f"{of['ratio'].median:.2f}"]
        rows.append([*row, f"{entering[side].median / 1000:.1f}"] if entering else row)
    show(title, [*columns, "entry us"] if entering else columns, rows)


def compare(times: Times, comparisons: Sequence[tuple[str, str, float | None]]) -> dict[str, dict[str, Spread]]:
    """Print the lines that the targets are read from; what goes into the file."""
    results = {}
    for above, below, target in comparisons:
        found = {column: ratio(of[above], of[below]) for column, of in times.items()}
        say(f"{above} / {below}: {listed(found)}" + (f" (target at most {target})" if target else ""))
        results[f"{above} / {below}"] = found
    return results


def listed(ratios: dict[str, Spread]) -> str:
    """The medians, by column."""
    return ", ".join(f"{column} {of.median:.3f}" for column, of in ratios.items())


def main() -> None:
    chosen = options("dispatch", __doc__, rounds=300)
    pair = group_of(scale, dot)
    times, empty = measure(all_sides(pair), chosen.rounds)
    from_python = measure_python(python_sides(pair), chosen.rounds)
    swapped = measure_swaps(-(-chosen.rounds // ROUNDS_A_SWAP))

    results, entering = summary(times, POINTER), {side: spread(values) for side, values in empty.items()}
    report(f"A call from a Numba loop: median [quartiles], and ratio to the {POINTER}", results, entering)
    compared = compare(times, COMPARISONS)
    swaps = {column: {when: spread(values) for when, values in of.items()} for column, of in swapped.items()}
    first, later = (listed({c: of[when] for c, of in swaps.items()}) for when in ("right after", "later"))
    say(f"a call right after a swap / before: {first}; 20 loops later: {later}")
    python_results = summary(from_python, NUMBA)
    report(f"A call from Python: median [quartiles], and ratio to the {NUMBA}", python_results)
    compared |= compare(from_python, PYTHON_COMPARISONS)
    facts = {"unit": "ns", "calls": CALLS, "sides": results, "entering": entering, "comparisons": compared}
    save(chosen.json, chosen.rounds, {**facts, "swap / before": swaps, "from Python": python_results})


if __name__ == "__main__":
    main()
