"""The agent of the examples: your model where OPENAI_MODEL and a key or server are set, a script where they are not."""

import os

import symbiont_jit as sj


def model(script, tools=()):
    """Make an agent, and the words to print about it."""
    if os.environ.get("OPENAI_MODEL") and (os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL")):
        return sj.Agent(tools=tools), f"asking {os.environ['OPENAI_MODEL']}"
    return sj.testing.ScriptedAgent(script), "scripted replies (set OPENAI_MODEL and OPENAI_API_KEY to ask a model)"
