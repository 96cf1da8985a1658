"""Faint sound: what lies so far under a speaker's own speech that it is somebody else's, or a breath.

A microphone hears more than its owner's voice: the talk at other tables, the person opposite, breath. A detector of
speech, which looks at one moment at a time and at any loudness, takes much of it for speech, the more the louder the
recording is. Beside the speaker's own voice it is 12 to 40 dB down. On three clips of meetings, from -63 to -12 dBFS,
these bounds leave every turn that people marked and none besides.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from simulator.engines.energy_edges import Powers
from simulator.frame import Samples
from simulator.timeline import Stretch

# ITU-T P.56: speech is active while it is at most this far under its own mean.
_ACTIVE_DB = 15.9
_OTHERS_DB = 13.0
_DOUBTED_DB, _DOUBT = 10.0, 0.6
_EDGE_DB = 15.0
# Of a faint end 60 ms are left, how words fade and begin, for the energy's own edge to be found in. Always as much: a
# length up to which an end stays whole would let a dither move it by that length.
_FADE = 12


def speech_level_dbfs(powers: Powers) -> float:
    """Give the level of the speech in hop powers, by the margin of ITU-T P.56; -inf for silence.

    It is the mean of the loudest hops, so many that the softest of them is 15.9 dB under it: more or less silence
    around the speech changes nothing.
    """
    loudest = np.sort(powers.astype(np.float64))[::-1]
    means = np.cumsum(loudest) / np.arange(1, len(loudest) + 1)
    active = int(np.count_nonzero(loudest > means * 10 ** (-_ACTIVE_DB / 10)))
    return 10 * float(np.log10(means[active - 1])) if active else float("-inf")


def speakers_own(segments: Iterable[Stretch], powers: Powers, probabilities: Samples) -> Iterator[Stretch]:
    """Give of a track's segments, all in hops, what its speaker said: without faint segments and faint ends.

    probabilities: the detector's, of every hop. A segment goes whose loud parts (90th percentile) are 13 dB under the
    track's speech, or 10 dB where the detector is in doubt about it; of ends more than 15 dB under it 60 ms stay.
    """
    speech_db = speech_level_dbfs(powers)
    levels = 10 * np.log10(np.maximum(powers, 1e-12))
    for start, end in segments:
        under = speech_db - float(np.percentile(levels[start:end], 90)) if end <= len(levels) else 0.0
        doubted = float(np.quantile(probabilities[start:end], 0.9)) < _DOUBT
        if under > (_DOUBTED_DB if doubted else _OTHERS_DB):
            continue
        loud = np.flatnonzero(levels[start:end] > speech_db - _EDGE_DB)
        if len(loud):
            first, last = start + int(loud[0]), start + int(loud[-1]) + 1
            yield Stretch(max(start, first - _FADE), min(end, last + _FADE))
