"""The house: who may import whom, no circles, small parts, one class a name, and a package that is light to import."""

import ast
import graphlib
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import symbiont_jit

ROOT = Path(symbiont_jit.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

#: Each layer with those it may import, whole or one module of them. A folder's own modules may import each other,
#: except in circles. The rows are in the order of the layers: each names only what stands above it.
ALLOWED = {
    "errors": set(),
    "environment": set(),
    "stages": set(),
    "uninterrupted": set(),
    "lazy": set(),
    "options": {"errors"},
    "starting": set(),
    "identity": set(),
    "c": {"errors", "uninterrupted"},
    "signature": {"errors", "lazy", "c"},
    "frontend": {"errors", "stages", "uninterrupted", "lazy", "c", "signature"},
    "backend": {"errors", "starting", "identity", "uninterrupted", "c"},
    "runtime": {"errors", "uninterrupted", "c", "backend"},
    "instrument": {"errors", "lazy", "c", "signature", "runtime"},
    "dispatch": {"errors", "uninterrupted", "lazy", "signature"},
    "translation": {"errors", "c", "signature"},
    "engine": {
        "errors",
        "stages",
        "uninterrupted",
        "signature",
        "frontend",
        "instrument",
        "backend",
        "dispatch",
        "runtime",
    },
    "agents": {"errors", "environment"},
    "testing": {"errors", "agents"},
    "isolate": {"errors", "environment", "options", "starting", "identity", "uninterrupted"},
    "evaluate": {
        "errors",
        "environment",
        "uninterrupted",
        "options",
        "signature",
        "frontend",
        "backend",
        "runtime",
        "engine",
        "isolate",
    },
    "llm": {
        "errors",
        "options",
        "stages",
        "c",
        "signature",
        "frontend",
        "runtime",
        "agents",
        "engine.target",
        "backend.machine",
        "evaluate.evaluation",
        "evaluate.facts",
    },
    "propose": {"errors", "c", "signature", "llm"},
    "search": {
        "errors",
        "options",
        "engine.builds",
        "engine.target",
        "isolate.permissions",
        "isolate.start",
        "evaluate",
        "propose",
    },
    "report": {"errors", "evaluate", "search"},
    "kernel": {
        "errors",
        "lazy",
        "options",
        "signature",
        "frontend",
        "backend",
        "dispatch",
        "runtime",
        "engine",
        "llm",
        "isolate.permissions",
        "isolate.start",
        "isolate.worker",
        "evaluate",
        "report.comparison",
        "translation",
    },
    "doctor": {"errors", "backend", "runtime", "isolate"},
    "demo": {"signature", "evaluate", "propose", "search", "kernel"},
    "cli": {
        "errors",
        "dispatch.numba.from_numba",
        "evaluate",
        "propose",
        "search",
        "kernel",
        "doctor",
        "demo",
        "report",
    },
    "__main__": {"cli"},
}

#: The face is for users: whatever stands beside it uses `engine.target`.
MAY_IMPORT_KERNEL = {"demo", "cli", "export", "mcp"}

#: Packages of others and parts of the standard library, with the only layers that may import them.
BORDERS = {
    "llvmlite": {"backend", "dispatch", "isolate"},  # isolate holds LLVM's lock while it forks
    "multiprocessing": {"isolate"},
    "numba": {
        "translation",
        "dispatch",
        "demo",
        "doctor",
        "evaluate",
        "isolate",
    },  # isolate holds its lock, evaluate asks for threads
    "openai": {"agents"},
    "plotly": {"report"},
    "pydantic_core": {"agents", "isolate"},
    "opentelemetry": {"llm"},
    "pycparser": {"c", "frontend", "instrument", "propose"},
    "pydantic": {"agents", "evaluate", "isolate"},  # isolate reads what untrusted code may have written
    "pyseccomp": {"isolate"},
    "rich": {"report", "cli"},
    "scipy": {"kernel"},
    "sqlite3": {"store"},
    "subprocess": {"isolate"},
    "typer": {"cli"},
    "ziglang": {"backend"},
}

#: Arrows between files that may close a circle, with the reason.
CIRCLES: dict[tuple[str, str], str] = {}

#: Modules of more than so many lines, with the reason.
MAX_LINES = 450
LONG_MODULES: dict[str, str] = {}

#: A function's lines are those from `def` to its last one, without decorators and without its docstring; functions
#: inside functions count for themselves too.
MEDIAN_LINES, NINTH_DECILE_LINES, MAX_FUNCTION_LINES = 6, 16, 50
LONG_FUNCTIONS: dict[tuple[str, str], str] = {}

#: Names of types that stand in several modules, with the reason.
SHARED_CLASS_NAMES = {"Ref": "a type checker reads the alias of `signature.static` where Python has the marker"}

#: Numba's names of the types that annotations spell shortly.
SCALARS = {
    f"{kind}{bits}": f"{word}{bits}"
    for kind, word, widths in (
        ("i", "int", (8, 16, 32, 64)),
        ("u", "uint", (8, 16, 32, 64)),
        ("f", "float", (32, 64)),
        ("c", "complex", (64, 128)),
    )
    for bits in widths
}


def name_of(path):
    """A module's name below the package; a folder's `__init__` is the folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


PATHS = {name_of(path): path for path in FILES}


@cache
def modules():
    """The trees of all modules by name."""
    return {name: ast.parse(path.read_text()) for name, path in PATHS.items()}


def layer_of(module):
    return module.partition(".")[0]


def imports_of(tree):
    """All names that a module imports, inside functions and for type checkers too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows_of(tree):
    """The modules of the package that a module imports."""
    for name in imports_of(tree):
        package, _, rest = name.partition(".")
        if package == "symbiont_jit":
            yield rest if rest in PATHS else rest.rpartition(".")[0]


def is_allowed(layer, target):
    """Whether a layer may import a module: its whole layer, or that module alone."""
    return layer_of(target) == layer or layer_of(target) in ALLOWED[layer] or target in ALLOWED[layer]


def test_layering():
    """A module imports only layers below its own, and never the package root."""
    for module, tree in modules().items():
        for target in arrows_of(tree) if module != "__init__" else ():
            assert target, f"{module} imports the package root"
            assert is_allowed(layer_of(module), target), f"{module} imports {target}"


def test_every_layer_is_in_the_table():
    """A new module has to find its place before it can land."""
    assert {layer_of(m) for m in PATHS} - {"__init__"} == set(ALLOWED)


def test_the_table_has_no_circle():
    """Each row names only layers of rows above it."""
    above = set()
    for layer, allowed in ALLOWED.items():
        assert {layer_of(target) for target in allowed} <= above, layer
        above.add(layer)


def test_who_imports_the_face():
    """Nothing that a kernel stands on, or that stands beside it, knows it."""
    assert {layer for layer, allowed in ALLOWED.items() if "kernel" in allowed} <= MAY_IMPORT_KERNEL


def test_no_circle_between_files():
    """Inside folders too; an import inside a function or for type checkers is an arrow like any other."""
    graph = {m: {t for t in arrows_of(tree) if t != m and (m, t) not in CIRCLES} for m, tree in modules().items()}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_borders():
    """A package of others is imported in its own rooms only; one that is found by its name counts as imported."""
    for module, tree in modules().items():
        named = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value == "ziglang"}
        for package in {name.partition(".")[0] for name in imports_of(tree)} | named:
            assert package not in BORDERS or layer_of(module) in BORDERS[package], f"{module} imports {package}"


