"""What a judge gets of a session: numbered lines of what was said and called, what changed in the world, or the sound.

What was said is quoted as JSON, one line each: nothing that a party says can look like another's line.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from simulator.errors import SessionError
from simulator.events import PARTIES, Event, Party
from simulator.export.tiers import sayings
from simulator.judging.spec import Hears
from simulator.session import Session
from simulator.sound.wav import encode_wav
from simulator.texts import shown
from simulator.world.record import read_world

SOUND_HZ = 16_000
"""What models that hear take in; a telephone gives half of it."""
LONGEST_S = 1800.0
"""Of a stereo session so long a request has 150 MB, more than services take."""


class ExhibitLine(NamedTuple):
    """A line of the transcript: [start, end) samples, whose, and what is shown."""

    start: int
    end: int
    party: str
    text: str


class Exhibit(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is shown. changes: of the world, a line each; None where it had no world. sound: base64 of WAV.

    hears: what of the session it is.
    """

    id: str
    rate: int
    lines: tuple[ExhibitLine, ...]
    changes: tuple[str, ...] | None = None
    hears: Hears = "text"
    sound: str | None = None

    def told(self) -> str:
        """Give it as text; lines are numbered from 1."""
        shown = [
            f"{number} [{line.start / self.rate:.2f}-{line.end / self.rate:.2f} s] {line.party} {line.text}"
            for number, line in enumerate(self.lines, 1)
        ] or ["(nobody said anything)" if self.hears == "text" else "(nothing)"]
        if self.changes is not None:
            shown += ["", "What changed in the world behind the tools:", *(self.changes or ("(nothing)",))]
        return "\n".join(shown)


def exhibit_of(session: Session, hears: Hears = "text") -> Exhibit:
    """Show an annotated session. SessionError where nobody knows what a party said, or it is too long to be heard."""
    spoken = [] if hears != "text" else list(_spoken(session))
    lines = sorted([*spoken, *_done(session)], key=lambda line: (line.start, line.end))
    return Exhibit(
        id=session.id,
        rate=session.sample_rate,
        lines=tuple(lines),
        changes=_changes(session.folder),
        hears=hears,
        sound=None if hears == "text" else _wav(session, hears),
    )


def _spoken(session: Session) -> Iterator[ExhibitLine]:
    rows = sayings(session)
    for party in PARTIES:
        mine = [row for row in rows if row.party == party]
        if mine and not any(row.text for row in mine):
            raise SessionError(f"nobody knows what the {party} said: no words of it were told or recognised")
    for row in rows:
        start, end = (round(time_s * session.sample_rate) for time_s in (row.start_s, row.end_s))
        what = f"says {_json(row.text)}" if row.text else "makes a sound of speech whose words are not known"
        yield ExhibitLine(start, end, row.party, what)


def _done(session: Session) -> Iterator[ExhibitLine]:
    """Give what was done beside speaking: calls, what they were answered, and who hung up."""
    for event in session.by_type.get("tool_call", ()):
        # Sessions of an earlier version told the answer with the call.
        answer = f", which gives {_json(event.data['answer'])}" if "answer" in event.data else ""
        yield _at(event, f"calls {event.data.get('name')} {_json(event.data.get('arguments'))}{answer}")
    for event in session.by_type.get("tool_result", ()):
        fault = f" (an error: {event.data['fault']})" if event.data.get("fault") else ""
        yield _at(event, f"gets from {event.data.get('name')} {_json(event.data.get('answer'))}{fault}")
    for event in session.by_type.get("hung_up", ()):
        yield _at(event, "hangs up")


def _at(event: Event, text: str) -> ExhibitLine:
    return ExhibitLine(event.at, event.at, event.party or "", text)


def _changes(folder: Path) -> tuple[str, ...] | None:
    """Give what changed, a line each; None where there was no world. SessionError where world.json is damaged."""
    record = read_world(folder) if folder.is_dir() else None
    if record is None:
        return None
    return tuple(f"{change.path}: {_value(change.before)} -> {_value(change.after)}" for change in record.diff)


def _value(found: object) -> str:
    return "nothing" if found is msgspec.UNSET else _json(found)


def _json(value: object) -> str:
    """Write a value as JSON; what would look like a line of its own, or turns the writing round, as escapes."""
    return shown(msgspec.json.encode(value).decode())


def _wav(session: Session, hears: Hears) -> str:
    """Give what was said as base64 of a 16-bit WAV: both channels, the user's left, or one party's."""
    import soxr

    length_s = session.seconds(session.duration)
    if length_s > LONGEST_S:
        raise SessionError(f"the session of {length_s:.0f} s is too long to be heard; allowed are {LONGEST_S:.0f} s")
    parties: tuple[Party, ...] = PARTIES if hears not in PARTIES else (hears,)
    tracks = np.stack([session.said(party) for party in parties], axis=1)
    rate = min(SOUND_HZ, session.sample_rate)
    return base64.b64encode(encode_wav(soxr.resample(tracks, session.sample_rate, rate), rate)).decode()
