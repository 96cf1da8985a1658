"""Scenarios: what a YAML file says, decoded into frozen specs, checked, and written back resolved.

`load` reads a file (with --set overrides), `Scenario` holds it, `resolved` gives the YAML that runs the same session
again: paths absolute, one trial, its own seed.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from unicodedata import normalize

import msgspec

from simulator.actor import ActorSpec, AnyActor, Setting
from simulator.datasets.sample import AnyDataset, brought
from simulator.engines.kinds import AnyRecognizer, VoiceSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import ScenarioError, located
from simulator.events import PARTIES, Party, other_party
from simulator.injector import AnyInjector
from simulator.judging.spec import AnyJudge
from simulator.languages.accents import drawn
from simulator.languages.spread import spread
from simulator.line import Lines
from simulator.own_frame import shape_of
from simulator.reading.cost import Price, check_budget
from simulator.reading.expect import Expectation
from simulator.reading.keep import Keep
from simulator.reading.length import Length
from simulator.reading.overrides import override_value
from simulator.reading.playing import MOST_TRIALS, ClockSpec, Control, UntilDecided
from simulator.reading.secrets import mask
from simulator.reading.yaml_file import read_yaml
from simulator.reading.yaml_text import yaml_text
from simulator.scoring.scorer import AnyScorer
from simulator.sinks.sink import AnySink
from simulator.sound.recordings import LARGEST_BYTES
from simulator.spec import Duration, decode, encode, walk
from simulator.sweep.first_point import begin_sweep, naming_dimensions
from simulator.sweep.sweep import Sweep
from simulator.world.spec import AnyWorld

LONGEST_NAME = 150
"""Bytes of the folder name; file systems take 255, and ids add a sample and a trial."""
DIRECTIONS = ("user_to_agent", "agent_to_user")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A conversation between two parties over one line, and what is to be measured on it.

    recognizer: who finds the words that nobody told, for the scorers. sample_rate: Hz, of the whole session. frame_ms:
    the tick. seed: trial t runs with seed + t. repeat: trials, a number or until they decide. retries: so often a
    session that is invalid by the tester's fault is played again. control: as what every trial is played once more, to
    be held against. sweep: points of it, each a scenario of its own; measure: what tables and curves of them show.
    log: where the run is logged beside its folder. language: what both parties speak; what is not named follows it.
    topics: a file of what its trials talk about. keep: which of its sessions become a corpus, when the run is exported
    as one. name: also the run folder's. user, agent: the parties. lines: channels between them. injectors: what is
    added to a party's mouth. world: a state and tools. scorers: what is measured (default: all of our own; `[]` none).
    expect: what must hold. judge: the language model that is asked. duration: of a session, a time or what ends it.
    clock: virtual, or wall. trial: which one this is, in a resolved scenario. dataset: one session per sample. report:
    which sessions get pages. audio: the recordings' format. max_cost: a run stops there, in the prices' currency.
    max_minutes: a run stops there. prices: what models cost, by name.
    """

    name: str
    user: AnyActor
    agent: AnyActor
    lines: Lines = Lines()
    injectors: list[AnyInjector] = []
    world: AnyWorld | None = None
    scorers: list[AnyScorer] | None = None
    recognizer: AnyRecognizer = MoonshineSpec()
    expect: list[Expectation] = []
    judge: AnyJudge | None = None
    duration: Length | None = None
    clock: Literal["virtual", "wall"] | ClockSpec | None = None
    language: str = ""
    seed: int = 0
    repeat: int | UntilDecided = 1
    trial: int = 0
    control: Control | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    sample_rate: int = 24_000
    frame_ms: float = 20
    dataset: AnyDataset | None = None
    topics: Path | None = None
    sweep: Sweep | None = None
    measure: list[str] = []
    keep: Keep | None = None
    report: Literal["all", "failed", "none"] = "all"
    audio: Literal["wav", "flac"] = "wav"
    log: AnySink | None = None
    max_cost: Annotated[float, msgspec.Meta(ge=0)] | None = None
    max_minutes: Annotated[float, msgspec.Meta(ge=0)] | None = None
    prices: dict[str, Price] = {}

    def __post_init__(self) -> None:
        if not slug(self.name):
            raise ValueError(f"name {self.name!r} holds no letter or digit")
        if len(slug(self.name).encode()) > LONGEST_NAME:
            raise ValueError(f"name {self.name[:20]!r}... is too long for a folder; allowed are {LONGEST_NAME} bytes")
        if not 4_000 <= self.sample_rate <= 192_000:
            raise ValueError(f"sample_rate is {self.sample_rate}; allowed are 4000 to 192000 Hz")
        samples = self.frame_ms * self.sample_rate / 1000
        if not 1 <= self.frame_ms <= 1000 or samples != round(samples):
            raise ValueError(
                f"frame_ms {self.frame_ms:g} at {self.sample_rate} Hz is {samples:g} samples; "
                "allowed are 1 to 1000 ms that make a whole number of samples"
            )
        if not 1 <= self.most_trials <= MOST_TRIALS:
            raise ValueError(f"repeat is {self.repeat}; allowed are 1 to {MOST_TRIALS}")
        if isinstance(self.repeat, UntilDecided) and all(expectation.inform for expectation in self.expect):
            raise ValueError("repeat goes on until every expectation is decided, and there is none that decides")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must not be negative")

    @property
    def frame_samples(self) -> int:
        """Samples per tick."""
        return round(self.frame_ms * self.sample_rate / 1000)

    @property
    def most_trials(self) -> int:
        """How many trials there are, at most."""
        return self.repeat.at_most if isinstance(self.repeat, UntilDecided) else self.repeat

    def actor(self, party: Party) -> ActorSpec:
        """The spec of the actor that plays a party."""
        return self.user if party == "user" else self.agent

    def equipped(self, party: Party) -> ActorSpec:
        """The spec of the actor that plays a party, with the tools of the world that it may call."""
        spec = self.actor(party)
        world = self.world
        return spec if world is None else spec.offering(world.tools(party), world.instructions(party))

    def billed_models(self) -> list[str]:
        """The models that its parties are billed by, the user's before the agent's, each once per party; then those of
        voices on the lines and in injectors.
        """
        voices: list[VoiceSpec] = []
        for place in (self.injectors, self.lines):
            walk(place, lambda _, value: voices.append(value) if isinstance(value, VoiceSpec) else None)
        others = [model for voice in voices for model in voice.traits().billed_as]
        return [
            *(model for party in PARTIES for model in dict.fromkeys(self.actor(party).traits().billed_as)),
            *dict.fromkeys(others),
        ]

    def priced_models(self) -> list[str]:
        """All models that a run of it pays for: those of its parties, and the judge's."""
        return [*self.billed_models(), *([self.judge.model] if self.judge else [])]

    def wall(self) -> ClockSpec | None:
        """The wall clock's spec when the session runs on it: asked for, or needed by a party; else None."""
        if isinstance(self.clock, ClockSpec):
            return self.clock if self.clock.kind == "wall" else None
        if self.clock is None and any(self.actor(party).traits().own_time for party in PARTIES):
            return ClockSpec(kind="wall")
        return ClockSpec(kind="wall") if self.clock == "wall" else None

    def ticks(self) -> int:
        """The session's length in whole ticks, rounded up (the upper bound when it ends after a party)."""
        time = self.duration.time if self.duration else Duration(0.0)
        return -(-time.samples(self.sample_rate) // self.frame_samples)


def slug(name: str) -> str:
    """Turn a name into what a folder may be called: lower case, letters (of any script), digits, single hyphens."""
    return re.sub(r"[\W_]+", "-", normalize("NFC", name.lower())).strip("-")


def load(path: Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario file and check it. ScenarioError names the file, the place, what was found, what is allowed.

    overrides: `path=value` as given to --set; the value is YAML (`agent.endpoint=500ms`).
    """
    data = read_yaml(path)
    for override in overrides:
        override_value(data, override)
    if "sweep" in data:
        begin_sweep(data, path)
    if "dataset" in data:
        if "user" in data:
            raise ScenarioError(f"{path.name}: $.user: a dataset brings the user; leave it out")
        data["user"] = "silent"
    located(path.name, lambda: spread(data))
    with naming_dimensions(data.get("sweep")):
        scenario: Scenario = decode(data, Scenario, source=path.name, folder=path.parent)
    if scenario.dataset is not None:
        user, world = brought(scenario.dataset, path)
        scenario = msgspec.structs.replace(scenario, user=user, world=scenario.world or world)
    check(scenario, path.name)
    return scenario


def check(scenario: Scenario, source: str) -> None:
    """Refuse what cannot run: a clock that a party contradicts, a frame that does not fit, an unknown voice."""
    try:
        _check_clock(scenario)
        if scenario.world is not None:
            scenario.world.check("$.world")
        for party in PARTIES:
            _check_party(scenario, party)
        for index, injector in enumerate(scenario.injectors):
            injector.check(f"$.injectors[{index}]", scenario.sample_rate)
            taken = scenario.actor(other_party(injector.party)).traits().takes_keys
            if getattr(injector, "band", None) == "out" and not taken:
                complaint = "the other party takes no keys beside the sound; `band: in` sends tones"
                raise ScenarioError(f"$.injectors[{index}].band: {complaint}")
        for direction in DIRECTIONS:
            for index, channel in enumerate(getattr(scenario.lines, direction)):
                channel.check_window(f"$.lines.{direction}[{index}]")
                channel.check(f"$.lines.{direction}[{index}]", scenario.sample_rate)
        located("$.recognizer", scenario.recognizer.check)
        if scenario.log is not None:
            scenario.log.check("$.log")
        check_budget(scenario.priced_models(), scenario.prices, scenario.max_cost)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from error


def _check_clock(scenario: Scenario) -> None:
    if scenario.wall() is not None:
        return
    for party in PARTIES:
        spec = scenario.actor(party)
        if spec.traits().own_time:
            who = f"the {party} ({kind_of(spec)})"
            raise ScenarioError(f"$.clock: {who} has its own real time, so the clock must be wall")


def _check_party(scenario: Scenario, party: Party) -> None:
    setting = Setting(
        party=party,
        where=f"$.{party}",
        sample_rate=scenario.sample_rate,
        frame_ms=scenario.frame_ms,
        realtime=scenario.wall() is not None,
        line_has_channels=bool(scenario.lines.heard_by(party)),
        other=scenario.actor(other_party(party)),
        tools=scenario.world.tools(party) if scenario.world is not None else (),
    )
    for index, tool in enumerate(scenario.actor(party).own_tools()):
        tool.check(f"$.{party}.tools[{index}]", {})
    check_actor(scenario.equipped(party), setting)


def check_actor(spec: ActorSpec, setting: Setting) -> None:
    """Refuse an actor that cannot play in a setting, a scenario's or a server's. ScenarioError names the place."""
    if setting.realtime and spec.latency == "measured":
        raise setting.refuse(".latency", "measured belongs to the virtual clock; on the wall clock time is real")
    if not 0 < spec.speed < math.inf:
        raise setting.refuse(".speed", f"is {spec.speed:g}; it must be above 0")
    spec.check(setting)
    frame_samples = round(setting.frame_ms * setting.sample_rate / 1000)
    located(setting.where, lambda: shape_of(spec.build().traits.format, setting.sample_rate, frame_samples))


def check_length(scenario: Scenario, source: str) -> None:
    """Refuse a duration that is missing (only a dataset or a served client may leave it out) or fits into no file."""
    if scenario.duration is None and scenario.dataset is None:
        raise ScenarioError(
            f"{source}: $.duration: is missing; write it like 30s, {{after: user, tail: 5s}} or {{answered: 2s}}"
        )
    if 4 * scenario.ticks() * scenario.frame_samples > LARGEST_BYTES:
        longest_h = LARGEST_BYTES / 4 / scenario.sample_rate / 3600
        raise ScenarioError(
            f"{source}: $.duration: a sound file of 4 GB holds {longest_h:.1f} h at {scenario.sample_rate} Hz; "
            "stay below that"
        )


def kind_of(spec: object) -> str:
    """The `kind` a spec is tagged with."""
    return str(getattr(getattr(type(spec), "__struct_config__", None), "tag", None) or type(spec).__name__)


def files_of(scenario: Scenario) -> list[tuple[str, Path]]:
    """Every file a scenario names, with its path in the scenario, in order."""
    found: list[tuple[str, Path]] = []
    walk(scenario, lambda where, value: found.append((where, value)) if isinstance(value, Path) else None)
    return found


def resolved(scenario: Scenario, trial: int) -> Scenario:
    """The scenario of one trial: its own seed, repeated once; running it again gives the same session."""
    seed, number = scenario.seed + trial, scenario.trial + trial
    user, agent = (drawn(scenario.actor(party), number) for party in PARTIES)
    return msgspec.structs.replace(scenario, user=user, agent=agent, seed=seed, trial=number, repeat=1)


def to_yaml(scenario: Scenario) -> str:
    """Write a scenario as YAML that `load` reads as the same scenario; secrets in URLs are masked."""
    return yaml_text(mask(encode(scenario)))
