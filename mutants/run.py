"""`make mutants`: break the code in one place at a time, and see whether a test says so.

In: a seed, a number of mutants, and how many run at once. Out: the score, the survivors with their lines, and
`build/mutants/report.json`. Cosmic Ray makes the mutants and runs them; which ones, and with which tests, is decided
here: the same number from each part, drawn by the seed, and for each the tests that run its line.

The tests of the first few of each clone run without a mutant before: if these fail, no verdict would mean anything.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import difflib
import json
import os
import py_compile
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Final

from cosmic_ray.commands.init import init
from cosmic_ray.config import ConfigDict, serialize_config
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkItem, WorkResult
from coverage import CoverageData
from rich.console import Console

from mutants.equivalents import is_equivalent
from mutants.judge import LineMap
from mutants.modules import PARTS, files_of, is_behaviour

__all__ = ["Verdict", "draw_mutants", "main"]

ROOT: Final = Path(__file__).resolve().parents[1]
WORK: Final = ROOT / "build" / "mutants"
#: What a clone has of the tree.
COPIED: Final = ("src", "tests", "fuzz", "mutants", "docs", "examples", "benchmarks")
#: Seconds of tests for a mutant, as they took without it, and seconds after which it is killed for being too slow.
LIMIT: Final = 60.0
TIMEOUT: Final = 300.0
CONTROLS: Final = 3
#: Operators of Cosmic Ray that change nothing: identity and equality say the same of None, of types and enumerations.
SAME: Final = ("NoOp", "_Is_Eq", "_Eq_Is", "_IsNot_NotEq", "_NotEq_IsNot")
JUDGE: Final = (sys.executable, "-m", "mutants.judge")
_SAY: Final = Console(soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant."""

    part: str
    file: str
    line: int
    operator: str
    outcome: str
    diff: str
    output: str


def main() -> None:
    """Draw, run and report; exit code 1 where the score is below the wanted one."""
    options = _parse_options()
    os.chdir(ROOT)
    clones = [_clone(number, options.commit) for number in range(options.jobs)]
    mapped = WORK / "map.json"
    if not (options.keep_map and mapped.exists()):
        _map_tests(clones[0], options.tests).write(mapped)
    os.chdir(clones[0])  # what is drawn are places of the commit, whatever the tree has become meanwhile
    drawn = draw_mutants(options.seed, options.count)
    running = [_start(clone, drawn[number :: len(clones)], mapped) for number, clone in enumerate(clones)]
    for process in running:
        process.wait()
    verdicts = [verdict for clone in clones for verdict in _read(clone)]
    (WORK / "report.json").write_text(json.dumps([asdict(each) for each in verdicts], indent=1))
    sys.exit(0 if _report(verdicts) >= options.score else 1)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--score", type=float, default=0.95, help="the share of mutants that must be killed")
    parser.add_argument("--commit", default="HEAD", help="what is tested")
    parser.add_argument("--tests", nargs="*", default=["tests"], help="the tests that are asked")
    parser.add_argument("--keep-map", action="store_true", help="use the last run's map of tests to lines")
    return parser.parse_args()


def _clone(number: int, commit: str) -> Path:
    """A tree of its own, whose bytecode counts for as long as the text is the same, whatever a clock says."""
    path = WORK / f"clone{number}"
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "checkout", "--quiet", commit], check=True)
    for folder in COPIED:
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(path / folder, quiet=1, invalidation_mode=mode)
    return path


