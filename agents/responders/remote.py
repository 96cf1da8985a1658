"""What responders that ask a server over HTTP have in common: what they send of a turn, and what they tell of it."""

from typing import Any

from simulator.frame import Samples
from simulator.speaking.dialogue import HeardTurn


def heard_of(turn: HeardTurn) -> Samples:
    """Give a turn's sound up to where the other fell silent: float32 (n,) at the turn's rate.

    The silence that told that it was over is the actor's own waiting; a server must not hear it as a pause.
    """
    return turn.samples[: max(1, len(turn.samples) - max(0, turn.at - turn.until))]


def usage_of(model: str, *, session_s: float, sent_s: float, said_s: float) -> dict[str, Any]:
    """Give the fields of the `usage` event of one exchange: what of the session's time and of sound it used."""
    lengths = {"session_s": session_s, "input_s": sent_s, "output_s": said_s}
    return {"model": model, **{name: round(length, 3) for name, length in lengths.items()}}


class TurnUsage:
    """What the exchanges of a session used, one per turn: each counts the time since the one before it."""

    def __init__(self) -> None:
        self._counted = 0

    def of(self, model: str, turn: HeardTurn, *, sent_s: float, said_s: float) -> dict[str, Any]:
        """Give the fields of the `usage` event of the exchange that answered a turn."""
        session_s = (turn.at - self._counted) / turn.sample_rate
        self._counted = turn.at
        return usage_of(model, session_s=session_s, sent_s=sent_s, said_s=said_s)
