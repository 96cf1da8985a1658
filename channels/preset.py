"""Named lines: several channels under one name, with whose numbers they have, from presets.yaml beside this file."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from simulator.frame import AudioFrame
from simulator.line import AnyChannel, Channel, ChannelContext, ChannelSpec
from simulator.reading.yaml_file import read_yaml
from simulator.spec import decode
from simulator.texts import quoted

FILE = Path(__file__).with_name("presets.yaml")


class NamedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line as the file has it. says: what it is. source: whose numbers."""

    says: str
    source: str
    channels: list[AnyChannel]


class PresetSpec(ChannelSpec, frozen=True, kw_only=True, tag="preset"):
    """A line by its name: `{kind: preset, name: speakerphone}`; docs/lines.md lists them.

    name: of the preset.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in named_lines():
            raise ValueError(f"name is {quoted(self.name)}; choose one of {', '.join(named_lines())}")

    def parts(self) -> Sequence[ChannelSpec]:
        """The channels that it stands for."""
        return named_lines()[self.name].channels

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse it where one of its channels cannot work. ScenarioError."""
        for part in self.parts():
            part.check(where, sample_rate)

    def build(self, context: ChannelContext) -> "Preset":
        """Make its channels, each with a generator of its own."""
        parts = self.parts()
        contexts = [msgspec.structs.replace(context, rng=rng) for rng in context.rng.spawn(len(parts))]
        built = [part.build(own) for part, own in zip(parts, contexts, strict=True)]
        kinds = [str(part.__struct_config__.tag) for part in parts]
        return Preset(
            {f"{index}_{kind}": channel for index, (kind, channel) in enumerate(zip(kinds, built, strict=True))}
        )


class Preset:
    """Carries through all of its channels."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self.delay_samples = sum(channel.delay_samples for channel in channels.values())
        self.takes_blocks = all(getattr(channel, "takes_blocks", False) for channel in channels.values())

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        for channel in self._channels.values():
            frame = channel.carry(frame, other)
        return frame

    def measured(self) -> dict[str, Any]:
        """What its channels measured, by place and kind."""
        reports = {name: getattr(channel, "measured", None) for name, channel in self._channels.items()}
        return {name: report() for name, report in reports.items() if report is not None}


@cache
def named_lines() -> Mapping[str, NamedLine]:
    """The file's lines, by name."""
    return {
        name: decode(line, NamedLine, source=FILE.name, folder=FILE.parent, where=f"$.{name}")
        for name, line in read_yaml(FILE).items()
    }
