"""Killable processes for code that nobody has run yet; nothing in here knows what a kernel is."""
