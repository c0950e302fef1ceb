"""A search on the terminal: a line for every improvement, and the result at the end."""

import io

import pytest
from rich.console import Console

from symbiont_jit import Candidate, Kernel, Status
from symbiont_jit.evaluate.evaluation import Evaluation, Timings
from symbiont_jit.report.terminal import SearchView, describe_ratio, show_result
from symbiont_jit.search.result import EvolutionResult, Progress
from tests.kernels import DOT


@pytest.fixture
def console():
    """A console that cannot be redrawn, as where output goes to a file."""
    return Console(file=io.StringIO(), width=200)


def progress(number, score, revision):
    """What a search tells after a candidate; `revision` is one where it was swapped in."""
    candidate = Candidate(DOT, origin=f"mutator: step {number}", number=number)
    return Progress(candidate, Evaluation(Status.VALID, DOT, score), number, 1.5, score, revision)


def test_a_line_appears_for_what_is_swapped_in(console):
    """A candidate that became active has a line with number, score and origin; others have none."""
    with SearchView(console, 10.0) as view:
        view(progress(7, 1.25, None))
        view(progress(8, 2.5, Kernel.from_c(DOT).active))
    (line,) = console.file.getvalue().strip().splitlines()
    assert "candidate    8 swapped in: 2.5x  (mutator: step 8)" in line


def test_the_running_loop_has_a_row_for_each_swap(console):
    """Where calls of a loop are counted, the table has the beginning and what was swapped in since."""
    calls = iter(range(0, 1000, 10))
    with SearchView(console, None, calls=lambda: next(calls)) as view:
        view(progress(8, 2.5, Kernel.from_c(DOT).active))
    table = view.swap_table()
    assert table.row_count == 2
    assert [str(column.header) for column in table.columns] == ["since", "revision", "speed-up", "calls/s"]


def test_the_result_has_outcomes_source_and_speed_up(console):
    """Outcomes are counted, the best source is shown, and what was measured of it; without a best one only the former."""
    timings = Timings(reference_ns=(2e3, 4e3, 6e3), candidate_ns=(1e3, 2e3, 3e3))
    best = Evaluation(Status.VALID, DOT, 2.0, timings=timings)
    counts = {Status.WRONG: 3, Status.VALID: 5}
    show_result(console, EvolutionResult(best, None, None, 8, 4.0, counts), "NumPy")
    shown = console.file.getvalue()
    assert "best 2 of 8 candidates in 4.0 s (2.0 a second)" in shown
    assert "candidates by outcome: valid 5, wrong 3" in shown
    assert "s += x[i] * y[i];" in shown
    assert "speed-up over NumPy: 2.00x (quartiles 2.00 to 2.00, 3 rounds); 4 us -> 2 us a call" in shown
    console.file.truncate(0)
    show_result(console, EvolutionResult(None, None, None, 8, 4.0, {Status.WRONG: 8}), "NumPy")
    assert "nothing valid of 8 candidates" in console.file.getvalue()
    assert "speed-up" not in console.file.getvalue()


@pytest.mark.parametrize(
    ("numerators", "denominators", "said"),
    [
        ([1.0, 4.0, 9.0], [1.0, 2.0, 3.0], "2.00x (quartiles 1.00 to 3.00, 3 rounds)"),
        ([1.0, 4.0, 9.0], [1.0, 2.0, 0.0], "1.50x (quartiles 0.75 to 2.25, 2 rounds)"),
        ([4.0], [2.0], "not enough rounds"),
        ([], [], "not enough rounds"),
    ],
)
def test_ratios_are_taken_round_by_round(numerators, denominators, said):
    """The median and the quartiles are those of the ratios of rounds; a round without a time is none."""
    assert describe_ratio(numerators, denominators) == said
