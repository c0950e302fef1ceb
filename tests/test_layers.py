"""The house: lower layers never import higher ones, and importing the package is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import symbiont_jit

ROOT = Path(symbiont_jit.__file__).parent

#: Each layer with those it may import; a folder's own modules may always import each other.
ALLOWED = {
    "errors": set(),
    "stages": set(),
    "c": {"errors"},
    "signature": {"errors", "c"},
    "frontend": {"errors", "stages", "c", "signature"},
    "backend": {"errors", "c"},
    "runtime": {"errors", "c", "backend"},
    "instrument": {"errors", "c", "signature", "runtime"},
    "dispatch": {"errors", "signature"},
    "engine": {"errors", "stages", "signature", "frontend", "instrument", "backend", "dispatch", "runtime"},
    "agents": {"errors"},
    "testing": {"errors", "agents"},
    "llm": {"errors", "stages", "c", "signature", "frontend", "runtime", "agents"},
    "kernel": {"errors", "signature", "frontend", "instrument", "backend", "dispatch", "runtime", "engine", "llm"},
    "isolate": {"errors", "kernel"},
    "evaluate": {"errors", "signature", "frontend", "backend", "runtime", "kernel", "isolate"},
    "propose": {"errors", "c", "signature"},
    "search": {"errors", "evaluate", "propose", "kernel"},
    "doctor": {"errors", "signature", "backend", "kernel", "evaluate", "isolate", "runtime"},
    "demo": {"signature", "evaluate", "propose", "kernel", "search"},
    "report": {"evaluate", "search"},
    "__main__": {"cli"},
    "cli": {"errors", "doctor", "demo", "report", "kernel", "propose", "search", "evaluate"},
}

#: Third-party packages and the only layers that may import them.
BORDERS = {
    "scipy": {"kernel"},
    "pycparser": {"c", "frontend", "instrument", "propose"},
    "numba": {"dispatch", "demo", "doctor", "evaluate", "isolate"},
    "llvmlite": {"backend", "dispatch", "isolate"},
    "rich": {"report", "cli"},
    "typer": {"cli"},
    "openai": {"agents"},
    "opentelemetry": {"llm"},
}

FILES = sorted(ROOT.rglob("*.py"))


def layer_of(path):
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            # `from package import module` names the module.
            yield from (
                (f"{node.module}.{alias.name}" for alias in node.names)
                if node.module == "symbiont_jit"
                else [node.module]
            )


@pytest.mark.parametrize(
    "path", [f for f in FILES if f != ROOT / "__init__.py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_layering(path):
    """A module imports only layers below its own, never the package root, and foreign packages only at their border."""
    layer = layer_of(path)
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top == "symbiont_jit":
            target = rest.partition(".")[0]
            assert target, f"{path} imports the package root"
            assert target == layer or target in ALLOWED[layer], f"{layer} imports {target}"
        elif top in BORDERS:
            assert layer in BORDERS[top], f"{layer} imports {top}"


def test_every_layer_is_in_the_table():
    """A new module has to find its place before it can land."""
    assert {layer_of(f) for f in FILES} - {"__init__"} == set(ALLOWED)


def test_every_public_name_can_be_imported():
    """What `__all__` lists exists, and is what its module calls by the same name."""
    for name in symbiont_jit.__all__:
        assert getattr(symbiont_jit, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    """A typing mistake is answered as by any module."""
    with pytest.raises(AttributeError, match="no attribute 'evolveable'"):
        symbiont_jit.evolveable  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    """Numba, LLVM, pycparser and a model's client wait until they are used."""
    code = (
        "import sys, symbiont_jit; print([m for m in ('numba', 'llvmlite', 'openai', 'pycparser') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
