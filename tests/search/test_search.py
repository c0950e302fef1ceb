"""The search: the loop, limits, what is activated, what is kept."""

import contextlib
import itertools
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import numpy as np
import pytest
from numba import float64 as f64
from numba import njit

from symbiont_jit import Candidate, Evolution, Mutator, Speedup, Status, UsageError, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.evaluation import Evaluation
from symbiont_jit.search import evolution
from symbiont_jit.search.archive import Archive
from tests.isolate.served import forge
from tests.kernels import MATMUL, TOTAL, total

pytestmark = pytest.mark.usefixtures("brief")


def inputs(rng):
    return rng.random((32, 24)), rng.random((24, 40)), np.empty((32, 40))


def constant_kernel():
    @evolvable(source="double f(double x) { return 1.0; }")
    def f(x: f64) -> f64: ...

    return f


@pytest.mark.slow
def test_a_run_improves_and_activates_the_best(matmul):
    """After a short search the active revision is the best one found, and it is right; it was measured beside others."""
    search = Evolution(matmul, metric=Speedup(inputs), proposer=Mutator(), seed=1)
    result = search.run(candidates=12)
    assert result.evaluated == 12
    assert sum(result.counts.values()) == 12
    assert result.best.status is Status.VALID
    assert matmul.active is result.revision
    assert matmul.source == result.best.source
    a, b, c = inputs(np.random.default_rng(5))
    matmul(a, b, c)
    np.testing.assert_allclose(c, a @ b, rtol=1e-9)
    assert len(result.best.timings.candidate_ns) == len(result.best.timings.reference_ns) >= 5
    assert result.best.gains


@pytest.mark.slow
def test_a_running_loop_sees_the_improvements():
    """A compiled loop that runs during a search goes through the values of the activated revisions, in order."""
    kernel = constant_kernel()
    seen = np.zeros(10_000)
    stop = np.zeros(1, dtype=np.int64)

    @njit(nogil=True)
    def loop(kernel, seen, stop):
        changes = 0
        while stop[0] == 0 and changes < seen.shape[0]:
            value = kernel(1.0)
            if changes == 0 or value != seen[changes - 1]:
                seen[changes] = value
                changes += 1
        return changes

    thread = threading.Thread(target=loop, args=(kernel, seen, stop))
    thread.start()
    metric = lambda k: -abs(k(1.0) - 5.0)  # noqa: E731
    result = Evolution(kernel, metric=metric, proposer=Mutator(), seed=0).run(candidates=60)
    stop[0] = 1
    thread.join()
    values = [v for v in seen.tolist() if v != 0.0]
    assert values[0] == 1.0
    distances = np.abs(np.array(values) - 5.0)
    assert np.all(np.diff(distances) < 0)
    assert result.best.score == -distances[-1] > -4.0


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_both_directions(direction):
    """The best is the largest or the smallest score; a failed candidate is neither."""
    kernel = constant_kernel()
    search = Evolution(kernel, metric=lambda k: k(1.0), proposer=Mutator(["constant"]), direction=direction, seed=3)
    scores = []
    result = search.run(candidates=20, on_progress=lambda p: scores.append(p.evaluation.score))
    valid = [s for s in scores if s is not None]
    assert result.best.score == (max if direction == "maximize" else min)([1.0, *valid])


@pytest.mark.slow
def test_the_same_seed_asks_the_same_questions():
    """With a metric that always gives the same scores, a search is the same text for text."""

    def sources(seed):
        kernel, found = constant_kernel(), []
        search = Evolution(kernel, metric=lambda k: k(2.0), proposer=Mutator(), seed=seed)
        search.run(candidates=15, on_progress=lambda p: found.append(p.candidate.source))
        return found

    assert sources(4) == sources(4) != sources(5)


@pytest.mark.slow
def test_ask_and_tell(matmul):
    """The loop can be the user's own: ask, evaluate, tell."""
    with Evolution(matmul, metric=Speedup(inputs), proposer=Mutator(), seed=2) as search:
        candidates = search.ask(3)
        assert [c.number for c in candidates] == [1, 2, 3]
        evaluations = search.evaluate_many([c.source for c in candidates])
        revisions = [search.tell(c, e) for c, e in zip(candidates, evaluations, strict=True)]
    best = [r for r in revisions if r is not None]
    assert matmul.active is (best[-1] if best else matmul.revision(1))


