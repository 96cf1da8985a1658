"""Sessions as they are read: what was recorded, the only thing a scorer sees.

A session folder is read as far as it goes: a run that was killed leaves status `running`, a WAV header without
lengths and perhaps half a JSON line; all three are repaired on read and told in `notes`. What writes it is
`simulator/call/recording.py`.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec

from simulator.errors import SessionError
from simulator.event_types.event_type import LAST_SAMPLE
from simulator.events import Event, Party, decode_event, encode_event
from simulator.files import read_json
from simulator.frame import Samples
from simulator.sound import recordings
from simulator.speech import Speech, misplaced
from simulator.texts import quoted

FORMAT = 1
HIGHEST_RATE_HZ = 1_000_000
"""What can be counted with; which rates can be speech is for whoever judges the sound."""
ASIDE = ".unfinished-"
"""In the name of a folder that a resumed run moved aside: kept to be looked at, no session of the run any more."""


class PartyMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What session.json says of a party: its kind, its resolved spec, the delay its live edge adds.

    kind: the actor's. spec: all its keys, resolved. edge_delay_samples: the delay that its live edge adds.
    """

    kind: str
    spec: dict[str, Any] = {}
    edge_delay_samples: Annotated[int, msgspec.Meta(ge=0, lt=LAST_SAMPLE)] = 0


class SessionMeta(msgspec.Struct, frozen=True, kw_only=True):
    """session.json. Lengths are samples at sample_rate (Hz).

    sample: what a dataset knows of it. point: the sweep that it belongs to, and its place on every dimension. format:
    of the folder. id: the session's. scenario: its name. trial: which repetition, from 0. sample_rate: of the whole
    session. frame_ms: the tick. clock: virtual, or wall. deterministic: whether the same seed gives the same bytes.
    offline: whether a party heard the whole track before it spoke. seed: the session's. duration_samples: its length;
    null while it runs. parties: who played `user` and `agent`. lines: the channels of both directions. versions: of
    this package and of what was used. inputs: sha256 of the files that went in. measured: what channels measured of
    themselves. status: running, completed, failed or interrupted. problem: why it failed, or was cut short.
    """

    format: int
    id: str
    scenario: str
    trial: int = 0
    sample_rate: Annotated[int, msgspec.Meta(ge=1, le=HIGHEST_RATE_HZ)]
    frame_ms: Annotated[float, msgspec.Meta(gt=0, le=1000)]
    clock: str = "virtual"
    deterministic: bool = True
    offline: bool = False
    seed: int = 0
    duration_samples: Annotated[int, msgspec.Meta(ge=0, lt=LAST_SAMPLE)] | None = None
    parties: dict[str, PartyMeta] = {}
    lines: dict[str, Any] = {}
    versions: dict[str, str] = {}
    inputs: dict[str, str] = {}
    sample: dict[str, Any] = {}
    point: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    status: str = "running"
    problem: str | None = None

    @property
    def duration_s(self) -> float | None:
        """The length of the conversation in seconds; None while it is running, and when it was killed."""
        return None if self.duration_samples is None else self.duration_samples / self.sample_rate


class Session:
    """A recorded session: metadata, events, audio of both parties, and its annotation once there is one.

    Also stands for a foreign recording: `Session.of_recording` gives one without events.
    """

    def __init__(
        self,
        folder: Path,
        meta: SessionMeta,
        *,
        audio: recordings.Recording,
        heard: recordings.Recording | None = None,
        events: tuple[Event, ...] = (),
        notes: tuple[str, ...] = (),
        speech: Speech | None = None,
    ) -> None:
        self.folder = folder
        self.meta = meta
        self.events = events
        self.notes = notes
        self.speech = speech or Speech()
        self.annotated = speech is not None
        """Whether who spoke when is known, and not only that nobody said so."""
        self._audio = audio
        self._heard = heard

    @property
    def id(self) -> str:
        """The session's id, also its folder's name."""
        return self.meta.id

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.meta.sample_rate

    @property
    def audio_rate(self) -> int:
        """Hz, as the sound file itself says; another than `sample_rate` is a lie of one of them."""
        return self._audio.sample_rate

    @property
    def duration(self) -> int:
        """The length in samples: what was recorded, whatever was planned."""
        return self._audio.length

    @property
    def has_heard(self) -> bool:
        """Whether a line had channels, so that what was heard was recorded beside what was said."""
        return self._heard is not None

    @property
    def audio_source(self) -> tuple[Path, tuple[int, ...]]:
        """The sound file that holds what was said, and its channels of the user and the agent."""
        return self._audio.path, self._audio.channels

    def seconds(self, samples: int) -> float:
        """Turn samples into seconds."""
        return samples / self.sample_rate

    def said(self, party: Party, start: int = 0, end: int | None = None) -> Samples:
        """What a party said: float32 (n,), full scale 1.0, from sample `start` up to `end`."""
        return self._audio.read(0 if party == "user" else 1, start, end)

    def said_blocks(self, party: Party, block: int) -> Iterator[Samples]:
        """What a party said, in blocks of `block` samples (the last one shorter): memory flat in session length."""
        return self._audio.blocks(0 if party == "user" else 1, block)

    def heard(self, party: Party, start: int = 0, end: int | None = None) -> Samples:
        """What a party heard: the other's speech after the line (just the other's speech when no line had channels)."""
        if self._heard is not None:
            return self._heard.read(0 if party == "user" else 1, start, end)
        return self.said("agent" if party == "user" else "user", start, end)

    def fingerprint(self) -> str:
        """Give what tells this session's sound and events from any other's, wherever its folder lies."""
        told = hashlib.sha256(b"".join(encode_event(event) for event in self.events))
        return f"{self._audio.fingerprint()}:{told.hexdigest()}"

    @cached_property
    def by_type(self) -> dict[str, list[Event]]:
        """Events grouped by type, each list in time order."""
        grouped: dict[str, list[Event]] = {}
        for event in self.events:
            grouped.setdefault(event.type, []).append(event)
        return grouped

    def with_speech(self, speech: Speech) -> "Session":
        """The same session with another annotation."""
        return Session(
            self.folder,
            self.meta,
            audio=self._audio,
            heard=self._heard,
            events=self.events,
            notes=self.notes,
            speech=speech,
        )

    @classmethod
    def of_recording(
        cls, path: Path, *, user_channel: int | None = None, agent_channel: int | None = None
    ) -> "Session":
        """Make a session of a sound file: no events, nothing known. The channels are 0 and 1 unless one is named.

        SessionError when it is not stereo audio, or has more channels and not both are named.
        """
        user = (1 if agent_channel == 0 else 0) if user_channel is None else user_channel
        agent = (1 if user == 0 else 0) if agent_channel is None else agent_channel
        recording = recordings.open_recording(path, channels=(user, agent))
        if recording.width > 2 and None in (user_channel, agent_channel):
            raise SessionError(
                f"{path}: has {recording.width} channels; name the two parties' with "
                "--set user_channel=0 --set agent_channel=1"
            )
        meta = SessionMeta(
            format=FORMAT,
            id=path.stem,
            scenario=path.stem,
            sample_rate=recording.sample_rate,
            frame_ms=20,
            status="completed",
            clock="unknown",
        )
        return cls(path, meta, audio=recording, notes=recording.notes)


