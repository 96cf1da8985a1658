"""Mouths: what a party says in a tick, its actor's samples and what its injectors add."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from simulator.call.chance import INJECTORS, generator
from simulator.errors import ActorError
from simulator.events import EventLog, Party, other_party
from simulator.frame import Samples, silence, to_grid
from simulator.injector import BlockInjector, Injector, InjectorContext, Tracks
from simulator.scenario import Scenario
from simulator.speaking.cues import NEVER


class Mouth:
    """One party's mouth. on_grid: its actor promises samples that lie on the int16 grid already."""

    def __init__(
        self, party: Party, scenario: Scenario, log: EventLog, *, on_grid: bool, pressed: Callable[[str], bool]
    ) -> None:
        self.party = party
        self._log = log
        self._on_grid = on_grid
        self._count = scenario.frame_samples
        self.injectors: list[Injector] = []
        for spec in scenario.injectors:
            if spec.party == party:
                # Counted per party: an injector of the one must not change what those of the other draw.
                self.injectors.append(spec.build(self._context(scenario, len(self.injectors), pressed)))
        self._ahead = [injector for injector in self.injectors if isinstance(injector, BlockInjector)]

    def injecting(self) -> bool:
        """Whether an injector of the party is speaking."""
        return any(injector.speaking for injector in self.injectors)

    @property
    def takes_blocks(self) -> bool:
        """Whether every injector knows ahead what it adds."""
        return len(self._ahead) == len(self.injectors)

    def settled(self, now: int, tracks: Tracks | None) -> int:
        """Decide what the injectors add from `now` on, and give the sample up to which that holds."""
        if tracks is None:
            return NEVER
        bound = NEVER
        for injector in self._ahead:
            bound = min(bound, injector.settled(now, self._count, tracks))
        return bound

    def say(self, now: int, clean: Samples, tracks: Tracks | None, count: int) -> Samples:
        """Give what is said in the `count` samples from `now` on, injectors included, on the grid: float32 (count,).

        clean: what the actor says. tracks: both parties' activity, where anybody injects. ActorError: samples of
        another length, or no numbers.
        """
        said = clean
        if tracks is not None:
            for injector in self.injectors:
                extra = injector.inject(now, count, tracks)
                if extra is not None and extra is not silence(count):
                    said = said + extra
        if said is silence(count) or (self._on_grid and said is clean):
            return said
        return self._checked(now, said, count)

    def close(self, now: int) -> None:
        """Account for what the end of the session cuts off."""
        for injector in self.injectors:
            injector.close(now)

    def _checked(self, now: int, samples: Samples, count: int) -> Samples:
        if len(samples) != count:
            raise ActorError(f"{self.party} said {len(samples)} samples in a frame of {count} at sample {now}")
        # One product finds them all: what is no number makes the sum none.
        if not np.isfinite(np.dot(samples, samples)):
            raise ActorError(f"{self.party} said values that are not numbers (NaN or infinity) at sample {now}")
        return to_grid(samples)

    def _context(self, scenario: Scenario, index: int, pressed: Callable[[str], bool]) -> InjectorContext:
        return InjectorContext(
            sample_rate=scenario.sample_rate,
            rng=generator(scenario.seed, INJECTORS, self.party, index),
            emit=self._emit,
            prefix=f"{self.party}-injected{index}-",
            pressed=pressed,
            others_speaking=partial(self._others_speaking, index),
            injected_end=self._injected_end,
            takes_keys=scenario.actor(other_party(self.party)).traits().takes_keys,
        )

    def _emit(self, at: int, type_: str, /, **fields: Any) -> None:
        self._log.add(at, type_, self.party, **fields)

    def _others_speaking(self, index: int) -> bool:
        return any(other.speaking for place, other in enumerate(self.injectors) if place != index)

    def _injected_end(self) -> int:
        return max(injector.last_end for injector in self.injectors)