def test_the_target_ends_a_run():
    """A score that is good enough ends the search before its other limits."""
    kernel = constant_kernel()
    search = Evolution(kernel, metric=lambda k: k(1.0), proposer=Mutator(), seed=0)
    result = search.run(candidates=500, target=3.0)
    assert result.best.score >= 3.0
    assert result.evaluated < 500


@pytest.mark.slow
def test_a_proposer_with_nothing_new_ends_a_run():
    """When no new text can be made the search stops instead of asking for ever."""

    @evolvable(source="double f(double x) { return x; }")
    def f(x: f64) -> f64: ...

    result = Evolution(f, metric=lambda k: k(1.0), proposer=Mutator(["unroll-and-jam"])).run(candidates=5, seconds=60)
    assert result.evaluated == 0


@pytest.mark.slow
def test_an_interrupt_keeps_what_was_found(matmul):
    """Ctrl-C ends the search with what was evaluated by then, the best so far is active, and nothing that it cut off counts."""
    workers = 2
    search = Evolution(matmul, metric=Speedup(inputs), proposer=Mutator(), seed=1, workers=workers)

    def stop(progress):
        if progress.evaluated == 4:
            raise KeyboardInterrupt

    result = search.run(candidates=1000, on_progress=stop)
    # Of those that were under way besides the one that was told, some may have been done.
    assert 4 <= result.evaluated <= 4 + workers + 1
    assert sum(result.counts.values()) == result.evaluated
    assert result.counts.keys() <= {Status.VALID, Status.WRONG}
    assert matmul.active is result.revision


@pytest.mark.slow
def test_a_source_that_only_grows_up_in_python_is_still_a_start():
    """A kernel whose C came by swap is where the mutator starts from."""
    kernel = evolvable(total)
    kernel.swap(TOTAL)
    result = Evolution(kernel, metric=lambda k: k(np.ones(3)), proposer=Mutator()).run(candidates=6)
    assert result.baseline.status is Status.VALID


def test_the_archive_keeps_the_best_of_different_code():
    """It is ordered, bounded, and has each machine code once."""
    archive = Archive(better=lambda a, b: a > b, size=3)
    scored = [("a", 1.0), ("b", 3.0), ("b", 9.0), ("c", 2.0), ("d", 0.5), ("e", 4.0)]
    news = [archive.add(Evaluation(Status.VALID, text, score, code=text), i) for i, (text, score) in enumerate(scored)]
    assert [e.score for e in archive.elites] == [4.0, 3.0, 2.0]
    assert news == [True, True, False, False, False, True]
    assert not archive.add(Evaluation(Status.WRONG, "x"), 9)


@pytest.mark.slow
def test_matmul_source_is_the_baseline(matmul):
    """The search begins with what the kernel has as C."""
    with Evolution(matmul, metric=Speedup(inputs), proposer=Mutator()) as search:
        search.ask(1)
        assert search._archive.best.evaluation.source == target_of(matmul).canonical(MATMUL).text


def test_a_first_source_that_is_wrong_is_the_callers_error():
    """A search cannot begin with C that disagrees with the Python body; the message says how it disagrees."""

    @evolvable(source="double f(double x) { return x + 1; }")
    def f(x: f64) -> f64:
        return x

    with pytest.raises(
        UsageError, match=r"the C that 'f' begins with does not pass: WRONG(.|\n)*expected 1.0; it shows in f\(x=1.0\)"
    ):
        Evolution(f, metric=Speedup([(2.0,)]), proposer=Mutator()).run(candidates=3)


# -- what others do wrong, or end ------------------------------------------------------------------------------------


