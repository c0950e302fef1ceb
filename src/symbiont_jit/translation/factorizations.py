"""Linear algebra that Numba leaves to LAPACK -> plain loops: Cholesky, linear systems, inverses, norms, covariances.

In: matrices. Out: arrays, whose loops are written. The results agree with LAPACK's to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

from numba import types

from symbiont_jit.translation.arrays import allocate, for_each, materialize, whole
from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, int_value
from symbiont_jit.translation.extents import Extent
from symbiont_jit.translation.reductions import element_of
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import FLOAT64, c_name, is_complex, is_float
from symbiont_jit.translation.values import Grid, Quantity, Storage, bracketed

__all__ = ["cholesky", "covariance", "inverse", "norm", "solve"]


def _require_square(grid: Grid) -> Extent:
    if grid.rank != 2 or not (is_float(grid.dtype) or is_complex(grid.dtype)):
        raise UntranslatableError("a matrix of real or complex numbers is needed here")
    return grid.shape[0]


def cholesky(state: State, grid: Grid) -> Grid:
    """Write the loops of Cholesky's factorization, row by row."""
    length = _require_square(grid)
    if is_complex(grid.dtype):
        raise UntranslatableError("np.linalg.cholesky of complex numbers is not translated")
    if grid.storage is None:
        grid = whole(materialize(state, grid, "matrix"))
    suffix = "f" if grid.dtype == types.float32 else ""
    made = whole(allocate(state, "factor", grid.dtype, grid.shape, zeros=True))
    i, j, k = (state.take_loop_word(("i", "j", "k", "l")) for _ in range(3))
    row, column, inner = (state.loop_value(word, Extent(), length) for word in (i, j, k))
    total = state.names.take("rest")
    outer = f"for (int64_t {i} = 0; {i} < {int_value(length).text}; {i}++)"
    middle = f"for (int64_t {j} = 0; {j} <= {i}; {j}++)"
    with state.writer.within(outer, True), state.writer.within(middle, True):
        state.writer.line(f"{c_name(grid.dtype)} {total} = {grid.at([row, column]).text};")
        with state.writer.within(f"for (int64_t {k} = 0; {k} < {j}; {k}++)", True):
            state.writer.line(f"{total} -= {made.at([row, inner]).text} * {made.at([column, inner]).text};")
        place = made.at([row, column]).text
        state.writer.line(f"{place} = {i} == {j} ? sqrt{suffix}({total}) : {total} / {made.at([column, column]).text};")
    for word in (i, j, k):
        state.give_loop_word(word)
    return made


_ELIMINATION = """\
for (int64_t {p} = 0; {p} < {n}; {p}++) {{
    int64_t {best} = {p};
    for (int64_t {r} = {p} + 1; {r} < {n}; {r}++)
        if ({abs}({a}[{r}][{p}]) > {abs}({a}[{best}][{p}]))
            {best} = {r};
    if ({best} != {p}) {{
        for (int64_t {c} = 0; {c} < {n}; {c}++) {{
            const {T} {t} = {a}[{p}][{c}];
            {a}[{p}][{c}] = {a}[{best}][{c}];
            {a}[{best}][{c}] = {t};
        }}
        for (int64_t {c} = 0; {c} < {m}; {c}++) {{
            const {T} {t} = {b}[{p}]{at_c};
            {b}[{p}]{at_c} = {b}[{best}]{at_c};
            {b}[{best}]{at_c} = {t};
        }}
    }}
    for (int64_t {r} = {p} + 1; {r} < {n}; {r}++) {{
        const {T} {t} = {a}[{r}][{p}] / {a}[{p}][{p}];
        for (int64_t {c} = {p} + 1; {c} < {n}; {c}++)
            {a}[{r}][{c}] -= {t} * {a}[{p}][{c}];
        for (int64_t {c} = 0; {c} < {m}; {c}++)
            {b}[{r}]{at_c} -= {t} * {b}[{p}]{at_c};
    }}
}}
for (int64_t {p} = {n} - 1; {p} >= 0; {p}--)
    for (int64_t {c} = 0; {c} < {m}; {c}++) {{
        for (int64_t {r} = {p} + 1; {r} < {n}; {r}++)
            {b}[{p}]{at_c} -= {a}[{p}][{r}] * {b}[{r}]{at_c};
        {b}[{p}]{at_c} /= {a}[{p}][{p}];
    }}"""


