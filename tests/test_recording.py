"""What is recorded survives: finished, killed, cut short, or on a full disk."""

import json
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from simulator.call.recording import Recorder, StereoFile
from simulator.errors import SessionError
from simulator.events import Event
from simulator.frame import from_pcm16, silence, to_grid, to_pcm16
from simulator.session import SessionMeta, read_session
from simulator.testing import burst

RATE = 24_000


def record(folder: Path, seconds: float = 2.5, *, flac: bool = False) -> Recorder:
    """Record so much of two parties, without closing."""
    meta = SessionMeta(format=1, id="t-0", scenario="t", sample_rate=RATE, frame_ms=20)
    recorder = Recorder(folder / "t-0", meta, "name: t\n", heard=True, flac=flac)
    user, agent = burst(480, 1), burst(480, 2)
    for tick in range(round(50 * seconds)):
        recorder.add(user, agent, agent, silence(480))
        recorder.add_events([Event(tick * 480, "tick", "user", {})])
    return recorder


@pytest.mark.parametrize("flac", [False, True])
def test_what_was_said_reads_back_bit_for_bit(tmp_path: Path, flac: bool) -> None:
    """conversation.wav (or .flac) holds exactly the samples that were said, heard.wav what was heard."""
    record(tmp_path, flac=flac).close("completed")
    session = read_session(tmp_path / "t-0")
    assert session.duration == 2.5 * RATE == session.meta.duration_samples
    assert np.array_equal(session.said("user")[:480], burst(480, 1))
    assert np.array_equal(session.said("agent", 960, 1440), burst(480, 2))
    assert np.array_equal(session.heard("user")[:480], burst(480, 2))
    assert not session.heard("agent").any()
    assert session.notes == ()
    assert sum(len(block) for block in session.said_blocks("user", 1000)) == session.duration


def test_a_recording_that_was_never_closed_reads_as_far_as_it_goes(tmp_path: Path) -> None:
    """A killed run leaves status `running` and a header without lengths; both are repaired on read, and said."""
    recorder = record(tmp_path)
    recorder.flush()
    session = read_session(tmp_path / "t-0")
    assert session.duration == 2 * RATE
    assert np.array_equal(session.said("user")[:480], burst(480, 1))
    assert any("running" in note for note in session.notes)
    assert any("header promises no length" in note for note in session.notes)
    recorder.close("completed")


def test_a_truncated_wav_is_read_as_far_as_it_goes_and_said(tmp_path: Path) -> None:
    """Bytes cut off the end of conversation.wav cost those samples and nothing else."""
    record(tmp_path).close("completed")
    wav = tmp_path / "t-0" / "conversation.wav"
    wav.write_bytes(wav.read_bytes()[: 44 + 4 * 1000 + 3])
    session = read_session(tmp_path / "t-0")
    assert session.duration == 1000
    assert any("conversation.wav" in note for note in session.notes)


def test_half_an_event_line_is_ignored_and_said(tmp_path: Path) -> None:
    """A half-written last line of events.jsonl is told by its number."""
    record(tmp_path).close("completed")
    events = tmp_path / "t-0" / "events.jsonl"
    events.write_bytes(events.read_bytes()[:-10])
    session = read_session(tmp_path / "t-0")
    assert len(session.events) == 124
    assert any("line 125 is not whole" in note for note in session.notes)


def test_a_newer_format_is_refused_with_a_clear_sentence(tmp_path: Path) -> None:
    """Readers refuse a session folder of a newer format."""
    record(tmp_path).close("completed")
    path = tmp_path / "t-0" / "session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(SessionError, match=r"format 2 is newer"):
        read_session(tmp_path / "t-0")


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_folder_that_is_no_session_is_refused(tmp_path: Path, content: str | None) -> None:
    """Missing, broken or foreign session.json: one sentence."""
    if content is not None:
        (tmp_path / "session.json").write_text(content)
    with pytest.raises(SessionError):
        read_session(tmp_path)


