"""Activity: Silero's own rule to the sample, edges to the energy, levels by ITU-T P.56."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engines.activity import SILERO, ActivitySettings, active_level_dbfs, silero_segments, speech_segments
from simulator.frame import Samples, to_grid
from simulator.sound.recordings import resample
from simulator.speaking.voice import spoken
from simulator.timeline import Stretch, Timeline

RATE = 24_000
SENTENCES = (
    "Hi, I'd like to book a table.",
    "Wait, stop.",
    "Four nights, please.",
    "She sells sea shells.",
    "No.",
    "Put me through to the manager.",
    "Have you got a room with a view?",
)
BACKCHANNELS = ("mm-hm", "right", "yeah", "okay", "uh-huh", "I see", "oh")
VOICES = ("en-gb-x-rp", "en-us+f2", "en-us+m3")


def restated(chunks: list[float], length: int, rule: ActivitySettings) -> list[tuple[int, int]]:
    """Silero's rule told once more, by looking each thing up from the start instead of keeping a state."""
    spoken: list[tuple[int, int]] = []
    after = 0
    while (onset := next((at for at in range(after, len(chunks)) if chunks[at] >= rule.threshold), None)) is not None:
        fall, after = next(
            (found for now in range(onset, len(chunks)) if (found := closing(chunks, onset, now, rule))),
            (length / 512, len(chunks)),
        )
        if (fall - onset) * 512 > rule.min_speech_ms * 16:
            spoken.append((onset * 512, round(fall * 512)))
    gaps = [2**40, *(right[0] - left[1] for left, right in pairwise(spoken)), 2**40]
    margins = [min(rule.pad_ms * 16, gap // 2) for gap in gaps]
    return [(max(0, start - margins[at]), min(length, end + margins[at + 1])) for at, (start, end) in enumerate(spoken)]


def closing(chunks: list[float], onset: int, now: int, rule: ActivitySettings) -> tuple[int, int] | None:
    """Where speech that began at `onset` fell, and the chunk to go on from, if it is known to be over by `now`."""
    loud = max(at for at in range(onset, now + 1) if chunks[at] >= rule.threshold)
    low = [at for at in range(loud + 1, now + 1) if chunks[at] < rule.negative_threshold]
    over = bool(low) and low[-1] == now and (now - low[0]) * 512 >= rule.min_silence_ms * 16
    return (low[0], now + 1) if over else None


rules = st.builds(
    ActivitySettings,
    min_speech_ms=st.sampled_from([0, 60, 250]),
    min_silence_ms=st.sampled_from([0, 50, 100, 400]),
    pad_ms=st.sampled_from([0, 30, 200]),
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.34, 0.35, 0.4, 0.5, 0.9]), max_size=120), st.integers(0, 511), rules)
def test_silero_rule_to_the_sample(probabilities: list[float], missing: int, rule: ActivitySettings) -> None:
    """Any probabilities, length and settings give what the rule of Silero's code gives, to the sample."""
    length = max(0, 512 * len(probabilities) - missing)
    found = silero_segments(probabilities, length, rule)
    assert [tuple(segment) for segment in found] == restated(probabilities, length, rule)


def test_silero_rule_on_an_example() -> None:
    """Speech in chunks 10 to 29 begins 30 ms before chunk 10 and ends 30 ms after chunk 29."""
    probabilities = [0.1] * 10 + [0.9] * 20 + [0.1] * 30
    assert silero_segments(probabilities, 60 * 512) == [Stretch(10 * 512 - 480, 30 * 512 + 480)]


@pytest.mark.parametrize(("chunks", "kept"), [(7, 0), (8, 1)])
def test_shorter_than_the_minimum_is_dropped(chunks: int, kept: int) -> None:
    """Speech has to be longer than 250 ms: seven chunks (224 ms) are dropped, eight (256 ms) stay."""
    assert len(silero_segments([0.9] * chunks + [0.0] * 20, 512 * (chunks + 20), SILERO)) == kept


