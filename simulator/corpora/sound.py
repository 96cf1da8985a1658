"""The sound of a dialogue as FLAC: both tracks in one file, or one of them; 16 bit, as sessions are recorded."""

from io import BytesIO

import numpy as np
import soundfile

from simulator.events import PARTIES, Party
from simulator.frame import to_pcm16
from simulator.session import Session

COMPRESSION = 0.0
"""Of FLAC, from 0 to 1: speech with its silences comes out 3 % larger than at best, in half of the time."""


def flac_of(session: Session, parties: tuple[Party, ...] = PARTIES) -> bytes:
    """Give the tracks of parties, a channel each, as the bytes of a FLAC file."""
    path, channels = session.audio_source
    if path.suffix == ".flac" and parties == PARTIES and channels == (0, 1) and not session.notes:
        return path.read_bytes()
    tracks = np.stack([session.said(party) for party in parties], axis=1)
    file = BytesIO()
    soundfile.write(
        file, to_pcm16(tracks), session.sample_rate, format="FLAC", subtype="PCM_16", compression_level=COMPRESSION
    )
    return file.getvalue()
