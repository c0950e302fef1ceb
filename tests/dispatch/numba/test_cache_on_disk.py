"""Numba's cache on disk, which knows types, lowering and frozen revisions by their keys alone."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys, warnings
import numpy as np
from numba import njit, prange, float64 as f64, int32
import symbiont_jit as sj
from symbiont_jit import evolvable

scale = int(sys.argv[1])
warnings.simplefilter("always")
kernel = sj.Kernel.from_c(f"double kernel(double x) {{ return {scale} * x; }}")
unlike = sj.Kernel.from_c(f"double unlike(double y) {{ return {scale} * y; }}")
group = sj.Group()
@group.evolvable
def member(x: f64) -> f64: ...
@group.evolvable
def other(x: f64) -> f64: ...
group.swap(f"double member(double x) {{ return {scale} * x; }} double other(double x) {{ return {scale} * x; }}")
z = sj.Kernel.from_c(f"double _Complex z(double _Complex a) {{ return {scale} * a; }}")
@sj.record
class Point:
    x: f64
    n: int32
@evolvable(source=f"double move(const struct Point *p) {{ return {scale} * p->x + p->n; }}")
def move(p: Point) -> f64: ...
point = np.array([(1.0, 0)], Point.dtype)
chosen = kernel if scale == 2 else unlike.active

@njit(cache=True)
def of_kernel(k, x): return k(x)
@njit(cache=True)
def of_member(k, x): return k(x)
@njit(cache=True)
def of_group(g, x): return g.snapshot().other(x)
@njit(cache=True)
def of_tuple(ks, x): return ks[0](x) + ks[1](x)
@njit(cache=True, parallel=True)
def of_prange(k, x):
    s = 0.0
    for _ in prange(2): s += k(x)
    return s
@njit(cache=True)
def of_steps(k, x):
    for _ in range(2): yield k(x)
@njit(cache=True)
def of_another(k, x): return of_kernel(k, x)
@njit(cache=True)
def of_complex(k, x): return k(x).real
@njit(cache=True)
def of_record(k, p): return k(p[0])
@njit(cache=True)
def of_frozen(k, x): return k(x)
@njit(cache=True)
def of_frozen_member(k, x): return k(x)
@njit(cache=True)
def of_frozen_complex(k, x): return k(x).real
@njit(cache=True)
def of_frozen_record(k, p): return k(p[0])

pinned, tuple_of_two = kernel.active, (kernel, unlike)
@njit(cache=True)
def named(x): return kernel(x)
@njit(cache=True)
def named_handle(x): return pinned(x)
@njit(cache=True)
def named_member(x): return member(x)
@njit(cache=True)
def named_group(x): return group.snapshot().other(x)
@njit(cache=True)
def named_in_tuple(x): return tuple_of_two[1](x)
@njit(cache=True)
def named_in_another(x): return named(x)
@njit(cache=True)
def named_by_default(x, k=kernel): return k(x)

@evolvable
def python(x: f64) -> f64:
    return x + 1.0
python.compile("double python(double x) { return 3 * x; }")
first, second, third = kernel.freeze(), other.freeze(), python.freeze(scale - 2)
two = first, first
@njit(cache=True)
def named_frozen(x): return first(x)
@njit(cache=True)
def named_frozen_member(x): return second(x)
@njit(cache=True)
def named_frozen_in_tuple(x): return two[0](x)
@njit(cache=True)
def named_frozen_in_another(x): return named_frozen(x)
@njit(cache=True, parallel=True)
def named_frozen_in_prange(x):
    s = 0.0
    for _ in prange(2): s += first(0.5 * x)
    return s
@njit(cache=True)
def named_frozen_python(x): return third(x)
@njit(cache=True)
def given_to_another(x): return of_frozen(first, x)

GIVEN = [
    (of_kernel, chosen, 1.0), (of_member, member if scale == 2 else member.active, 1.0), (of_group, group, 1.0),
    (of_tuple, (kernel, chosen), 0.5), (of_prange, chosen, 0.5), (of_steps, chosen, 0.5), (of_another, chosen, 1.0),
    (of_complex, z, 1 + 0j), (of_record, move, point),
]
FROZEN = [
    (of_frozen, chosen.freeze() if scale == 2 else kernel.freeze(), 1.0), (of_frozen_member, other.freeze(), 1.0),
    (of_frozen_complex, z.freeze(), 1 + 0j), (of_frozen_record, move.freeze(), point),
]
NAMED = [named, named_handle, named_member, named_group, named_in_tuple, named_in_another, named_by_default, named_frozen, named_frozen_member,
    named_frozen_in_tuple, named_frozen_in_another, named_frozen_in_prange, named_frozen_python, given_to_another]
results = {}
for function, *arguments in [*GIVEN, *FROZEN, *((f, 1.0) for f in NAMED)]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function(*arguments)
        value = value if isinstance(value, float) else sum(value)
    refused = any("dynamic globals" in str(w.message) for w in caught)
    results[function.__name__] = value, sum(function.stats.cache_hits.values()), refused
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """What a program with `cache=True` finds in three processes: two with the same revisions, one with others."""
    folder = tmp_path_factory.mktemp("cache")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "numba")}
    results = []
    for scale in (2, 2, 3):
        command = [sys.executable, str(program), str(scale)]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        results.append(json.loads(ran.stdout))
    return results


GIVEN = "kernel member group tuple prange steps another complex record".split()
GIVEN_FROZEN = ["frozen", "frozen_member", "frozen_complex", "frozen_record"]
NAMED = [
    "named",
    "given_to_another",
    *(
        f"named_{what}"
        for what in "handle member group in_tuple in_another by_default frozen frozen_member frozen_in_tuple frozen_in_another frozen_in_prange frozen_python".split()
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN)
def test_a_cached_loop_serves_other_kernels_in_another_process(cached, name):
    """With a kernel as an argument, what Numba keeps on disk is good for every kernel of the types."""
    assert [run[f"of_{name}"] for run in cached] == [[2, 0, False], [2, 1, False], [3, 1, False]]


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN_FROZEN)
def test_a_cached_loop_with_a_frozen_argument_is_found_for_that_text_alone(cached, name):
    """Another process with the same text has a hit, one with another text compiles anew and is right."""
    assert [run[f"of_{name}"] for run in cached] == [[2, 0, False], [2, 1, False], [3, 0, False]]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_what_names_a_kernel_is_never_cached(cached, name):
    """Numba warns, keeps nothing, and no process is given another one's kernel."""
    assert [run[name] for run in cached] == [[2, 0, True], [2, 0, True], [3, 0, True]]


@pytest.mark.slow
def test_a_global_kernel_is_not_cached_by_numba(tmp_path):
    """A compiled function that names a kernel holds an address of this process: `cache=True` is refused, never stale."""
    program = tmp_path / "program.py"
    program.write_text(
        "from numba import njit\n"
        "from symbiont_jit import evolvable\n"
        "@evolvable(source='int64_t inc(int64_t x) { return x + 1; }')\n"
        "def inc(x: int) -> int: ...\n"
        "@njit(cache=True)\n"
        "def by_name(x):\n    return inc(x)\n"
        "@njit(cache=True)\n"
        "def by_argument(kernel, x):\n    return kernel(x)\n"
        "print(by_name(1), by_argument(inc, 1), sum(by_argument.stats.cache_hits.values()))\n"
    )
    outputs = [
        subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True) for _ in range(2)
    ]
    assert [o.stdout.split() for o in outputs] == [["2", "2", "0"], ["2", "2", "1"]]
    assert "dynamic globals" in outputs[1].stderr
