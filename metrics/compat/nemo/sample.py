"""NeMo's demo scorer, one sample: from a row with its sound, or with what was kept, to its `eval_metrics`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from metrics.compat.measured import Measured
from metrics.compat.nemo.rows import NemoRow, kept_speech
from metrics.compat.nemo.speech import (
    MEANT,
    SpokenSample,
    agent_speech,
    token_balance,
    tts_hallucinations,
    user_speech,
)
from metrics.compat.nemo.text import TextSegment, frame_of, stamped_segments
from metrics.compat.nemo.turns import (
    NO_LATENCY_S,
    TurnLimits,
    every_barge_in,
    stopped_at,
    swept_barge_ins,
    turn_taking,
    turn_taking_per_side,
)
from metrics.compat.options import SegmentSides, TextSides
from metrics.compat.two_sided import SpeechFinder
from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import SessionError
from simulator.events import Party
from simulator.session import Session

_SHORTEST_SAMPLES = 160
"""Shorter pieces are not recognised: 10 ms at 16 kHz."""


class Settings(NamedTuple):
    """What the numbers depend on; times in seconds."""

    limits: TurnLimits = TurnLimits()
    barge_in_s: float = 1.5
    backchannel_ends_s: Sequence[float] = ()
    buffer_s: float = 0.5
    by_detection: bool = False
    strict: bool = False


class HeardSides(NamedTuple):
    """A sample before it is scored, and what was wrong with it."""

    sample: SpokenSample
    agent_by_detection: bool = True
    notes: tuple[str, ...] = ()
    sample_rate: int = DETECTOR_HZ


class NemoGiven(NamedTuple):
    """What takes the place of detection and recognition for one sample, and what finds the rest.

    recognize: False leaves all texts empty.
    """

    ears: SpeechFinder
    segments: SegmentSides = SegmentSides()
    texts: TextSides = TextSides()
    recognize: bool = True


def kept_sample(row: NemoRow, *, strict: bool) -> HeardSides:
    """Take a row as an earlier scoring left it; without sound its length is the last segment's end.

    strict: texts are found by their times at 3 decimals, as they were written, and not only by equal times.
    """
    kept = kept_speech(row)
    user_texts, agent_texts = kept.user_texts, kept.agent_texts
    if strict:
        user_texts, agent_texts = (
            _by_written_time(kept.user, user_texts),
            _by_written_time(kept.agent, agent_texts),
        )
    length_s = max((segment.end for segment in [*kept.user, *kept.agent]), default=0.0)
    return HeardSides(
        SpokenSample(kept.user, kept.agent, user_texts, agent_texts, row.alignment, length_s),
        kept.agent_by_detection,
    )


def _by_written_time(segments: Sequence[TextSegment], texts: Mapping[TextSegment, str]) -> dict[TextSegment, str]:
    written = {(f"{place.start:.3f}", f"{place.end:.3f}"): text for place, text in texts.items()}
    found = {segment: written.get((f"{segment.start:.3f}", f"{segment.end:.3f}")) for segment in segments}
    return {segment: text for segment, text in found.items() if text is not None}


def heard_row(row: NemoRow, folder: Path, given: NemoGiven, settings: Settings) -> HeardSides:
    """Listen to a row's stereo file (user left); SessionError when it is missing or not stereo."""
    path = folder / "audio" / row.sound_name
    if not row.sound_name or not path.is_file():
        raise SessionError(f"audio/{row.sound_name or '(no name)'} is missing")
    session = Session.of_recording(path)
    stamped: list[TextSegment] = []
    if not settings.by_detection and row.generation:
        try:
            stamped = stamped_segments(row.generation, row.duration_s)
        except ValueError as error:
            raise SessionError(f"a time stamp of the text is no number: {error}") from error
    return hear(session, row.alignment, stamped, given)


def hear(
    session: Session, alignment: Mapping[str, Any], stamped: Sequence[TextSegment], given: NemoGiven
) -> HeardSides:
    """Find segments and texts of a recording. stamped: the agent's segments where its text tells them."""
    user = [TextSegment(*stretch) for stretch in given.ears.side(session, "user", given.segments.user)]
    agent = list(stamped)
    if not agent:
        agent = [TextSegment(*stretch) for stretch in given.ears.side(session, "agent", given.segments.agent)]
    notes = [
        *session.notes,
        *(f"no speech of the {party} was found" for party, found in (("user", user), ("agent", agent)) if not found),
    ]
    agent_texts, agent_note = _texts(session, "agent", agent, given.texts.agent, recognize=given.recognize)
    user_texts, user_note = _texts(session, "user", user, given.texts.user, recognize=given.recognize)
    sample = SpokenSample(user, agent, user_texts, agent_texts, alignment, session.seconds(session.duration))
    notes += dict.fromkeys(note for note in (agent_note, user_note) if note)
    return HeardSides(sample, not stamped, tuple(notes), session.sample_rate)


