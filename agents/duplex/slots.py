"""Who is in which slot, and when a step is due: a state machine without a clock, a thread or I/O.

A slot's stages, and what moves it on:

    free --take--> opening --opened--> lead_in --finish (n steps)--> ready --submit--> talking
    talking --rest--> ready: its session hears nothing for a while, such as between a client's requests
    any stage --leave--> leaving --freed--> free

Only *talking* slots are waited for: a slot is ready until its session hears its first frame, so a session
whose other party is still starting holds nobody up, nor does one in its lead-in. Lead-in steps ride along
with whatever runs and run by themselves when nobody talks.

A step is due when every talking slot has submitted (`due`). On the wall clock slots have a rhythm: each
expects its next frame a step after the last, and a step waits only for those that should be there by now; lead-in
steps still ride along, for a forward of their own would make the others late. One
that is later than the grace is stepped with silence and owes a frame: the frame is not heard when it comes.
Nor is one that is more than a step late: nothing is ever caught up.
"""

from enum import Enum, auto

import msgspec
import numpy as np

from agents.duplex.model import Mask
from simulator.frame import Samples


class Stage(Enum):
    """Where a slot stands."""

    OPENING = auto()
    LEAD_IN = auto()
    READY = auto()
    TALKING = auto()
    LEAVING = auto()


class SlotRow(msgspec.Struct):
    """A taken slot: its stage, lead-in steps left, own frames so far, what it submitted, frames it owes.

    expected_s: when its next frame should come (wall clock only).
    """

    slot: int
    stage: Stage = Stage.OPENING
    lead_in: int = 0
    frame: int = 0
    heard: Samples | None = None
    owed: int = 0
    expected_s: float = 0.0


class Rhythm(msgspec.Struct, frozen=True):
    """The wall clock's rules, in seconds: a frame every `step_s`, and how long one is waited for."""

    step_s: float
    grace_s: float


class SlotFrame(msgspec.Struct, frozen=True, gc=False):
    """A row that talked in the step just done: its own frame number; whether it had submitted in time."""

    slot: int
    frame: int
    submitted: bool


