"""What a parent believes of a worker: messages of the shape that was agreed on, and nothing else."""

import json
import math
import os
import pickle
from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import ValidationError

from symbiont_jit import Diagnostic, Evolution, Status
from symbiont_jit.errors import Stage
from symbiont_jit.evaluate.metric import MetricResult
from symbiont_jit.isolate.messages import (
    MAX_PARTS,
    MAX_REASON,
    MAX_TEXT,
    Complaint,
    NotReady,
    Ready,
    ReplyReader,
    WorkerReply,
    write_message,
)
from symbiont_jit.isolate.worker import Crash, Worker
from symbiont_jit.runtime.panics import Panic
from tests.isolate.served import forge
from tests.kernels import DOT

RESULTS = ReplyReader(list[MetricResult])
VALID = MetricResult(Status.VALID, 1.5, {"speedup": 1.5, "size": -0.0}, reference_ns=(1e-300, 2.0), candidate_ns=(3.0,))
PANICKED = MetricResult(
    Status.PANICKED, diagnostics=(Diagnostic(Stage.EVALUATE, "index", "7 is \x00 too \ud800 far", 3, 4),),
    panic=Panic("index", "7 is too far", 3, 4, "double f;"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bomb:
    """Unpickled, it makes a file."""

    path: str

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("message", [Ready(), NotReady("why\n not"), WorkerReply([]), WorkerReply([VALID, VALID])])
def test_what_is_written_is_read(message):
    """Every kind of message comes back equal, with numbers to the last bit."""
    assert RESULTS.read(write_message(message)) == message


def test_a_text_that_is_no_unicode_arrives():
    """A candidate's text may have what no encoding has; it arrives with a mark instead, and the rest is whole."""
    (found,) = RESULTS.read(write_message(WorkerReply([PANICKED]))).value
    assert (found.status, found.panic) == (Status.PANICKED, PANICKED.panic)
    assert found.diagnostics[0].message.startswith("7 is ? too ")


FORGED = {
    "nothing": b"",
    "another kind": b"*[]",
    "a pickle": pickle.dumps([VALID]),
    "no JSON": b"=[",
    "a value that is no list": b'={"status": 8}',
    "something that is no result": b"=[1]",
    "no status": b"=[{}]",
    "a status that does not exist": b'=[{"status": 99}]',
    "a status that no metric gives": b'=[{"status": 5}]',
    "valid without a score": b'=[{"status": 8}]',
    "valid with NaN": b'=[{"status": 8, "score": NaN}]',
    "valid with infinity among the scores": b'=[{"status": 8, "score": 1.0, "scores": {"a": Infinity}}]',
    "a score that is a text": b'=[{"status": 8, "score": "fast"}]',
    "rounds that are texts": b'=[{"status": 7, "reference_ns": ["x"]}]',
    "a finding of another shape": b'=[{"status": 7, "diagnostics": [3]}]',
    "deep brackets": b"=" + b"[" * 100_000,
    "readiness with more": b"+ ",
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_what_is_no_message_is_refused(data):
    """The reason is short, and nothing else than a value error leaves the reader."""
    with pytest.raises(ValueError, match=r".") as refused:
        RESULTS.read(data)
    assert len(str(refused.value)) < 300


@given(st.binary(max_size=60) | st.binary(max_size=60).map(b"=".__add__))
def test_any_bytes_are_a_message_or_refused(data):
    """Whatever arrives, it is one of the four kinds or a value error."""
    try:
        assert isinstance(RESULTS.read(data), Ready | NotReady | Complaint | WorkerReply)
    except ValueError:
        return


@pytest.mark.parametrize("data", [b"=[1]", b"+", b"-not ready", b"=" + b"[" * 9999, b"\x80\x04"])
def test_a_forged_answer_is_a_crash(data):
    """A worker that is answered for says what could not be read, and another process answers the next request."""
    worker = Worker(lambda data: forge(data) if data else [VALID], reply_type=list[MetricResult])
    try:
        outcome = worker.ask(data, 10.0)
        assert isinstance(outcome, Crash)
        assert outcome.reason.startswith("an answer that cannot be read (")
        assert worker.ask(b"", 10.0) == WorkerReply([VALID])
    finally:
        worker.close()


def test_a_pickle_in_the_pipe_calls_nothing(dot, tmp_path):
    """A metric that sends a pickle gives the candidate a status; the parent runs nothing of it."""
    path, parent = tmp_path / "made", os.getpid()
    metric = lambda kernel: 1.0 if os.getpid() == parent else forge(pickle.dumps(Bomb(str(path)))) or 1.0  # noqa: E731
    with Evolution(dot, metric=metric) as search:
        evaluation = search.evaluate(DOT)
    assert evaluation.status is Status.CRASHED
    assert "an answer that cannot be read" in evaluation.diagnostics[0].message
    assert not path.exists()


def test_a_forged_complaint_is_a_crash(dot):
    """Who claims in a worker that the user's inputs are bad is not believed before a fresh worker has said so too."""
    parent = os.getpid()
    metric = lambda kernel: 1.0 if os.getpid() == parent else forge(b"!the inputs are bad") or 1.0  # noqa: E731
    with Evolution(dot, metric=metric) as search:
        evaluation = search.evaluate(DOT)
    assert evaluation.status is Status.CRASHED
    assert "a complaint about inputs that are all right" in evaluation.diagnostics[0].message


#: Answers of many parts, each of which would be a fault of its own.
WRONG_PARTS = {
    "results": b"[" + b",".join([b'{"panic":{"a":[]}}'] * 10_000) + b"]",
    "findings": b'[{"status":8,"diagnostics":[' + b",".join([b'{"stage":1,"rule":1,"line":"a"}'] * 3000) + b"]}]",
    "numbers": b"[" + b",".join([b"null"] * 20_000) + b"]",
}


@pytest.mark.parametrize("data", WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_an_answer_is_refused_at_its_first_fault(data):
    """Whoever is wrong thousands of times takes no more of the parent's time than who is wrong once."""
    with pytest.raises(ValidationError) as caught:
        RESULTS._values.validate_json(data)
    assert caught.value.error_count() < 10


def test_an_answer_with_thousands_of_faults_says_how_many():
    """Names with what is no number are looked at all, and not all described."""
    scores = b",".join(b'"%d":"x"' % number for number in range(20_000))
    with pytest.raises(ValueError, match="it has 20,000 faults"):
        RESULTS.read(b'=[{"status":8,"score":1.0,"scores":{' + scores + b"}}]")


def test_an_answer_of_too_many_parts_is_refused_before_it_is_read():
    """Whatever makes it long, one list or many within each other: what is in a text is no part."""
    for parts in ([0] * (MAX_PARTS + 2), [[[]]] * (MAX_PARTS // 2), [{"a": {}}] * (MAX_PARTS // 2)):
        with pytest.raises(ValueError, match="it has more than 25,000 parts"):
            ReplyReader().read(b"=" + json.dumps(parts).encode())
    assert ReplyReader().read(b"=" + json.dumps(",[{" * 20_000 + '",').encode()) == WorkerReply(",[{" * 20_000 + '",')


CONTROLS = {
    "an escape": (rb'"\u001b]0;owned\u0007 red"', "?]0;owned? red"),
    "a control character of eight bits": ('"\x9b31m"'.encode(), "?31m"),
    "one with a backslash": (rb'"\u009b31m \u007f"', "?31m ?"),
    "a delete": (b'"a\x7fb"', "a?b"),
    "a return": (rb'"shown\rover it"', "shown?over it"),
    "ends of lines and tabs": (rb'"one\r\n\ttwo\nthree"', "one\n\ttwo\nthree"),
    "another order": ('"a\u202eb"'.encode(), "a?b"),
    "the name of a field": (rb'{"\u001b[c": ["\u001b[c", 1.5, null]}', {"?[c": ["?[c", 1.5, None]}),
}


@pytest.mark.parametrize(("data", "clean"), CONTROLS.values(), ids=CONTROLS)
def test_no_text_gives_orders_to_a_terminal(data, clean):
    """Control characters become question marks, wherever a text stands in an answer; ends of lines and tabs stay."""
    assert ReplyReader().read(b"=" + data) == WorkerReply(clean)


def test_reasons_are_clean_and_short():
    """Why a worker cannot serve is the end of what it says, and gives no orders either."""
    for kind, made in ((b"-", NotReady), (b"!", Complaint)):
        assert ReplyReader().read(kind + b"\x1b[c\n" + b"x" * MAX_REASON) == made("x" * MAX_REASON)
        assert ReplyReader().read(kind + b"\x1b[c\n\xff") == made("?[c\n\ufffd")


def test_texts_are_bounded():
    """A text of an answer has at most so many characters, and all of them together have."""
    texts = ReplyReader().read(b"=" + json.dumps(["x" * (MAX_TEXT + 1)] * 9).encode()).value
    assert texts[0] == "x" * MAX_TEXT + " ..."
    assert texts[4:] == [" ..."] * 5
    assert ReplyReader().read(b"=" + json.dumps("x" * MAX_TEXT).encode()).value == "x" * MAX_TEXT


@pytest.mark.parametrize(
    ("names", "said"),
    [(["a\u200f", "a\u200e"], "the same"), ([f"{n:0200}" for n in range(1000)], "131,072 characters")],
)
def test_names_are_neither_cut_nor_merged(names, said):
    """An object whose names would be one after they were cleaned, or are longer than all names may be, is refused."""
    with pytest.raises(ValueError, match=said):
        ReplyReader().read(b"=" + json.dumps(dict.fromkeys(names, 1.0)).encode())


def test_an_integer_that_cannot_be_printed_is_refused():
    """Integers have at most 64 bits, and floating numbers may be as large as they are."""
    assert ReplyReader().read(b"=18446744073709551615").value == 2**64 - 1
    assert ReplyReader().read(b"=1e300").value == 1e300
    for number in (b"=-18446744073709551616", b"=" + b"9" * 5000):
        with pytest.raises(ValueError, match=r"integer|number|expected"):
            ReplyReader().read(number)


def test_a_score_is_as_precise_as_it_was():
    """The smallest and largest numbers come through JSON as they are."""
    numbers = (5e-324, -1.7976931348623157e308, 0.1 + 0.2, -0.0)
    read = ReplyReader(list[float]).read(write_message(WorkerReply(list(numbers)))).value
    assert [math.copysign(1, a) * a for a in read] == [math.copysign(1, a) * a for a in numbers]
    assert read == list(numbers)
