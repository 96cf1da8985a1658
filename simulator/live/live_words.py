"""Words as they are recognised: what a human says, told a moment after each stretch of speech.

Recognition runs in one thread of its own, one stretch after the other; where no recogniser is installed nothing is
told.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import ScenarioError
from simulator.events import Party
from simulator.frame import Samples

PRE_ROLL_S = 0.5
LONGEST_S = 20.0
RECOGNIZER = MoonshineSpec()

Tell = Callable[[Party, float, float, str], None]


class LiveWords:
    """Listens to the given parties. tell(party, start, end, text) is called on the event loop; times in seconds."""

    def __init__(self, sample_rate: int, frame_samples: int, parties: Sequence[Party], tell: Tell) -> None:
        self._rate = sample_rate
        self._parties = parties
        self._tell = tell
        ticks = round(PRE_ROLL_S * sample_rate / frame_samples)
        self._before: dict[Party, deque[Samples]] = {party: deque(maxlen=ticks) for party in parties}
        self._stretch: dict[Party, list[Samples]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live-words")
        self._off = False

    def warm(self) -> None:
        """Load the recogniser, whoever asks it first: blocking."""
        try:
            loading = RECOGNIZER.shared().warm()
            if loading is not None:
                loading.join()
        except ScenarioError:
            self._off = True

    def hear(self, party: Party, samples: Samples, *, speaking: bool, now: int) -> None:
        """Take a tick; a stretch that has just ended goes to the recogniser."""
        if party not in self._parties or self._off:
            return
        if speaking:
            stretch = self._stretch.setdefault(party, list(self._before[party]))
            stretch.append(samples)
            if sum(map(len, stretch)) > LONGEST_S * self._rate:
                self._recognise(party, now)
        elif party in self._stretch:
            self._stretch[party].append(samples)
            self._recognise(party, now)
        self._before[party].append(samples)

    def _recognise(self, party: Party, now: int) -> None:
        import asyncio

        samples = np.concatenate(self._stretch.pop(party))
        loop = asyncio.get_running_loop()
        start, end = (now - len(samples)) / self._rate, now / self._rate

        def work() -> None:
            try:
                text = RECOGNIZER.shared().recognize(samples, self._rate).text
            except ScenarioError:
                self._off = True
                return
            loop.call_soon_threadsafe(self._tell, party, start, end, text)

        self._thread.submit(work)

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)
