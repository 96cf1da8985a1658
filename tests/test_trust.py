"""The recording doctor: what makes a recording untrustworthy, found on recordings made to be so."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from simulator.cli import main
from simulator.errors import SessionError
from simulator.frame import Samples
from simulator.scoring.trust import examine, refuse_if_untrustworthy
from simulator.session import Session, read_session
from simulator.testing import play_session

RATE = 16_000


def talk(seconds: float, seed: int, spans: list[tuple[float, float]]) -> Samples:
    """Speech-like noise (5 ms to 50 ms correlation) in the given spans."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    smooth = np.convolve(noise, np.hanning(32), "same")
    where = np.zeros(len(noise))
    for start, end in spans:
        where[round(start * RATE) : round(end * RATE)] = 1
    sound = smooth * where
    return (0.1 * sound / np.abs(sound).max() if where.any() else sound).astype(np.float32)


USER = talk(30, 1, [(1, 5), (12, 16), (22, 26)])
AGENT = talk(30, 2, [(6, 11), (17, 21), (27, 29)])


def recording(folder: Path, user: Samples, agent: Samples, name: str = "a.wav", subtype: str = "PCM_16") -> Session:
    """Write a stereo file and open it."""
    soundfile.write(folder / name, np.stack([user, agent], axis=1), RATE, subtype=subtype)
    return Session.of_recording(folder / name)


def found(session: Session) -> dict[str, str]:
    """What the doctor finds, with its severity."""
    return {finding.what: finding.severity for finding in examine(session)}


def test_a_good_recording_is_fine(tmp_path: Path) -> None:
    """Two people who take turns, a little noise: nothing to say."""
    noise = 1e-4 * np.random.default_rng(3).standard_normal((2, len(USER))).astype(np.float32)
    assert found(recording(tmp_path, USER + noise[0], AGENT + noise[1])) == {}


def test_identical_channels_refuse_scoring_unless_forced(tmp_path: Path) -> None:
    """One sound on both channels is no conversation; two silent channels are a result."""
    session = recording(tmp_path, USER, USER)
    assert found(session) == {"identical": "refuse"}
    with pytest.raises(SessionError, match="both channels hold the same sound"):
        refuse_if_untrustworthy(session)
    assert refuse_if_untrustworthy(session, force=True) == ["both channels hold the same sound"]
    assert set(found(recording(tmp_path, 0 * USER, 0 * USER)).values()) == {"note"}


def test_a_silent_channel_is_a_note(tmp_path: Path) -> None:
    """A silent agent is a result."""
    assert found(recording(tmp_path, USER, 0 * USER)) == {"silent": "note"}


def test_clipping_and_dropouts_are_notes(tmp_path: Path) -> None:
    """Flat tops are counted, and so are holes of digital silence inside sound."""
    assert found(recording(tmp_path, np.clip(40 * USER, -1, 1), AGENT))["clipping"] == "note"
    holed = USER + 0.02 * np.sign(USER) * (USER != 0)
    for start in (2 * RATE, 13 * RATE):
        holed[start : start + 800] = 0
    assert found(recording(tmp_path, holed.astype(np.float32), AGENT))["dropouts"] == "note"


def test_bleed_is_measured_with_its_level_and_delay(tmp_path: Path) -> None:
    """The user's sound on the agent's channel, 26 dB down and 80 ms later."""
    late = np.roll(USER, round(0.08 * RATE)) * np.float32(0.05)
    (finding,) = [finding for finding in examine(recording(tmp_path, USER, AGENT + late)) if finding.what == "bleed"]
    assert finding.values["delay_ms"] == pytest.approx(80, abs=1)
    assert finding.values["level_db"] == pytest.approx(-26, abs=1)


def test_drift_between_the_channels_is_measured(tmp_path: Path) -> None:
    """A clock that runs 100 ppm fast shows as 6 ms per minute."""
    places = np.arange(len(USER)) * (1 + 1e-4)
    late = np.interp(places - 0.1 * RATE, np.arange(len(USER)), USER).astype(np.float32) * np.float32(0.1)
    (finding,) = [finding for finding in examine(recording(tmp_path, USER, AGENT + late)) if finding.what == "drift"]
    assert finding.values["drift_ms_per_min"] == pytest.approx(-6, abs=1.5)


def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """A rate that its byte rate does not fit is a lie."""
    session = recording(tmp_path, USER, AGENT)
    path = tmp_path / "a.wav"
    head = bytearray(path.read_bytes())
    head[28:32] = (48_000 * 4).to_bytes(4, "little")
    path.write_bytes(head)
    assert found(Session.of_recording(path)) == {"rate": "refuse"}
    assert found(session) == {"rate": "refuse"}


def test_a_session_whose_channels_were_swapped_is_suspected(tmp_path: Path) -> None:
    """What the user is known to have said must be on the user's track."""
    user = {"kind": "scripted", "turns": ["Good morning, I would like to cancel my order, please."]}
    session = play_session({"user": user, "agent": "silent", "duration": "6s"}, tmp_path)
    assert found(session) == {"silent": "note"}
    wav = session.folder / "conversation.wav"
    samples, rate = soundfile.read(wav, dtype="int16")
    soundfile.write(wav, samples[:, ::-1], rate)
    assert found(read_session(session.folder))["swapped"] == "note"


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate doctor WAV`: exit 0 for notes, 2 for what makes scores meaningless or cannot be read."""
    recording(tmp_path, USER, 0 * USER, "silent.wav")
    recording(tmp_path, USER, USER, "same.wav")
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "mono.wav", USER, RATE)
    assert main(["doctor", str(tmp_path / "silent.wav")]) == 0
    assert "the agent channel is silent" in capsys.readouterr().out
    assert main(["doctor", str(tmp_path / "same.wav")]) == 2
    for name in ("text.wav", "mono.wav", "nothing.wav"):
        assert main(["doctor", str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.startswith("simulate: ")
