"""The table of errors by which servers say that a conversation is too long."""

import json

import pytest

from symbiont_jit.testing import OVERFLOWS, OverflowReply, Server
from tests.testing.posting import post


@pytest.mark.parametrize("name", OVERFLOWS)
def test_a_row_is_what_a_client_gets(name):
    """Status and body of a row come over HTTP as they stand in the table, and the status is that of an error."""
    status, body = OVERFLOWS[name]
    with Server([OverflowReply(name)]) as server:
        assert post(server.url, {"messages": []}) == (status, json.loads(json.dumps(body)))
    assert status >= 400


def test_no_row_is_another_one():
    """Each server's words stand once."""
    rows = [json.dumps(row) for row in OVERFLOWS.values()]
    assert len(rows) == len(set(rows))
