"""Codecs on a line: to the bit what their libraries give, and what a receiver makes of packets that are lost."""

import ctypes
import io
from ctypes.util import find_library
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from channels.coders import need_av
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.speaking.voice import spoken
from tests.channel_runs import Run, level_db, steady, tone

needs_opus = pytest.mark.skipif(find_library("opus") is None and find_spec("av") is None, reason="needs libopus")
needs_av = pytest.mark.skipif(find_spec("av") is None, reason="needs PyAV")


def has_amr() -> bool:
    """Whether a PyAV is installed that codes AMR."""
    try:
        need_av("libopencore_amrnb")
    except ScenarioError:
        return False
    return True


needs_amr = pytest.mark.skipif(not has_amr(), reason="needs a PyAV with AMR's codec")


def speech(rate: int, packet: int) -> Samples:
    """A sentence, in whole packets."""
    sound = spoken(
        "The quick brown fox jumps over the lazy dog, and then it sits by the river.", "en-us+m3", rate
    ).samples
    return np.array(sound[: len(sound) // packet * packet])


def heard(run: Run, count: int) -> Samples:
    """What came out, moved to where it was said, without what the codec itself delays."""
    return run.heard[run.channel.delay_samples :][:count]


@pytest.mark.parametrize(("name", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_g711_is_libsndfile_s_for_every_sample_there_is(name: str, subtype: str) -> None:
    """All 65,536 values, at 8 kHz, where nothing is resampled."""
    pcm = np.arange(-32768, 32768).astype(np.int16)
    coded = io.BytesIO()
    soundfile.write(coded, pcm, 8000, subtype=subtype, format="RAW")
    coded.seek(0)
    expected, _ = soundfile.read(coded, channels=1, samplerate=8000, subtype=subtype, format="RAW", dtype="int16")
    run = Run({"kind": "codec", "name": name}, np.concatenate([pcm / 32768, np.zeros(640)]), rate=8000)
    given = np.rint(heard(run, len(pcm)) * 32768).astype(int)
    assert np.array_equal(given[32768:], expected[32768:])
    # libsndfile takes -x for as large as x, ITU-T G.191 (one's complement) for as large as x - 1.
    assert np.array_equal(given[:32768], -given[:32767:-1])


def test_gsm_is_libsndfile_s() -> None:
    """A file written and read at once has the bits of the line's frame by frame."""
    sound = speech(8000, 160)
    pcm = np.rint(sound * 32768).astype(np.int16)
    coded = io.BytesIO()
    soundfile.write(coded, pcm, 8000, subtype="GSM610", format="RAW")
    coded.seek(0)
    expected, _ = soundfile.read(coded, channels=1, samplerate=8000, subtype="GSM610", format="RAW", dtype="int16")
    run = Run({"kind": "codec", "name": "gsm"}, np.concatenate([pcm / 32768, np.zeros(1600)]), rate=8000)
    assert np.array_equal(np.rint(heard(run, len(pcm)) * 32768), expected[: len(pcm)])
    assert run.measured()["bit_rate"] == 13_200


@needs_av
@pytest.mark.parametrize(
    ("name", "codec", "rate", "late", "bit_rate"),
    [
        ("g722", "g722", 16_000, 22, 64_000),
        pytest.param("amr_nb", "libopencore_amrnb", 8_000, 40, 12_800, marks=needs_amr),
    ],
)
def test_codecs_of_ffmpeg_are_ffmpeg_s(name: str, codec: str, rate: int, late: int, bit_rate: int) -> None:
    """A stream of packets through PyAV alone; AMR's rate holds the byte that frames a packet."""
    av = pytest.importorskip("av")
    sound = speech(rate, rate // 50)
    pcm = np.rint(sound * 32768).astype(np.int16)
    encoder, decoder = av.CodecContext.create(codec, "w"), av.CodecContext.create(codec, "r")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.time_base = rate, "mono", "s16", Fraction(1, rate)
    encoder.bit_rate = {"g722": 64_000}.get(name, 12_200)
    decoder.sample_rate, decoder.layout = rate, "mono"
    expected = []
    for at in range(0, len(pcm), rate // 50):
        frame = av.AudioFrame.from_ndarray(pcm[None, at : at + rate // 50], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        expected += [
            part.to_ndarray().reshape(-1) for packet in encoder.encode(frame) for part in decoder.decode(packet)
        ]
    run = Run({"kind": "codec", "name": name}, np.concatenate([pcm / 32768, np.zeros(rate // 5)]), rate=rate)
    whole = np.concatenate(expected)
    scale = 32768 if whole.dtype == np.int16 else 1
    assert np.allclose(heard(run, len(whole) - late), whole[late:] / scale, atol=0)
    assert run.measured()["bit_rate"] == bit_rate


def opus_alone(sound: Samples, bit_rate: int) -> Samples:
    """Packets of 20 ms through libopus at 24 kHz, with none of our code."""
    found = find_library("opus")
    if found is None:
        pytest.skip("needs the system's libopus")
    opus = ctypes.CDLL(found)
    opus.opus_encoder_create.restype = opus.opus_decoder_create.restype = ctypes.c_void_p
    error = ctypes.c_int()
    encoder = ctypes.c_void_p(opus.opus_encoder_create(24_000, 1, 2048, ctypes.byref(error)))
    decoder = ctypes.c_void_p(opus.opus_decoder_create(24_000, 1, ctypes.byref(error)))
    for request, value in ((4012, 0), (4014, 0), (4016, 0), (4002, bit_rate)):
        opus.opus_encoder_ctl(encoder, request, ctypes.c_int(value))
    out, packet = np.zeros(len(sound), np.float32), ctypes.create_string_buffer(1500)
    for at in range(0, len(sound), 480):
        part = np.ascontiguousarray(sound[at : at + 480])
        size = opus.opus_encode_float(encoder, part.ctypes.data_as(ctypes.c_void_p), 480, packet, 1500)
        place = ctypes.c_void_p(out.ctypes.data + 4 * at)
        opus.opus_decode_float(decoder, packet, size, place, 480, 0)
    opus.opus_encoder_destroy(encoder)
    opus.opus_decoder_destroy(decoder)
    return out


@needs_opus
def test_opus_is_libopus_s() -> None:
    """24 kbit/s of speech at 24 kHz, where nothing is resampled; its lookahead of 6.5 ms is in the stated delay."""
    sound = speech(24_000, 480)
    run = Run({"kind": "codec", "name": "opus", "bit_rate": 24_000}, np.concatenate([sound, np.zeros(4800)]))
    expected = opus_alone(sound, 24_000)
    late = run.channel.delay_samples - 156
    assert np.array_equal(run.heard[late : late + len(sound)], expected)
    assert run.measured()["bit_rate"] == pytest.approx(24_000, rel=0.25)


def snr_db(sound: Samples, rate: int, channel: dict[str, Any], clean: dict[str, Any]) -> float:
    """The level of what comes without loss over that of the error with it, in dB, over some seeds."""
    padded = np.concatenate([sound, np.zeros(4800, np.float32)])
    ideal = heard(Run(clean, padded, rate=rate), len(sound))
    errors = [level_db(ideal - heard(Run(channel, padded, seed=seed, rate=rate), len(sound))) for seed in range(4)]
    return float(level_db(ideal) - np.mean(errors))


def gains_db(sound: Samples, rate: int = 24_000) -> tuple[float, float]:
    """With 9 % of the packets lost: what concealment gains over silence, and FEC over concealment."""
    base = {"kind": "codec", "name": "opus", "bit_rate": 32_000}
    lossy = {**base, "loss": {"percent": 9}}
    channels = ({**lossy, "conceal": "none"}, lossy, {**lossy, "fec": True})
    silent, concealed, recovered = (snr_db(sound, rate, channel, base) for channel in channels)
    return concealed - silent, recovered - concealed


@needs_opus
def test_opus_conceals_better_than_silence_and_fec_better_than_that() -> None:
    """The error against what comes without loss: for a voice of espeak 7.8, 8.6 and 11.7 dB below (libopus 1.3.1)."""
    concealed, recovered = gains_db(speech(24_000, 480))
    assert concealed > 0.3 and recovered > 2


@needs_opus
def test_opus_conceals_a_human_voice(real_audio: Path) -> None:
    """Across a table: 11.1 dB with silence, 12.1 concealed, 18.2 recovered (libopus 1.3.1)."""
    file = real_audio / "conversations_ami" / "ami-en2002b-take-0930.example.wav"
    sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
    concealed, recovered = gains_db(np.array(sound[: 10 * rate, 1]), rate)
    assert concealed > 0.5 and recovered > 4


@needs_opus
def test_fec_brings_back_what_the_next_packet_holds(tmp_path: Path) -> None:
    """One packet in five lost alone is brought back every time; of two in a row only the second."""
    sound = speech(24_000, 480)
    for trace, share in (("0 0 0 1 0", 1.0), ("0 0 1 1 0", 0.5)):
        (tmp_path / "trace.txt").write_text(trace)
        channel = {"kind": "codec", "name": "opus", "fec": True, "loss": {"trace": "trace.txt"}}
        measured = Run(channel, sound, folder=tmp_path).measured()
        lost = round(measured["packets"] * measured["lost_percent"] / 100)
        assert abs(measured["recovered"] - share * lost) <= 1


@needs_opus
def test_dtx_sends_next_to_nothing_in_silence() -> None:
    """Ten seconds of a hush: a fraction of the bits that it takes without."""
    hush = np.zeros(240_000, np.float32)
    hush[:24_000] = speech(24_000, 480)[:24_000]
    sent = [Run({"kind": "codec", "name": "opus", "dtx": dtx}, hush).measured()["bit_rate"] for dtx in (True, False)]
    assert sent[0] < sent[1] / 2


CODECS = [
    {"name": "mulaw"},
    {"name": "alaw", "loss": {"percent": 0}},
    {"name": "gsm"},
    {"name": "gsm", "packet": "60ms"},
    pytest.param({"name": "opus", "packet": "40ms"}, marks=needs_opus),
    pytest.param({"name": "opus", "packet": "20ms", "fec": True}, marks=needs_opus),
    pytest.param({"name": "g722", "packet": "40ms"}, marks=needs_av),
    pytest.param({"name": "amr_nb"}, marks=needs_amr),
]


@pytest.mark.parametrize("channel", CODECS, ids=lambda channel: "-".join(map(str, channel.values())))
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_tone_comes_out_without_holes_at_any_rate(channel: dict[str, Any], rate: int) -> None:
    """Half a second of 440 Hz in the middle of two: no frame of it is missing, whatever the packets and the rates."""
    run = Run({"kind": "codec", **channel}, tone(440, 2.0, rate), rate=rate)
    count = rate // 100
    frames = run.heard[rate // 2 : rate // 2 + 140 * count].reshape(-1, count)
    levels = [level_db(frame) for frame in frames]
    assert min(levels) > level_db(run.said) - 6


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"name": "opus", "packet": "30ms"}, "packet is 30ms; opus allows 10, 20, 40 and 60 ms"),
        ({"name": "gsm", "packet": "10ms"}, "gsm allows 20, 40 and 60 ms"),
        ({"name": "mulaw", "fec": True}, "belong to opus, not to mulaw"),
        ({"name": "opus", "conceal": "repeat"}, "conceals by itself"),
        ({"name": "opus", "bit_rate": 100}, "opus allows 6000 to 510000"),
        ({"name": "gsm", "bit_rate": 13_000}, "has but one bit_rate"),
        ({"name": "speex"}, "invalid enum value 'speex'"),
    ],
)
def test_a_codec_that_cannot_be_is_refused(channel: dict[str, Any], told: str) -> None:
    """In a sentence with what is allowed."""
    with pytest.raises(ScenarioError, match=told):
        Run({"kind": "codec", **channel}, steady(0.1))