def _environment(clone: Path) -> dict[str, str]:
    """The clone's package before the installed one."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(clone / "src"), str(clone)])}


def _map_tests(clone: Path, tests: Sequence[str]) -> LineMap:
    """Run the tests once, and note which of them runs which line."""
    durations = WORK / "durations.json"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-p", "mutants.record"]
    # With `=`, because a path that stands alone counts when pytest looks for the root of all its arguments.
    command += [f"--durations-to={durations}", "--cov-config=mutants/coverage.ini", "--cov-context=test"]
    command += ["--cov=symbiont_jit", "--cov-report=", *tests]
    done = subprocess.run(command, cwd=clone, env=_environment(clone), check=False)
    seconds: dict[str, float] = json.loads(durations.read_text())
    _SAY.print(f"mapped {len(seconds)} tests, exit code {done.returncode}")
    if not seconds:
        sys.exit("no test passed, so none can notice a mutant")
    data = CoverageData(str(clone / ".coverage"))
    data.read()
    files = [path for part in PARTS for path in files_of(part)]
    return LineMap(seconds, {str(path): _tests_by_line(data, path, seconds) for path in files})


def _tests_by_line(data: CoverageData, path: Path, seconds: Iterable[str]) -> dict[str, list[str]]:
    """Of contexts, which are `test|setup`, `test|run` and `test|teardown`, the tests that passed."""
    known = set(seconds)
    found: dict[str, list[str]] = {}
    for line, contexts in data.contexts_by_lineno(str(path)).items():
        tests = {context.rpartition("|")[0] for context in contexts} & known
        if tests:
            found[str(line)] = sorted(tests)
    return found


def draw_mutants(seed: int, count: int) -> list[WorkItem]:
    """So many of all mutants of the parts, the same number from each as far as it has them."""
    pools = {part: _pool(part) for part in PARTS}
    for part, pool in pools.items():
        Random(f"{seed} {part}").shuffle(pool)
    drawn: list[WorkItem] = []
    while len(drawn) < count and any(pools.values()):
        drawn += filter(_is_worth_it, [pool.pop() for pool in pools.values() if pool])
    return drawn[:count]


def _is_worth_it(item: WorkItem) -> bool:
    """Whether a mutant says something; Cosmic Ray takes the stars of `{**a}` for an operator, which is no Python."""
    (mutation,) = item.mutations
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    before = mutation.module_path.read_text()
    after = mutate_code(before, operator, mutation.occurrence)
    try:
        ast.parse(after or "")
    except SyntaxError:
        return False
    return not is_equivalent(str(mutation.module_path), *_find_change(before, after))


def _find_change(before: str, after: str) -> tuple[str, str]:
    """Find the text that was taken out, and what came in its place; blank lines are none."""
    rows = [row for row in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0) if row[1:].strip()]
    removed, added = ("\n".join(row[1:] for row in rows[2:] if row[0] == sign) for sign in "-+")
    return removed, added


def _pool(part: str) -> list[WorkItem]:
    """All mutants of a part, in an order that is the same in every run."""
    with use_db(":memory:", WorkDB.Mode.create) as all_mutants:
        init(files_of(part), all_mutants, {})
        items = [item for item in all_mutants.work_items if _is_wanted(item)]
    return sorted(items, key=lambda item: str(item.mutations[0]))


def _is_wanted(item: WorkItem) -> bool:
    (mutation,) = item.mutations
    return not mutation.operator_name.endswith(SAME) and is_behaviour(mutation.module_path, mutation.start_pos)


def _run_control(clone: Path, item: WorkItem, mapped: Path) -> None:
    """The tests of a mutant must pass where nothing is changed."""
    (mutation,) = item.mutations
    place = f"{mutation.module_path}:{mutation.start_pos[0]}"
    command = [*JUDGE, str(mapped), str(LIMIT), place]
    done = subprocess.run(command, cwd=clone, env=_environment(clone), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the tests of {place} fail without a mutant:\n{done.stdout}{done.stderr}")


def _start(clone: Path, items: Sequence[WorkItem], mapped: Path) -> subprocess.Popen[bytes]:
    """Cosmic Ray over a clone's share of the mutants, and its controls."""
    for item in items[:CONTROLS]:
        _run_control(clone, item, mapped)
    config = {"test-command": shlex.join([*JUDGE, str(mapped), str(LIMIT)]), "timeout": TIMEOUT}
    config |= {"module-path": [], "excluded-modules": [], "distributor": {"name": "local"}}
    (clone / "mutants.toml").write_text(serialize_config(ConfigDict(config)))
    with use_db(str(clone / "session.sqlite"), WorkDB.Mode.create) as session:
        session.add_work_items(items)
    return subprocess.Popen(
        [sys.executable, "-m", "cosmic_ray.cli", "exec", "mutants.toml", "session.sqlite"],
        cwd=clone,
        env=_environment(clone),
    )


def _read(clone: Path) -> list[Verdict]:
    with use_db(str(clone / "session.sqlite"), WorkDB.Mode.open) as session:
        return [_verdict(item, result) for item, result in session.completed_work_items]


def _verdict(item: WorkItem, result: WorkResult) -> Verdict:
    (mutation,) = item.mutations
    part = next(part for part in PARTS if mutation.module_path in files_of(part))
    outcome = result.test_outcome.value if result.test_outcome else result.worker_outcome.value
    return Verdict(
        part,
        str(mutation.module_path),
        mutation.start_pos[0],
        mutation.operator_name.removeprefix("core/"),
        outcome,
        result.diff or "",
        (result.output or "")[-2000:],
    )


def _report(verdicts: Sequence[Verdict]) -> float:
    """Print each survivor and the score of each part; the score of all."""
    survived = [each for each in verdicts if each.outcome == TestOutcome.SURVIVED.value]
    for each in survived:
        changed = [row for row in each.diff.splitlines() if row[:1] in "+-" and row[:3] not in ("+++", "---")]
        _SAY.print(f"survived: {each.file}:{each.line} {each.operator}", *changed, sep="\n    ")
    tried, lived = Counter(each.part for each in verdicts), Counter(each.part for each in survived)
    for part, number in tried.items():
        _SAY.print(f"{part}: {number - lived[part]} of {number} killed")
    score = 1 - len(survived) / max(len(verdicts), 1)
    _SAY.print(f"score {score:.1%} of {len(verdicts)} mutants")
    return score
