"""The calls of tools in a session, each with its answer, as its events tell them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.session import Session
from simulator.texts import written


class SeenCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool: when it was made, by whom, with what, and what it was answered, if it was.

    answered: the sample; fault: why the answer is an error, "" where it is none.
    """

    id: str
    at: int
    by: str
    name: str
    arguments: Any
    answered: int | None = None
    answer: Any = None
    fault: str = ""

    @property
    def proper(self) -> bool:
        """Whether it was one of a tool that there is, with arguments that fit its schema."""
        return self.fault not in ("unknown", "arguments")

    def told(self, rate: int) -> str:
        """What was called, with what, and when."""
        given = self.arguments if isinstance(self.arguments, Mapping) else {"": self.arguments}
        shown = ", ".join(f"{name}={written(item)}" for name, item in given.items())
        fault = f" ({self.fault})" if self.fault else ""
        return f"{self.name}({shown}) at {self.at / rate:.2f} s{fault}"


def calls_of(session: Session) -> list[SeenCall]:
    """Give the calls of a session with their answers. A call and its answer share an id, within a party."""
    results = {(event.party, event.data.get("id")): event for event in session.by_type.get("tool_result", ())}
    found: list[SeenCall] = []
    for event in session.by_type.get("tool_call", ()):
        result = results.get((event.party, event.data.get("id")))
        # Sessions of an earlier version told the answer with the call.
        answer = result.data.get("answer") if result is not None else event.data.get("answer")
        found.append(
            SeenCall(
                id=str(event.data.get("id", "")),
                at=event.at,
                by=event.party,
                name=str(event.data.get("name", "")),
                arguments=event.data.get("arguments"),
                answered=result.at if result is not None else None,
                answer=answer,
                fault=str(result.data.get("fault") or "") if result is not None else "",
            )
        )
    return found
