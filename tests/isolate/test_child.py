"""The life of a worker: what it gives up before it answers."""

import os
import signal
import textwrap

import pytest

from symbiont_jit import Evolution
from symbiont_jit.agents.secret import Secret
from symbiont_jit.environment import strip_secrets
from tests.isolate.served import SECRETS, ask, run_python, secrets
from tests.kernels import DOT


def test_no_secrets(worker, monkeypatch):
    """Variables that are named like secrets are not in the worker's environment, also not for C; the others are."""
    for name in SECRETS:
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("SYMBIONT_TEST_PLAIN", "kept")
    assert ask(worker, "secrets") == []
    assert ask(worker, "environment", "SYMBIONT_TEST_PLAIN") == "kept"
    assert os.environ["OPENAI_API_KEY"] == "canary"


def test_addresses_with_passwords_are_secrets():
    """Whatever a variable is called, an address with a password in it stays behind; others go along."""
    plain = {"PATH": "/bin", "PWD": "/", "SITE": "https://example.org/a:b@c", "HOST": "redis://localhost:6379"}
    secret = {
        "DATABASE_URL": "postgres://me:pass@host/db",
        "CACHE": "redis://:pass@host",
        "REMOTE": "https://ghp_0123@example.org/repository",
        "STORAGE": "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=abc==",
        "BASE": "Server=host;Database=db;Uid=me;Pwd=pass",
        "SIGNED": "https://example.org/v1?version=2&sig=abc",
    }
    assert strip_secrets({**plain, **secret}) == plain


def test_what_an_agent_uses_as_a_key_is_a_secret_under_any_name():
    """A variable that has the text of a key which was given to an agent stays behind, whatever it is called."""
    plain = {"MODEL": "some-model", "SHORT": "x"}
    Secret("canary-0123456789")
    Secret("x")
    assert strip_secrets({**plain, "LLM": "canary-0123456789", "LINE": "Bearer canary-0123456789"}) == plain
    Secret("Bearer another-0123456789")
    assert strip_secrets({**plain, "OTHER": "another-0123456789"}) == plain


@pytest.mark.slow
def test_no_address_with_a_password_in_what_a_process_began_with():
    """`/proc/self/environ` of a worker shows asterisks where its program was started with such an address."""
    code = """
        from symbiont_jit.isolate.worker import Worker
        from tests.isolate.served import answer, ask
        print(ask(Worker(answer), "about_the_environment"))
    """
    running = run_python(textwrap.dedent(code), variables={"DATABASE_URL": "postgres://me:canary@host/db"})
    output, errors = running.communicate(timeout=60)
    assert output.strip() == "[[], [], 0, None]", errors


def test_no_secrets_for_a_metric(dot, monkeypatch):
    """A metric that looks for secrets in a worker finds none."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    parent = os.getpid()

    def metric(kernel):
        return float(os.getpid() == parent or len(secrets()))

    with Evolution(dot, metric=metric) as search:
        assert search.evaluate(DOT).scores == {"score": 0.0}


def test_no_input(worker):
    """Standard input is at its end and is no terminal."""
    assert ask(worker, "standard_input") == ["", False, "/dev/null"]


def test_output_is_captured(worker, capfd):
    """What a worker writes is not on the parent's terminal, and is forgotten once it has answered."""
    assert ask(worker, "speak_and", "words", "", "") == "words"
    assert ask(worker, "output_size") == 0
    assert capfd.readouterr() == ("", "")


def test_interrupts_are_not_for_workers(worker):
    """Ctrl-C goes to all processes of a terminal; the parent decides what comes of it."""
    assert ask(worker, "handlers") == signal.SIG_IGN
