"""What a dataset gives: one user per sample, mostly a recording, and what the dataset knows of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from simulator.actor import ActorSpec, AnyActor
from simulator.datasets.source import HubOrigin
from simulator.errors import ScenarioError, SessionError, located
from simulator.plugins import Kind, load
from simulator.reading.length import Length
from simulator.scoring.scorer import ScorerSpec
from simulator.sound.recordings import HIGHEST_HZ, LOWEST_HZ, UNREADABLE, sound_file
from simulator.spec import Spec, Tempo, decode
from simulator.world.spec import WorldSpec


class SampleTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of several: its recording, the channel of it (None for mono), and what is said in it."""

    audio: Path
    channel: int | None = None
    text: str = ""


class DatasetSample(msgspec.Struct, frozen=True, kw_only=True):
    """A recording to be played as the user, or a user of another kind. channel: None for mono.

    user: the user as a scenario writes it, where no recording is played.

    text: what is said in it. prompt: what the agent is told before. reference: what a right answer holds. meta: what
    else is known of it, any JSON. turns: where there are several, each said after the agent's turn. Whoever checks the
    answer finds all of it in session.json under `sample`.
    """

    id: str
    user_audio: Path | None = None
    user: dict[str, Any] = {}
    channel: int | None = None
    text: str = ""
    prompt: str = ""
    reference: str = ""
    meta: dict[str, Any] = {}
    turns: tuple[SampleTurn, ...] = ()


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as it was found: samples in order, and a sentence per sample that cannot be used.

    origin: of one from the hub what it was read from. remarks: what is to be known of it, and costs no sample.
    """

    samples: list[DatasetSample]
    notes: list[str] = []
    origin: HubOrigin | None = None
    remarks: list[str] = []


class DatasetSpec(Spec, frozen=True, kw_only=True):
    """What every dataset's spec does: read what there is, and say how its sessions are scored.

    asks: whether its samples are questions, so that a session lasts until the answer is over; else as the recording.
    tempo: how much faster than it was spoken each recording is played, from 0.5 to 2, at its own pitch.
    """

    tempo: Tempo = 1.0

    asks: ClassVar[bool] = False

    def read(self) -> Dataset:
        """List the samples; ScenarioError when there is no dataset or nothing of it can be used."""
        raise NotImplementedError

    def samples(self) -> list[DatasetSample]:
        """List the samples alone."""
        return self.read().samples

    def user(self) -> dict[str, Any] | str:
        """Give what a scenario has for its user until each sample brings its own: checked and priced as that is."""
        return "silent"

    def world(self) -> WorldSpec | None:
        """Give the world that its samples are played in, where the scenario has none; None without."""
        return None

    def length(self) -> Length | None:
        """Give how long a session lasts where the scenario does not say; None: as its recording, or its answer."""
        return None

    def probe(self) -> str | None:
        """Ask a far end that it is read from, and tell what answered; None where there is none. ScenarioError."""
        return None

    def scorers(self) -> list[str]:
        """The kinds of the scorers made for it; empty when the scenario's own are meant."""
        return []

    def scorer_options(self) -> dict[str, Any]:
        """Options of these scorers; one that has no such option goes without."""
        return {}


if TYPE_CHECKING:
    AnyDataset = DatasetSpec
else:

    class AnyDataset(Kind):
        """The spec of any dataset that is installed."""

        group = "datasets"
        spec = DatasetSpec


def usable(samples: list[DatasetSample], notes: list[str], where: object) -> Dataset:
    """Make the dataset; ScenarioError when no sample is left, with the first reason."""
    if not samples:
        raise ScenarioError(f"{where}: no sample can be used: {notes[0] if notes else 'it holds none'}")
    return Dataset(samples=samples, notes=notes)


def brought(dataset: DatasetSpec, scenario: Path) -> tuple[ActorSpec, WorldSpec | None]:
    """Give what a dataset brings to a scenario's file for all samples: who stands for the user, and a world.

    ScenarioError: it brings what cannot be.
    """
    where = "$.dataset"
    user: ActorSpec = decode(dataset.user(), AnyActor, source=scenario.name, folder=scenario.parent, where=where)
    return user, located(f"{scenario.name}: {where}", dataset.world)


def own_scorers(dataset: DatasetSpec) -> list[ScorerSpec]:
    """Give the scorers made for a dataset; each takes the options that it knows. ScenarioError: one cannot be had."""
    options = dataset.scorer_options()
    found: list[ScorerSpec] = []
    for kind in [load("scorers", name) for name in dataset.scorers()]:
        known = {field.name for field in msgspec.structs.fields(kind)}
        found.append(kind(**{name: value for name, value in options.items() if name in known}))
    return found


def check_recording(path: Path, channel: int | None) -> int | None:
    """Look at a recording's header and give the channel to play: None for mono.

    SessionError: missing, no sound file, empty, a rate outside 4 to 192 kHz, a channel that is not there,
    several channels and none named.
    """
    if not path.is_file():
        raise SessionError(f"{path} does not exist")
    try:
        with sound_file(path) as file:
            rate, frames, width = file.samplerate, file.frames, file.channels
    except UNREADABLE as error:
        raise SessionError(f"{path} is not a sound file that can be read") from error
    if frames == 0:
        raise SessionError(f"{path} is empty")
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise SessionError(f"{path} has a rate of {rate} Hz; allowed are {LOWEST_HZ} to {HIGHEST_HZ} Hz")
    if width == 1:
        return None
    if channel is None or channel >= width:
        raise SessionError(f"{path} has {width} channels; name one with `channel: 0`")
    return channel
