"""What a Gemini Live session keeps: the model's turn as it is said, the connection that may change.

    turn:   quiet ──sound──> open ──generation_complete──> open, sound complete ──turn_complete──> quiet
            └──turn_complete with a reason: response_failed
                              └──interrupted──> open, what waited is dropped
    link:   standing ──go_away──> going ──turn over, time nearly up──> dialling ──setup_complete──> standing
                └──lost, with a handle───────────────────────────────────┘

A turn's sound may be said long after it was generated; a connection may change without the turn noticing.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.remote.failure import FAILED, failed_fields
from agents.remote.peer_core import Actions
from agents.remote.playout import Playout, tell, tell_cut
from agents.remote.usage import Counts
from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.speaking.ears import AnyEars
from simulator.world.tool import Tool

UP = WireFormat(rate=16_000)
DOWN = WireFormat(rate=24_000)
LAST_WORDS_S = 1.0
"""A model that hung up is gone after so much silence: its goodbye may still be on its way."""

BEFORE_GOING_S = 1.0
RESUMPTIONS = 3
"""So many connections in a row may be lost without a word from the model before it is given up."""


_NO_FAILURE = ("TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT")
"""Reasons for a turn's end with which nothing went wrong; the others say what did (RESPONSE_REJECTED ...)."""


class GeminiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What our side does about a session: functions, who detects turns, the cue to speak first."""

    model: str
    tools: tuple[Tool, ...] = ()
    greeting: str = ""
    detects_turns: bool = True
    own_ears: AnyEars | None = None
    end_silence_s: float = 0.6
    jitter_s: float = 0.1
    stall_s: float = 30.0


class ModelTurn:
    """What the model says: generated there, said here, dropped when it is interrupted."""

    def __init__(self, settings: GeminiSettings, actions: Actions) -> None:
        self._settings = settings
        self._actions = actions
        self.playout = Playout(DOWN.rate, settings.jitter_s)
        self.open = False
        """Whether the model is generating."""
        self.leaving = False
        self.gone = False
        """The model has hung up, and what it said before was said."""
        self._count = 0
        self._generating = False
        self._quiet = 0
        self._due: int | None = None
        self._usage: Counts = {}
        self._over_at: int | None = None

    @property
    def _name(self) -> str:
        return f"turn-{self._count}"

    def sound(self, samples: Samples, at: int) -> None:
        """Keep sound to be said."""
        if not self._generating:
            self._generating = True
            self._count += 1
        if not self.open:
            self._actions.note(at, "response_start", id=self._name)
        self.open = True
        self._over_at = None
        self._due = at
        self.playout.push(self._name, samples)

    def expect(self, at: int | None) -> None:
        """The model owes sound from now on, or none (None)."""
        self._due = at

    def generated(self, at: int) -> None:
        """All of the turn's sound has come in."""
        self.playout.finish(self._name)
        self._generating = False
        self._due = None

    def over(self, reason: object, at: int) -> None:
        """The turn is over."""
        self.generated(at)
        name = self._name if self.open else None
        if reason and str(reason) not in _NO_FAILURE:
            self._actions.note(at, FAILED, **failed_fields("gemini_live", reason, id=name))
        elif self.open:
            self._actions.note(at, "response_end", id=name, reason=reason)
        self.open = False
        self._over_at = at

    def interrupted(self, at: int) -> None:
        """The service heard speech that cuts the model off."""
        self._actions.note(at, "interrupted", id=self._name)
        self.cut(at)
        self._generating = False
        self._due = None

    def cut(self, at: int) -> None:
        """Drop what waits, and tell how much was said."""
        for item in self.playout.cut():
            tell_cut(self._actions, item, at)

    def look(self, at: int) -> None:
        """See whether the model has stalled."""
        if self._due is not None and at - self._due > self._settings.stall_s * DOWN.rate:
            raise RemoteError(f"sent nothing for {self._settings.stall_s:g} s while an answer was due")

    def say(self, count: int, at: int) -> Samples:
        """Say what waits, and tell what became of items."""
        samples, moments = self.playout.take(count, at)
        for moment in moments:
            tell(self._actions, moment)
        self._quiet = self._quiet + count if self.leaving and self.playout.dry else 0
        self.gone = self.gone or self._quiet >= LAST_WORDS_S * DOWN.rate
        return samples

    def used(self, counts: Counts, at: int) -> None:
        """Keep a turn's usage: a later word on the same turn replaces it."""
        self._usage = counts
        if not self.open and self._over_at is None:
            self._over_at = at

    def used_before(self, moment: float) -> Counts:
        """Give the usage of a turn that was over by `moment`, once."""
        if not self._usage or self._over_at is None or self._over_at > moment:
            return {}
        counts, self._usage = self._usage, {}
        return counts


class Link:
    """What is known about the connection: its handle, and when it will go."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self.handle: str | None = None
        self._going: int | None = None
        self._deadline = 0.0
        self._dialled = 0
        self._redialling = False

    def connected(self, at: int) -> None:
        """A connection stands."""
        if self._redialling:
            self._actions.note(at, "resumed")
        self._redialling = False
        self._going = None

    def alive(self) -> None:
        """The model said something: the connection is good."""
        self._dialled = 0

    def resumable(self, update: Mapping[str, Any]) -> None:
        """Keep the newest handle; while the service says that it cannot resume, the last one stands."""
        if update.get("resumable") and update.get("new_handle"):
            self.handle = str(update["new_handle"])

    def going(self, time_left_s: float, at: int) -> None:
        """The connection will be closed."""
        self._actions.note(at, "go_away", time_left_s=time_left_s)
        self._going = at
        self._deadline = at + max(0.0, time_left_s - BEFORE_GOING_S) * DOWN.rate

    def look(self, at: int, *, between_turns: bool) -> None:
        """Open another connection before this one goes. Without a handle it is used to its end."""
        if self._going is not None and self.handle and (between_turns or at >= self._deadline):
            self._redial()

    def lost(self, reason: str, at: int) -> None:
        """Go on over another connection, or raise RemoteError."""
        if self.handle is None:
            raise RemoteError(
                reason + (", as announced; it gave no handle to resume" if self._going is not None else "")
            )
        if self._dialled >= RESUMPTIONS:
            raise RemoteError(f"{reason}; resumed {self._dialled} times in vain")
        self._actions.note(at, "connection_lost", reason=reason)
        self._redial()

    def _redial(self) -> None:
        self._dialled += 1
        self._redialling = True
        self._going = None
        self._actions.redial()
