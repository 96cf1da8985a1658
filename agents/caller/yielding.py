"""Yielding: when a caller stops because the other talks over it."""

from agents.caller.manner import Patience
from agents.caller.timing import YIELDS_S
from simulator.speaking.cues import NEVER
from simulator.speaking.ears import Activity
from simulator.speaking.voice import Role

INSISTS = {"low": 2.0, "normal": 1.0, "high": 0.7}
"""What patience makes of the time for which it goes on."""


class Yielding:
    """Follows one utterance after the other. rate: samples a second of what is heard."""

    def __init__(self, patience: Patience, rate: int) -> None:
        self._limits = {role: round(limit_s * INSISTS[patience] * rate) for role, limit_s in YIELDS_S.items()}
        self._limit: int | None = None
        self._from = 0

    def begin(self, now: int, role: Role, *, last: bool = False) -> None:
        """Say that an utterance begins. last: it is its goodbye, which it says to the end, as a backchannel."""
        self._limit = None if last else self._limits.get(role)
        self._from = now

    def yields(self, heard: Activity) -> bool:
        """Whether it stops now."""
        since = max(heard.since, self._from)
        return self._limit is not None and heard.speaking and heard.last_end - since >= self._limit

    def earliest(self, heard: Activity) -> int:
        """Give a sample before which it does not stop, whatever is heard."""
        if self._limit is None:
            return NEVER
        return max(heard.since if heard.speaking else heard.until, self._from) + self._limit
