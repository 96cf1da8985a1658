"""A muted line: silence, or the music that a call centre plays while one waits."""

from pathlib import Path
from typing import Literal

from channels.noise import Noise, at_rms
from channels.noises import generate
from simulator.errors import located
from simulator.frame import AudioFrame, Samples, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.sound import recordings
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.spec import Decibels


class MuteSpec(ChannelSpec, frozen=True, kw_only=True, tag="mute"):
    """Let nothing pass: `{kind: mute, during: {user_speaking: 900ms, length: 400ms, times: 1}}`.

    Without `from`, `until` or `during` for ever. hold: what is heard instead, `music` or a file, at level_db relative
    to the nominal speech level. file: a recording that is heard instead. channel: of a file with several, from 0.
    level_db: of what is heard instead, relative to the nominal speech level, in dB.
    """

    hold: Literal["music"] | None = None
    file: Path | None = None
    channel: int | None = None
    level_db: Decibels = -10.0

    def __post_init__(self) -> None:
        if self.hold is not None and self.file is not None:
            raise ValueError("a mute has at most one of hold and file")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a file that cannot be used. ScenarioError."""
        if self.file is not None:
            file = self.file
            located(f"{where}.file", lambda: recordings.load(file, sample_rate, channel=self.channel))

    def build(self, context: ChannelContext) -> "Mute":
        """Make the channel."""
        held: Samples | None = None
        if self.file is not None:
            held = recordings.load(self.file, context.sample_rate, channel=self.channel)
        elif self.hold is not None:
            held = generate(self.hold, context.sample_rate, context.rng)
        if held is None:
            return Mute(None)
        level_dbfs = NOMINAL_DBFS + self.level_db
        return Mute(Noise(at_rms(held, level_dbfs), level_dbfs, 0, context.frame_samples))


class Mute:
    """Gives silence, or what is played instead."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, held: Noise | None) -> None:
        self._held = held

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        nothing = AudioFrame(frame.start, silence(len(frame.samples)))
        return nothing if self._held is None else self._held.carry(nothing, other)
