"""The lobby: sound flows before the session does, so that the line can be tried and the buffers settle.

From the moment a handset is attached until the conversation begins, its line is kept running tick by tick on the wall
clock, with silence or a probe going out and the microphone coming in: the same buffers as later, in the same way.
"""

from collections import deque

import anyio
import numpy as np

from simulator.clock import WallClock, sleep
from simulator.errors import RemoteError
from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.live.handset import Handset
from simulator.live.probes import Leak, click, click_return, leak_of, tone

SETTLE_S = 0.8
RETURN_S = 1.0
"""A return later than this is not looked for."""

CLICKS = 3
"""A machine that stalls swallows a click now and then."""

PATIENCE_S = 5.0


class Lobby:
    """Keeps one handset's line running before the conversation. `run` ends when it begins or the handset is let go."""

    def __init__(self, handset: Handset) -> None:
        self._handset = handset
        self._outgoing: deque[Samples] = deque()
        self._captured: list[Samples] | None = None
        self._alone = anyio.Lock()

    async def run(self) -> None:
        """Play and capture tick by tick."""
        handset, count = self._handset, self._handset.frame_samples
        clock = WallClock(handset.sample_rate)
        clock.begin()
        tick = 0
        while handset.attached and not handset.talking:
            await clock.sleep_until(tick * count)
            if handset.talking:
                return
            # As in a session: what is captured in a tick is there before what that tick plays can return.
            captured = handset.say(count)
            handset.hear(AudioFrame(tick * count, self._outgoing.popleft() if self._outgoing else silence(count)))
            if self._captured is not None:
                self._captured.append(captured)
            tick += 1

    async def click_test(self, beside_ms: float = 0.0) -> float | None:
        """Play a click and give the ms until it came back, a tick for the session included; None when it did not.

        beside_ms: what lies outside the loop that the click takes, such as hardware that only states its delay.
        """
        async with self._alone:
            await self._listen(silence(0), SETTLE_S)
            rate = self._handset.sample_rate
            for _ in range(CLICKS):
                found = click_return(await self._listen(click(rate), RETURN_S), rate)
                if found is not None:
                    break
                await self._listen(silence(0), SETTLE_S)  # one that is on its way would be taken for the next
        if found is None:
            return None
        self._handset.measured_ms = round(1000 * found / rate + self._handset.parts.tick + beside_ms, 1)
        return self._handset.measured_ms

    async def echo_test(self) -> Leak:
        """Play the tone and say how much of it the microphone hears."""
        async with self._alone:
            rate = self._handset.sample_rate
            before = await self._listen(silence(0), SETTLE_S)
            played = tone(rate)
            heard = await self._listen(played, len(played) / rate + RETURN_S)
        return leak_of(before, heard, rate)

    async def _listen(self, playing: Samples, length_s: float) -> Samples:
        """Play, and give what was captured from that tick on: float32 (n,). RemoteError when the line went away."""
        count = self._handset.frame_samples
        padded = np.concatenate([playing, np.zeros(-len(playing) % count, np.float32)])
        self._captured = []
        self._outgoing.extend(freeze(padded[start : start + count].copy()) for start in range(0, len(padded), count))
        wanted = round(length_s * self._handset.sample_rate)
        captured = self._captured
        try:
            with anyio.fail_after(length_s + PATIENCE_S):
                while len(captured) * count < wanted:
                    if not self._handset.attached or self._handset.talking:
                        raise RemoteError("the line was left while it was being tried")
                    await sleep(count / self._handset.sample_rate)
        except TimeoutError:
            raise RemoteError("the line stood still while it was being tried") from None
        finally:
            self._captured = None
        return np.concatenate(captured)
