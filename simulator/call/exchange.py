"""The exchange: what happens inside one tick between two mouths and two pairs of ears.

said[k] of both parties goes in; injectors add theirs; the said frames are put on the int16 grid; each passes its line;
said and heard are recorded at the same sample; heard[k] of both parties comes out. The same on every clock.
"""

from collections.abc import Callable, Mapping
from typing import Any

from simulator.call.chance import CHANNELS, generator
from simulator.call.mouth import Mouth
from simulator.call.windows import Windows
from simulator.events import PARTIES, EventLog, Party
from simulator.frame import AudioFrame, Samples
from simulator.injector import Tracks
from simulator.line import Channel, ChannelContext, Line
from simulator.scenario import DIRECTIONS, Scenario
from simulator.speaking.ears import LevelEars

Record = Callable[[Samples, Samples, Samples, Samples], None]
"""Takes what user and agent said and what user and agent heard: float32 (n,) each."""


class Exchange:
    """Carries one tick after the other, or several at once; made once per session.

    on_grid: for each party with an actor whether it promises samples that lie on the int16 grid already.
    """

    def __init__(
        self,
        scenario: Scenario,
        log: EventLog,
        record: Record,
        *,
        on_grid: Mapping[Party, bool],
        pressed: Callable[[str], bool],
    ) -> None:
        self._record = record
        self._count = scenario.frame_samples
        self.mouths = {
            party: Mouth(party, scenario, log, on_grid=on_grid.get(party, False), pressed=pressed) for party in PARTIES
        }
        self._user, self._agent = self.mouths["user"], self.mouths["agent"]
        self.lines = {direction: _line(scenario, direction, log) for direction in DIRECTIONS}
        self._to_agent, self._to_user = self.lines["user_to_agent"], self.lines["agent_to_user"]
        rate = scenario.sample_rate
        self._ears = (LevelEars(rate), LevelEars(rate)) if scenario.injectors else None
        self._tracks = Tracks(user=self._ears[0].activity, agent=self._ears[1].activity) if self._ears else None

    @property
    def takes_blocks(self) -> bool:
        """Whether all injectors and channels take several frames at once."""
        return all(mouth.takes_blocks for mouth in self.mouths.values()) and all(
            line.takes_blocks for line in self.lines.values()
        )

    def settled(self, now: int) -> int:
        """Decide what the injectors add from `now` on, and give the sample up to which that holds."""
        return min(self._user.settled(now, self._tracks), self._agent.settled(now, self._tracks))

    def carry(self, now: int, user: Samples, agent: Samples, count: int) -> tuple[AudioFrame, AudioFrame]:
        """Carry what both say in [now, now + count) and give what (user, agent) hear: float32 (count,) each.

        count: of a tick, or of several up to where everything is settled.
        """
        said_user = self._user.say(now, user, self._tracks, count)
        said_agent = self._agent.say(now, agent, self._tracks, count)
        if self._ears is not None:
            # After both mouths: an injector judges the clean tracks up to the tick before.
            for ears, clean in zip(self._ears, (user, agent), strict=True):
                if count == self._count:
                    ears.hear(AudioFrame(now, clean))
                else:
                    ears.hear_block(AudioFrame(now, clean), self._count)
        from_user, from_agent = AudioFrame(now, said_user), AudioFrame(now, said_agent)
        agent_hears = self._to_agent.carry(from_user, from_agent) if self._to_agent.channels else from_user
        user_hears = self._to_user.carry(from_agent, from_user) if self._to_user.channels else from_agent
        self._record(said_user, said_agent, user_hears.samples, agent_hears.samples)
        return user_hears, agent_hears

    def close(self, now: int) -> None:
        """Account for what the end of the session cuts off."""
        for mouth in self.mouths.values():
            mouth.close(now)

    def measured(self) -> dict[str, Any]:
        """What the lines measured of themselves, by direction and position; only channels with something to say.

        The stated delay stands beside it, so that a reader of the session can subtract it.
        """
        found: dict[str, Any] = {}
        for direction, line in self.lines.items():
            reports = {
                str(index): report for index, channel in enumerate(line.channels) if (report := _measured(channel))
            }
            if reports:
                found[direction] = reports
        return found


def _measured(channel: Channel) -> dict[str, Any]:
    """What a channel says of itself at the session's end, and its stated delay."""
    report = getattr(channel, "measured", None)
    stated = {"delay_samples": channel.delay_samples} if channel.delay_samples else {}
    return {**(report() if report is not None else {}), **stated}


def _line(scenario: Scenario, direction: str, log: EventLog) -> Line:
    specs = getattr(scenario.lines, direction)
    speaker: Party = "user" if direction == "user_to_agent" else "agent"

    def emit(at: int, type_: str, /, **fields: Any) -> None:
        log.add(at, type_, "line", direction=direction, **fields)

    windows = Windows(speaker, scenario.sample_rate, scenario.frame_samples)
    channels = [
        windows.built(
            spec,
            ChannelContext(
                sample_rate=scenario.sample_rate,
                frame_samples=scenario.frame_samples,
                rng=generator(scenario.seed, CHANNELS, speaker, index),
                emit=emit,
            ),
            index,
        )
        for index, spec in enumerate(specs)
    ]
    return Line(channels, windows.judge if any(spec.windowed for spec in specs) else None)