def track(seed: int, seconds: int = 30, noise_db: float | None = None) -> tuple[Samples, Timeline]:
    """Utterances and backchannels with pauses, at the nominal level, and where they are really audible.

    Truth: 10 ms frames above -55 dBFS of the clean track, silences under 200 ms bridged. noise_db: of pink noise,
    below the nominal level.
    """
    rng = np.random.default_rng(seed)
    sound = np.zeros(seconds * RATE, np.float32)
    at = RATE
    while at < (seconds - 4) * RATE:
        text = str(rng.choice(BACKCHANNELS if rng.random() < 0.5 else SENTENCES))
        speech = spoken(text, VOICES[seed % len(VOICES)], RATE, words_per_minute=150).samples
        sound[at : at + len(speech)] += speech
        at += len(speech) + int(rng.integers(RATE // 2, 2 * RATE))
    truth = audible(sound)
    if noise_db is not None:
        spectrum = np.fft.rfft(rng.standard_normal(len(sound)))
        pink = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), len(sound))
        sound += (pink / np.sqrt(np.mean(pink**2)) * 10 ** ((-26 - noise_db) / 20)).astype(np.float32)
    return to_grid(sound), truth


def audible(sound: Samples, rate: int = RATE) -> Timeline:
    """Where 10 ms frames, 1 ms apart, are above -55 dBFS; silences under 200 ms bridged."""
    energy = np.concatenate([[0], np.cumsum(sound.astype(np.float64) ** 2)])
    starts = np.arange(0, len(sound) - rate // 100, rate // 1000)
    loud = energy[starts + rate // 100] - energy[starts] > rate // 100 * 10**-5.5
    return Timeline((start, start + rate // 100) for start in starts[loud].tolist()).bridge(rate // 5)


def edge_errors(seeds: range, noise_db: float | None = None) -> tuple[list[float], list[float], int, int]:
    """Onset and offset errors in ms over tracks; how many stretches of truth were missed, how many made up."""
    onsets: list[float] = []
    ends: list[float] = []
    missed = made_up = 0
    for seed in seeds:
        sound, truth = track(seed, noise_db=noise_db)
        found = speech_segments(sound, RATE).bridge(RATE // 5)
        made_up += sum(not any(segment.overlaps(true) for true in truth) for segment in found)
        for before, true in pairwise([Stretch(-1, -1), *truth]):
            hits = [segment for segment in found if segment.overlaps(true)]
            missed += not hits
            if hits and hits[0].start >= before.end:
                onsets.append(abs(hits[0].start - true.start) / RATE * 1000)
                ends.append(abs(hits[-1].end - true.end) / RATE * 1000)
    return onsets, ends, missed, made_up


def test_edges_on_clean_tracks() -> None:
    """Without noise all speech is found, nothing else; onsets to 20 ms and ends to 30 ms (95th percentile)."""
    onsets, ends, missed, made_up = edge_errors(range(6))
    assert (missed, made_up) == (0, 0)
    assert np.percentile(onsets, 95) <= 20
    assert np.percentile(ends, 95) <= 30


@pytest.mark.parametrize("noise_db", [20.0, 10.0])
def test_edges_in_noise(noise_db: float) -> None:
    """With noise 20 and 10 dB below speech every backchannel is found; onsets to 100 ms (95th percentile)."""
    onsets, _, missed, made_up = edge_errors(range(6), noise_db)
    assert (missed, made_up) == (0, 0)
    assert np.percentile(onsets, 95) <= 100


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_edges_at_any_rate(rate: int) -> None:
    """A recording of another rate gives the same places, to 15 ms, in its own samples."""
    sound, truth = track(1, 12)
    found = speech_segments(resample(sound, RATE, rate), rate).bridge(rate // 5)
    assert len(found) == len(truth)
    for segment, true in zip(found, truth, strict=True):
        assert abs(segment.start / rate - true.start / RATE) < 0.015


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=20))
def test_blocks_do_not_matter(lengths: list[int]) -> None:
    """Blocks of any lengths give what the whole recording gives."""
    sound, _ = track(2, 8)

    def blocks() -> Iterator[Samples]:
        start = 0
        for length in [*lengths, len(sound)]:
            yield sound[start : start + length]
            start += length

    assert speech_segments(blocks(), RATE) == speech_segments(sound, RATE)


@pytest.mark.parametrize("count", [0, 1, 119, 512, 24_000])
def test_no_speech_no_segments(count: int) -> None:
    """Silence and noise of any length, nothing included, hold no speech."""
    noise = (0.02 * np.random.default_rng(0).standard_normal(count)).astype(np.float32)
    assert not speech_segments(np.zeros(count, np.float32), RATE)
    assert not speech_segments(noise, RATE)
    assert not speech_segments([], RATE)


def test_segments_stay_inside_the_recording() -> None:
    """Speech that is cut at both ends of the file gives segments inside it."""
    speech = spoken("Put me through to the manager.", "en-gb-x-rp", RATE).samples[3_000:-3_000]
    (segment,) = speech_segments(speech, RATE).bridge(RATE)
    assert 0 <= segment.start < 2_000
    assert len(speech) - 2_000 < segment.end <= len(speech)


def level_told_sample_by_sample(samples: Samples, rate: int) -> float:
    """ITU-T P.56 method B as the recommendation writes it down: one sample after the other."""
    decay, hangover = np.exp(-1 / (rate * 0.03)), int(np.ceil(0.2 * rate))
    thresholds = 0.5 ** np.arange(15, 0, -1)
    counts, hanging = np.zeros(15), np.full(15, hangover)
    energy = first = second = 0.0
    for sample in samples.astype(np.float64):
        energy += sample * sample
        first = decay * first + (1 - decay) * abs(sample)
        second = decay * second + (1 - decay) * first
        reached = second >= thresholds
        counts += reached | (hanging < hangover)
        hanging = np.where(reached, 0, hanging + 1)
    levels = 10 * np.log10(energy / np.maximum(counts, 1))
    margins = levels - 20 * np.log10(thresholds)
    index = int(np.flatnonzero((margins >= 15.9) & (counts > 0))[-1])
    share = (margins[index] - 15.9) / (margins[index] - margins[index + 1])
    return float(levels[index] + share * (levels[index + 1] - levels[index]))


@pytest.mark.parametrize("text", ["Hi, I'd like to book a table. Tonight, please.", "mm-hm", "Wait, stop."])
@pytest.mark.parametrize("rate", [8_000, 22_050])
def test_level_is_that_of_the_recommendation(text: str, rate: int) -> None:
    """The vectorised level agrees with the recommendation's sample-by-sample procedure to 0.1 dB."""
    speech = spoken(text, "en-gb-x-rp", rate).samples
    assert active_level_dbfs(speech, rate) == pytest.approx(level_told_sample_by_sample(speech, rate), abs=0.1)


@settings(deadline=None, max_examples=20)
@given(st.floats(-30, 15))
def test_level_follows_gain(gain_db: float) -> None:
    """So many dB of gain change the level by as many, to 0.3 dB (thresholds are 6 dB apart)."""
    speech = spoken("How can I help you?", "en-us+f2", RATE).samples
    louder = speech * np.float32(10 ** (gain_db / 20))
    assert active_level_dbfs(louder, RATE) == pytest.approx(active_level_dbfs(speech, RATE) + gain_db, abs=0.3)


def test_level_leaves_pauses_out() -> None:
    """Ten seconds of silence after speech do not change its level; its mean power would fall by 8 dB."""
    speech = spoken("How can I help you today?", "en-us+f2", RATE).samples
    padded = np.pad(speech, (0, 10 * RATE))
    assert active_level_dbfs(padded, RATE) == pytest.approx(active_level_dbfs(speech, RATE), abs=0.6)


def test_level_of_noise_and_silence() -> None:
    """Steady noise has the level of its power; silence, and nothing at all, have none."""
    noise = (0.05 * np.random.default_rng(0).standard_normal(5 * RATE)).astype(np.float32)
    assert active_level_dbfs(noise, RATE) == pytest.approx(20 * np.log10(0.05), abs=0.05)
    assert active_level_dbfs(np.zeros(RATE, np.float32), RATE) == float("-inf")
    assert active_level_dbfs(np.zeros(0, np.float32), RATE) == float("-inf")