def read_session(folder: Path) -> Session:
    """Read a session folder. SessionError when it is none, or of a newer format; what is damaged is told in notes."""
    meta = read_meta(folder)
    notes = [f"{folder.name}: status is running: the run ended before the session did"] * (meta.status == "running")
    events, event_notes = _read_events(folder / "events.jsonl")
    said_file = _audio_file(folder, "conversation")
    if said_file is None:
        raise SessionError(f"{folder}: conversation.wav is missing")
    audio = _open_sound(said_file)
    heard_file = _audio_file(folder, "heard")
    heard = _open_sound(heard_file) if heard_file else None
    notes += [*event_notes, *audio.notes, *(heard.notes if heard else ())]
    speech, speech_notes = _read_speech(folder / "speech.json", audio.length)
    notes += speech_notes
    return Session(folder, meta, audio=audio, heard=heard, events=tuple(events), notes=tuple(notes), speech=speech)


def read_meta(folder: Path) -> SessionMeta:
    """Read session.json alone."""
    path = folder / "session.json"
    try:
        raw = read_json(path, dict[str, Any])
    except FileNotFoundError:
        raise SessionError(f"{folder}: not a session folder: session.json is missing") from None
    if not isinstance(raw.get("format"), int):
        raise SessionError(f"{path}: says no format; it is no session.json of this simulator")
    if raw["format"] > FORMAT:
        raise SessionError(
            f"{path}: format {raw['format']} is newer than this version of the simulator reads ({FORMAT}); "
            "update duplex-simulator"
        )
    try:
        return msgspec.convert(raw, SessionMeta)
    except (msgspec.ValidationError, ArithmeticError) as error:
        raise SessionError(f"{path}: {error}") from error


def is_session(folder: Path) -> bool:
    """Say whether a folder holds a session."""
    return (folder / "session.json").is_file()


def _audio_file(folder: Path, name: str) -> Path | None:
    for suffix in (".wav", ".flac"):
        if (folder / (name + suffix)).is_file():
            return folder / (name + suffix)
    return None


def _open_sound(path: Path) -> recordings.Recording:
    """Open a sound file of a folder, which holds WAV and FLAC and nothing else that damage may make of them."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error
    if magic not in (b"RIFF", b"RF64", b"fLaC"):
        raise SessionError(f"{path}: begins with {quoted(magic)}, as no WAV and no FLAC does")
    return recordings.open_recording(path)


def _read_speech(path: Path, length: int) -> tuple[Speech | None, list[str]]:
    try:
        speech = read_json(path, Speech)
    except FileNotFoundError:
        return None, []
    except SessionError as error:
        return None, [f"{error}; annotated again"]
    problem = misplaced(speech, length)
    return (None, [f"{path}: {problem}; annotated again"]) if problem else (speech, [])


def _read_events(path: Path) -> tuple[list[Event], list[str]]:
    """Give the events up to the first line that is none: what depends on it nobody knows."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], [f"{path}: missing; read without events"]
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error
    events: list[Event] = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            events.append(decode_event(line))
        except SessionError as error:
            whole = f"is not whole ({error})" if number == len(lines) else f"is no event: {error}"
            return events, [f"{path}: line {number} {whole}; read up to line {number - 1}"]
    return events, []
