"""Sound files as people have them: containers, headers that lie about length, channels, values that are no numbers."""

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.errors import ScenarioError, SessionError
from simulator.frame import Samples
from simulator.scoring.inputs import find_inputs, passed_over
from simulator.scoring.trust import examine
from simulator.session import Session, read_session
from simulator.sound.recordings import load, open_recording, shortfall
from simulator.testing import play_session
from tests.conversations import voiced

RATE = 16_000
LOSSLESS = {"wav": "PCM_16", "flac": "PCM_16", "aiff": "PCM_16", "au": "PCM_16", "caf": "PCM_16", "w64": "PCM_16"}


@pytest.fixture(scope="module")
def user() -> Samples:
    """A user's channel: a sentence, and silence while the other speaks."""
    said = voiced("Could you tell me whether you have anything near the window?", "en-gb-x-rp", RATE)
    return np.concatenate([said, np.zeros(len(said), np.float32)])


@pytest.fixture(scope="module")
def agent(user: Samples) -> Samples:
    """The agent's channel: another voice, in the other half."""
    said = voiced("There is a table by the window, but it is close to the kitchen door.", "en-us+m1", RATE)
    half = len(user) // 2
    return np.concatenate([np.zeros(half, np.float32), np.resize(said, half)])


def written(path: Path, *channels: Samples, subtype: str = "PCM_16") -> Path:
    """A file of these channels."""
    soundfile.write(path, np.stack(channels, axis=1), RATE, subtype=subtype)
    return path


def found(path: Path) -> dict[str, str]:
    """What is wrong with a recording: its kind and how bad it is."""
    return {finding.what: finding.severity for finding in examine(Session.of_recording(path))}


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_every_container_holds_the_same_sound(suffix: str, user: Samples, agent: Samples, tmp_path: Path) -> None:
    """A container changes no sample, is found in a folder, and reads the same in parts as as a whole."""
    path = written(tmp_path / f"call.{suffix}", user, agent, subtype=LOSSLESS[suffix])
    assert [item.path for item in find_inputs([tmp_path], ["wav"], scorer="score")] == [path]
    recording = open_recording(path)
    assert np.allclose(recording.read(1), agent, atol=1 / 32768)
    assert np.array_equal(np.concatenate(list(recording.blocks(0, 7_001))), recording.read(0))
    assert np.allclose(load(path, RATE, channel=0), user, atol=1 / 32768)


@pytest.mark.parametrize(("suffix", "subtype"), [("ogg", "VORBIS"), ("opus", "OPUS"), ("mp3", "MPEG_LAYER_III")])
def test_compressed_recordings_are_read_in_parts_as_whole(
    suffix: str, subtype: str, user: Samples, agent: Samples, tmp_path: Path
) -> None:
    """Sound that was compressed is the same block by block and at once, and close to what went in."""
    path = tmp_path / f"call.{suffix}"
    container = "MP3" if suffix == "mp3" else "OGG"
    soundfile.write(path, np.stack([user, agent], axis=1), RATE, format=container, subtype=subtype)
    recording = open_recording(path)
    whole = recording.read(0)
    assert np.allclose(np.concatenate(list(recording.blocks(0, 9_001))), whole, atol=1e-4)
    assert np.corrcoef(whole[: len(user)], user[: len(whole)])[0, 1] > 0.95


def test_an_mp3_that_holds_less_than_it_promises_ends_where_its_sound_ends(
    user: Samples, agent: Samples, tmp_path: Path
) -> None:
    """No block of nothing follows: what is measured over blocks would be the mean of no samples."""
    path = tmp_path / "call.mp3"
    soundfile.write(path, np.stack([user, agent], axis=1), RATE, format="MP3", subtype="MPEG_LAYER_III")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    session = Session.of_recording(path)
    lengths = [len(block) for block in session.said_blocks("user", 1_000)]
    assert 0 < sum(lengths) == session.duration < len(user) / 2 and min(lengths) > 0
    assert ["breaks off" in note for note in session.notes] == [True]
    examine(session)


def test_a_file_that_promises_more_than_can_be_held_is_refused_undecoded(tmp_path: Path) -> None:
    """Five hours of silence take half a megabyte; what they would take in memory is not tried."""
    path = tmp_path / "hours.flac"
    with soundfile.SoundFile(path, "w", 4_000, 1, "PCM_16") as file:
        for _ in range(300):
            file.write(np.zeros(60 * 4_000, np.int16))
    tracemalloc.start()
    with pytest.raises(ScenarioError, match=r"hours\.flac lasts 5\.0 h; up to 4 h are played"):
        load(path, RATE)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