def _texts(
    session: Session,
    party: Party,
    segments: Sequence[TextSegment],
    given: Sequence[str] | None,
    *,
    recognize: bool,
) -> tuple[dict[TextSegment, str], str]:
    """Give the texts of segments by segment, and what is wrong with them."""
    if given is not None:
        differ = len(given) != len(segments)
        note = f"{len(given)} texts are given for {len(segments)} segments of the {party}" if differ else ""
        return dict(zip(segments, given, strict=False)), note
    if not recognize:
        return {}, ""
    recognizer = MoonshineSpec().shared()
    texts: dict[TextSegment, str] = {}
    for segment in segments:
        start, end = (int(time * session.sample_rate) for time in segment)
        said = session.said(party, start, end)
        texts[segment] = "" if len(said) < _SHORTEST_SAMPLES else recognizer.recognize(said, session.sample_rate).text
    return texts, ""


def eval_metrics(sample: SpokenSample, settings: Settings) -> dict[str, Any]:
    """Score a sample: the original's tree of the same name.

    strict: null where nothing was measured, recall over user turns, barge-ins however they nest, onsets per
    word.
    """
    strict = settings.strict
    turns = (turn_taking_per_side if strict else turn_taking)(sample.agent, sample.user, settings.limits)
    one_sided = strict and not (sample.agent and sample.user)
    unmeasured = strict and turns.latency == NO_LATENCY_S
    return {
        "turn_taking": {
            "latency": None if unmeasured else turns.latency,
            **{name: None if one_sided else getattr(turns, name) for name in ("precision", "recall", "f1")},
        },
        "barge_in": _barge_in(sample, settings),
        "backchanneling": {"failures": stopped_at(settings.backchannel_ends_s, sample.agent, settings.barge_in_s)},
        "user_speech": user_speech(sample, settings.buffer_s, strict=strict),
        "agent_speech": agent_speech(sample, settings.buffer_s),
        "tts_hallucinations": tts_hallucinations(sample, settings.buffer_s),
        "token_balance": token_balance(sample.alignment),
    }


def _barge_in(sample: SpokenSample, settings: Settings) -> dict[str, Any]:
    find = every_barge_in if settings.strict else swept_barge_ins
    found = find(sample.user, sample.agent, settings.barge_in_s)
    stops = [event.stop_ms for event in found if event.success]
    unmeasured = None if settings.strict else 0
    return {
        "has_barge_ins": bool(found),
        "success_rate": len(stops) / len(found) * 100 if found else unmeasured,
        "success_count": len(stops),
        "total_count": len(found),
        "avg_latency_ms": sum(stops) / len(stops) if stops else None,
    }


def place(measured: Measured, sample: SpokenSample, settings: Settings) -> None:
    """Say where turn-taking and barge-in were measured, with their metrics."""
    for answer, latency_s in turn_taking(sample.agent, sample.user, settings.limits).answers:
        measured.place("turn_taking.avg_latency_ms", answer.start - latency_s, answer.start, value=1000 * latency_s)
    find = every_barge_in if settings.strict else swept_barge_ins
    for event in find(sample.user, sample.agent, settings.barge_in_s):
        start_s, end_s = event.user.start, event.user.start + event.stop_ms / 1000
        measured.place("barge_in.avg_success_rate", start_s, end_s, "in time" if event.success else "too late")
        if event.success:
            measured.place("barge_in.avg_latency_ms", start_s, end_s, value=event.stop_ms)


def told(sample: SpokenSample, settings: Settings) -> list[str]:
    """Say per event what was measured between which instants."""
    lines = []
    for answer in sample.agent:
        ends = [turn.end for turn in sample.user if turn.start <= answer.start]
        gap = f", {answer.start - max(ends):+.3f} s after the user's last end" if ends else ", before the user"
        lines.append(f"agent {answer.start:.3f}-{answer.end:.3f} s{gap}")
    find = every_barge_in if settings.strict else swept_barge_ins
    lines += [
        f"barge-in at {event.user.start:.3f} s: the agent stopped after {event.stop_ms} ms, "
        f"{'in time' if event.success else 'too late'}"
        for event in find(sample.user, sample.agent, settings.barge_in_s)
    ]
    return lines


def session_alignment(session: Session) -> dict[str, list[Any]]:
    """Give what an agent of ours meant to say as an alignment: its words, where they are known as truth.

    What it heard is not known per frame, so that stream is missing.
    """
    words = [word for word in session.speech.agent.words if word.source in ("truth", "model")]
    if not words:
        return {}
    frames = [frame_of(session.seconds(word.start)) for word in words]
    return {"frame_idx": frames, MEANT: [f" {word.text}" for word in words]}
