"""Windows: when a channel of a line is on, by the session's time and by who speaks.

A channel that is not on goes on carrying, so that its state (a loop of noise, a buffer, a filter) is what it would be,
and is not heard. Sound passes it by, late by the delay that it states: nothing jumps in time when it comes on.
Windows open and close at ticks. Who speaks is judged on what both say before the line, this tick included.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import msgspec
import numpy as np

from simulator.events import PARTIES, Party, other_party
from simulator.frame import AudioFrame, freeze
from simulator.line import Channel, ChannelContext, ChannelSpec
from simulator.scenario import kind_of
from simulator.sound.streams import Outbox
from simulator.speaking.cues import NEVER
from simulator.speaking.ears import Activity, LevelEars


class Windows:
    """The windows of one line's channels; `judge` is told both frames before any channel carries them."""

    def __init__(self, speaker: Party, sample_rate: int, frame_samples: int) -> None:
        self._rate = sample_rate
        self._count = frame_samples
        self._speaker = speaker
        self._ears: dict[Party, LevelEars] = {party: LevelEars(sample_rate) for party in PARTIES}
        self._windowed: list[Windowed] = []
        self._listens = False

    def built(self, spec: ChannelSpec, context: ChannelContext, index: int) -> Channel:
        """Build a channel; one that is not always on is wrapped."""
        if not spec.windowed:
            return spec.build(context)
        heard = {party: ears.activity for party, ears in self._ears.items()}
        windowed = Windowed(spec, context, index, Window(spec, heard, self._rate))
        self._windowed.append(windowed)
        self._listens = self._listens or spec.during is not None
        return windowed

    def judge(self, said: AudioFrame, other: AudioFrame) -> None:
        """Decide for every tick of these frames which channels are on."""
        for windowed in self._windowed:
            windowed.on.clear()
        for at in range(0, len(said.samples), self._count):
            if self._listens:
                for party, frame in ((self._speaker, said), (other_party(self._speaker), other)):
                    self._ears[party].hear(AudioFrame(frame.start + at, frame.samples[at : at + self._count]))
            for windowed in self._windowed:
                windowed.on.append(windowed.window.is_open(said.start + at, said.start + at + self._count))


class Window:
    """Says for each tick whether it is open. heard: the activity of the party that its condition is about."""

    def __init__(self, spec: ChannelSpec, heard: Mapping[Party, Activity], sample_rate: int) -> None:
        self._from = spec.from_.samples(sample_rate) if spec.from_ is not None else 0
        self._until = spec.until.samples(sample_rate) if spec.until is not None else NEVER
        self._heard: Activity | None = None
        if spec.during is not None:
            party, self._speaking, least = spec.during.condition
            self._heard = heard[party]
            self._least = least.samples(sample_rate)
            self._length = spec.during.length.samples(sample_rate) if spec.during.length is not None else None
            self._left = spec.during.times
        self._held = False
        self._closes = 0

    def is_open(self, start: int, end: int) -> bool:
        """Judge the tick [start, end); once for each, in order."""
        in_time = end > self._from and start < self._until
        if self._heard is None:
            return in_time
        holds = in_time and self._holds(self._heard, end)
        if holds and not self._held and self._left != 0:
            self._left = None if self._left is None else self._left - 1
            self._closes = NEVER if self._length is None else start + self._length
        if self._length is None and not holds:
            self._closes = 0
        self._held = holds
        return in_time and start < self._closes

    def _holds(self, heard: Activity, end: int) -> bool:
        if self._speaking:
            # To the last sound, as cues count: a silence that is bridged makes up for no speech.
            return heard.speaking and heard.last_end - heard.since >= self._least
        return heard.stretches > 0 and not heard.speaking and end - heard.last_end >= self._least


class Windowed:
    """A channel that is on for a time only. on: for each tick of the next frames whether it is."""

    def __init__(self, spec: ChannelSpec, context: ChannelContext, index: int, window: Window) -> None:
        self.window = window
        self.on: list[bool] = []
        self._active = False
        self._emit = context.emit
        self._told = {"channel": index, "kind": kind_of(spec)}
        self._count = context.frame_samples
        self._channel = spec.build(msgspec.structs.replace(context, emit=self._pass_on, active=lambda: self._active))
        self.delay_samples = self._channel.delay_samples
        self.takes_blocks = getattr(self._channel, "takes_blocks", False)
        self._past = Outbox()
        self._past.push(np.zeros(self.delay_samples, np.float32))
        self.measured = getattr(self._channel, "measured", None)

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry frames: heard is the channel while it is on, else what came in, late by its stated delay."""
        self._past.push(frame.samples)
        passed = self._past.take(len(frame.samples))
        if all(on == self.on[0] for on in self.on):
            self._turn(frame.start, self.on[0])
            carried = self._channel.carry(frame, other)
            return carried if self._active else AudioFrame(frame.start, passed)
        pieces = []
        for first, end, on in self._stretches():
            self._turn(frame.start + first, on)
            part, said = (AudioFrame(whole.start + first, freeze(whole.samples[first:end])) for whole in (frame, other))
            carried = self._channel.carry(part, said)
            pieces.append(carried.samples if on else passed[first:end])
        return AudioFrame(frame.start, freeze(np.concatenate(pieces)))

    def _stretches(self) -> Iterator[tuple[int, int, bool]]:
        at = 0
        for on, ticks in groupby(self.on):
            end = at + len(list(ticks)) * self._count
            yield at, end, on
            at = end

    def _turn(self, at: int, on: bool) -> None:
        if on != self._active:
            self._active = on
            if on:
                self._emit(at, "channel_on", **self._told)
            else:
                self._emit(at, "channel_off", **self._told)

    def _pass_on(self, at: int, type_: str, /, **fields: Any) -> None:
        if self._active:
            self._emit(at, type_, **fields)
