"""Pieces of speech: where a recording is cut for a recogniser that hears words in silence and tires of long sound."""

import numpy as np

from simulator.engines import Detector, engine
from simulator.engines.activity import DETECTOR_HZ, SENSITIVE, silero_segments
from simulator.frame import Samples
from simulator.timeline import Stretch

# Silence that the detector hears first: one that begins inside a short word may miss it.
_LEAD_S = 0.1
# The detector is up to 100 ms late at onsets; a margin of real sound is kept on both sides.
_MARGIN_S = 0.25
# Speech without any pause is cut at 30 s.
_LONGEST_BREATH_S = 30.0


def speech_pieces(heard: Samples, longest_s: float) -> list[tuple[int, Samples]]:
    """Cut what is heard at pauses into pieces of speech of about `longest_s`; none where nobody speaks.

    heard: float32 (n,) at 16 kHz. Gives each piece with the sample it begins at, which may lie up to 0.35 s before 0.
    """
    detector: Detector = engine("silero")
    lead = round(_LEAD_S * DETECTOR_HZ)
    heard = np.pad(heard, (lead, 0))
    margin = round(_MARGIN_S * DETECTOR_HZ)
    longest, breath = round(longest_s * DETECTOR_HZ), round(_LONGEST_BREATH_S * DETECTOR_HZ)
    found: list[Stretch] = []
    for start, end in silero_segments(detector.probabilities(heard), len(heard), SENSITIVE):
        if found and end - found[-1].start <= longest:
            found[-1] = Stretch(found[-1].start, end)
        else:
            found += [Stretch(cut, min(cut + breath, end)) for cut in range(start, end, breath)]
    firsts = [max(0, start - margin) for start, _ in found]
    return [(first - lead, heard[first : end + margin]) for first, (_, end) in zip(firsts, found, strict=True)]