class Slots:
    """The slots of one loaded model. rhythm: on the wall clock; the times are then seconds of the real
    clock.
    """

    def __init__(self, slots: int, rhythm: Rhythm | None = None) -> None:
        self.slots = slots
        self._rhythm = rhythm
        self.stepping = False
        self._free = list(range(slots))
        self._rows: dict[int, SlotRow] = {}
        self._batch: list[tuple[SlotRow, bool]] = []
        self._talking = 0
        self._submitted = 0
        self._leading_in = 0

    @property
    def free(self) -> int:
        """How many slots nobody has."""
        return len(self._free)

    @property
    def talking(self) -> int:
        """How many slots the batch waits for."""
        return self._talking

    @property
    def submitted(self) -> int:
        """How many slots have handed in a frame for the next step."""
        return self._submitted

    def stage(self, slot: int) -> Stage | None:
        """Where the slot stands; None when it is free."""
        row = self._rows.get(slot)
        return row.stage if row else None

    def has_submitted(self, slot: int) -> bool:
        """Whether the slot has handed in its frame for the next step."""
        row = self._rows.get(slot)
        return row is not None and row.heard is not None

    def take(self, count: int) -> list[int] | None:
        """Take `count` slots, all or none, the lowest numbers first."""
        if count > len(self._free):
            return None
        taken, self._free = self._free[:count], self._free[count:]
        for slot in taken:
            self._rows[slot] = SlotRow(slot)
        return taken

    def opened(self, slot: int, lead_in: int) -> None:
        """The model has prepared the slot, which needs so many lead-in steps."""
        row = self._rows[slot]
        if row.stage is not Stage.OPENING:
            return
        row.lead_in = lead_in
        row.stage = Stage.LEAD_IN if lead_in else Stage.READY
        self._leading_in += bool(lead_in)

    def submit(self, slot: int, samples: Samples, now_s: float = 0.0) -> bool:
        """Take the slot's next frame; False when it comes too late to be heard (wall clock only)."""
        row = self._rows[slot]
        if row.stage is Stage.READY:
            row.stage = Stage.TALKING
            row.expected_s = now_s
            self._talking += 1
        if row.owed:
            row.owed -= 1
            return False
        if self._rhythm is not None:
            stale = now_s - row.expected_s > self._rhythm.step_s
            row.expected_s += self._rhythm.step_s
            if stale:
                return False
        row.heard = samples
        self._submitted += 1
        return True

    def rest(self, slot: int) -> None:
        """The session hears nothing for a while: it is not waited for until it submits again."""
        row = self._rows.get(slot)
        if row is not None and row.stage is Stage.TALKING and row.heard is None:
            row.stage = Stage.READY
            self._talking -= 1

    def due(self, now_s: float = 0.0) -> bool:
        """Whether a step should run now: somebody talks or leads in, and nobody has to be waited for."""
        if self.stepping or not (self._submitted or (self._leading_in and not self._talking)):
            return False
        if self._submitted == self._talking:
            return True
        rhythm = self._rhythm
        return rhythm is not None and not any(
            row.stage is Stage.TALKING and row.heard is None and row.expected_s < now_s + rhythm.grace_s
            for row in self._rows.values()
        )

    def begin(self, input_samples: int, now_s: float = 0.0) -> tuple[Samples, Mask]:
        """Start a step: what is heard, float32 (slots, input_samples), zeros for silence, and by whom."""
        pcm = np.zeros((self.slots, input_samples), np.float32)
        active = np.zeros(self.slots, bool)
        for slot, row in self._rows.items():
            submitted = row.heard is not None
            if not (submitted or row.stage is Stage.LEAD_IN or self._is_late(row, now_s)):
                continue
            active[slot] = True
            self._batch.append((row, submitted))
            if row.heard is not None:
                pcm[slot] = row.heard
            row.heard = None
        self._submitted = 0
        self.stepping = True
        return pcm, active

    def _is_late(self, row: SlotRow, now_s: float) -> bool:
        """Whether a talking slot takes part with silence; it owes the frame from now on."""
        rhythm = self._rhythm
        if rhythm is None or row.stage is not Stage.TALKING or now_s < row.expected_s + rhythm.grace_s:
            return False
        row.owed += 1
        row.expected_s += rhythm.step_s
        return True

    def finish(self) -> tuple[list[SlotFrame], list[int]]:
        """End the step: the rows that talked in it and have not left, the slots whose lead-in is over."""
        talked: list[SlotFrame] = []
        ready: list[int] = []
        for row, submitted in self._batch:
            if row.stage is Stage.TALKING:
                talked.append(SlotFrame(row.slot, row.frame, submitted))
                row.frame += 1
            elif row.stage is Stage.LEAD_IN:
                row.lead_in -= 1
                if row.lead_in == 0:
                    row.stage = Stage.READY
                    self._leading_in -= 1
                    ready.append(row.slot)
        self._batch = []
        self.stepping = False
        return talked, ready

    def skip(self) -> list[int]:
        """Let the frames that wait go unheard; the slots that had submitted them."""
        unheard = [slot for slot, row in self._rows.items() if row.heard is not None]
        for slot in unheard:
            self._rows[slot].heard = None
        self._submitted = 0
        return unheard

    def leave(self, slot: int) -> None:
        """The session has gone: its frame is forgotten, nobody waits for it any more; safe in any stage."""
        row = self._rows.get(slot)
        if row is None or row.stage is Stage.LEAVING:
            return
        self._talking -= row.stage is Stage.TALKING
        self._leading_in -= row.stage is Stage.LEAD_IN
        self._submitted -= row.heard is not None
        row.heard = None
        row.stage = Stage.LEAVING

    def freed(self, slot: int) -> None:
        """The model has closed the slot: it can be taken again."""
        del self._rows[slot]
        self._free = sorted([*self._free, slot])
