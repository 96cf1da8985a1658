"""Sound files: reading recordings of any format and rate, and repairing what a killed run left behind.

Whole files are resampled whole (no delay). A header that promises more or less than the file holds is passed over:
the file's length holds, and it is said.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from simulator.errors import ScenarioError, SessionError
from simulator.frame import Pcm16, Samples, freeze
from simulator.sound.decoded import COMPRESSED, decoded, readable_frames
from simulator.sound.headers import sound_data
from simulator.sound.wav import MendedFile, SoundData

SOUND_SUFFIXES = tuple("wav flac ogg oga opus mp3 m4a aiff aif au snd caf w64 rf64".split())  # noqa: SIM905
"""What is tried as a sound file: what libsndfile reads (of m4a only some builds of it do)."""
LOWEST_HZ, HIGHEST_HZ = 4_000, 192_000
UNREADABLE = (soundfile.LibsndfileError, OSError, TypeError, SessionError)
"""What opening and reading a sound file may raise."""
LONGEST_S = 4 * 3600
"""Of a file to be played, which is held whole: 3 GB at 48 kHz. A few megabytes of FLAC may promise days of silence."""
_DECODED_AT_ONCE = 2**18
LARGEST_BYTES = 2**32 - 64
"""What a WAV header can count: a served session that stays open for half a day is written on and read up to here."""


class Recording:
    """A sound file open for reading by channel, in parts; memory is what was asked for.

    channels: those chosen, by index; width: how many there are. length: samples per channel. notes: what is damaged
    about it, a sentence each.
    """

    def __init__(
        self,
        path: Path,
        *,
        channels: tuple[int, ...],
        sample_rate: int,
        length: int,
        width: int,
        notes: tuple[str, ...] = (),
        pcm: Pcm16 | None = None,
        data: SoundData | None = None,
    ) -> None:
        self._pcm = pcm
        self._data = data
        self.path = path
        self.sample_rate = sample_rate
        self.length = length
        self.notes = notes
        self.channels = channels
        self.width = width

    def read(self, index: int, start: int = 0, end: int | None = None) -> Samples:
        """Give samples start..end of the index-th chosen channel: float32 (n,), full scale 1.0, read-only."""
        end = self.length if end is None else min(end, self.length)
        start = min(start, end)
        return freeze(self._frames(start, end)[:, self.channels[index]].copy())

    def blocks(self, index: int, block: int) -> Iterator[Samples]:
        """Give the channel in blocks of `block` samples, the last one shorter; read on, as a search costs in MP3."""
        if self._pcm is not None:
            yield from (self.read(index, start, start + block) for start in range(0, self.length, block))
            return
        at = 0
        try:
            with _opened(self.path, self._data) as file:
                while at < self.length:
                    frames = file.read(min(block, self.length - at), dtype="float32", always_2d=True)
                    if not len(frames):
                        return  # an MP3 that holds less than it promises
                    yield freeze(frames[:, self.channels[index]].copy())
                    at += block
        except UNREADABLE as error:
            raise SessionError(f"{self.path}: cannot be read from sample {at} on: {_reason(error)}") from error

    def fingerprint(self) -> str:
        """Give what tells this sound from any other: the file's sha256 and the chosen channels."""
        return f"{sha256(self.path)}:{','.join(map(str, self.channels))}"

    def _frames(self, start: int, end: int) -> Samples:
        if self._pcm is not None:
            return self._pcm[start:end].astype(np.float32) / np.float32(32768)
        try:
            with _opened(self.path, self._data) as file:
                file.seek(start)
                return file.read(end - start, dtype="float32", always_2d=True)  # type: ignore[no-any-return]
        except UNREADABLE as error:
            raise SessionError(f"{self.path}: cannot be read from sample {start} on: {_reason(error)}") from error


