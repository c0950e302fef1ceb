"""Agents whose replies are given, and a local server that speaks the real protocol, for tests and offline examples."""

from symbiont_jit.agents.script import ScriptedAgent
from symbiont_jit.testing.overflows import OVERFLOWS
from symbiont_jit.testing.server import (
    DroppedConnection,
    ErrorReply,
    MalformedReply,
    OverflowReply,
    ReceivedRequest,
    Server,
    SlowReply,
    TextReply,
    ToolCalls,
    tokens,
)

__all__ = [
    "OVERFLOWS",
    "DroppedConnection",
    "ErrorReply",
    "MalformedReply",
    "OverflowReply",
    "ReceivedRequest",
    "ScriptedAgent",
    "Server",
    "SlowReply",
    "TextReply",
    "ToolCalls",
    "tokens",
]
