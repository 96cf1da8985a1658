"""Who has the floor, told while it happens: turn changes, overlaps, backchannels and barge-ins of a live session.

Judged by the rules of the scorers (`simulator/floor/`) on the said tracks, as the ears hear them, and on what parties
tell of their utterances. It is judged whenever a stretch of speech begins, ends (speaking bridges gaps under 200 ms, so
an end is known that much later) or becomes too long for a backchannel, and when something is told; a tick in which
nothing of it happens costs nothing but ears. What a later sound corrects is told again, or taken back; after `finish`
everything stands as the scorers see it.
"""

from collections.abc import Mapping, Sequence

import msgspec

from simulator.events import PARTIES, Event, Party
from simulator.floor.growing import GrowingFloor, Happening, HappeningKind, Revision
from simulator.floor.ipus import BACKCHANNEL_S
from simulator.frame import AudioFrame, Samples
from simulator.live.overheard import Overheard
from simulator.speaking.ears import Activity, EarsSpec, make_ears


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was noticed. start, end: session seconds. ms: the fto of a turn change, the length of the rest.

    id: the same again when it is corrected. outcome: of a barge-in. withdrawn: it was none, as turns out.
    """

    id: str
    kind: HappeningKind
    party: str
    start: float
    end: float
    ms: int
    outcome: str = ""
    withdrawn: bool = False


class FloorWatch:
    """Watches both said tracks. ears: for each party `level` (synthetic speech) or `silero` (a real microphone)."""

    def __init__(self, sample_rate: int, ears: Mapping[Party, EarsSpec]) -> None:
        self._rate = sample_rate
        self._ears = {party: make_ears(ears[party], sample_rate, noisy=False) for party in PARTIES}
        self._overheard = Overheard(sample_rate)
        self._floor = GrowingFloor(self._overheard.known, sample_rate)
        self._due: list[tuple[int, int]] = []

    def warm(self) -> None:
        """Load the detectors now."""
        for ears in self._ears.values():
            getattr(ears, "warm", lambda: None)()

    def speaking(self, party: Party) -> bool:
        """Whether the party speaks now."""
        return self._ears[party].activity.speaking

    @property
    def noticed(self) -> list[Happening]:
        """Everything that was noticed and stands, in samples."""
        return self._floor.found

    @property
    def responses_ms(self) -> list[int]:
        """How long the agent took to take the floor, each time so far: negative where it began before the end."""
        taken = [item for item in self._floor.found if item.kind == "transfer" and item.party == "agent"]
        return [self._ms(item.offset or 0) for item in sorted(taken, key=lambda item: item.at)]

    def take(self, event: Event) -> None:
        """Take a `speech_start` or `speech_end`, which may lie ahead: what a party tells of its utterances."""
        self._due.append((event.at, self._overheard.tells(event)))

    def hear(self, start: int, user: Samples, agent: Samples) -> list[Notice]:
        """Take what both said in [start, start + n) and give what was noticed, corrected or taken back."""
        now = self._overheard.now = start + len(user)
        news = [self._hear(party, AudioFrame(start, said)) for party, said in zip(PARTIES, (user, agent), strict=True)]
        if not any(news) and all(at > now for at, _ in self._due):
            return []
        return self._judge([party for party in PARTIES if self.speaking(party)])

    def finish(self) -> list[Notice]:
        """The session is over: give what changes by it."""
        self._overheard.over = True
        return self._judge((), over=True)

    def _judge(self, speaking: Sequence[Party], *, over: bool = False) -> list[Notice]:
        now = self._overheard.now
        changed = [since for at, since in self._due if at <= now]
        self._due = [(at, since) for at, since in self._due if at > now]
        if changed:
            self._floor.learn(min(changed))
        return [self._notice(change) for change in self._floor.judge(speaking, over=over)]

    def _hear(self, party: Party, frame: AudioFrame) -> bool:
        """Let a party's ears hear a frame; whether that is news: a stretch of speech began, ended, or became long."""
        activity = self._ears[party].activity
        before = self._state(activity)
        self._ears[party].hear(frame)
        if activity.stretches:
            self._overheard.speaks(party, activity.since, activity.last_end)
        return before != self._state(activity)

    def _state(self, activity: Activity) -> tuple[int, bool, bool]:
        is_long = activity.last_end - activity.since >= BACKCHANNEL_S * self._rate
        return activity.stretches, activity.speaking, is_long

    def _notice(self, change: Revision) -> Notice:
        item = change.item
        length = item.end - item.start if item.offset is None else item.offset
        return Notice(
            id=change.name, kind=item.kind, party=item.party, start=round(item.start / self._rate, 3),
            end=round(item.end / self._rate, 3), ms=self._ms(length), outcome=item.outcome, withdrawn=change.withdrawn,
        )  # fmt: skip

    def _ms(self, samples: int) -> int:
        return round(1000 * samples / self._rate)
