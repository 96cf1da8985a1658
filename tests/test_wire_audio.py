"""Rules of sound in messages: G.711 by table, PCM16, base64."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.remote.wire_audio import Encoding, WireFormat, wire_format
from simulator.errors import RemoteError

LAWS: list[Encoding] = ["mulaw", "alaw"]


@pytest.mark.parametrize("law", LAWS)
def test_every_code_comes_back(law: Encoding) -> None:
    """What a code stands for is written as that code again (mu-law's second zero as its first)."""
    form = wire_format(law)
    codes = bytes(range(256))
    again = form.pack(form.unpack(codes))
    assert [code for code in range(256) if again[code] != code] == ([0x7F] if law == "mulaw" else [])


@pytest.mark.parametrize(("law", "value", "code"), [
    ("mulaw", 0, 0xFF), ("mulaw", 32767, 0x80), ("mulaw", -32768, 0x00),
    ("alaw", 0, 0xD5), ("alaw", -1, 0x55), ("alaw", 32767, 0xAA), ("alaw", -32768, 0x2A),
])  # fmt: skip
def test_codes_of_known_values(law: Encoding, value: int, code: int) -> None:
    """The ends and the middle of the scale, as ITU-T G.711 has them."""
    assert wire_format(law).pack(np.array([value / 32768], np.float32)) == bytes([code])


@pytest.mark.parametrize("law", LAWS)
@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=64))
def test_the_error_is_a_small_share_of_the_value(law: Encoding, values: list[int]) -> None:
    """Coded and decoded, a value is off by at most a sixteenth of itself, or by the smallest step."""
    form = wire_format(law)
    samples = np.array(values, np.float32) / 32768
    off = np.abs(form.unpack(form.pack(samples)) - samples)
    assert (off <= np.maximum(np.abs(samples) / 16, 17 / 32768)).all()


@given(st.binary(max_size=200).filter(lambda data: len(data) % 2 == 0))
def test_pcm16_is_kept_bit_for_bit(data: bytes) -> None:
    """PCM16 goes through floats and back unchanged, in either base64 alphabet."""
    form = WireFormat()
    for text in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        assert form.pack(form.decode(text.decode())) == data


@pytest.mark.parametrize("audio", [None, 5, "!!", "AAA", "AA=="])
def test_what_is_no_sound_is_refused(audio: object) -> None:
    """No text, no base64, half a sample: the far end's fault."""
    with pytest.raises(RemoteError):
        WireFormat().decode(audio)
