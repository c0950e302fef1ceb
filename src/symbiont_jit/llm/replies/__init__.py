"""A model's reply, a text of any shape -> the C that was meant, or what was missing."""
