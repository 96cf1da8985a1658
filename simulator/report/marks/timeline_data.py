"""What the script of a session page gets: lanes, words, marks, scores and peaks, as plain data in samples."""

from collections.abc import Sequence
from typing import Any

import msgspec

from simulator.annotation.truth import told
from simulator.events import PARTIES, Event, Party, other_party
from simulator.report.marks.decisions import decisions
from simulator.report.marks.mark import Mark
from simulator.report.marks.marks import marks_of
from simulator.report.marks.peaks import Peaks
from simulator.report.marks.turn_marks import utterances
from simulator.results.judged import Judged
from simulator.score import Score
from simulator.session import Session
from simulator.speech import SpokenWord


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """What one party took the other's speech of [start, end) for; known at `at`. party: who spoke."""

    party: str
    start: int
    end: int
    text: str
    at: int


def page_data(session: Session, judged: Judged, peaks: Peaks) -> dict[str, Any]:
    """Give everything a page draws, but the peaks' bytes: JSON-ready, all times in samples of the session."""
    return {
        "rate": session.sample_rate,
        "duration": session.duration,
        "lanes": {party: _lane(session, party) for party in PARTIES},
        "understood": [msgspec.to_builtins(item) for item in understood(session)],
        "decided": [msgspec.to_builtins(item) for item in decisions(session)],
        "marks": _columns(marks_of(session, judged.scores)),
        "lines": {name: _chain(session, name) for name in ("user_to_agent", "agent_to_user")},
        "evidence": {score.id: _evidence(score) for score in judged.scores if score.evidence},
        "peaks": {
            "perSecond": peaks.per_second,
            "lanes": [[name, len(lane)] for name, lane in peaks.lanes.items()],
        },
    }


def peak_bytes(peaks: Peaks) -> bytes:
    """Give the bytes of all lanes, one lane after the other."""
    return b"".join(lane.tobytes() for lane in peaks.lanes.values())


def understood(session: Session) -> list[Understood]:
    """Give what each party took the other's speech for, in time order."""
    found: dict[tuple[str, int], Understood] = {}
    for event in session.events:
        if event.type in ("turn_heard", "recognised") and event.party in PARTIES and event.data.get("text"):
            start = _past(event, "since")
            heard = Understood(
                party=other_party(event.party),
                start=start,
                end=max(start, _past(event, "until")),
                text=str(event.data["text"]),
                at=event.at,
            )
            found[heard.party, heard.start] = heard  # the same stretch again: what is known later counts
    return sorted(found.values(), key=lambda item: (item.start, item.at))


def _past(event: Event, name: str) -> int:
    """A past moment that an event names, by the ears (`heard_since`) or plainly; its own moment where it names none."""
    return int(event.data.get(f"heard_{name}", event.data.get(name, event.at)))


def _lane(session: Session, party: Party) -> dict[str, Any]:
    speech = session.speech.of(party)
    words = speech.words or _planned_words(session, party)
    return {
        "segments": [[segment.start, segment.end, segment.source, segment.text] for segment in speech.segments],
        "utterances": [[item.start, item.end, item.role, item.text] for item in utterances(session, party)],
        "words": [[word.text, word.start, word.end, word.source, int(word.cut)] for word in words],
    }


def _planned_words(session: Session, party: Party) -> list[SpokenWord]:
    """Place the words the events tell of, for a session that was never annotated: a word lasts up to the next."""
    words: list[SpokenWord] = []
    for item in told(session, party):
        edges = [*(onset for _, onset in item.words), item.end]
        for (text, start), until in zip(item.words, edges[1:], strict=True):
            if start < item.end:
                words.append(
                    SpokenWord(
                        text=text,
                        start=start,
                        end=min(until, item.end),
                        source="truth",
                        id=item.id,
                        cut=until > item.end,
                    )
                )
    return words


def _columns(marks: Sequence[Mark]) -> list[list[Any]]:
    return [[mark.kind, mark.start, mark.end, mark.party, mark.label, mark.detail, mark.ms] for mark in marks]


def _chain(session: Session, line: str) -> list[str]:
    """Describe the channels of a line, one short text each: `noise babble 15 dB`."""
    channels = session.meta.lines.get(line) or []
    return [_channel(channel) for channel in channels if isinstance(channel, dict)]


def _channel(channel: dict[str, Any]) -> str:
    named = [str(channel[name]) for name in ("color", "name") if isinstance(channel.get(name), str)]
    rest = [
        _measure(name, value)
        for name, value in channel.items()
        if name not in ("kind", "color", "name")
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
    ]
    return " ".join([str(channel.get("kind", "channel")), *named, *rest])


def _measure(name: str, value: str | float) -> str:
    """A key of a channel with its value and unit: `snr_db: 15` becomes `snr 15 dB`; a path becomes the file's name."""
    for suffix, unit in (("_db", " dB"), ("_ms", " ms"), ("_hz", " Hz")):
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix)} {value:g}{unit}"
    return f"{name} {value.rpartition('/')[2] if isinstance(value, str) else format(value, 'g')}".replace("_", " ")


def _evidence(score: Score) -> list[list[Any]]:
    return [[item.start, item.end, item.party, item.label, item.value] for item in score.evidence]
