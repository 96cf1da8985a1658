"""The `dgslm` scorer: corpus statistics of turn-taking, per minute, and their distance to a reference."""

from pathlib import Path
from typing import ClassVar

from metrics.compat.dgslm.events import (
    EVENTS,
    Durations,
    backchannel_count,
    event_durations,
    merge_units,
    wasserstein,
)
from metrics.compat.measured import Measured
from metrics.compat.options import read_segments
from metrics.compat.two_sided import FromTwoSides, SpeechFinder, TwoSided
from simulator.score import Definition
from simulator.scoring.inputs import find_inputs

CARD = """\
Turn-taking of two channels in the counts of dGSLM (arXiv 2203.16502), in the operational form of ESPnet3's
metric.
Speech: Silero defaults at 16 kHz per channel; gaps up to 0.2 s merge into one unit (ipu); no minimum length,
no pad.
overlap: maximal stretches with both speaking, never split. Silence between speech: a pause when some channel
ends at its start and begins at its end, else a gap; silence at the start or end of the recording is neither.
<e>_per_min and <e>_dur_per_min: events, and their seconds, per minute of the whole recording.
w1_<e>: Wasserstein-1 distance (s) between the durations and those of the paired recording that --set
reference=FILE names (a file of segments {id: {"user": [[s, e]], "agent": [...]}}, or recordings with the same
names); undefined when either side has no such event. backchannel_per_min: units under 1.0 s, at least half
inside the other's units.
Corpus: the plain mean over recordings, undefined ones left out. mode=strict is the same definition.
Others drop units without 200 ms of silence on both sides instead of merging, and dGSLM itself splits overlap
into within and between turns: their numbers differ."""

_TITLES = {"ipu": "speech units", "pause": "pauses", "gap": "gaps", "overlap": "overlaps"}


def _table() -> tuple[Definition, ...]:
    rates = [Definition(id=f"{event}_per_min", unit="1/min", title=f"{_TITLES[event]} per minute") for event in EVENTS]
    times = [
        Definition(id=f"{event}_dur_per_min", unit="s/min", title=f"seconds of {_TITLES[event]} per minute")
        for event in EVENTS
    ]
    distances = [
        Definition(
            id=f"w1_{event}",
            unit="s",
            title=f"distance of the lengths of {_TITLES[event]} to the reference",
            better="lower",
        )
        for event in EVENTS
    ]
    listening = Definition(
        id="backchannel_per_min", unit="1/min", title="short units inside the other's speech per minute"
    )
    return (*rates, *times, *distances, listening)


class DgslmSpec(FromTwoSides, frozen=True, kw_only=True, tag="dgslm"):
    """Corpus statistics of turn-taking: ipu, pause, gap, overlap and back-channels per minute.

    segments: stretches of speech instead of detection. reference: what the durations are compared with.
    user_channel: the user's channel of a stereo file.
    """

    reference: Path | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = _table()

    def read_options(self) -> "References":
        """Find the references, if any were asked for."""
        return References(self.reference, SpeechFinder(self.settings, {}, self.user_channel))

    def measure_heard(self, heard: TwoSided, options: "References") -> Measured:
        """Measure one recording against its reference."""
        return _measure(heard, options.of(heard))


class References:
    """Recordings to compare with, by name: out of a file of segments, or recordings of the same names."""

    def __init__(self, path: Path | None, ears: SpeechFinder) -> None:
        """path: None when nothing is compared."""
        self._ears = ears
        in_file = path is not None and path.suffix == ".json"
        self._given = read_segments(path) if in_file else {}
        recordings = [] if path is None or in_file else find_inputs([path], FromTwoSides.accepts, scorer="dgslm")
        self._items = {item.id: item for item in recordings}

    def of(self, heard: TwoSided) -> TwoSided | None:
        """Give the recording's reference; None without one. SessionError when it cannot be read."""
        if heard.name in self._items:
            return self._ears.hear_input(self._items[heard.name])
        sides = self._given.get(heard.name)
        if sides is None:
            return None
        return TwoSided(heard.name, tuple(sides.user or ()), tuple(sides.agent or ()), heard.length_s)


def _measure(heard: TwoSided, reference: TwoSided | None) -> Measured:
    measured = Measured(sample_rate=heard.sample_rate, notes=list(heard.notes))
    if heard.length_s <= 0:
        measured.undefined([column.id for column in DgslmSpec.table], "the recording is empty")
        return measured
    minutes = heard.length_s / 60
    user, agent = merge_units(heard.user), merge_units(heard.agent)
    ours = event_durations(user, agent, heard.length_s)
    theirs = _durations(reference) if reference else None
    for event in EVENTS:
        lengths: list[float] = getattr(ours, event)
        measured.add(f"{event}_per_min", len(lengths) / minutes)
        measured.add(f"{event}_dur_per_min", sum(lengths) / minutes)
        _compare(measured, event, lengths, getattr(theirs, event) if theirs else None)
    measured.add("backchannel_per_min", backchannel_count(user, agent) / minutes)
    measured.shown = {"durations_s": ours._asdict()}
    measured.lines = [
        f"{side} {start:.3f}-{end:.3f} s" for side, units in (("user", user), ("agent", agent)) for start, end in units
    ]
    return measured


def _durations(heard: TwoSided) -> Durations:
    return event_durations(merge_units(heard.user), merge_units(heard.agent), heard.length_s)


def _compare(measured: Measured, event: str, ours: list[float], theirs: list[float] | None) -> None:
    distance = None if theirs is None else wasserstein(ours, theirs)
    if distance is not None:
        measured.add(f"w1_{event}", distance)
        return
    reason = "no reference with this name" if theirs is None else f"no {event} in the recording or in its reference"
    measured.undefined([f"w1_{event}"], reason)
