"""Surroundings: what a session gets from the run around it, and how well it kept the wall clock."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from simulator.events import Event
from simulator.frame import Samples


class Surroundings(msgspec.Struct, kw_only=True):
    """What a session gets from the run around it.

    shared: one dict per run for what sessions share. buttons(): keys pressed since the last look. progress(samples):
    told about once a second of session time. stop: ends the session early and cleanly when set (a hang-up).
    used(usage): told the fields of every `usage` event of a remote party as it is written. listen(event): told of every
    event when it is noted. overhear(user, agent): told what both said, tick by tick. lookahead: `off` keeps the virtual
    clock at one tick after the other, which gives the same bytes in more time.
    """

    shared: dict[Any, Any] = msgspec.field(default_factory=dict)
    buttons: Callable[[], list[str]] = list
    progress: Callable[[int], None] = lambda samples: None
    stop: Callable[[], bool] = lambda: False
    used: Callable[[Mapping[str, Any]], None] = lambda usage: None
    listen: Callable[[Event], None] | None = None
    overhear: Callable[[Samples, Samples], None] | None = None
    lookahead: Literal["on", "off"] = "on"


class Pacing(msgspec.Struct, kw_only=True):
    """How well the wall clock was kept: lateness of ticks in ms (run.json only)."""

    lateness_p50_ms: float = 0.0
    lateness_p99_ms: float = 0.0
    lateness_max_ms: float = 0.0

    def sum_up(self, lateness_s: list[float]) -> None:
        """Sum up how late the ticks of a wall-clock session were."""
        if lateness_s:
            ordered = sorted(lateness_s)
            self.lateness_p50_ms, self.lateness_p99_ms, self.lateness_max_ms = (
                round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) for share in (0.5, 0.99, 1.0)
            )


class Keys:
    """Keys pressed in a live session, kept until the cue that waits for them asks."""

    def __init__(self, buttons: Callable[[], list[str]], note: Callable[[str], None]) -> None:
        self._buttons = buttons
        self._note = note
        self._waiting: list[str] = []

    def pressed(self, key: str) -> bool:
        """Whether the key was pressed since this was last asked."""
        for fresh in self._buttons():
            self._note(fresh)
            self._waiting.append(fresh)
        if key in self._waiting:
            self._waiting.remove(key)
            return True
        return False
