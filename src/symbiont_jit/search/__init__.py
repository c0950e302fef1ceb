"""The search: what is asked of a proposer, what it is told, and what survives."""