class Flaky:
    """A proposer that fails at some of its asks, or wherever it is told."""

    def __init__(self, failing=(), tells=True):
        self.asked, self.failing, self.tells = 0, failing, tells

    def ask(self, signature, parents, rng):
        """Fail, or propose a function that adds the number of the ask."""
        self.asked += 1
        if self.asked in self.failing:
            raise ConnectionError("the server restarted")
        return Candidate(f"double f(double x) {{ return x + {self.asked}; }}", "model")

    def tell(self, candidate, evaluation, gain):
        """Take nothing in."""
        if not self.tells:
            raise ConnectionError("the server restarted")


@pytest.mark.slow
@pytest.mark.parametrize("proposer", [Flaky(failing=(1, 4, 5)), Flaky(tells=False)])
def test_a_proposer_that_fails_loses_one_candidate(proposer, caplog):
    """The run goes on with the next one, and the log says what was raised."""
    result = Evolution(constant_kernel(), metric=lambda k: k(2.0), proposer=proposer).run(candidates=8)
    assert (result.evaluated, result.best.score) == (8, 2.0 + proposer.asked)
    assert "raised ConnectionError: the server restarted; the search goes on" in caplog.text


@pytest.mark.slow
def test_a_proposer_that_always_fails_ends_the_run(monkeypatch):
    """What it raised is raised, when nothing else was found out."""
    monkeypatch.setattr(evolution, "LONGEST_PAUSE", 0.01)
    search = Evolution(constant_kernel(), metric=lambda k: k(2.0), proposer=Flaky(failing=range(1000)))
    with pytest.raises(ConnectionError, match="the server restarted"):
        search.run(candidates=8)


@pytest.mark.slow
def test_what_was_found_survives_an_exception():
    """An exception of the user's own callback leaves the run, and `result` has what was found until then."""
    kernel = constant_kernel()

    def stop(progress):
        if progress.evaluated == 3:
            raise RuntimeError("enough")

    search = Evolution(kernel, metric=lambda k: k(2.0), proposer=Flaky())
    with pytest.raises(RuntimeError, match="enough"):
        search.run(candidates=100, on_progress=stop)
    # What others had evaluated by then counts, too.
    assert search.result.evaluated >= 3
    assert kernel(2.0) == search.result.best.score >= 5.0


@pytest.mark.slow
@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_who_leaves_a_run_waits_for_no_candidate(monkeypatch, ending):
    """Ctrl-C, the end of the program and an exception leave what is compiled to itself, however long that takes."""
    go_on, was_late = threading.Event(), []

    def stop(progress):
        raise ending

    search = Evolution(constant_kernel(), metric=lambda k: k(2.0), proposer=Flaky())
    evaluate, calls = search._open().local.evaluate, itertools.count()

    def hang(*arguments):
        if next(calls) > 1:  # The first is what the kernel begins with.
            was_late.append(not go_on.wait(60))
        return evaluate(*arguments)

    monkeypatch.setattr(search._open().local, "evaluate", hang)
    with contextlib.suppress(ending):
        search.run(candidates=20, on_progress=stop)
    assert search.result.evaluated >= 1
    go_on.set()
    assert True not in was_late


@pytest.mark.slow
def test_one_run_at_a_time():
    """A second run of a search that runs is refused; once it has ended, the search may run again."""
    search = Evolution(constant_kernel(), metric=lambda k: k(2.0), proposer=Flaky())

    def again(progress):
        with pytest.raises(UsageError, match="this search runs already"):
            search.run(candidates=1)

    search.run(candidates=1, on_progress=again)
    assert search.run(candidates=1).evaluated == 1


def test_a_run_that_is_interrupted_at_its_beginning_is_none(monkeypatch):
    """Whatever comes before the first candidate, the search may run again."""
    search = Evolution(constant_kernel(), metric=lambda k: k(2.0), proposer=Flaky())

    def interrupt(*_):
        raise ConnectionError

    for place, name in ((Evolution, "_begin"), (Evolution, "__enter__"), (evolution, "interrupt_at_sigterm")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, interrupt)
            with pytest.raises(ConnectionError):
                search.run(candidates=1)
    assert search.run(candidates=1).evaluated == 1


def test_a_result_is_waited_for_whatever_it_is():
    """A wait begins anew from time to time; a result, an exception and a time-out of the work's own are its end."""
    for result in (1, None):
        future = Future()
        threading.Timer(0.3, future.set_result, (result,)).start()
        assert evolution._wait_for(future) == result
    failed = Future()
    failed.set_exception(TimeoutError("of the work"))
    with pytest.raises(TimeoutError, match="of the work"):
        evolution._wait_for(failed)


