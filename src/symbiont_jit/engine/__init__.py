"""Texts become object code, object code becomes revisions, one of them is active; no model and no metric in here."""
