"""Recording: a session folder written as the session goes.

session.json comes first, with status `running`, and is replaced atomically at the end. Audio is collected as frame
references and written in blocks of about a second, never flushed one by one (an fsync costs a third of a tick).
A killed run therefore leaves a folder that still reads.
"""

import errno
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from simulator.errors import SessionError
from simulator.events import Event, encode_event
from simulator.files import write_json
from simulator.frame import PCM_SCALE, Pcm16, Samples, to_pcm16
from simulator.reading.secrets import Secrets
from simulator.session import SessionMeta, read_meta
from simulator.sound.recordings import LARGEST_BYTES
from simulator.sound.wav import wav_header
from simulator.world.record import WORLD, WorldRecord

BLOCK_S = 1.0
TRACE_BUFFER = 2**17
"""Bytes: half a second of sound at 48 kHz as base64; handed over once a second, as the sound is."""
RESERVE = ".session.json.full"
"""A session.json for the case that the disk is full at the end; gone when the session has been closed."""


class StereoFile:
    """A PCM16 stereo WAV that grows: left and right in blocks of equal length.

    The header's lengths are written at `close`; until then they are 0, which a reader repairs from the file's size.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.path = path
        self._rate = sample_rate
        self._bytes = 0
        self._file: BinaryIO = path.open("wb")
        self._file.write(self._header())
        self._file.flush()  # a run killed in its first second leaves a file that reads as an empty one

    def write(self, left: Pcm16, right: Pcm16) -> None:
        """Append a block: int16 (n,) for each channel."""
        # Both of a sample as one number, the left in its lower half: a third of the time of two strided copies.
        block = np.left_shift(right.view(np.uint16), 16, dtype=np.uint32)
        np.bitwise_or(block, left.view(np.uint16), out=block)
        self._file.write(block.astype("<u4", copy=False).data)
        self._bytes += 4 * len(left)

    def close(self) -> None:
        """Finish the header and close the file."""
        try:
            self._file.seek(0)
            self._file.write(self._header())
        finally:
            self._file.close()

    def _header(self) -> bytes:
        return wav_header(self._rate, 2, min(self._bytes, LARGEST_BYTES))


class Recorder:
    """Writes one session's folder. Times and lengths are samples at the session's rate.

    secrets: what must not be written, whoever tells it; events, messages and the problem go through them last.
    """

    def __init__(
        self,
        folder: Path,
        meta: SessionMeta,
        scenario_yaml: str,
        *,
        heard: bool,
        flac: bool = False,
        secrets: Secrets | None = None,
    ) -> None:
        folder.mkdir(parents=True)
        self._secrets = secrets if secrets is not None else Secrets()
        self.folder = folder
        self.meta = meta
        self._flac = flac
        self._block = round(BLOCK_S * meta.sample_rate)
        self.replace_meta(meta)
        # What says so when the disk is full lies there from the start: to be renamed it needs no space.
        full = msgspec.structs.replace(meta, status="failed", problem="the disk was full when the session was closed")
        write_json(folder / RESERVE, full)
        (folder / "scenario.yaml").write_text(scenario_yaml, encoding="utf-8")
        self._said = StereoFile(folder / "conversation.wav", meta.sample_rate)
        self._heard = StereoFile(folder / "heard.wav", meta.sample_rate) if heard else None
        self._events = (folder / "events.jsonl").open("wb")
        self._trace: BinaryIO | None = None
        self._frames: tuple[list[Samples], list[Samples], list[Samples], list[Samples]] = ([], [], [], [])
        self._waiting = 0
        self.recorded = 0
        self._agent_spoke = False
        self.overhear: Callable[[Samples, Samples], None] | None = None
        """Told what both said, tick by tick (a live page)."""

    def add(self, user: Samples, agent: Samples, user_heard: Samples, agent_heard: Samples) -> None:
        """Take one tick: what both said and what both heard, float32 (n,) each."""
        frames = self._frames
        frames[0].append(user)
        frames[1].append(agent)
        if self._heard is not None:
            frames[2].append(user_heard)
            frames[3].append(agent_heard)
        if self.overhear is not None:
            self.overhear(user, agent)
        self._waiting += len(user)
        if self._waiting >= self._block:
            self.write_out()

    def write_out(self) -> None:
        """Write the collected frames."""
        if not self._waiting:
            return
        (user, agent, user_heard, agent_heard), count = self._frames, self._waiting
        # Let go first: a block that the disk refused must not be written a second time.
        self._frames, self._waiting = ([], [], [], []), 0
        said_user, said_agent = _said_pcm16(user), _said_pcm16(agent)
        self._said.write(said_user, said_agent)
        self._agent_spoke = self._agent_spoke or bool(said_agent.any())
        if self._heard is not None:
            # Where a line has no channels, what is heard is what was said, the same arrays.
            self._heard.write(
                said_agent if _same(user_heard, agent) else to_pcm16(np.concatenate(user_heard)),
                said_user if _same(agent_heard, user) else to_pcm16(np.concatenate(agent_heard)),
            )
        if self._trace is not None:
            self._trace.flush()
        self.recorded += count

    @property
    def agent_spoke(self) -> bool:
        """Whether the agent has said anything but silence so far."""
        return self._agent_spoke or any(bool(frame.any()) for frame in self._frames[1])

    def add_events(self, events: Iterable[Event]) -> None:
        """Append events, which come in the order of the file."""
        if lines := b"".join(encode_event(self._clean(event)) for event in events):
            self._events.write(lines)
            self._events.flush()  # handed over as the audio blocks are: a killed run keeps both up to the last second

    def add_trace(self, record: Mapping[str, Any]) -> None:
        """Append a message of a remote party to trace.jsonl, made when the first one comes."""
        if self._trace is None:
            self._trace = (self.folder / "trace.jsonl").open("wb", buffering=TRACE_BUFFER)
        clean = self._secrets.scrub_all(record) if self._secrets else record
        self._trace.write(msgspec.json.encode(clean) + b"\n")

    def hide(self, value: str) -> None:
        """Write this nowhere: a secret that came up in the session."""
        self._secrets.hide(value)

    def add_world(self, record: WorldRecord) -> None:
        """Write world.json. OSError."""
        clean = self._secrets.scrub_all(msgspec.to_builtins(record)) if self._secrets else record
        write_json(self.folder / WORLD, clean)

    def flush(self) -> None:
        """Hand what is buffered to the operating system: what was recorded survives a kill."""
        for file in (self._said._file, self._heard._file if self._heard else None, self._events, self._trace):
            if file is not None:
                file.flush()

    def close(self, status: str, *, problem: str | None = None, measured: Mapping[str, Any] | None = None) -> None:
        """Finish every file and write the final session.json, which is the last thing to happen.

        A full disk on the way fails the session: what can be closed is, session.json says so where it still can, and
        then the first OSError is raised.
        """
        files = [file for file in (self._said, self._heard, self._events, self._trace) if file is not None]
        actions = [self.write_out, *(file.close for file in files)]
        failures = [error for action in actions if (error := _failure_of(action)) is not None]
        if self._flac and not failures and (error := _failure_of(self._compress)) is not None:
            failures.append(error)
        if failures:
            status, problem = "failed", problem or failures[0].strerror
        if self._secrets and problem:
            problem = self._secrets.scrub(problem)
        final = msgspec.structs.replace(
            self.meta, status=status, problem=problem, duration_samples=self.recorded, measured=dict(measured or {})
        )
        if (error := _failure_of(lambda: self.replace_meta(final))) is not None:
            failures.append(error)
            _failure_of(lambda: (self.folder / RESERVE).replace(self.folder / "session.json"))
        (self.folder / RESERVE).unlink(missing_ok=True)
        if failures:
            raise failures[0]

    def replace_meta(self, meta: SessionMeta) -> None:
        """Write session.json atomically."""
        self.meta = meta
        write_json(self.folder / "session.json", meta)

    def _clean(self, event: Event) -> Event:
        if not self._secrets:
            return event
        return Event(event.at, event.type, event.party, self._secrets.scrub_all(event.data))

    def _compress(self) -> None:
        import soundfile

        for wav in (self._said.path, *([self._heard.path] if self._heard else [])):
            flac = wav.with_suffix(".flac")
            try:
                with soundfile.SoundFile(flac, "w", self.meta.sample_rate, 2, "PCM_16") as file:
                    for block in soundfile.blocks(wav, 60 * self.meta.sample_rate, dtype="int16"):
                        file.write(block)
            except soundfile.LibsndfileError as error:
                flac.unlink(missing_ok=True)
                raise OSError(errno.EIO, "the sound could not be compressed", str(flac)) from error
            wav.unlink()


def _said_pcm16(frames: list[Samples]) -> Pcm16:
    """Convert what was said, which lies on the int16 grid: no value is rounded or clipped."""
    scaled = np.concatenate(frames)
    scaled *= np.float32(PCM_SCALE)
    return scaled.astype(np.int16)


def _same(frames: list[Samples], others: list[Samples]) -> bool:
    return all(frame is other for frame, other in zip(frames, others, strict=True))


def _failure_of(action: Callable[[], object]) -> OSError | None:
    try:
        action()
    except OSError as error:
        return error
    return None


def end_running(folder: Path, status: str, problem: str) -> None:
    """Say in a session folder that it has ended, where whoever wrote it could not; nothing where it says so already."""
    try:
        meta = read_meta(folder)
        if meta.status == "running":
            write_json(folder / "session.json", msgspec.structs.replace(meta, status=status, problem=problem))
        (folder / RESERVE).unlink(missing_ok=True)
    except (SessionError, OSError):  # no session, or a disk that is full: its row says what became of it
        return
