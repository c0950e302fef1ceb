"""Who is asked for code: models behind an OpenAI-compatible server, scripts, recordings, any async function."""
