"""Trust: whether a two-channel recording is what it claims to be, before anybody believes a number from it.

One mix in both channels, values that are no sound, a rate that lies or is impossible, and audio that cannot be read
make scoring pointless: they refuse it. Silence, clipping, offsets, faint speech, bleed, drift, dropouts and suspected
swaps are told: a silent agent is a result. Everything is measured in blocks (channel_tally.py), so an hour costs no
more memory than a minute.
"""

from collections.abc import Iterator
from pathlib import Path

from simulator.annotation.truth import told
from simulator.errors import SessionError
from simulator.events import Party
from simulator.scoring.channel_tally import LONGEST_LAG_S, LOUD_DBFS, ChannelTally, SoundFinding, dbfs, refusal, remark
from simulator.session import Session, is_session
from simulator.sound import recordings
from simulator.sound.wav import wav_data


def examine(session: Session) -> list[SoundFinding]:
    """Look at a session or a stereo recording: what is wrong with its sound, worst first."""
    # What was played here lies in tracks of its own: an agent that repeats all it hears is late by a frame at least.
    own_s = session.meta.frame_ms / 2000 if is_session(session.folder) else LONGEST_LAG_S
    tally = ChannelTally(session.sample_rate, longest_lag_s=own_s)
    for user, agent in zip(
        session.said_blocks("user", session.sample_rate), session.said_blocks("agent", session.sample_rate), strict=True
    ):
        tally.add(user, agent)
    found = [*_rate(session), *tally.findings(), *_swapped(session)]
    return sorted(found, key=lambda finding: finding.severity != "refuse")


def refuse_if_untrustworthy(session: Session, *, force: bool = False) -> list[str]:
    """Give the notes on a recording; SessionError when scoring it would be meaningless and `force` is not set."""
    found = examine(session)
    for finding in found:
        if finding.severity == "refuse" and not force:
            raise SessionError(f"{session.folder}: {finding.sentence}; --set force=true scores it all the same")
    return [finding.sentence for finding in found]


def _rate(session: Session) -> Iterator[SoundFinding]:
    rate = session.sample_rate
    if not recordings.LOWEST_HZ <= rate <= recordings.HIGHEST_HZ:
        yield refusal("rate", f"a rate of {rate} Hz is impossible for speech")
    audio_rate = session.audio_rate
    if audio_rate != rate:
        yield refusal("rate", f"the recording says {audio_rate} Hz and session.json says {rate} Hz")
    stated = _byte_rate(session.audio_source[0])
    if stated is not None and stated != audio_rate:
        yield refusal("rate", f"the header says {audio_rate} Hz and a byte rate that belongs to {stated:g} Hz")
    planned = session.meta.duration_samples
    if planned and session.meta.status == "completed" and abs(planned - session.duration) > rate / 100:
        yield remark("length", f"the recording holds {session.duration} samples and session.json says {planned}")


def _byte_rate(path: Path) -> float | None:
    """The sample rate that a WAV's byte rate stands for; None for other files and for samples packed in blocks."""
    data = wav_data(path)
    return data.byte_rate / data.block if data and data.plain and data.block else None


def _swapped(session: Session) -> Iterator[SoundFinding]:
    """Compare where the user is known to have spoken with where its sound is; nothing to say without truth."""
    known = [item for item in told(session, "user") if item.role != "recording"]
    other = [item for item in told(session, "agent") if item.role != "recording"]
    on_own = sum(_sounds(session, "user", item.start, item.end) for item in known)
    on_wrong = sum(
        _sounds(session, "agent", item.start, item.end) and not _sounds(session, "user", item.start, item.end)
        for item in known
        if not any(item.start < mine.end and mine.start < item.end for mine in other)
    )
    if on_wrong > on_own:
        yield remark(
            "swapped",
            "the channels seem swapped: what the user is known to have said is on the agent's",
            utterances=on_wrong,
        )


def _sounds(session: Session, party: Party, start: int, end: int) -> bool:
    return dbfs(session.said(party, start, end)) > LOUD_DBFS