def open_recording(path: Path, *, channels: tuple[int, ...] = (0, 1)) -> Recording:
    """Open a recording for reading the given channels; SessionError when it is no audio or lacks a channel."""
    try:
        data = sound_data(path)
        with _opened(path, data) as file:
            rate, frames, width, container = file.samplerate, file.frames, file.channels, file.format
    except UNREADABLE as error:
        raise SessionError(f"{path}: not a sound file that can be read: {_reason(error)}") from error
    _need_channels(path, width, channels)
    length, notes, pcm = frames, _told(path, data), None
    if container in COMPRESSED and (length := readable_frames(path, frames)) < frames:
        held = f"{length / rate:.2f} of {frames / rate:.2f} s can be decoded"
        notes, pcm = [f"{path}: breaks off: {held}; read as far as it goes"], decoded(path, length)
    return Recording(
        path, channels=channels, sample_rate=rate, length=length, width=width, notes=tuple(notes), pcm=pcm, data=data
    )


def sound_file(path: Path) -> soundfile.SoundFile:
    """Open a sound file of any kind; where its header lies about its length the file's own holds.

    UNREADABLE: what it raises where there is none, or none that can be read.
    """
    return _opened(path, sound_data(path))


def shortfall(path: Path) -> list[str]:
    """Say of a sound file that its header promises another length than it has: a sentence, or none."""
    return _told(path, sound_data(path) if path.is_file() else None)


def _opened(path: Path, data: SoundData | None) -> soundfile.SoundFile:
    return soundfile.SoundFile(MendedFile(path, data) if data and data.lies else path)


def _told(path: Path, data: SoundData | None) -> list[str]:
    return [f"{path}: {data.note}"] if data and data.lies else []


def _need_channels(path: Path, width: int, channels: tuple[int, ...]) -> None:
    if width == 1 and max(channels) > 0:
        raise SessionError(f"{path}: has 1 channel; a recording of both parties is stereo")
    if max(channels) >= width:
        raise SessionError(f"{path}: has {width} channels, so there is no channel {max(channels)}")


def load(path: Path, sample_rate: int, *, channel: int | None = None) -> Samples:
    """Read one channel of a whole file at `sample_rate` (Hz): float32 (n,), full scale 1.0, resampled whole.

    A file with several channels needs `channel` named. ScenarioError: missing, empty, not audio, holding NaN or
    infinity, a rate outside 4 to 192 kHz, a channel that is not there, more than four hours.
    """
    if not path.is_file():
        raise ScenarioError(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    try:
        with sound_file(path) as file:
            rate = file.samplerate
            _refuse_form(path, file, channel)
            mono = np.concatenate([np.zeros(0, np.float32), *_channel_of(file, channel or 0)])
    except UNREADABLE as error:
        raise ScenarioError(f"{path} is not a sound file that can be read: {_reason(error)}") from error
    if len(mono) == 0:
        raise ScenarioError(f"{path} is empty")
    if not np.isfinite(mono).all():
        raise ScenarioError(f"{path} holds values that are not numbers (NaN or infinity)")
    return freeze(resample(mono, rate, sample_rate))


def _refuse_form(path: Path, file: soundfile.SoundFile, channel: int | None) -> None:
    """Refuse what a header says, before anything is decoded. ScenarioError."""
    rate, width = file.samplerate, file.channels
    if file.frames == 0:
        raise ScenarioError(f"{path} is empty")
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise ScenarioError(f"{path} has a rate of {rate} Hz; allowed are {LOWEST_HZ} to {HIGHEST_HZ} Hz")
    if channel is None and width > 1:
        raise ScenarioError(f"{path} has {width} channels; name one with `channel: 0`")
    if not 0 <= (channel or 0) < width:
        raise ScenarioError(f"{path} has {width} channel(s), so there is no channel {channel}")
    if file.frames > LONGEST_S * rate:
        raise ScenarioError(f"{path} lasts {file.frames / rate / 3600:.1f} h; up to {LONGEST_S // 3600} h are played")


def _channel_of(file: soundfile.SoundFile, channel: int) -> Iterator[Samples]:
    """Decode a channel a block at a time: all channels of a large file at once would be held several times over."""
    while len(frames := file.read(_DECODED_AT_ONCE, dtype="float32", always_2d=True)):
        yield frames[:, channel].copy()


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
    if isinstance(error, TypeError):  # soundfile asks for the rate of what it takes for headerless
        return "it has no header that says its rate and format; convert it to WAV"
    return str(error).split(": ", 1)[-1].strip().rstrip(".")
