"""A model's reply in text -> the C that was meant, or what was missing."""
