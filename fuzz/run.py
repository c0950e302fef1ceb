"""The fuzzer: `python -m fuzz --seed 0 --seconds 3600`.

In: a seed, and how long or how many. Out: a table of what came of the candidates, and each finding as a file.
A candidate depends on the seed and its number alone: `--only NUMBER` tries one again and shows it.

Candidates are compiled in a process like a user's, which lives for many of them; where it dies, that is a finding, and
another one goes on behind it.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]

from fuzz.cases import Case, drawn, signature_in  # noqa: E402
from fuzz.generator import generated  # noqa: E402
from fuzz.judge import Finding, Kind, Limits, judged, lines_of  # noqa: E402
from fuzz.text import corpus, mutated  # noqa: E402

__all__ = ["Report", "case_of", "main", "survey"]

PROFILES = ("safe", "checked")
KINDS = ("grammar", "text")
#: Candidates that one process compiles before the next one begins, and seconds that it may be silent.
GENERATION = 1000
SILENCE = 120.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is tried: candidates of a seed, and which kinds of them."""

    seed: int = 0
    kinds: tuple[str, ...] = KINDS
    profiles: tuple[str, ...] = PROFILES
    arena: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Report:
    """What came of the candidates so far."""

    tried: int = 0
    outcomes: collections.Counter[tuple[str, str, str]] = field(default_factory=collections.Counter)
    findings: list[tuple[int, Finding]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)

    def accepted(self, kind: str, profile: str) -> int:
        """How many candidates of a kind ran in a profile."""
        return sum(n for (k, p, o), n in self.outcomes.items() if (k, p) == (kind, profile) and "refused" not in o)

    def table(self) -> str:
        """Kind of candidate, profile, outcome and how often."""
        rows = [f"{kind:8} {profile:8} {n:8,} {what}" for (kind, profile, what), n in sorted(self.outcomes.items())]
        found = collections.Counter(f.kind for _, f in self.findings)
        rows += [f"{'':17} {found[kind]:8,} {kind}" for kind in Kind]
        rows.append(f"longest compilation {self.slowest[0]:.1f} s, of number {self.slowest[1]}")
        return "\n".join([*rows, f"{self.tried:,} candidates, {len(self.findings):,} findings"])


def case_of(options: Options, number: int) -> tuple[str, Case, list[Any]]:
    """The candidate of a number: its kind, itself, its arguments."""
    random = Random(f"{options.seed} {number}")
    kind = random.choice(options.kinds)
    case = generated(random, options.arena) if kind == "grammar" else mutated(random)
    return kind, case, drawn(signature_in(case.declaration), random, case.is_exact)


def survey(
    options: Options,
    count: int | None = None,
    seconds: float = float("inf"),
    first: int = 0,
    watch: Callable[[Report], None] = lambda report: None,
    on_finding: Callable[[int, Finding], None] = lambda number, finding: None,
) -> Report:
    """Try candidates one after the other, in processes that follow each other."""
    corpus()  # here, so that the processes share it
    report, number, end = Report(), first, time.monotonic() + seconds
    last = None if count is None else first + count
    while (last is None or number < last) and time.monotonic() < end:
        stop = number + GENERATION if last is None else min(number + GENERATION, last)
        for said in _generation(options, number, stop, end):
            number = said["number"] + 1
            report.tried += 1
            report.slowest = max(report.slowest, (said.get("seconds", 0.0), said["number"]))
            for profile, outcome in said["outcomes"].items():
                report.outcomes[said["kind"], profile, outcome] += 1
            for row in said["findings"]:
                finding = Finding(Kind(row["kind"]), row["profile"], row["about"])
                report.findings.append((said["number"], finding))
                on_finding(said["number"], finding)
            watch(report)
    return report


