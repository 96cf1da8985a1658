"""The one floor: what scorers, pages, exports and the live view say of a conversation is the same.

Times are in ticks of 20 ms at 1,000 Hz, so that every length of the field (200 ms, 500 ms, 1 s) is a whole number.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.backchannel import BackchannelSpec
from metrics.barge_in import BargeInSpec
from metrics.turns import TurnsSpec
from simulator.events import PARTIES, Event, EventLog, Party
from simulator.export import fdb_labels
from simulator.floor.growing import GrowingFloor, KnownSoFar
from simulator.frame import Samples, silence
from simulator.live.floor_watch import FloorWatch, Notice
from simulator.live.overheard import Overheard
from simulator.report.marks.marks import marks_of
from simulator.score import Score
from simulator.session import Session
from simulator.speaking.ears import LevelEarsSpec
from simulator.speech import PartySpeech, Segment, Speech

RATE, TICK = 1_000, 20
LOUD = np.full(TICK, 0.5, np.float32)
SECOND = RATE // TICK

SPECS = (TurnsSpec(), BargeInSpec(), BackchannelSpec())

Found = list[tuple[str, str, int, int]]
"""What was found: kind (of a barge-in with its outcome), party, start and end in samples; in order."""


class Saying(NamedTuple):
    """What a party says, in ticks: sound at these stretches; told in [start, end) with a role, or not at all (None).

    cut: it was stopped. late: ticks by which it is told after (or before) it begins.
    """

    party: Party
    sound: tuple[tuple[int, int], ...]
    role: str | None = None
    start: int = 0
    end: int = 0
    cut: bool = False
    late: int = 0


def untold(party: Party, start_s: float, end_s: float) -> Saying:
    """Speech that nobody tells of, in seconds."""
    return Saying(party, ((round(start_s * SECOND), round(end_s * SECOND)),))


def told(party: Party, start_s: float, end_s: float, role: str = "turn", *, cut: bool = False) -> Saying:
    """An utterance, in seconds."""
    sound = (round(start_s * SECOND), round(end_s * SECOND))
    return Saying(party, (sound,), role, *sound, cut)


class Talk:
    """A conversation of `ticks` ticks, known from its sayings alone: as a session, and as a live session hears it."""

    def __init__(self, sayings: Sequence[Saying], ticks: int) -> None:
        self.sayings = [item for item in sayings if item.sound[0][0] < ticks]
        self.ticks = ticks
        self.events = sorted(
            (event for index, item in enumerate(self.sayings) if item.role is not None for event in _told(item, index)),
            key=lambda event: event.at,
        )

    def sounds(self, party: Party) -> list[tuple[int, int]]:
        """Where a party is heard, in samples."""
        return [
            (start * TICK, min(end, self.ticks) * TICK)
            for item in self.sayings
            if item.party == party
            for start, end in item.sound
            if start < self.ticks
        ]

    def _speech(self, party: Party) -> PartySpeech:
        said = [
            Segment(
                start=item.sound[0][0] * TICK,
                end=min(self.ticks, max(end for start, end in item.sound if start < self.ticks)) * TICK,
                source="truth", id=f"u{index}", role=item.role, text=f"text {index}",
            )
            for index, item in enumerate(self.sayings)
            if item.party == party and item.role is not None and item.start + item.late <= self.ticks
        ]  # fmt: skip
        segments = [Segment(start=start, end=end, source="vad") for start, end in self.sounds(party)]
        return PartySpeech(segments=tuple(segments), utterances=tuple(said))

    def session(self, folder: Path) -> Session:
        """The session as it is annotated; its event log ends where it ends."""
        end = self.ticks * TICK
        path = folder / f"{self.ticks}.wav"
        if not path.exists():
            soundfile.write(path, np.zeros((end, 2), np.float32), RATE)
        bare = Session.of_recording(path)
        log = EventLog()
        for event in self.events:
            log.add(event.at, event.type, event.party, **event.data)
        speech = Speech(user=self._speech("user"), agent=self._speech("agent"))
        return Session(path, bare.meta, audio=bare._audio, events=tuple(log.finish(end)), speech=speech)

    def live(self) -> tuple[FloorWatch, list[Notice]]:
        """A watch that has heard it tick by tick, and all that it told on the way."""
        tracks = {party: np.zeros(self.ticks, bool) for party in PARTIES}
        for party in PARTIES:
            for start, end in self.sounds(party):
                tracks[party][start // TICK : end // TICK] = True
        watch, notices, waiting = FloorWatch(RATE, dict.fromkeys(PARTIES, LevelEarsSpec())), [], list(self.events)
        for tick in range(self.ticks):
            # An event is noted a moment before it is due, or long after: whoever tells late says since when.
            while waiting and waiting[0].at <= (tick + 5) * TICK:
                watch.take(waiting.pop(0))
            user, agent = (_frame(tracks[party][tick]) for party in PARTIES)
            notices += watch.hear(tick * TICK, user, agent)
        for event in waiting:  # told when the parties close
            watch.take(event)
        return watch, notices + watch.finish()


def _told(item: Saying, index: int) -> list[Event]:
    begun, ended = item.start + max(0, item.late), max(item.end, item.start + item.late)
    name = f"u{index}"
    return [
        Event(begun * TICK, "speech_start", item.party, {"id": name, "role": item.role, "since": item.start * TICK}),
        Event(ended * TICK, "speech_end", item.party, {"id": name, "cut": item.cut, "since": item.end * TICK}),
    ]


def _frame(sounding: bool) -> Samples:
    return LOUD if sounding else silence(TICK)


def by_scorers(session: Session) -> Found:
    """What the evidence of the scorers says: transfers, overlaps, and the user's barge-ins."""
    scores = {score.id: score for spec in SPECS for score in spec.build().score(session)}
    kinds = {"transfer": "turns.fto_p50_s", "overlap": "turns.overlap_per_min", "barge_in": "barge_in.yield_rate"}
    return sorted(
        (f"barge_in {item.label}", "user", item.start, item.end) if kind == "barge_in"
        else (kind, item.party, item.start, item.end)
        for kind, metric in kinds.items()
        for item in scores[metric].evidence
    )  # fmt: skip