def test_a_killed_process_leaves_a_session_that_reads(tmp_path: Path) -> None:
    """`kill -9` in the middle of a session: what was written is read, the status says that it is unfinished."""
    program = (
        "import sys; from pathlib import Path; from tests_recording import record\n"
        "recorder = record(Path(sys.argv[1]), 60)\nprint('ready', flush=True)\nimport signal; signal.pause()"
    )
    here = Path(__file__).read_text()
    (tmp_path / "tests_recording.py").write_text(here)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=tmp_path, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    session = read_session(tmp_path / "t-0")
    assert session.meta.status == "running"
    assert session.duration > 55 * RATE


def test_a_full_disk_is_an_os_error_and_leaves_what_was_written(tmp_path: Path) -> None:
    """A disk that fills up shows as OSError while writing; nothing pretends to be whole."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    file = StereoFile(tmp_path / "a.wav", RATE)
    file.write(burst(RATE), burst(RATE))
    file._file.close()
    file._file = Path("/dev/full").open("wb")  # noqa: SIM115
    with pytest.raises(OSError, match="No space"):
        file.write(burst(10 * RATE), burst(10 * RATE))
    with pytest.raises(OSError, match="No space"):
        file.close()


def test_a_full_disk_fails_the_session_and_says_so(tmp_path: Path) -> None:
    """session.json says failed and why, where there is still room for it; the error is raised all the same."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    recorder = record(tmp_path)
    recorder._events.close()
    recorder._events = Path("/dev/full").open("wb")  # noqa: SIM115
    recorder._events.write(b"{}")
    with pytest.raises(OSError, match="No space"):
        recorder.close("completed")
    session = read_session(tmp_path / "t-0")
    assert (session.meta.status, session.meta.problem) == ("failed", "No space left on device")


def test_a_session_killed_in_its_first_second_reads_as_an_empty_one(tmp_path: Path) -> None:
    """The header is on the disk before the first block of sound is."""
    recorder = record(tmp_path, 0)
    assert read_session(tmp_path / "t-0").duration == 0
    recorder.close("completed")


def test_a_damaged_annotation_is_left_out_and_said(tmp_path: Path) -> None:
    """speech.json can be made again: half of one is no reason not to read the session."""
    record(tmp_path).close("completed")
    (tmp_path / "t-0" / "speech.json").write_text('{"user": {"segm')
    session = read_session(tmp_path / "t-0")
    assert any("speech.json" in note for note in session.notes)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_the_grid_is_a_fixed_point(values: list[int]) -> None:
    """What lies on the int16 grid stays, bit for bit, through grid, PCM and back."""
    pcm = np.array(values, np.int16)
    samples = from_pcm16(pcm)
    assert np.array_equal(to_pcm16(samples), pcm)
    assert np.array_equal(to_grid(samples), samples)


@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=200))
def test_the_grid_clips_and_rounds_to_nearest(values: list[float]) -> None:
    """Anything else moves by at most half a step, or to full scale."""
    samples = np.array(values, np.float32)
    grid = to_grid(samples)
    inside = np.clip(samples, -1, 32767 / 32768)
    assert float(np.max(np.abs(grid - inside))) <= 0.5 / 32768 + 1e-9
    assert np.array_equal(grid, to_grid(grid))


def test_the_file_is_a_plain_pcm16_stereo_wav(tmp_path: Path) -> None:
    """Any program reads it."""
    record(tmp_path, 1).close("completed")
    info = soundfile.info(tmp_path / "t-0" / "conversation.wav")
    assert (info.channels, info.samplerate, info.subtype, info.frames) == (2, RATE, "PCM_16", RATE)


def test_a_header_is_what_the_wave_format_says(tmp_path: Path) -> None:
    """PCM, two channels of 16 bits: 4 bytes a sample, 4 times the rate a second; the lengths from byte 8 and 44 on."""
    file = StereoFile(tmp_path / "a.wav", RATE)
    file.write(np.zeros(100, np.int16), np.zeros(100, np.int16))
    file.close()
    found = struct.unpack("<4sI4s4sIHHIIHH4sI", (tmp_path / "a.wav").read_bytes()[:44])
    assert found == (b"RIFF", 436, b"WAVE", b"fmt ", 16, 1, 2, 24_000, 96_000, 4, 16, b"data", 400)