#: Calls of the system that start processes, and the modules that may make them.
STARTERS = {"fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "popen"}
MAY_START = {"backend.child_process", "isolate.start"}


def test_processes_are_started_in_two_places():
    """Whoever looks for what starts compilers, code generators and workers finds it in two modules."""
    calls = {
        (module, node.func.attr)
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "os"
        and (node.func.attr in STARTERS or node.func.attr.startswith(("exec", "spawn")))
    }
    assert {module for module, _ in calls} == MAY_START


def test_no_module_is_long():
    """What does not fit has its reason in the table."""
    found = {m for m, path in zip(PATHS, FILES, strict=True) if len(path.read_text().splitlines()) > MAX_LINES}
    assert found == set(LONG_MODULES)


def function_lines():
    """The number of lines of each function, by module and name."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                documented = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
                docstring = documented.end_lineno - documented.lineno + 1 if documented else 0
                yield (module, node.name), node.end_lineno - node.lineno + 1 - docstring


def test_functions_are_small():
    """Half of them can be read at a glance, and none needs scrolling."""
    lines = list(function_lines())
    counts = [count for _, count in lines]
    assert statistics.median(counts) <= MEDIAN_LINES
    assert statistics.quantiles(counts, n=10)[-1] <= NINTH_DECILE_LINES
    assert {name for name, count in lines if count > MAX_FUNCTION_LINES} == set(LONG_FUNCTIONS)


def type_names_of(tree):
    """The names of a module's classes, and of the types that it gives a name to."""
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and re.fullmatch("[A-Z][A-Za-z]*[a-z][A-Za-z]*", target.id):
            yield target.id


def test_no_class_name_twice():
    """Who reads the name of a class or of another type knows which one is meant."""
    homes = defaultdict(set)
    for module, tree in modules().items():
        for name in type_names_of(tree):
            homes[name.lstrip("_")].add(module)
    found = {name for name, modules in homes.items() if len(modules) > 1}
    assert found == set(SHARED_CLASS_NAMES)


def test_every_public_name_can_be_imported():
    """What `__all__` lists exists, and is what its module calls by the same name; the short scalars are Numba's."""
    for name in symbiont_jit.__all__:
        value = getattr(symbiont_jit, name)
        assert SCALARS.get(name, name) == getattr(value, "name" if name in SCALARS else "__name__")


def test_an_unknown_name_is_an_attribute_error():
    """A typing mistake is answered as by any module."""
    with pytest.raises(AttributeError, match="no attribute 'evolveable'"):
        symbiont_jit.evolveable  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    """Numba, LLVM, pycparser and a model's client wait until they are used."""
    code = "import sys, symbiont_jit; print([m for m in ('numba', 'llvmlite', 'openai', 'pycparser', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
