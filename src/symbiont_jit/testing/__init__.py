"""For tests and offline examples: agents whose replies are given, and a local server that speaks the real protocol."""