def _generation(options: Options, start: int, stop: int, end: float) -> Iterator[dict[str, Any]]:
    """What one process says of its candidates; its death is one more finding."""
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        _work(options, range(start, stop), end, writer)
    os.close(writer)
    at, kind = start, ""
    for line in lines_of(reader, SILENCE):
        said = json.loads(line)
        at, kind = said["number"], said["kind"]
        if "outcomes" in said:
            yield said
            at, kind = at + 1, ""
    os.close(reader)
    ended, status = os.waitpid(worker, os.WNOHANG)
    if not ended:
        time.sleep(0.2)  # between its last word and its end
        ended, status = os.waitpid(worker, os.WNOHANG)
    if not ended:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
    if not ended or status:
        what = Kind.CRASH if ended else Kind.HANG
        about = f"the process that compiles: status {status}" if ended else "the process that compiles is silent"
        yield {"number": at, "kind": kind, "outcomes": {}, "findings": [asdict(Finding(what, "", about))]}


def _work(options: Options, numbers: range, end: float, writer: int) -> None:
    """Try candidates and say what came of each; never returns."""
    status = 1
    try:
        for number in numbers:
            if time.monotonic() > end:
                break
            kind, case, arguments = case_of(options, number)
            _say(writer, {"number": number, "kind": kind})
            verdict = judged(case, arguments, options.profiles, options.limits)
            _say(writer, {"number": number, "kind": kind, **asdict(verdict)})
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(status)


def _say(writer: int, what: dict[str, Any]) -> None:
    os.write(writer, json.dumps(what).encode() + b"\n")


# -- the command -------------------------------------------------------------------------------------------------------


def shown(options: Options, number: int, findings: list[Finding]) -> str:
    """A candidate as a file: what it is, what happened, its text."""
    kind, case, arguments = case_of(options, number)
    text = case.text if isinstance(case.text, str) else case.text.decode("utf-8", "backslashreplace")
    found = [f"{f.kind} {f.profile} {f.about}" for f in findings]
    given = [*case.declaration.splitlines(), *map(repr, arguments)]
    head = [f"seed {options.seed} number {number} {kind} ({case.origin})", *found, *given]
    return "\n".join(f"// {line}" for part in head for line in part.splitlines()) + "\n" + text


def main() -> None:
    """Run the fuzzer."""
    parser = argparse.ArgumentParser(prog="fuzz", description="Try random candidates against the profiles' promises.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--count", type=int)
    parser.add_argument("--first", type=int, default=0, help="the number to begin with")
    parser.add_argument("--only", type=int, help="try one number again and show it")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--profile", choices=(*PROFILES, "release"), action="append")
    parser.add_argument("--arena", action="store_true", help="with malloc and its family")
    parser.add_argument("--flag", action="append", default=[], help="an option for clang, such as a sanitizer's")
    parser.add_argument("--findings", type=Path, help="where findings are written; by default a new directory")
    given = parser.parse_args()
    options = Options(
        given.seed,
        tuple(given.kind or KINDS),
        tuple(given.profile or PROFILES),
        given.arena,
        Limits(flags=tuple(given.flag)),
    )
    if given.count is None and given.seconds == float("inf"):
        given.count = 1000
    sys.exit(_tried_again(options, given.only) if given.only is not None else _whole(options, given))


def _tried_again(options: Options, number: int) -> int:
    """One candidate with all that is known of it."""
    found: list[Finding] = []
    report = survey(options, count=1, first=number, on_finding=lambda n, f: found.append(f))
    print(shown(options, number, found))
    print(report.table())
    return int(bool(found))


def _whole(options: Options, given: argparse.Namespace) -> int:
    directory = given.findings or Path(tempfile.mkdtemp(prefix="fuzz-"))
    directory.mkdir(parents=True, exist_ok=True)
    started, found = time.monotonic(), collections.defaultdict(list)

    def save(number: int, finding: Finding) -> None:
        found[number].append(finding)
        (directory / f"{options.seed}-{number}.c").write_text(shown(options, number, found[number]))
        print(f"\n{number}: {finding.kind} {finding.profile} {finding.about[:200]}", flush=True)

    def watch(report: Report) -> None:
        if report.tried % 100 == 0:
            rate = report.tried / (time.monotonic() - started)
            print(f"\r{report.tried:,} candidates, {rate:.1f}/s, {len(report.findings)} findings ", end="", flush=True)

    report = survey(options, given.count, given.seconds, given.first, watch, save)
    print(f"\nseed {options.seed}, {time.monotonic() - started:.0f} s, findings in {directory}\n{report.table()}")
    return int(bool(report.findings))


if __name__ == "__main__":
    main()
