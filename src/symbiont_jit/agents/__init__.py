"""Agents, which answer prompts with code: models behind a server, scripts, recordings, any async function."""
