"""Prompts: the texts that a model is sent."""

from pathlib import Path

import pytest
from numba import float64 as f64

import symbiont_jit as sj
from symbiont_jit import Array, evolvable
from symbiont_jit.llm.prompts import (
    CORRECTIONS,
    write_correction,
    write_fresh_start,
    write_system_prompt,
    write_task_prompt,
)
from symbiont_jit.llm.rejections import Rejection
from symbiont_jit.runtime.panics import _MESSAGES, PANICS

GOLDEN = Path(__file__).parent / "golden"


def texts():
    """Every whole text that a model can be sent."""

    @sj.record
    class Candle:
        open: f64
        close: f64

    @evolvable
    def score(c: Array[Candle, "n"], w: Array[f64, "n"], bias: f64, out: sj.Out[f64, "n"]) -> f64:
        """Weighted gains.

        Of each candle, its gain times its weight.
        """

    failure = Rejection(
        "compile",
        "3:10: error: use of undeclared identifier 'y' [compiler]\n      return y;\n             ^",
        "",
        "undeclared 'y'",
    )
    base = write_task_prompt([score.signature], "Make it fast.", "double score(...);\n")
    return {
        "system": write_system_prompt(),
        "task": base,
        "task_first": write_task_prompt([score.signature], "Make it fast.", None),
        "fresh_start": write_fresh_start(base, failure),
        **{f"correct_{kind}": write_correction(Rejection(kind, failure.message)) for kind in CORRECTIONS},
    }


@pytest.mark.parametrize("name", sorted(texts()))
def test_the_texts_are_what_they_were(name):
    """A change of a prompt is seen as a whole; `python -m tests.llm.test_prompts` writes them anew."""
    assert texts()[name] == (GOLDEN / f"{name}.txt").read_text()


def test_the_prompt_knows_every_kind_of_panic():
    """What instrumented code can panic of is what the model is told of."""
    assert set(PANICS) == set(_MESSAGES)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in texts().items():
        (GOLDEN / f"{name}.txt").write_text(text)
