"""A player of recordings: says WAV files at given times or after the other's turns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from simulator.actor import ActorSpec, Context, Setting
from simulator.errors import located
from simulator.speaking.cues import Cue
from simulator.speaking.ears import AnyEars
from simulator.speaking.script import Script, Turn, TurnKeys, check_cues, in_turns
from simulator.speaking.voice import Level, PreparedSpeech, played
from simulator.spec import Duration, Tempo


class Clip(TurnKeys, frozen=True, kw_only=True, omit_defaults=True):
    """A recording and its cue; `text` is what is said in it, where it is known.

    file: the recording. channel: of a file with several, from 0. text: what is said in it.
    """

    file: Path
    channel: int | None = None
    text: str = ""

    def __post_init__(self) -> None:
        self.check_modifiers()
        self.cue()


class PlayerSpec(ActorSpec, frozen=True, kw_only=True, tag="player"):
    """Play a recording: `{kind: player, file: caller.wav}`, or several with cues: `{kind: player, clips: [...]}`.

    file: any rate from 4 to 192 kHz; a stereo file needs `channel`. It starts at session time `at` (default 0). level:
    `nominal` scales each recording to -26 dBFS active level, `keep` plays it as it is. tempo: how much faster than it
    was spoken, from 0.5 to 2, at its own pitch. channel: of a file with several, from 0. text: what is said in the
    file, where it is known. at: when it starts. clips: several recordings, each with its cue. ears: what hears the
    other for the cues (default: by level, silero on a noisy line).
    """

    file: Path | None = None
    channel: int | None = None
    text: str = ""
    at: Duration = Duration(0.0)
    clips: list[Clip] = []
    level: Level = "nominal"
    tempo: Tempo = 1.0
    ears: AnyEars | None = None

    def __post_init__(self) -> None:
        if (self.file is None) == (not self.clips):
            raise ValueError("a player has exactly one of file and clips")
        if self.clips and (self.channel is not None or self.text or self.at):
            raise ValueError("channel, text and at belong to `file`; of several clips each has its own")

    def recordings(self) -> list[Clip]:
        """What it plays, one clip per recording."""
        if self.file is None:
            return self.clips
        return [Clip(file=self.file, channel=self.channel, text=self.text, at=self.at)]

    def check(self, setting: Setting) -> None:
        """Refuse a recording that cannot be played."""
        for index, clip in enumerate(self.recordings()):
            where = setting.where if self.file else f"{setting.where}.clips[{index}]"
            located(f"{where}.file", lambda clip=clip: self._sound(clip, setting.sample_rate))  # type: ignore[misc]
        check_cues(self.clips, setting, f"{setting.where}.clips")

    def in_turns(self) -> Self:
        """Give the same recordings, each played when the other is silent; a single one goes on as it was recorded."""
        return msgspec.structs.replace(self, clips=in_turns(self.clips))

    def build(self) -> Script:
        """Make the actor."""
        return Script(self._turns, self.ears)

    def _turns(self, context: Context) -> Sequence[Turn]:
        rate = context.output_rate
        return [
            Turn(
                cue=clip.cue() or (Cue(at=Duration(0.0)) if self.file else None),
                lines=(self._sound(clip, rate),),
                repeat=clip.repeat,
                role="turn" if clip.text or not self.file else "recording",
            )
            for clip in self.recordings()
        ]

    def _sound(self, clip: Clip, sample_rate: int) -> PreparedSpeech:
        return played(clip.file, sample_rate, clip.channel, self.level, clip.text, tempo=self.tempo)
