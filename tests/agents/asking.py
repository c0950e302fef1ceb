"""A run of an agent against a local server that says what a test tells it to, and what came of it."""

import asyncio
import datetime
import math
from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

import numpy as np
import pydantic
import pytest
from hypothesis import strategies as st

import symbiont_jit as sj
from symbiont_jit.agents.agent import Agent
from symbiont_jit.agents.protocol import as_agent
from symbiont_jit.agents.retries import RetryPolicy
from symbiont_jit.testing import ErrorReply, Server

KEY = "sk-proj-Zq81mVxw0KcT5yUaQe7Lr2Jh"
QUICK = RetryPolicy(retries=3, base=0.001)
HELLO = [{"role": "user", "content": "hello"}]
#: How servers refuse what is not asked for in pieces.
STREAM = [
    "parameter.enable_thinking must be set to false for non-streaming calls",
    "This model only support stream mode, please enable the stream parameter to access the model.",
    "stream must be set to true for this model",
]


def run(agent, messages=HELLO):
    return asyncio.run(as_agent(agent)(messages))


def ask(replies, messages=HELLO, **settings):
    """A run against a server with a script: the reply and the requests that came."""
    with Server(replies) as server:
        reply = run(Agent("model", server.url, **{"retries": QUICK, **settings}), messages)
    return reply, server.requests


def refuse(text):
    """A refusal of a request's form."""
    return ErrorReply(400, {"error": {"message": text}})


def fail(replies, **settings):
    """The error of a run, and the requests that came."""
    with Server(replies) as server, pytest.raises(sj.AgentError) as caught:
        run(Agent("model", server.url, **{"retries": QUICK, **settings}))
    return caught.value, server.requests


class Ledger:
    """A meter that remembers all it was told, and stops after `limit` requests."""

    def __init__(self, limit=1000):
        self.limit = limit
        self.events = []

    def before_request(self):
        """Count, or stop."""
        if sum(event == "before" for event in self.events) >= self.limit:
            raise sj.EvolveError("the budget is used up")
        self.events.append("before")

    def after_request(self, usage, model=""):
        """Note."""
        self.events.append((usage, model))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


async def slowly(text: str) -> str:
    """Give a text back, later."""
    await asyncio.sleep(0.01)
    return text.upper()


def breaks(values: list[float]) -> float:
    """Divide by zero."""
    return sum(values) / 0


def long() -> str:
    """Say much."""
    return "x" * 50_000


def table(rows: dict[str, list[int]], kind: Literal["sum", "max"], limit: Optional[float] = None) -> dict:  # noqa: UP045
    """Work on rows."""
    return {"kind": kind, "rows": rows, "limit": limit}


def leak() -> str:
    """Say what should not be said."""
    return f"the key is {KEY}"


TOOLS = [add, slowly, breaks, long, table, leak]


@dataclass
class Point:
    """A place in the plane."""

    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)


class Window(pydantic.BaseModel):
    """Some rows of a table."""

    first: int = pydantic.Field(ge=0, description="Where it begins.")
    point: Point


def plot(
    point: Point,
    window: Window,
    width: Annotated[int, "Pixels from left to right."] = 80,
    height: Annotated[int, pydantic.Field(description="Pixels from top to bottom.", gt=0)] = 24,
    mark: str | list[int] = "x",
    day: datetime.date = datetime.date(2025, 1, 2),
    scale: float = math.nan,
    origin: object = None,
) -> dict:
    """Draw a point."""
    return {"point": point, "window": window, "size": [width, height], "mark": mark, "day": day, "ids": np.arange(2)}


def conversation(i):
    return [{"role": "user", "content": f"number {i}"}]