def by_page(session: Session, scores: Sequence[Score] = ()) -> Found:
    """What the marks of a page say."""
    kinds = ("transfer", "overlap", "backchannel", "barge_in")
    marks = [mark for mark in marks_of(session, scores) if mark.kind in kinds]
    return sorted(
        (f"barge_in {mark.label.partition(' after ')[0]}" if mark.kind == "barge_in" else mark.kind, mark.party,
         *sorted((mark.start, mark.end)))
        for mark in marks
    )  # fmt: skip


def by_live(watch: FloorWatch) -> Found:
    """What stands on the live view after the last tick."""
    return sorted((f"{item.kind} {item.outcome}".strip(), item.party, item.start, item.end) for item in watch.noticed)


def scored_part(found: Found) -> Found:
    """What there is a score for, of what a view shows."""
    return [
        item
        for item in found
        if item[0] in ("transfer", "overlap") or (item[0].startswith("barge_in") and item[1] == "user")
    ]


def seconds(found: Found) -> list[tuple[str, str, float, float]]:
    """The same in seconds."""
    return [(kind, party, start / RATE, end / RATE) for kind, party, start, end in found]


HAND_WORKED = {
    "told: an answer, a mm-hm, an interruption that is yielded to, another answer": (
        [
            told("user", 1, 3), told("agent", 3.4, 7.5, cut=True), told("user", 5, 5.3, "backchannel"),
            told("user", 7, 9, "interruption"), told("agent", 9.6, 11),
        ],
        [
            ("backchannel", "user", 5.0, 5.3), ("barge_in yielded", "user", 7.0, 7.5), ("overlap", "", 5.0, 5.3),
            ("overlap", "", 7.0, 7.5), ("transfer", "agent", 3.0, 3.4), ("transfer", "agent", 9.0, 9.6),
            ("transfer", "user", 7.0, 7.5),
        ],
    ),
    "by its shape: a mm-hm of 0.6 s, the second half of it after the agent, takes no floor": (
        [untold("agent", 1, 4), untold("user", 3.7, 4.3), untold("agent", 5.5, 7)],
        [("backchannel", "user", 3.7, 4.3), ("overlap", "", 3.7, 4.0)],
    ),
    "by its shape: with less than half over the agent it is a turn": (
        [untold("agent", 1, 4), untold("user", 3.72, 4.3), untold("agent", 5.5, 7)],
        [
            ("barge_in undecided", "user", 3.72, 4.0), ("overlap", "", 3.72, 4.0), ("transfer", "agent", 4.3, 5.5),
            ("transfer", "user", 3.72, 4.0),
        ],
    ),
    "back to back is a gap of nothing": (
        [told("user", 1, 3), told("agent", 3, 5)], [("transfer", "agent", 3.0, 3.0)],
    ),
    "both at once: the one who speaks on has it, and nobody barged in": (
        [untold("user", 2, 4), untold("agent", 2, 6)], [("overlap", "", 2.0, 4.0), ("transfer", "agent", 2.0, 4.0)],
    ),
    "talked through for two seconds": (
        [untold("agent", 1, 9), untold("user", 3, 5)],
        [("barge_in talked through", "user", 3.0, 9.0), ("overlap", "", 3.0, 5.0)],
    ),
    "a turn of 1 s that ends with the other's takes no floor, but barged in": (
        [untold("agent", 1, 4), untold("user", 3, 4)],
        [("barge_in undecided", "user", 3.0, 4.0), ("overlap", "", 3.0, 4.0)],
    ),
    "who began at the same moment took no floor, so that the other's turn goes on over a pause": (
        [untold("agent", 1, 6), untold("user", 1, 3), untold("user", 3.5, 5)],
        [("overlap", "", 1.0, 3.0), ("overlap", "", 3.5, 5.0), ("transfer", "agent", 1.0, 3.0)],
    ),
    "a hold goes on over breaths, also long after it was talked through": (
        [untold("agent", 1, 5), untold("user", 4, 5.2), untold("agent", 5.3, 9), untold("agent", 9.3, 14)],
        [("barge_in talked through", "user", 4.0, 14.0), ("overlap", "", 4.0, 5.0), ("transfer", "agent", 5.2, 5.3),
         ("transfer", "user", 4.0, 5.0)],
    ),
    "what is said 2.5 s after a barge-in decides what it met": (
        [
            told("agent", 1, 4.6), untold("user", 3.5, 4.7), untold("agent", 4.8, 5.2), untold("user", 5.6, 5.76),
            untold("agent", 6.1, 7),
        ],
        [
            ("barge_in undecided", "user", 3.5, 5.2), ("overlap", "", 3.5, 4.6), ("transfer", "agent", 4.7, 4.8),
            ("transfer", "agent", 5.76, 6.1), ("transfer", "user", 3.5, 4.6), ("transfer", "user", 5.2, 5.6),
        ],
    ),
    "an aside with a long pause: the mm-hms in it are backchannels, and it takes no floor when it goes on": (
        [
            Saying("user", ((50, 100), (550, 600)), "aside", 50, 600),
            *(untold("agent", start, start + 0.4) for start in (2.5, 4.2, 5.8, 7.2, 8.8)),
            untold("agent", 12.5, 14), untold("agent", 15, 18), untold("agent", 19, 22),
        ],
        [("backchannel", "agent", start, round(start + 0.4, 1)) for start in (2.5, 4.2, 5.8, 7.2, 8.8)],
    ),
    "speech that is found to be told while it goes on leaves the word before it alone": (
        [untold("user", 0.5, 3), untold("agent", 2, 2.6), untold("agent", 3.1, 7.1), told("agent", 7.1, 11.5)],
        [("backchannel", "agent", 2.0, 2.6), ("overlap", "", 2.0, 2.6), ("transfer", "agent", 3.0, 3.1)],
    ),
    "so does a turn that is told eight seconds late": (
        [
            untold("user", 1, 4), untold("agent", 2.8, 3.2), told("agent", 4.1, 6)._replace(late=400),
            untold("user", 8, 9),
        ],
        [
            ("backchannel", "agent", 2.8, 3.2), ("overlap", "", 2.8, 3.2), ("transfer", "agent", 4.0, 4.1),
            ("transfer", "user", 6.0, 8.0),
        ],
    ),
    "an agent that begins early barges in on nobody; one whose interruption was planned does": (
        [untold("user", 1, 4), untold("agent", 3.5, 6), untold("user", 7, 10), told("agent", 8, 8.6, "interruption")],
        [
            ("barge_in talked through", "agent", 8.0, 10.0), ("overlap", "", 3.5, 4.0), ("overlap", "", 8.0, 8.6),
            ("transfer", "agent", 3.5, 4.0), ("transfer", "user", 6.0, 7.0),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HAND_WORKED)
def test_page_and_live_view_see_what_was_worked_out_by_hand(name: str, tmp_path: Path) -> None:
    """Every kind of happening, told and by its shape: the same on the page, in the live view, and by the scorers."""
    sayings, expected = HAND_WORKED[name]
    talk = Talk(sayings, 25 * SECOND)
    session = talk.session(tmp_path)
    assert seconds(by_page(session)) == expected
    assert seconds(by_live(talk.live()[0])) == expected
    assert by_scorers(session) == scored_part(by_page(session))


def test_the_benchmarks_labels_say_what_the_floor_says(tmp_path: Path) -> None:
    """Turns, the pauses of 200 ms and more inside them, interruptions: by role and in seconds."""
    turn = Saying("user", ((50, 100), (109, 150), (160, 200)), "turn", 50, 200)
    session = Talk([turn, told("agent", 5, 9), told("user", 7, 8, "interruption")], 10 * SECOND).session(tmp_path)
    assert fdb_labels.turns(session) == [(1000, 4000)]
    (said,) = fdb_labels.utterances(session, ("turn",))
    assert [label["timestamp"] for label in fdb_labels.pause_labels(session, said)] == [[3.0, 3.2]]  # 180 ms is none
    (over,) = fdb_labels.utterances(session, ("interruption",))
    label = fdb_labels.interrupt_label(session, over)
    assert label == {"context": "text 0", "interrupt": "text 2", "timestamp": [7.0, 8.0]}


def test_what_turns_out_to_be_a_backchannel_is_taken_back() -> None:
    """A word after the agent takes the floor; when the agent goes on over most of it, it was a mm-hm."""
    _, notices = Talk([untold("agent", 1, 10), untold("user", 10.1, 10.7), untold("agent", 10.3, 13)], 700).live()
    assert [(notice.kind, notice.party, notice.ms, notice.withdrawn) for notice in notices] == [
        ("transfer", "user", 100, False), ("transfer", "user", 100, True), ("overlap", "", 400, False),
        ("backchannel", "user", 600, False),
    ]  # fmt: skip
    assert notices[0].id == notices[1].id


def test_what_is_told_long_afterwards_corrects_what_was_settled(tmp_path: Path) -> None:
    """A turn that, as is told 12 s later, was meant for somebody else, takes no floor any more."""
    aside = Saying("user", ((155, 245),), "aside", 155, 245, late=600)
    around = [untold("agent", start, start + 2) for start in range(1, 30, 4)]
    talk = Talk([aside, *around], 34 * SECOND)
    watch, notices = talk.live()
    assert by_live(watch) == by_page(talk.session(tmp_path)) == []
    assert [(item.kind, item.party, item.withdrawn) for item in notices if item.withdrawn] == [
        ("transfer", "user", True), ("transfer", "agent", True),
    ]  # fmt: skip


def test_an_utterance_whose_end_nobody_told_lasts_to_the_end(tmp_path: Path) -> None:
    """It was cut by whatever ended it: an agent that is silent from then on has yielded."""
    talk = Talk([told("agent", 1, 3), told("user", 2.5, 4)], 6 * SECOND)
    talk.events = [event for event in talk.events if (event.type, event.party) != ("speech_end", "agent")]
    found = by_page(talk.session(tmp_path))
    assert by_live(talk.live()[0]) == found
    assert ("barge_in yielded", "user", 2500, 3000) in found


def test_an_hour_costs_no_more_than_a_minute() -> None:
    """Without a second of silence in an hour, a window holds what was said in the last seconds."""
    overheard, held = Overheard(RATE), []

    def known(since: int) -> KnownSoFar:
        held.append(overheard.known(since))
        return held[-1]

    floor = GrowingFloor(known, RATE)
    for start in range(0, 3600 * RATE, 2500):  # 2.1 s of speech, 0.4 s of silence, and a mm-hm over every other turn
        party: Party = "user" if start % 5000 else "agent"
        for who, first, last in ((party, 0, 2100), ("user", 800, 1100))[: 1 if party == "user" else 2]:
            overheard.now = start + last
            overheard.speaks(who, start + first, start + last)  # type: ignore[arg-type]
            floor.judge()
    assert max(len(item.speech.user.segments) + len(item.speech.agent.segments) for item in held) <= 10
    assert len([item for item in floor.found if item.kind == "transfer"]) == 1439


@st.composite
def party_says(draw: st.DrawFn, party: Party) -> list[Saying]:
    """What one party says in a while: told or not, in any role, with pauses, cut in one, told late or ahead of time."""
    at, quiet, said = 0, 0, []
    for _ in range(draw(st.integers(0, 14))):
        roles = st.sampled_from([None, None, "turn", "interruption", "backchannel", "aside"])
        role, lead, tail = draw(roles), draw(st.sampled_from([0, 0, 0, 15])), draw(st.sampled_from([0, 0, 0, 20, 60]))
        lead, tail = (0, 0) if role is None else (lead, tail)
        # Silence inside an utterance, at its edges, is told from speech before and after it by the ears' 200 ms.
        gap = draw(st.sampled_from([0, 1, 9, 10, 24, 25, 30, 49, 50, 51, 80, 130]) | st.integers(0, 60))
        at += max(gap, 10) if lead or quiet else gap
        start, sound = at, []
        at += lead
        for _ in range(draw(st.integers(1, 3)) if role else 1):
            length = draw(st.sampled_from([5, 10, 30, 49, 50, 51, 100]) | st.integers(1, 150))
            sound.append((at, at + length))
            at += length + draw(st.sampled_from([5, 10, 30, 60]))
        at = sound[-1][1]
        cut = role is not None and draw(st.booleans())
        late = draw(st.sampled_from([0, 0, 0, 0, 3, 400])) if role else 0
        said.append(Saying(party, tuple(sound), role, start, at + tail, cut, late))
        at, quiet = at + tail, tail
    return said


talks = st.builds(
    lambda user, agent, ticks: Talk([*user, *agent], ticks), party_says("user"), party_says("agent"),
    st.sampled_from([3000, 1500, 700]),
)  # fmt: skip


SEEDED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(SEEDED, max_examples=150)
@given(talks)
def test_no_two_views_disagree(tmp_path: Path, talk: Talk) -> None:
    """Scorers, page, live view and labels of random talks: the same transfers, overlaps, barge-ins, backchannels."""
    session = talk.session(tmp_path)
    page, scored = by_page(session), by_scorers(session)
    assert by_live(talk.live()[0]) == page
    assert scored == scored_part(page)
    scores = [score for spec in SPECS for score in spec.build().score(session)]
    assert by_page(session, scores) == page
    kept = BackchannelSpec().build().score(session)[0]
    passed = {item[2] for item in page if item[:2] == ("backchannel", "user")}
    assert {item.start for item in kept.evidence} <= passed
    starts = {item.start for item in fdb_labels.utterances(session, ("backchannel",))}
    assert starts <= passed


@settings(SEEDED, max_examples=60)
@given(talks)
def test_notices_add_up_to_what_stands(talk: Talk) -> None:
    """Who keeps the latest notice of every id, and drops the withdrawn, has what the watch has."""
    watch, notices = talk.live()
    kept = {notice.id: notice for notice in notices}
    standing = sorted(
        (f"{item.kind} {item.outcome}".strip(), item.party, item.start, item.end)
        for item in kept.values()
        if not item.withdrawn
    )
    assert standing == seconds(by_live(watch))
