"""How kernels look: HTML for notebooks (everything escaped), and a text for `help` that says what is so now."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["InstanceDoc", "html_of"]


def html_of(title: str, rows: Mapping[str, Any], source: str | None) -> str:
    """Render a title, a table of names and values, and the source below, as HTML."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(k)}</th>"
        f"<td style='text-align:left'><code>{html.escape(str(v))}</code></td></tr>"
        for k, v in rows.items()
    )
    text = f"<pre>{html.escape(source)}</pre>" if source else ""
    return f"<div><strong>{html.escape(title)}</strong><table>{cells}</table>{text}</div>"


class InstanceDoc:
    """A descriptor for `__doc__`: one text on the class and another one on each object."""

    def __init__(self, of_class: str | None, of_object: Callable[[Any], str]) -> None:
        self._of_class = of_class
        self._of_object = of_object

    def __get__(self, owner: Any, cls: type | None = None) -> str | None:
        return self._of_class if owner is None else self._of_object(owner)
