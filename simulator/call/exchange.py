"""The exchange: what happens inside one tick between two mouths and two pairs of ears.

said[k] of both parties goes in; injectors add theirs; the said frames are put on the int16 grid; each passes its line;
said and heard are recorded at the same sample; heard[k] of both parties comes out. The same on every clock.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.call.recording import Recorder
from simulator.errors import ActorError
from simulator.events import PARTIES, EventLog, Party
from simulator.frame import AudioFrame, Samples, silence, to_grid
from simulator.injector import Injector, InjectorContext, Tracks
from simulator.line import ChannelContext, Line
from simulator.scenario import DIRECTIONS, Scenario
from simulator.speaking.ears import LevelEars

# Groups of seeded generators: one per actor, injector and channel, by party and position.
_ACTORS, _INJECTORS, _CHANNELS = 0, 1, 2


def generator(seed: int, group: int, party: Party, index: int = 0) -> np.random.Generator:
    """Spawn a generator from the session's seed by group, party and position."""
    return np.random.default_rng([seed, group, PARTIES.index(party), index])


def actor_generator(seed: int, party: Party) -> np.random.Generator:
    """The generator of a party's actor."""
    return generator(seed, _ACTORS, party)


class Exchange:
    """Carries one tick after the other; made once per session.

    on_grid: for each party whether its actor promises samples that lie on the int16 grid already.
    """

    def __init__(
        self,
        scenario: Scenario,
        log: EventLog,
        recorder: Recorder,
        on_grid: tuple[bool, bool],
        pressed: Callable[[str], bool],
    ) -> None:
        self._count = scenario.frame_samples
        self._quiet = silence(self._count)
        self._record = recorder.add
        self._on_grid = on_grid
        self.lines = {direction: _line(scenario, direction, log) for direction in DIRECTIONS}
        self._to_agent, self._to_user = self.lines["user_to_agent"], self.lines["agent_to_user"]
        self._injectors = _injectors(scenario, log, pressed)
        self._of_user = [injector for injector in self._injectors if injector.party == "user"]
        self._of_agent = [injector for injector in self._injectors if injector.party == "agent"]
        rate = scenario.sample_rate
        self._ears = (LevelEars(rate), LevelEars(rate)) if self._injectors else None
        self._tracks = Tracks(user=self._ears[0].activity, agent=self._ears[1].activity) if self._ears else None

    def injecting(self, party: Party) -> bool:
        """Whether an injector of the party is speaking."""
        return any(injector.speaking for injector in (self._of_user if party == "user" else self._of_agent))

    def tick(self, now: int, user: Samples, agent: Samples) -> tuple[AudioFrame, AudioFrame]:
        """Carry what both say in [now, now + n) and give what (user, agent) hear: float32 (n,) each."""
        clean = (user, agent)
        if self._ears is not None:
            user = self._with_injected(self._of_user, now, user)
            agent = self._with_injected(self._of_agent, now, agent)
            self._ears[0].hear(AudioFrame(now, clean[0]))
            self._ears[1].hear(AudioFrame(now, clean[1]))
        quiet = self._quiet
        if user is not quiet and not (self._on_grid[0] and user is clean[0]):
            user = self._checked("user", now, user)
        if agent is not quiet and not (self._on_grid[1] and agent is clean[1]):
            agent = self._checked("agent", now, agent)
        from_user, from_agent = AudioFrame(now, user), AudioFrame(now, agent)
        agent_hears = self._to_agent.carry(from_user, from_agent) if self._to_agent.channels else from_user
        user_hears = self._to_user.carry(from_agent, from_user) if self._to_user.channels else from_agent
        self._record(user, agent, user_hears.samples, agent_hears.samples)
        return user_hears, agent_hears

    def close(self, now: int) -> None:
        """Account for what the end of the session cuts off."""
        for injector in self._injectors:
            injector.close(now)

    def measured(self) -> dict[str, Any]:
        """What the lines measured of themselves, by direction and position; only channels with something to say."""
        found: dict[str, Any] = {}
        for direction, line in self.lines.items():
            reports = {
                str(index): report()
                for index, channel in enumerate(line.channels)
                if (report := getattr(channel, "measured", None)) is not None
            }
            if reports:
                found[direction] = reports
        return found

    def _with_injected(self, injectors: list[Injector], now: int, samples: Samples) -> Samples:
        tracks = self._tracks
        if tracks is None:
            return samples
        for injector in injectors:
            extra = injector.inject(now, self._count, tracks)
            if extra is not None and extra is not self._quiet:
                samples = samples + extra
        return samples

    def _checked(self, party: str, now: int, samples: Samples) -> Samples:
        if len(samples) != self._count:
            raise ActorError(f"{party} said {len(samples)} samples in a frame of {self._count} at sample {now}")
        if not np.isfinite(np.dot(samples, samples)):
            raise ActorError(f"{party} said values that are not numbers (NaN or infinity) at sample {now}")
        return to_grid(samples)


Siblings = Callable[[], list[Injector]]


def _line(scenario: Scenario, direction: str, log: EventLog) -> Line:
    specs = getattr(scenario.lines, direction)
    speaker: Party = "user" if direction == "user_to_agent" else "agent"

    def emit(at: int, type_: str, /, **fields: Any) -> None:
        log.add(at, type_, "line", direction=direction, **fields)

    return Line(
        [
            spec.build(
                ChannelContext(
                    sample_rate=scenario.sample_rate,
                    frame_samples=scenario.frame_samples,
                    rng=generator(scenario.seed, _CHANNELS, speaker, index),
                    emit=emit,
                )
            )
            for index, spec in enumerate(specs)
        ]
    )


def _injectors(scenario: Scenario, log: EventLog, pressed: Callable[[str], bool]) -> list[Injector]:
    built: list[Injector] = []
    places = dict.fromkeys(PARTIES, 0)
    for spec in scenario.injectors:
        party: Party = spec.party  # type: ignore[attr-defined]
        # Counted per party: an injector of the one must not change what those of the other draw.
        index = places[party]
        places[party] += 1

        def emit(at: int, type_: str, /, party: Party = party, **fields: Any) -> None:
            log.add(at, type_, party, **fields)

        def siblings(party: Party = party) -> list[Injector]:
            return [injector for injector in built if injector.party == party]

        def others_speaking(index: int = index, siblings: Siblings = siblings) -> bool:
            return any(other.speaking for place, other in enumerate(siblings()) if place != index)

        def injected_end(siblings: Siblings = siblings) -> int:
            return max(injector.last_end for injector in siblings())

        context = InjectorContext(
            sample_rate=scenario.sample_rate,
            rng=generator(scenario.seed, _INJECTORS, party, index),
            emit=emit,
            prefix=f"{party}-injected{index}-",
            pressed=pressed,
            others_speaking=others_speaking,
            injected_end=injected_end,
        )
        built.append(spec.build(context))  # type: ignore[attr-defined]
    return built