@pytest.mark.slow
def test_scores_of_any_size_have_a_gain_or_none():
    """A worker may say that a score is the least number there is, or the largest."""
    for direction in ("maximize", "minimize"):
        search = Evolution(constant_kernel(), metric=lambda k: k(1.0), proposer=Flaky(), direction=direction)
        search.run(candidates=1)
        for score in (5e-324, 1e-300, 1.0, 1.7e308):
            found = Evaluation(Status.VALID, "double f(double x) { return 2.0; }", score, {"score": score})
            search.tell(Candidate("double f(double x) { return 2.0; }", "given", 90), found)


@pytest.mark.slow
def test_no_proposer_is_told_private_scores():
    """They are in what the user gets, and in nothing that a proposer does."""
    told, seen = [], []

    class Listening(Flaky):
        """A proposer that remembers what it is told."""

        def tell(self, candidate, evaluation, gain):
            """Take in the scores."""
            told.append(dict(evaluation.scores))

    metric = lambda k: {"score": k(1.0), "held out": k(5.0)}  # noqa: E731
    search = Evolution(constant_kernel(), metric=metric, proposer=Listening(), private=["held out"])
    result = search.run(candidates=2, on_progress=lambda progress: seen.append(progress.evaluation.scores))
    assert [set(scores) for scores in told] == [{"score"}] * 2
    assert [set(scores) for scores in seen] == [{"score", "held out"}] * 2
    assert result.best.scores["held out"] == 7.0


@pytest.mark.slow
def test_what_decides_a_search_is_not_private():
    """The first score is what proposers work towards."""
    with pytest.raises(UsageError, match="'score' is private, and decides the search"):
        Evolution(constant_kernel(), metric=lambda k: k(1.0), proposer=Flaky(), private=["score"]).run(candidates=1)
    with pytest.raises(UsageError, match="private is a list of names"):
        Evolution(constant_kernel(), metric=lambda k: k(1.0), private="score")


@pytest.mark.slow
def test_an_answer_that_names_a_private_score_first_is_a_crash():
    """A candidate that has taken its worker over decides neither what scores there are nor when a search ends."""

    def metric(kernel):
        if kernel(1.0) == 2.0 and os.getpid() != parent:
            forge(b'=[{"status": 8, "score": 9.0, "scores": {"hidden": 9.0}}]')
            time.sleep(60)
        return {"score": kernel(1.0), "hidden": 1.0}

    parent = os.getpid()
    search = Evolution(constant_kernel(), metric=metric, proposer=Flaky(), private=["hidden"], deadline=2)
    found = []
    result = search.run(candidates=3, on_progress=lambda progress: found.append(progress.evaluation))
    assert [each.status for each in found] == [Status.CRASHED, Status.VALID, Status.VALID]
    assert "first score, 'hidden', is private" in found[0].diagnostics[0].message
    assert result.best.score == 4.0


def test_what_decides_is_known_before_any_candidate_ran(square):
    """A private score that decides is refused at the first evaluation, also where the kernel has no C to begin with."""
    search = Evolution(square, metric=lambda k: {"speed": k(2.0), "size": 1.0}, private=["speed"])
    with pytest.raises(UsageError, match="'speed' is private, and decides"):
        search.evaluate("double square(double x) { return x; }")


@pytest.mark.slow
def test_what_a_person_asks_for_again_is_measured_again():
    """An evaluation of the same text is a new one, but the same code of a proposer's is evaluated once."""
    calls = itertools.count(1)
    always = Flaky()
    always.ask = lambda *_: Candidate("double f(double x) { return x + 1; }", "model")
    with Evolution(constant_kernel(), metric=lambda kernel: float(next(calls)), proposer=always) as search:
        scores = [search.evaluate("double f(double x) { return x + 1; }").score for _ in range(3)]
        assert scores == sorted(set(scores))
        found = []
        search.run(candidates=3, on_progress=lambda progress: found.append(progress.evaluation.score))
    assert len(set(found)) == 1


