"""A channel alone, as a session would build it: what comes out of a sound, what is told, what is measured."""

from pathlib import Path
from typing import Any

import numpy as np

from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.line import ChannelContext, Lines
from simulator.spec import decode

RATE, FRAME = 24_000, 480


class Run:
    """One channel, run over a whole sound in blocks of a second. heard: float32 (n,); events: (at, type, fields)."""

    def __init__(
        self,
        channel: dict[str, Any],
        said: Samples,
        other: Samples | None = None,
        *,
        seed: int = 1,
        rate: int = RATE,
        folder: Path | None = None,
    ) -> None:
        self.events: list[tuple[int, str, dict[str, Any]]] = []
        lines = decode({"user_to_agent": [channel]}, Lines, source="t", folder=folder or Path())
        (spec,) = lines.user_to_agent
        spec.check("case", rate)
        context = ChannelContext(
            sample_rate=rate,
            frame_samples=rate // 50,
            rng=np.random.default_rng(seed),
            emit=lambda at, type_, **fields: self.events.append((at, type_, fields)),
        )
        self.channel: Any = spec.build(context)
        said = freeze(said[: len(said) // context.frame_samples * context.frame_samples].astype(np.float32))
        other = silence(len(said)) if other is None else freeze(other[: len(said)].astype(np.float32))
        pieces = [
            self.channel.carry(
                AudioFrame(at, _part(said, at, context.frame_samples)),
                AudioFrame(at, _part(other, at, context.frame_samples)),
            ).samples
            for at in range(0, len(said), 50 * context.frame_samples)
        ]
        self.said, self.heard = said, np.concatenate(pieces)

    def measured(self) -> dict[str, Any]:
        """What the channel says of itself."""
        return dict(self.channel.measured())

    def told(self, type_: str) -> list[tuple[int, dict[str, Any]]]:
        """The events of a type."""
        return [(at, fields) for at, name, fields in self.events if name == type_]


def _part(sound: Samples, at: int, frame: int) -> Samples:
    part = sound[at : at + 50 * frame]
    return part if part.any() else silence(len(part))


def level_db(sound: Samples) -> float:
    """The level of a sound in dBFS."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


def tone(hz: float, length_s: float = 2.0, rate: int = RATE) -> Samples:
    """A sine at a tenth of full scale."""
    at = np.arange(round(length_s * rate)) / rate
    return np.asarray(0.1 * np.sin(2 * np.pi * hz * at), np.float32)


def steady(length_s: float, level: float = 0.1, rate: int = RATE) -> Samples:
    """The same value all the time: what is missing of it is seen."""
    return np.full(round(length_s * rate), level, np.float32)
