"""What became of a candidate, as a record that can be stored."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbiont_jit import Evaluation, Status
from symbiont_jit.errors import Diagnostic, Severity, Stage
from symbiont_jit.evaluate.evaluation import Timings
from symbiont_jit.evaluate.intervals import Interval
from symbiont_jit.runtime.panics import Panic

NUMBERS = st.floats(allow_nan=False)
TEXTS = st.text(max_size=20)
FINDINGS = st.builds(
    Diagnostic, st.sampled_from(Stage), TEXTS, TEXTS, st.integers(0), st.integers(0), st.sampled_from(Severity)
)
EVALUATIONS = st.builds(
    Evaluation,
    st.sampled_from(Status),
    TEXTS,
    st.none() | NUMBERS,
    st.dictionaries(TEXTS, NUMBERS, max_size=3),
    st.lists(FINDINGS, max_size=2).map(tuple),
    st.none() | st.builds(Panic, TEXTS, TEXTS, st.integers(0), st.integers(0), TEXTS),
    st.builds(Timings, NUMBERS, NUMBERS, st.lists(NUMBERS, max_size=3).map(tuple)),
    TEXTS,
    TEXTS,
    st.dictionaries(TEXTS, st.builds(Interval, NUMBERS, NUMBERS, NUMBERS), max_size=2),
    TEXTS,
)


@given(EVALUATIONS)
def test_a_row_comes_back(evaluation):
    """An evaluation is the same after it was a row and JSON, which has no numbers that are none."""
    row = json.loads(json.dumps(evaluation.to_row(), allow_nan=False))
    assert row["status"] == evaluation.status.name
    assert Evaluation.from_row(row) == evaluation


def test_a_number_that_is_none_comes_back():
    """An interval that is not known has ends that are not finite."""
    evaluation = Evaluation(Status.VALID, "x", 1.0, gains={"a": Interval(math.nan, -math.inf, math.inf)})
    gain = Evaluation.from_row(json.loads(json.dumps(evaluation.to_row(), allow_nan=False))).gains["a"]
    assert math.isnan(gain.value)
    assert (gain.low, gain.high) == (-math.inf, math.inf)


def test_private_scores_are_left_out_by_their_clean_names():
    """A name that could give orders to a terminal is cleaned on its way out of a worker, and is as private then."""
    evaluation = Evaluation(Status.VALID, "x", 1.0, {"seen": 1.0, "hidden?": 42.0})
    assert evaluation.without_scores(["hidden\u200f"]).scores == {"seen": 1.0}


@pytest.mark.parametrize(
    "row", [{}, {"status": "FINE", "source": ""}, {"status": "VALID"}, {"status": 8, "source": ""}]
)
def test_what_is_no_row_is_refused(row):
    """A row that lacks something, or has a status that there is not, is no evaluation."""
    with pytest.raises(ValueError, match=r"status|source"):
        Evaluation.from_row(row)
