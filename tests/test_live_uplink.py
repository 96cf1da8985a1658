"""Rules of what a page's microphone sends: whatever the codec, sound lies where the capture counter says."""

import itertools
import struct

import numpy as np
import pytest

from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.live.browser import wire
from simulator.live.browser.page_messages import Hello
from simulator.live.browser.uplink import OpusUplink, Pcm16Uplink, uplink_for
from simulator.sound.ogg import OPUS_HZ, PageReader
from tests.live_counter import found_at

sphn = pytest.importorskip("sphn")

PACKET_S = 0.02
CHIRP_AT_S = 1.3
_TIMES = np.arange(OPUS_HZ // 2) / OPUS_HZ
CHIRP = (0.3 * np.hanning(len(_TIMES)) * np.sin(2 * np.pi * (200 + 1500 * _TIMES) * _TIMES)).astype(np.float32)


def message(frame: int, sound: bytes, kind: int = wire.OPUS) -> bytes:
    """A sound message as a page makes it."""
    return struct.pack("<B3xQ", kind, frame) + sound


def packets(samples: Samples) -> list[bytes]:
    """Encode float32 (n,) at 48 kHz as an encoder of packets does."""
    pages = PageReader().feed(bytes(sphn.OpusStreamWriter(OPUS_HZ).append_pcm(samples)))
    return [piece for page in pages[2:] for piece in page.pieces]


def heard(rate: int, first: int, hole_s: float = 0.0) -> tuple[int, Samples]:
    """Send a chirp from frame `first` on, with a hole behind it; gives the counter it came with and all samples."""
    track = np.zeros(3 * OPUS_HZ, np.float32)
    begin = round(CHIRP_AT_S * OPUS_HZ)
    track[begin : begin + len(CHIRP)] = CHIRP
    uplink = OpusUplink(rate)
    pieces = []
    for number, packet in enumerate(packets(track)):
        lost_s = hole_s * (number * PACKET_S >= 2)
        pieces.append(uplink.read(message(first + round((number * PACKET_S + lost_s) * rate), packet)))
    for (frame, samples), (after, _) in itertools.pairwise(pieces):
        hole = round(hole_s * OPUS_HZ) if after - frame != len(samples) else 0
        assert after == frame + len(samples) + hole
    return pieces[0][0], np.concatenate([samples for _, samples in pieces])


@pytest.mark.parametrize(("rate", "first", "hole_s"), [(48_000, 0, 0.0), (44_100, 12_345, 0.0), (16_000, 640, 0.1)])
def test_opus_lies_where_it_was_captured(rate: int, first: int, hole_s: float) -> None:
    """Its counter runs at 48 kHz whatever the microphone's rate; lookahead is taken back; a hole stays one."""
    counter, samples = heard(rate, first, hole_s)
    place, likeness = found_at(samples, CHIRP)
    assert likeness > 0.8
    assert (counter + place) / OPUS_HZ == pytest.approx(first / rate + CHIRP_AT_S, abs=0.0005)


@pytest.mark.parametrize("sound", [b"", b"OpusHead", bytes(8000), b"\xff" * 7])
def test_what_is_no_packet_is_refused(sound: bytes) -> None:
    """Empty, a header, too long, or nothing that decodes."""
    with pytest.raises(RemoteError, match="Opus"):
        OpusUplink(48_000).read(message(0, sound))


def test_a_page_sends_what_it_announced() -> None:
    """The other kind of sound is refused by name."""
    assert isinstance(uplink_for(Hello(rate=48_000)), Pcm16Uplink)
    assert isinstance(uplink_for(Hello(rate=48_000, codec="opus")), OpusUplink)
    with pytest.raises(RemoteError, match="kind 2; it announced kind 1"):
        Pcm16Uplink(48_000).read(message(0, bytes(8)))
    with pytest.raises(RemoteError, match="kind 1; it announced kind 2"):
        OpusUplink(48_000).read(message(0, bytes(8), wire.PCM16))
    with pytest.raises(RemoteError, match="even number"):
        Pcm16Uplink(48_000).read(message(0, bytes(7), wire.PCM16))


def test_without_sphn_a_page_that_sends_opus_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not offered then; who sends it anyway is refused in a sentence."""
    monkeypatch.setattr("simulator.live.browser.uplink.have_sphn", lambda: False)
    with pytest.raises(RemoteError, match="needs sphn"):
        uplink_for(Hello(rate=48_000, codec="opus"))
