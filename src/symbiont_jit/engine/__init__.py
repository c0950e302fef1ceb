"""Texts become builds, builds become revisions, and one revision is active. Knows no model and no metric."""