@pytest.mark.slow
def test_candidates_do_not_share_random_numbers():
    """A metric's unnamed generators give each candidate numbers of its own, and the same ones for the same seed."""
    metric = lambda k: np.random.random() + random.random()  # noqa: E731
    scores = []
    for _ in range(2):
        search = Evolution(constant_kernel(), metric=metric, proposer=Flaky(), workers=2, seed=3)
        found = []
        search.run(candidates=6, on_progress=lambda progress, found=found: found.append(progress.evaluation.score))
        scores.append(found)
    assert len(set(scores[0])) == 6
    assert scores[0] == scores[1]


IN_A_THREAD = """
import threading
import time
from numba import float64 as f64
import symbiont_jit as sj
from tests.search.test_search import Flaky

@sj.evolvable(source="double f(double x) { return 1.0; }")
def f(x: f64) -> f64: ...

def search():
    ended.wait()
    result = sj.Evolution(f, metric=lambda k: k(2.0), proposer=Flaky(), workers=2).run(candidates=10)
    print(result.evaluated, result.best.score)

ended = threading.Event()
thread = threading.Thread(target=search)
thread.start()
threading._register_atexit(ended.set)  # Once the main thread has nothing left to do.
"""


@pytest.mark.slow
def test_a_search_in_a_thread_goes_on_without_the_main_thread():
    """A program whose main thread has come to its end waits for its other threads, and their search ends as usual."""
    done = subprocess.run([sys.executable, "-c", IN_A_THREAD], capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout, done.stderr) == ("10 12.0\n", "")


@pytest.mark.parametrize("deadline", [10**400, 0, -1.0, float("nan"), True, "3"])
def test_a_deadline_that_is_no_time(deadline):
    """It is named, before anything is started."""
    with pytest.raises(UsageError, match="deadline is a number of seconds above 0"):
        Evolution(constant_kernel(), metric=lambda k: 1.0, deadline=deadline)


WRONG_OPTIONS = [
    ({"proposer": 5}, "proposer is an object with ask and tell, not 5"),
    ({"proposer": Flaky}, "proposer is an object with ask and tell, not <class"),
    ({"executor": 5}, "executor is an object with submit, not 5"),
    ({"permissions": None}, "permissions is a list of names, not None"),
    ({"permissions": [5]}, r"permissions is a list of names, not \[5\]"),
    ({"private": 5}, "private is a list of names, not 5"),
    ({"direction": []}, r"direction is 'maximize' or 'minimize', not \[\]"),
    ({"start_method": []}, r"start_method is 'fork', 'spawn' or None, not \[\]"),
]


@pytest.mark.parametrize(("options", "message"), WRONG_OPTIONS, ids=lambda value: str(value)[:20])
def test_an_option_of_another_type_is_named(options, message):
    """Whatever is given in the place of something else is an error before anything is started."""
    with pytest.raises(UsageError, match=message):
        Evolution(constant_kernel(), metric=lambda k: 1.0, **options)


WRONG_ARGUMENTS = [
    (lambda search: search.run(candidates=1, on_progress=5), "on_progress is a function, not 5"),
    (lambda search: search.ask(1.5), "count is a whole number from 0, not 1.5"),
    (lambda search: search.evaluate_many("text"), "evaluate_many takes a list of texts, not 'text'"),
    (lambda search: search.evaluate_many(None), "evaluate_many takes a list of texts, not None"),
]


@pytest.mark.parametrize(("call", "message"), WRONG_ARGUMENTS)
def test_an_argument_of_another_type_is_named(call, message):
    """The same of what a search is asked."""
    with pytest.raises(UsageError, match=message):
        call(Evolution(constant_kernel(), metric=lambda k: 1.0, proposer=Flaky()))


@pytest.mark.slow
@pytest.mark.parametrize("deadline", [float("inf"), 1e300])
def test_a_deadline_that_is_none(deadline):
    """A candidate may take as long as it likes."""
    with Evolution(constant_kernel(), metric=lambda k: 1.0, deadline=deadline) as search:
        assert search.evaluate(constant_kernel().source).is_valid
