"""Documentation that runs: snippets, examples, and pages printed from tables."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symbiont_jit as sj

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def snippets(page, language):
    """The blocks of a language, without those that a longer fence shows as they are."""
    text = re.sub(r"````.*?````", "", page.read_text(), flags=re.DOTALL)
    return [text for kind, text in FENCE.findall(text) if kind == language]


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if snippets(p, "python")], ids=lambda p: p.name)
def test_the_python_of_a_page_runs(page, tmp_path):
    """All Python of a page runs in order, as one program with warnings as errors, and prints what the page shows."""
    program = tmp_path / "program.py"
    program.write_text("\n".join(snippets(page, "python")))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    for shown in snippets(page, "text"):
        if "failed at stage" in shown or page.name == "translation.md":
            assert shown.strip() in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("brief")
def test_the_counter_example():
    """The example evolves its step offline and comes closer to its target than where it began."""
    example = runpy.run_path(str(ROOT / "examples/counter/counter.py"))
    before = abs(example["run_steps"](example["step"]) - example["TARGET"])
    assert example["main"](candidates=60) < before / 2


@pytest.mark.slow
def test_the_example_of_a_plain_function():
    """A function of Numba's that returns an array and a number is a kernel, whose C computes the same."""
    example = runpy.run_path(str(ROOT / "examples/from_njit/from_njit.py"))
    arguments = example["inputs"](np.random.default_rng(3))
    kernel = sj.evolvable(example["relax"])
    kernel.swap(kernel.source)
    (new, change), (expected, expected_change) = kernel(*arguments), example["relax"](*arguments)
    assert np.array_equal(new, expected)
    assert change == expected_change


@pytest.mark.slow
def test_the_scipy_example():
    """SciPy integrates and filters with kernels, and a swap reaches a filter that it already has."""
    example = runpy.run_path(str(ROOT / "examples/scipy_callbacks/scipy_callbacks.py"))
    integral, before, after = example["main"]()
    assert integral == pytest.approx((2 * 3.141592653589793) ** 0.5)
    assert (before, after) == (0.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("[a-z]*.py")), ids=lambda path: path.name)
def test_a_benchmark_starts(path):
    """Every benchmark finds what it imports, and says what it measures."""
    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--rounds" in done.stdout


def test_candidates_page_is_printed_from_the_tables():
    """The page about what a body may contain says what the checker enforces."""
    page = runpy.run_path(str(ROOT / "docs/print_candidates.py"))["page"]()
    assert (ROOT / "docs/candidates.md").read_text() == page


def test_links_lead_somewhere():
    """Relative links of the pages point at files that exist."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_dependency_has_its_line():
    """A dependency without a reason in docs/dependencies.md does not land."""
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    table = (ROOT / "docs/dependencies.md").read_text()
    for line in declared:
        name = re.match(r"[\w-]+", line)[0]
        assert f"| {name} |" in table


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fizzbuzz", lambda attempts: attempts == 3),
        ("rastrigin", lambda error: error < 1e-10),
        ("tool_calling", lambda agrees: agrees is True),
        ("batched", lambda prompt: "sieve" in prompt),
    ],
)
@pytest.mark.usefixtures("brief")
def test_the_examples_with_a_model(name, expected, monkeypatch, capsys):
    """Each runs without a server, says that its replies are scripted, and reaches its goal."""
    for variable in ("OPENAI_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    example = runpy.run_path(str(ROOT / f"examples/{name}/{name}.py"))
    assert expected(example["main"]())
    assert "scripted replies" in capsys.readouterr().out


def test_an_example_asks_a_real_server_where_one_is_named(monkeypatch, capsys):
    """With the variables set, the same example speaks HTTP to that server."""
    from symbiont_jit.testing import Server, TextReply

    example = runpy.run_path(str(ROOT / "examples/fizzbuzz/fizzbuzz.py"))
    with Server([TextReply(example["SCRIPT"][-1])]) as server:
        monkeypatch.setenv("OPENAI_MODEL", "local")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert example["main"]() == 1
        assert [request.body["model"] for request in server.requests] == ["local"]
    assert "asking local" in capsys.readouterr().out


def private_uses(path):
    """What a module imports from `numba.core`, and the parts of Numba's contexts that it touches."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numba.core"):
            yield from (alias.name for alias in node.names if alias.name != "cgutils")
        elif isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if owner in ("context", "pyapi", "cgutils", "nrt", "call_conv") and node.attr not in ("pyapi", "builder"):
                yield node.attr


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src" / "symbiont_jit" / "dispatch").glob("*.py")), ids=lambda p: p.name
)
def test_private_parts_of_numba_are_listed(path):
    """Each one stands in docs/internals.md."""
    listed = (ROOT / "docs" / "internals.md").read_text()
    assert [name for name in private_uses(path) if name not in listed] == []
