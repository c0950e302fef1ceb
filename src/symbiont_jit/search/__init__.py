"""The search: what is asked, what is told, what survives."""