def solve(state: State, left: Grid, right: Grid) -> Grid:
    """Write Gaussian elimination with partial pivoting, on copies."""
    length = _require_square(left)
    if right.dtype != left.dtype or right.rank not in (1, 2):
        raise UntranslatableError("np.linalg.solve takes a matrix, and a vector or matrix of the same type")
    wanted = state.take_wanted("solution")
    matrix = materialize(state, left, "matrix")
    solution = materialize(state, right, wanted)
    _eliminate(state, matrix, solution, length)
    return whole(solution)


def inverse(state: State, grid: Grid) -> Grid:
    """Solve for the columns of the unit matrix."""
    length = _require_square(grid)
    wanted = state.take_wanted("inverse")
    matrix = materialize(state, grid, "matrix")
    made = allocate(state, wanted, grid.dtype, grid.shape, zeros=True)

    def body(index: Sequence[Quantity]) -> None:
        state.writer.line(f"{whole(made).at([index[0], index[0]]).text} = {constant(1, grid.dtype).text};")

    for_each(state, (length,), body)
    _eliminate(state, matrix, made, length)
    return whole(made)


def _eliminate(state: State, matrix: Storage, solution: Storage, length: Extent) -> None:
    is_single = matrix.dtype in (types.float32, types.complex64)
    function = ("cabs" if is_complex(matrix.dtype) else "fabs") + ("f" if is_single else "")
    words = {name: state.names.take(wanted) for name, wanted in (("best", "best"), ("t", "factor"))}
    loops = {name: state.take_loop_word((wanted,)) for name, wanted in (("p", "pivot"), ("r", "row"), ("c", "column"))}
    has_columns = len(solution.shape) == 2
    for name in ("c", "t", "r", "p"):
        state.names.reserve(loops.get(name, words.get(name, "")))
    text = _ELIMINATION.format(
        **words,
        **loops,
        n=bracketed(int_value(length), 13),
        m=bracketed(int_value(solution.shape[1]), 11) if has_columns else "1",
        at_c=f"[{loops['c']}]" if has_columns else "",
        a=matrix.name,
        b=solution.name,
        abs=function,
        T=c_name(matrix.dtype),
    )
    for line in [text]:
        state.writer.line(line)
    for word in loops.values():
        state.give_loop_word(word)


def norm(state: State, grid: Grid) -> Quantity:
    """Write the loop of the Euclidean norm."""
    if not is_float(grid.dtype):
        raise UntranslatableError("np.linalg.norm takes real numbers here")
    total = state.names.take("squares")
    state.writer.line(f"{c_name(grid.dtype)} {total} = {constant(0, grid.dtype).text};")

    def body(index: Sequence[Quantity]) -> None:
        value = element_of(grid, index)
        value = value if value.is_simple or grid.storage is not None else state.keep(value, "each")
        state.writer.line(f"{total} += {bracketed(value, 14)} * {bracketed(value, 14)};")

    for_each(state, grid.shape, body)
    return Quantity(f"sqrt{'f' if grid.dtype == types.float32 else ''}({total})", grid.dtype)


def covariance(state: State, grid: Grid) -> Grid:
    """Write the loops of the covariances of rows."""
    if grid.rank != 2:
        raise UntranslatableError("np.cov takes a matrix here, each of whose rows is a variable")
    rows, count = grid.shape
    wanted = state.take_wanted("covariances")
    centred = materialize(
        state,
        Grid(FLOAT64, grid.shape, lambda i: convert(element_of(grid, i), FLOAT64), None, None, grid.sources()),
        "centred",
    )
    made = allocate(state, wanted, FLOAT64, (rows, rows))
    values, result = whole(centred), whole(made)
    mean = state.names.take("mean")

    def centre(index: Sequence[Quantity]) -> None:
        state.writer.line(f"double {mean} = 0.0;")

        def add(inner: Sequence[Quantity]) -> None:
            state.writer.line(f"{mean} += {values.at([index[0], inner[0]]).text};")

        for_each(state, (count,), add)
        state.writer.line(f"{mean} /= {int_value(count).text};")

        def subtract(inner: Sequence[Quantity]) -> None:
            state.writer.line(f"{values.at([index[0], inner[0]]).text} -= {mean};")

        for_each(state, (count,), subtract)

    for_each(state, (rows,), centre)

    def correlate(index: Sequence[Quantity]) -> None:
        total = state.names.take("dot")
        state.writer.line(f"double {total} = 0.0;")

        def add(inner: Sequence[Quantity]) -> None:
            state.writer.line("#pragma clang fp reassociate(on)")
            one, other = (values.at([row, inner[0]]).text for row in index)
            state.writer.line(f"{total} += {one} * {other};")

        for_each(state, (count,), add)
        state.writer.line(f"{result.at(index).text} = {total} / ({int_value(count).text} - 1);")

    for_each(state, (rows, rows), correlate)
    return result
