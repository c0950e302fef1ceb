"""For tests and offline examples: agents whose replies are given, and a local server that speaks the real protocol."""

from symbiont_jit.agents.scripted import ScriptedAgent
from symbiont_jit.testing.overflows import OVERFLOWS
from symbiont_jit.testing.server import (
    Dropped,
    Failure,
    Malformed,
    Overflow,
    Request,
    Server,
    Slow,
    Text,
    ToolCalls,
    tokens,
)

__all__ = [
    "OVERFLOWS",
    "Dropped",
    "Failure",
    "Malformed",
    "Overflow",
    "Request",
    "ScriptedAgent",
    "Server",
    "Slow",
    "Text",
    "ToolCalls",
    "tokens",
]
