"""Sound files: reading recordings of any format and rate, and repairing what a killed run left behind.

Whole files are resampled whole (no delay). A WAV whose header promises more or less than the file holds is read as
far as it goes, and said.
"""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from simulator.errors import ScenarioError, SessionError
from simulator.frame import Pcm16, Samples, freeze
from simulator.sound.decoded import COMPRESSED, decoded, readable_frames

LOWEST_HZ, HIGHEST_HZ = 4_000, 192_000
LARGEST_BYTES = 2**32 - 64
"""What a WAV header can count: a served session that stays open for half a day is written on and read up to here."""


class Recording:
    """A sound file open for reading by channel, in parts; memory is what was asked for.

    channels: those chosen, by index. length: samples per channel. notes: what is damaged about it, a sentence each.
    """

    def __init__(
        self,
        path: Path,
        *,
        channels: tuple[int, ...],
        sample_rate: int,
        length: int,
        raw_start: int | None,
        width: int,
        notes: tuple[str, ...],
        pcm: Pcm16 | None = None,
    ) -> None:
        self._pcm = pcm
        self.path = path
        self.sample_rate = sample_rate
        self.length = length
        self.notes = notes
        self.channels = channels
        self._width = width
        self._raw_start = raw_start

    def read(self, index: int, start: int = 0, end: int | None = None) -> Samples:
        """Give samples start..end of the index-th chosen channel: float32 (n,), full scale 1.0, read-only."""
        end = self.length if end is None else min(end, self.length)
        start = min(start, end)
        return freeze(self._frames(start, end)[:, self.channels[index]].copy())

    def blocks(self, index: int, block: int) -> Iterator[Samples]:
        """Give the channel in blocks of `block` samples, the last one shorter."""
        for start in range(0, self.length, block):
            yield self.read(index, start, start + block)

    def fingerprint(self) -> str:
        """Give what tells this sound from any other: the file's sha256 and the chosen channels."""
        return f"{sha256(self.path)}:{','.join(map(str, self.channels))}"

    def _frames(self, start: int, end: int) -> Samples:
        if self._pcm is not None:
            return self._pcm[start:end].astype(np.float32) / np.float32(32768)
        if self._raw_start is None:
            try:
                samples, _ = soundfile.read(self.path, frames=end - start, start=start, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, OSError) as error:
                raise SessionError(f"{self.path}: cannot be read from sample {start} on: {_reason(error)}") from error
            return samples  # type: ignore[no-any-return]
        offset = self._raw_start + start * self._width * 2
        pcm = np.fromfile(self.path, "<i2", (end - start) * self._width, offset=offset)
        return pcm.reshape(-1, self._width).astype(np.float32) / np.float32(32768)


def open_recording(path: Path, *, channels: tuple[int, ...] = (0, 1)) -> Recording:
    """Open a recording for reading the given channels; SessionError when it is no audio or lacks a channel."""
    repaired = _damaged_wav(path)
    if repaired is not None:
        rate, width, data_start, length = repaired
        note = f"{path}: the header was not finished; read {length / rate:.2f} s from the file's length"
        _need_channels(path, width, channels)
        return Recording(
            path, channels=channels, sample_rate=rate, length=length, raw_start=data_start, width=width, notes=(note,)
        )
    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise SessionError(f"{path}: not a sound file that can be read: {_reason(error)}") from error
    _need_channels(path, info.channels, channels)
    length, notes, pcm = info.frames, list[str](), None
    if info.format in COMPRESSED and (length := readable_frames(path, info.frames)) < info.frames:
        held = f"{length / info.samplerate:.2f} of {info.frames / info.samplerate:.2f} s can be decoded"
        notes, pcm = [f"{path}: breaks off: {held}; read as far as it goes"], decoded(path, length)
    return Recording(
        path,
        channels=channels,
        sample_rate=info.samplerate,
        length=length,
        raw_start=None,
        width=info.channels,
        notes=tuple(notes),
        pcm=pcm,
    )


