"""A background talker: somebody else's voice on the line, heard by the listener, never in the said track."""

from pathlib import Path

import numpy as np

from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import AnyVoice
from simulator.engines.spending import tell_spent
from simulator.errors import located
from simulator.frame import AudioFrame, freeze, silence
from simulator.line import ChannelContext, ChannelSpec, carried_until
from simulator.sound.streams import Outbox
from simulator.speaking.voice import PreparedSpeech, check_say, check_voice, played, spoken
from simulator.spec import Decibels, Duration, ms


class TalkerSpec(ChannelSpec, frozen=True, kw_only=True, tag="talker"):
    """Let somebody talk in the background: `{kind: talker, say: ["Dinner is ready!"], start: 3s, level_db: -10}`.

    level_db is relative to the nominal speech level. The sentences (or the file) begin at `start` and, with `every`,
    again so long after each beginning. say: the sentences, one after the other. file: a recording instead. channel: of
    a file with several, from 0. voice: who says the sentences. level_db: relative to the nominal speech level, in dB.
    start: when it begins. every: from one beginning to the next (default: once).
    """

    say: list[str] = []
    file: Path | None = None
    channel: int | None = None
    voice: AnyVoice = EspeakSpec(name="en-gb-scotland")
    level_db: Decibels = -10.0
    start: Duration = ms(1000)
    every: Duration | None = None

    def __post_init__(self) -> None:
        if bool(self.say) == (self.file is not None):
            raise ValueError("a talker has exactly one of say and file")
        if self.every is not None and self.every <= 0:
            raise ValueError("every must be above 0")
        for text in self.say:
            check_say(text)

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse an unknown voice or a file that cannot be played. ScenarioError."""
        if self.file is None:
            check_voice(self.voice, f"{where}.voice")
        else:
            located(f"{where}.file", lambda: played(self.file, sample_rate, self.channel, "nominal"))

    def build(self, context: ChannelContext) -> "Talker":
        """Make the channel."""
        rate = context.sample_rate
        if self.file is not None:
            lines = [played(self.file, rate, self.channel, "nominal")]
        else:
            lines = [spoken(text, self.voice, rate) for text in self.say]
        tell_spent(context.emit, 0, self.voice)
        every = self.every.samples(rate) if self.every is not None else None
        return Talker(lines, 10 ** (self.level_db / 20), self.start.samples(rate), every, context)


class Talker:
    """Adds the lines one after the other from a start on; `talker` events tell where and what it talked."""

    delay_samples = 0
    takes_blocks = True

    def __init__(
        self, lines: list[PreparedSpeech], gain: float, start: int, every: int | None, context: ChannelContext
    ) -> None:
        self._count = context.frame_samples
        self._emit = context.emit
        self._lines = lines
        self._gain = np.float32(gain)
        self._next: int | None = start
        self._every = every
        self._voice = Outbox()
        self._index = 0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several; the voice begins at the first frame that holds its start."""
        return carried_until(frame, self._next, self._count, self._carry)

    def _carry(self, frame: AudioFrame) -> AudioFrame:
        count = len(frame.samples)
        if self._next is not None and frame.start + count > self._next:
            self._begin(frame.start)
        voice = self._voice.take(count)
        if voice is silence(count):
            return frame
        return AudioFrame(frame.start, freeze(frame.samples + voice))

    def _begin(self, at: int) -> None:
        lines = [self._lines[self._index % len(self._lines)]] if self._every is not None else self._lines
        self._index += 1
        self._next = at + self._every if self._every is not None else None
        at += self._voice.buffered  # a sentence longer than `every` holds back the next
        for line in lines:
            self._voice.push(line.samples * self._gain)
        until = at + sum(len(line.samples) for line in lines)
        self._emit(at, "talker", until=until, text=" ".join(line.text for line in lines))
