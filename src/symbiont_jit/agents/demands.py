"""What a server turns out to demand: that reasoning comes back to it, or that answers are streamed.

In: a refusal. Out: the demands that are known after it. No name of a model says these things for sure, and servers say
them in so many words; so the refused request is sent again, once for each demand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from symbiont_jit.agents.failures import RequestFailure

__all__ = ["Demands"]

#: Statuses that servers refuse a request's form with.
_REFUSALS: Final = (400, 422)
#: Wordings about a field of reasoning that is missing, whose name they have (Kimi, DeepSeek).
_ECHO: Final = re.compile(
    r"(reasoning_content|reasoning_details)[^.]{0,40}(missing|required|must|not found|passed back)"
    r"|(missing|required|must|pass)[^.]{0,60}(reasoning_content|reasoning_details)",
    re.IGNORECASE,
)
#: Wordings for answers that come in pieces only (DashScope, ModelScope, QwQ).
_STREAM: Final = re.compile(
    r"non-stream|only supports? (?:the )?stream|stream(?:ing)? (?:mode )?(?:only|is required)|set ['\"`]?stream"
    r"|stream['\"`]? (?:must|should|has to) be (?:set to )?true|requires? stream",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Demands:
    """What one server wants.

    Attributes:
        echo: Fields of an answer that have to go back to the server with it.
        is_streamed: Whether answers have to be asked for in pieces.
    """

    echo: frozenset[str] = frozenset()
    is_streamed: bool = False

    def learn(self, failure: RequestFailure) -> Demands | None:
        """Learn a demand from a refusal; None where it says none that was not met."""
        if failure.status not in _REFUSALS or failure.is_overflow:
            return None
        wanted = _ECHO.search(failure.quote)
        names = {name for name in (wanted.groups() if wanted else ()) if name and name.startswith("reasoning_")}
        if names - self.echo:
            return replace(self, echo=self.echo | names)
        if not self.is_streamed and _STREAM.search(failure.quote):
            return replace(self, is_streamed=True)
        return None
