"""The sound of a page: a session's recording, compressed for an <audio> element.

FLAC is exact and fast to write but big (57 MB an hour), Opus small and slow to write (60 times real time):
FLAC up to an hour, Opus above, unless the user says otherwise.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import soundfile
from numpy.typing import NDArray

from simulator.events import PARTIES
from simulator.report.marks.peaks import track_samples
from simulator.session import Session

Stereo = NDArray[np.float32]
"""Samples of both lanes: float32 (n, 2), full scale 1.0."""

PageAudio = Literal["auto", "flac", "opus", "none"]

FLAC_UP_TO_S = 3600
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
OPUS_COMPRESSION = 0.9
"""libsndfile maps 0..1 to 256..6 kbit/s a channel: 0.9 gives about 31, speech without audible loss."""

BLOCK_S = 20


class PageCodec(msgspec.Struct, frozen=True, kw_only=True):
    """A way to compress: soundfile's names for it, and what the page's <audio> element is told."""

    container: str
    subtype: str
    mime: str
    compression: float | None = None


CODECS = {
    "flac": PageCodec(container="FLAC", subtype="PCM_16", mime="audio/flac"),
    "opus": PageCodec(container="OGG", subtype="OPUS", mime="audio/ogg; codecs=opus", compression=OPUS_COMPRESSION),
}


def codec_for(audio: PageAudio, duration_s: float) -> PageCodec | None:
    """Choose the codec; None for a page without sound."""
    if audio == "none":
        return None
    if audio == "auto":
        audio = "flac" if duration_s <= FLAC_UP_TO_S else "opus"
    return CODECS[audio]


def compress(session: Session, track: str, codec: PageCodec, into: Path) -> None:
    """Write a track (`said` or `heard`) as stereo, left = the user's speech, right = the agent's.

    Memory is one block, whatever the length. A rate that Opus does not know becomes 24 kHz.
    """
    rate = session.sample_rate
    if codec.subtype == "OPUS" and rate not in OPUS_RATES_HZ:
        rate = 24_000
    with soundfile.SoundFile(
        into,
        "w",
        samplerate=rate,
        channels=2,
        format=codec.container,
        subtype=codec.subtype,
        compression_level=codec.compression,
    ) as file:
        for block in _at_rate(_blocks(session, track), session.sample_rate, rate):
            file.write(block)


def _blocks(session: Session, track: str) -> Iterator[Stereo]:
    block = BLOCK_S * session.sample_rate
    for start in range(0, session.duration, block):
        lanes = [track_samples(session, party, track, start, start + block) for party in PARTIES]
        yield np.stack(lanes, axis=1)


def _at_rate(blocks: Iterable[Stereo], from_hz: int, to_hz: int) -> Iterator[Stereo]:
    if from_hz == to_hz:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(from_hz, to_hz, 2, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, 2), np.float32), last=True)
