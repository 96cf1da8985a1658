"""The channel suite: what a line relies on, whatever its channels do to sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.line import Channel, ChannelContext, Lines
from simulator.spec import decode
from simulator.testing.cases import Case, Prepare, names_of, nothing, over
from simulator.testing.sessions import burst

FRAMES = 60
SEED = 3


def channel_contract(
    cases: Sequence[Case],
    *,
    prepare: Prepare = nothing,
    sample_rate: int = 24_000,
    frame_samples: int = 480,
    delay_within_samples: int = 0,
) -> type["ChannelContract"]:
    """Give the tests that every channel passes: `TestMine = channel_contract([{"kind": "mine", "db": -6}])`.

    prepare(folder): writes the files that cases name. delay_within_samples: how far a channel whose delay differs with
    frequency (a filter) may be from what it states; 0 for all others.
    """
    settings = {
        "prepare": staticmethod(prepare),
        "sample_rate": sample_rate,
        "frame_samples": frame_samples,
        "delay_within_samples": delay_within_samples,
    }
    return over(ChannelContract, cases, names_of(cases), **settings)


class ChannelContract:
    """One frame out per frame in, at its place; seeded; late by what it states; the same however much it is handed."""

    prepare: ClassVar[Prepare]
    sample_rate: ClassVar[int]
    frame_samples: ClassVar[int]
    delay_within_samples: ClassVar[int]

    def test_a_frame_in_is_a_frame_out_at_its_place(self, case: Case, tmp_path: Path) -> None:
        """As many samples out as in, float32, finite, starting where they started; what comes in is read-only."""
        channel, count = self._built(case, tmp_path), self.frame_samples
        said, other = freeze(burst(FRAMES * count)), freeze(burst(FRAMES * count, seed=1))
        for start in range(0, len(said), count):
            frame = channel.carry(_frame(said, start, count), _frame(other, start, count))
            assert frame.start == start, f"the frame at {start} came out at {frame.start}"
            assert frame.samples.shape == (count,), f"{count} samples in, {frame.samples.shape} out at {start}"
            assert frame.samples.dtype == np.float32, f"samples are {frame.samples.dtype}, not float32"
            assert np.isfinite(frame.samples).all(), f"a sample from {start} on is no number"

    def test_the_same_seed_gives_the_same_sound(self, case: Case, tmp_path: Path) -> None:
        """All chance comes from `context.rng`: built twice with one seed, a channel gives the same samples."""
        first, second = (self._carried(self._built(case, tmp_path), 1) for _ in range(2))
        assert np.array_equal(first, second), "the same seed gave other samples: is there chance beside context.rng?"

    def test_what_is_said_is_heard_later_by_the_stated_delay(self, case: Case, tmp_path: Path) -> None:
        """`delay_samples` is what the sound is late by: where what is said and what is heard of it agree best."""
        half = FRAMES * self.frame_samples // 2
        said = np.concatenate([burst(half), silence(half)])  # noise agrees at one place only; silence: room to be late
        channel = self._built(case, tmp_path)
        heard = self._carried(channel, 1, said)
        if not heard.any():
            return  # a mute: nothing is late
        late = _lag(heard, said)
        near = abs(late - channel.delay_samples) <= self.delay_within_samples
        assert near, f"it states a delay of {channel.delay_samples} samples and has one of {late}"

    def test_several_frames_at_once_give_the_samples_of_one_by_one(self, case: Case, tmp_path: Path) -> None:
        """A channel that says `takes_blocks` gives to the bit what frame by frame gives, however many it is handed."""
        one_by_one = self._carried(self._built(case, tmp_path), 1)
        for at_once in (2, 7, FRAMES):
            channel = self._built(case, tmp_path)
            if not getattr(channel, "takes_blocks", False):
                return
            in_blocks = self._carried(channel, at_once)
            assert np.array_equal(one_by_one, in_blocks), f"{at_once} frames at once gave other samples than one by one"

    def _built(self, case: Case, folder: Path) -> Channel:
        """Build a channel as a scenario would, at the same seed every time."""
        type(self).prepare(folder)
        lines = decode({"user_to_agent": [dict(case)]}, Lines, source="case", folder=folder)
        (spec,) = lines.heard_by("agent")
        spec.check("case", self.sample_rate)
        rng = np.random.default_rng(SEED)
        return spec.build(ChannelContext(sample_rate=self.sample_rate, frame_samples=self.frame_samples, rng=rng))

    def _carried(self, channel: Channel, at_once: int, said: Samples | None = None) -> Samples:
        """Carry sound through a channel, so many frames at once: float32 (FRAMES * frame_samples,)."""
        sound = burst(FRAMES * self.frame_samples) if said is None else said
        other = burst(len(sound), seed=1) if said is None else np.zeros(len(sound), np.float32)
        count = at_once * self.frame_samples
        starts = range(0, len(sound), count)
        carried = [channel.carry(_frame(sound, start, count), _frame(other, start, count)).samples for start in starts]
        return np.concatenate(carried)


def _frame(sound: Samples, start: int, count: int) -> AudioFrame:
    return AudioFrame(start, sound[start : start + count])


def _lag(heard: Samples, said: Samples) -> int:
    """By how many samples `heard` comes after `said`, by correlation."""
    # In float64: over this many samples float32 sums blur which of two neighbours is the peak.
    spectrum = np.fft.rfft(heard.astype(np.float64), 2 * len(said)) * np.conj(np.fft.rfft(said, 2 * len(said)))
    return int(np.argmax(np.fft.irfft(spectrum)[: len(said)]))
