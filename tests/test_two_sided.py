"""Both sides of a recording: detection in blocks, given segments, channels."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from metrics.compat.detection import at_detector_rate, to_seconds
from metrics.compat.detection import detect as detect_whole
from metrics.compat.fd_bench.scorer import FdBenchSpec
from metrics.compat.two_sided import SpeechFinder, detect
from simulator.engines.espeak import Espeak
from simulator.errors import SessionError
from simulator.frame import Samples
from simulator.session import Session
from simulator.sound.recordings import resample


@pytest.fixture(scope="module")
def speech() -> Samples:
    """A sentence at 24 kHz."""
    said = Espeak("en-gb").synthesize("Could you please tell me the way to the station?")
    return resample(said.samples, said.sample_rate, 24000)


def recording(path: Path, speech: Samples, rate: int) -> Session:
    """A recording of 65 s: the user says the sentence four times, once across 30 s; the agent is silent."""
    user = np.zeros(65 * 24000, np.float32)
    for start_s in (0.4, 7.13, 29.2, 58.77):
        place = round(start_s * 24000)
        user[place : place + len(speech)] = speech[: len(user) - place]
    user = resample(user, 24000, rate)
    soundfile.write(path, np.stack([user, np.zeros_like(user)], 1), rate)
    return Session.of_recording(path)


@pytest.mark.parametrize("rate", [8000, 24000, 44100])
def test_detection_in_blocks_gives_what_detection_of_the_whole_gives(
    tmp_path: Path, speech: Samples, rate: int
) -> None:
    """Blocks of 30 s change no segment, at any rate."""
    session = recording(tmp_path / "call.wav", speech, rate)
    whole = to_seconds(detect_whole(at_detector_rate(session.said("user"), rate)))
    assert len(whole) >= 4
    assert detect(session, "user") == whole


def test_given_segments_replace_detection_side_by_side(tmp_path: Path, speech: Samples) -> None:
    """A side that the file names is taken from it, sorted; a missing side is detected."""
    session = recording(tmp_path / "call.wav", speech, 8000)
    (tmp_path / "s.json").write_text(json.dumps({"call": {"agent": [[5.0, 6.0], [1.0, 2.0], [3.0, 3.0]]}}))
    ears, _ = FdBenchSpec(segments=tmp_path / "s.json").prepare()
    heard = ears.hear(session, "call")
    assert heard.agent == ((1.0, 2.0), (5.0, 6.0))
    assert len(heard.user) >= 3
    assert heard.notes == ()


def test_the_users_channel_can_be_the_right_one(tmp_path: Path, speech: Samples) -> None:
    """user_channel=1 swaps the sides; other channels are refused."""
    recording(tmp_path / "call.wav", speech, 8000)
    swapped = FdBenchSpec(user_channel=1).score_corpus([tmp_path / "call.wav"])
    assert "no speech of the user was found" in swapped.samples[0].notes
    with pytest.raises(SessionError, match="there is no channel 2"):
        FdBenchSpec(user_channel=2).score_corpus([tmp_path / "call.wav"])


def test_an_empty_recording_has_no_speech(tmp_path: Path) -> None:
    """A stereo file without samples gives no segments and a length of 0."""
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 2), np.float32), 8000)
    heard = SpeechFinder().hear(Session.of_recording(tmp_path / "none.wav"), "none")
    assert (heard.user, heard.agent, heard.length_s) == ((), (), 0.0)
