"""Our sessions on tau-voice's grid of ticks.

A tick holds speech of a side when any sample of it lies in an utterance of that side, or in a stretch of
activity that no utterance accounts for. A backchannel's first tick has the action `backchannel`; an aside is,
as in that project, no speech of the user's but an insert that sounds in its first tick.
"""

from collections.abc import Sequence

from metrics.compat.options import SegmentSides
from metrics.compat.tau.ticks import Insert, Tick
from simulator.events import Party
from simulator.session import Session
from simulator.speech import Segment
from simulator.timeline import Timeline


def session_ticks(session: Session, tick_s: float, given: SegmentSides | None = None) -> list[Tick]:
    """Give the ticks of an annotated session; `given` (seconds) replaces what is known of a side."""
    given = given or SegmentSides()
    tick = max(1, round(tick_s * session.sample_rate))
    count = -(-session.duration // tick)
    utterances = session.speech.user.utterances if given.user is None else ()
    backchannels = _roles(utterances, "backchannel")
    asides = _roles(utterances, "aside")
    user = _flags(_speech(session, "user", given.user) - _timeline(asides), tick, count)
    agent = _flags(_speech(session, "agent", given.agent), tick, count)
    actions = {segment.start // tick for segment in backchannels} - {
        segment.start // tick for segment in utterances if segment.role not in ("backchannel", "aside")
    }
    inserts: dict[int, tuple[Insert, ...]] = {}
    for aside in asides:
        onset = aside.start // tick
        inserts[onset] = (*inserts.get(onset, ()), Insert("non_directed", aside.text))
    return [
        Tick(user[index], agent[index], "backchannel" if index in actions else "", inserts.get(index, ()))
        for index in range(count)
    ]


def _roles(utterances: Sequence[Segment], role: str) -> list[Segment]:
    return [segment for segment in utterances if segment.role == role]


def _speech(session: Session, party: Party, given: Sequence[tuple[float, float]] | None) -> Timeline:
    """Give when a side speaks: as given, else its utterances and the activity outside of them."""
    if given is not None:
        rate = session.sample_rate
        return Timeline((round(start * rate), round(end * rate)) for start, end in given)
    speech = session.speech.of(party)
    known = _timeline(speech.utterances)
    unknown = [stretch for stretch in speech.timeline() if not Timeline([stretch]) & known]
    return known | Timeline(unknown)


def _timeline(segments: Sequence[Segment]) -> Timeline:
    return Timeline((segment.start, segment.end) for segment in segments)


def _flags(speech: Timeline, tick: int, count: int) -> list[bool]:
    flags = [False] * count
    for start, end in speech:
        for index in range(max(start, 0) // tick, min(-(-end // tick), count)):
            flags[index] = True
    return flags