LIES = {"nothing": 0, "the largest number": 0xFFFFFFFF, "half": None, "a byte too many": 1}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("layout", ["PCM_16", "PCM_24", "FLOAT", "ULAW", "PCM_16 behind JUNK"])
def test_header_that_lies_about_length_is_held_against_the_file(
    lie: str, layout: str, user: Samples, agent: Samples, tmp_path: Path
) -> None:
    """Whatever a header says and wherever the samples begin: all of them are read, and it is said."""
    subtype, _, before = layout.partition(" behind ")
    chunks = before.encode() + struct.pack("<I", 6) + b"......" if before else b""
    path = written(tmp_path / "call.wav", user, agent, subtype=subtype)
    truth = open_recording(path).read(0)
    raw = path.read_bytes()
    at = raw.index(b"data")
    length = struct.unpack("<I", raw[at + 4 : at + 8])[0]
    stated = {"half": length // 2, "a byte too many": length + 1}.get(lie, LIES[lie])
    path.write_bytes(raw[:12] + chunks + raw[12:at] + b"data" + struct.pack("<I", stated) + raw[at + 8 :])
    recording = open_recording(path)
    assert np.array_equal(recording.read(0), truth)
    assert np.array_equal(load(path, RATE, channel=0), truth)
    assert [str(path) in note and "promises" in note for note in recording.notes] == [True]
    assert shortfall(path) == list(recording.notes)


PLACES: dict[str, tuple[int | bytes, str, int]] = {
    "au": (8, ">I", 0),
    "aiff": (b"SSND", ">I", 8),
    "caf": (b"data", ">q", 4),
    "rf64": (20 + 8, "<Q", 0),
}


@pytest.mark.parametrize("lie", ["nothing", "half", "the largest number"])
@pytest.mark.parametrize("suffix", PLACES)
def test_headers_of_other_containers_are_held_against_the_file(
    suffix: str, lie: str, user: Samples, agent: Samples, tmp_path: Path
) -> None:
    """They lie as those of WAVs do; what counts with the samples (edits, offsets) is no sound."""
    path = written(tmp_path / f"call.{suffix}", user, agent)
    truth = open_recording(path).read(0)
    place, form, more = PLACES[suffix]
    raw = path.read_bytes()
    at = place if isinstance(place, int) else raw.index(place) + 4
    size = struct.calcsize(form)
    length = {"nothing": more, "half": 2 * len(user) + more, "the largest number": -1}[lie]
    path.write_bytes(raw[:at] + struct.pack(form, length % 256**size if form != ">q" else length) + raw[at + size :])
    session = Session.of_recording(path)
    assert np.array_equal(session.said("user"), truth) and np.array_equal(load(path, RATE, channel=0), truth)
    assert ["promises" in note for note in session.notes] == [True]


def test_chunks_behind_the_sound_are_no_sound(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """Tags after the samples, even cut off, are neither read as sound nor a reason for a note."""
    path = written(tmp_path / "call.wav", user, agent)
    for tail in (
        b"LIST" + struct.pack("<I", 4) + b"INFO",
        b"LIST" + struct.pack("<I", 400) + b"INFO",
        b"\0" * 5,
        b"_PMX" + struct.pack("<I", 8) + b"<x></x>\n",
        b"MD5 " + struct.pack("<I", 4) + b"abcd",
        b"\0" * 500,
    ):
        path.write_bytes(written(path, user, agent).read_bytes() + tail)
        recording = open_recording(path)
        assert (recording.length, recording.notes) == (len(user), ())


def test_file_without_a_header_asks_for_one(tmp_path: Path) -> None:
    """Nobody can tell the rate of a .raw: one sentence that says so."""
    path = tmp_path / "call.raw"
    path.write_bytes(bytes(3200))
    for read in (lambda: open_recording(path), lambda: load(path, RATE)):
        with pytest.raises((SessionError, ScenarioError), match="no header that says its rate and format; convert it"):
            read()


def test_more_than_two_channels_ask_which_two(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """Of three channels two are named or nothing is scored."""
    path = written(tmp_path / "call.wav", agent, np.zeros_like(user), user)
    with pytest.raises(SessionError, match="has 3 channels; name the two"):
        Session.of_recording(path)
    session = Session.of_recording(path, user_channel=2, agent_channel=0)
    assert np.allclose(session.said("user"), user, atol=1 / 32768)


def test_what_a_folder_holds_and_nobody_reads_is_told(tmp_path: Path) -> None:
    """Sound of other kinds is named where it is passed over; texts are not."""
    for name in ("a.wma", "b.txt", "c.amr"):
        (tmp_path / name).write_bytes(b"")
    assert [note.split(": ")[0] for note in passed_over([tmp_path])] == [str(tmp_path / n) for n in ("a.wma", "c.amr")]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_values_that_are_no_numbers_refuse_a_recording(
    value: float, user: Samples, agent: Samples, tmp_path: Path
) -> None:
    """One such value in either channel is enough."""
    for channel in (0, 1):
        sounds = [user.copy(), agent.copy()]
        sounds[channel][5_000] = value
        assert found(written(tmp_path / "call.wav", *sounds, subtype="FLOAT"))["not_numbers"] == "refuse"


MIXES: dict[str, Callable[[Samples, np.random.Generator], Any]] = {
    "another gain": lambda mix, _rng: mix * 0.5,
    "inverted": lambda mix, _rng: -mix,
    "delayed": lambda mix, _rng: np.concatenate([np.zeros(160, np.float32), mix[:-160]]),
    "delayed the other way": lambda mix, _rng: np.concatenate([mix[160:], np.zeros(160, np.float32)]),
    "half a second late": lambda mix, _rng: np.concatenate([np.zeros(RATE // 2, np.float32), mix[: -RATE // 2]]),
    "early, soft and inverted": lambda mix, _rng: np.concatenate([-mix[RATE // 10 :], np.zeros(RATE // 10)]) / 3,
    "noise at 40 dB": lambda mix, rng: mix + rng.normal(0, np.std(mix) / 100, len(mix)).astype(np.float32),
    "an offset": lambda mix, _rng: mix + np.float32(0.05),
    "a rough step": lambda mix, _rng: np.round(mix * 128) / 128,
}


@pytest.mark.parametrize("change", MIXES)
def test_one_mix_in_both_channels_is_refused(change: str, user: Samples, agent: Samples, tmp_path: Path) -> None:
    """However the second channel differs: where it holds what the first does, nobody can tell the parties apart."""
    mix = user + agent
    other = MIXES[change](mix, np.random.default_rng(5)).astype(np.float32)
    assert found(written(tmp_path / "call.wav", mix, other))["one_mix"] == "refuse"


def test_two_seconds_show_a_mix(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """No more is needed to compare the channels by."""
    mix = (user + agent)[RATE // 2 : RATE // 2 + 2 * RATE]
    assert found(written(tmp_path / "call.wav", mix, mix / np.float32(3))) == {"one_mix": "refuse"}


def test_faint_mix_is_refused(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """At -65 dBFS, with a last bit of dither of its own in each channel."""
    mix = (user + agent) * np.float32(10 ** (-65 / 20) / np.std(user + agent))
    rng = np.random.default_rng(5)
    sounds = [(mix + rng.normal(0, 0.5 / 32768, len(mix))).astype(np.float32) for _ in range(2)]
    assert found(written(tmp_path / "call.wav", *sounds)) == {"one_mix": "refuse"}


def test_two_microphones_that_hear_both_alike_are_refused(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """Each with a reflection of its own: nobody can tell from them who spoke."""

    def heard(first_ms: float, reflection_ms: float) -> Samples:
        taps = np.zeros(RATE // 20)
        taps[[round(first_ms * RATE / 1000), round(reflection_ms * RATE / 1000)]] = 1, 0.3
        return (np.convolve(user + agent, taps)[: len(user)] / 4).astype(np.float32)

    assert found(written(tmp_path / "call.wav", heard(1, 7), heard(5, 16))) == {"one_mix": "refuse"}


def test_an_agent_that_repeats_what_it_hears_is_a_result(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """In a session of ours the tracks are known to be two: what comes a frame later was said."""
    session = play_session({"user": "silent", "agent": "silent", "duration": "1s"}, tmp_path)
    written(
        session.folder / "conversation.wav",
        user,
        np.concatenate([np.zeros(320, np.float32), user])[:-320].astype(np.float32),
    )
    assert "one_mix" not in {finding.what for finding in examine(read_session(session.folder))}


@pytest.mark.parametrize("bleed_db", [-10, -20, -40])
def test_two_microphones_in_one_room_are_not_one_mix(
    bleed_db: float, user: Samples, agent: Samples, tmp_path: Path
) -> None:
    """Where each hears the other softer, whoever speaks is louder on their own: scored, and told."""
    bleed = np.float32(10 ** (bleed_db / 20))
    path = written(tmp_path / "call.wav", user + bleed * agent, agent + bleed * user)
    assert "refuse" not in found(path).values()


def test_echo_on_a_silent_agents_channel_is_not_one_mix(user: Samples, tmp_path: Path) -> None:
    """An agent that never speaks, with the user's echo 20 dB down, is a result."""
    assert "refuse" not in found(written(tmp_path / "call.wav", user, np.float32(0.1) * user)).values()


def test_offset_and_faint_speech_are_told(user: Samples, agent: Samples, tmp_path: Path) -> None:
    """An offset is no sound, and speech that has to be lifted is named with its level."""
    path = written(tmp_path / "call.wav", user + np.float32(0.05), agent / np.float32(100), subtype="FLOAT")
    findings = {finding.what: finding for finding in examine(Session.of_recording(path))}
    assert set(findings) == {"offset", "faint"}
    assert findings["offset"].values["offset"] == pytest.approx(0.05, abs=1e-3)