def _need_channels(path: Path, width: int, channels: tuple[int, ...]) -> None:
    if max(channels) >= width:
        raise SessionError(f"{path}: has {width} channel{'s' * (width != 1)}; a recording of both parties is stereo")


def _damaged_wav(path: Path) -> tuple[int, int, int, int] | None:
    """Find a PCM16 WAV whose data length disagrees with the file: (rate, channels, data start, samples), else None."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(44)
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error
    if len(head) < 44 or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt " or head[36:40] != b"data":
        return None
    form, width, rate, _, _, bits = struct.unpack("<HHIIHH", head[20:36])
    (data_bytes,) = struct.unpack("<I", head[40:44])
    if form != 1 or bits != 16 or width == 0 or rate == 0 or data_bytes == size - 44 or 0 < data_bytes < size - 44:
        return None
    return rate, width, 44, (size - 44) // (2 * width)


def load(path: Path, sample_rate: int, *, channel: int | None = None) -> Samples:
    """Read one channel of a whole file at `sample_rate` (Hz): float32 (n,), full scale 1.0, resampled whole.

    A file with several channels needs `channel` named. ScenarioError: missing, empty, not audio, holding NaN or
    infinity, a rate outside 4 to 192 kHz, a channel that is not there.
    """
    if not path.is_file():
        raise ScenarioError(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ScenarioError(f"{path} is not a sound file that can be read: {_reason(error)}") from error
    if len(samples) == 0:
        raise ScenarioError(f"{path} is empty")
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise ScenarioError(f"{path} has a rate of {rate} Hz; allowed are {LOWEST_HZ} to {HIGHEST_HZ} Hz")
    if channel is None and samples.shape[1] > 1:
        raise ScenarioError(f"{path} has {samples.shape[1]} channels; name one with `channel: 0`")
    if not 0 <= (channel or 0) < samples.shape[1]:
        raise ScenarioError(f"{path} has {samples.shape[1]} channel(s), so there is no channel {channel}")
    mono = np.ascontiguousarray(samples[:, channel or 0])
    if not np.isfinite(mono).all():
        raise ScenarioError(f"{path} holds values that are not numbers (NaN or infinity)")
    return freeze(resample(mono, rate, sample_rate))


def shortfall(path: Path) -> list[str]:
    """Say of a WAV that it holds less than its header promises: a sentence, or none."""
    if not path.is_file() or path.suffix.lower() != ".wav":
        return []
    with path.open("rb") as file:
        promised = _data_bytes(file)
        held = path.stat().st_size - file.tell()
    if promised is None or promised <= held:
        return []
    return [f"{path}: holds {held} of the {promised} bytes of sound that its header promises; read as far as it goes"]


def _data_bytes(file: BinaryIO) -> int | None:
    """Go to the first byte of a WAV's samples and give how many its header promises; None when that is not said."""
    head = file.read(12)
    if (head[:4], head[8:]) != (b"RIFF", b"WAVE"):
        return None
    while len(head := file.read(8)) == 8:
        (length,) = struct.unpack("<I", head[4:])
        if head[:4] == b"data":
            return None if length == 0xFFFFFFFF else length
        file.seek(length + length % 2, 1)
    return None


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample a whole signal, float32 (n,) -> (round(n * to/from),): no delay, soxr HQ."""
    if from_hz == to_hz:
        return samples
    import soxr

    return soxr.resample(samples, from_hz, to_hz, quality="HQ")  # type: ignore[no-any-return]


def sha256(path: Path) -> str:
    """Give the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_session(folder: Path) -> str:
    """Give one sha256, in hex, over all that was said and heard in a session folder; "" where there is no sound."""
    found = [
        sha256(path)
        for name in ("conversation", "heard")
        for suffix in ("wav", "flac")
        if (path := folder / f"{name}.{suffix}").is_file()
    ]
    return hashlib.sha256(" ".join(found).encode()).hexdigest() if found else ""


def _reason(error: Exception) -> str:
    return str(error).split(": ", 1)[-1].strip().rstrip(".")
