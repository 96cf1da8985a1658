"""Rules of forms of sound on a wire: every encoding there and back, and what is told of the wrong one."""

import io

import numpy as np
import pytest
import soundfile

from agents.remote.sound_form import SoundForm
from simulator.errors import RemoteError

RAMP = np.arange(-400, 400, dtype=np.float32) / 1024
"""Lies on the int16 grid."""


def there_and_back(form: SoundForm, samples: np.ndarray, cut: int = 160, shift: int = 0) -> np.ndarray:
    """Write sound in frames, and read it in pieces that are cut `shift` bytes further on."""
    writer, reader = form.writer(), form.reader()
    messages = [data for at in range(0, len(samples), cut) for data in writer.write(samples[at : at + cut])]
    if shift:
        whole = b"".join(messages)
        messages = [whole[:shift], *(whole[at : at + 101] for at in range(shift, len(whole), 101))]
    return np.concatenate([reader.read(data) for data in messages])


@pytest.mark.parametrize("encoding", ["pcm16", "float32"])
@pytest.mark.parametrize("shift", [0, 3])
def test_pcm_comes_back_as_it_was_wherever_it_is_cut(encoding: str, shift: int) -> None:
    """Half a sample waits for its other half."""
    assert np.array_equal(there_and_back(SoundForm(encoding=encoding), RAMP, shift=shift), RAMP)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_both_laws_are_within_a_step(encoding: str) -> None:
    """A step of G.711 near half scale is 1/64 of full scale at most, so half of one is the largest error."""
    back = there_and_back(SoundForm(encoding=encoding), RAMP)  # type: ignore[arg-type]
    assert len(back) == len(RAMP) and np.abs(back - RAMP).max() <= 1 / 128


@pytest.mark.parametrize("encoding", ["opus", "ogg_opus"])
def test_opus_keeps_the_count_and_the_tone(encoding: str) -> None:
    """Bare packets and Ogg pages: 1 s of a tone stays 1 s of this tone."""
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.float32)
    back = there_and_back(SoundForm(encoding=encoding), tone, cut=480)  # type: ignore[arg-type]
    assert len(back) == 24_000
    assert np.argmax(np.abs(np.fft.rfft(back))) == 440


def wav(rate: int) -> bytes:
    """A WAV file of a tenth of a second."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(rate // 10), rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize(
    ("form", "data", "sentence"),
    [
        (SoundForm(), wav(24_000), "a WAV file where bare pcm16 at 16000 Hz is described; its header says 24000 Hz"),
        (SoundForm(encoding="mulaw"), b"OggS\0\0", "Ogg pages where bare mulaw at 8000 Hz is described; write `enco"),
        (SoundForm(encoding="float32"), b"\xff\xff\xff\x7f" * 4, "no numbers; is it really float32 at 16000 Hz"),
        (SoundForm(encoding="ogg_opus"), b"\1\2\3\4", "Ogg page must begin"),
        (SoundForm(encoding="opus"), b"OggS\0\0", "Ogg pages where bare Opus packets are described"),
        (SoundForm(encoding="opus"), b"", "no Opus packet"),
    ],
)  # fmt: skip
def test_the_wrong_codec_is_told_with_the_remedy(form: SoundForm, data: bytes, sentence: str) -> None:
    """Where the first bytes show what it is."""
    with pytest.raises(RemoteError) as refused:
        form.reader().read(data)
    assert sentence in str(refused.value)
