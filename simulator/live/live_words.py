"""Words as they are recognised: what a human says, told a moment after each stretch of speech.

Recognition runs in one thread of its own, one stretch after the other; where no recogniser is installed, or it does not
hear the language, nothing is told.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from simulator.engines.kinds import RecognizerSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import ScenarioError
from simulator.events import Party
from simulator.frame import Samples
from simulator.planning.languages import hears, said_of
from simulator.scenario import Scenario

PRE_ROLL_S = 0.5
LONGEST_S = 20.0

Tell = Callable[[Party, float, float, str], None]


def hearing_live(scenario: Scenario) -> RecognizerSpec:
    """Give who hears words during a talk: the scenario's recogniser, unless asking it once more would be paid for."""
    return MoonshineSpec() if scenario.recognizer.traits().billed_as else scenario.recognizer


class LiveWords:
    """Listens to the given parties. tell(party, start, end, text) is called on the event loop; times in seconds."""

    def __init__(self, scenario: Scenario, parties: Sequence[Party], tell: Tell) -> None:
        self._rate = scenario.sample_rate
        self._recognizer = hearing_live(scenario)
        spoken = {party: said_of(scenario.actor(party)) for party in parties}
        self._parties = [party for party in parties if not spoken[party] or hears(self._recognizer, spoken[party])]
        self._tell = tell
        ticks = round(PRE_ROLL_S * self._rate / scenario.frame_samples)
        self._before: dict[Party, deque[Samples]] = {party: deque(maxlen=ticks) for party in parties}
        self._stretch: dict[Party, list[Samples]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live-words")
        self._off = False

    @property
    def listens(self) -> bool:
        """Whether there is anybody whose words it can tell."""
        return bool(self._parties) and not self._off

    def warm(self) -> None:
        """Load the recogniser, whoever asks it first: blocking."""
        if not self.listens:
            return
        try:
            loading = self._recognizer.shared().warm()
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
                text = self._recognizer.shared().recognize(samples, self._rate).text
            except ScenarioError:
                self._off = True
                return
            loop.call_soon_threadsafe(self._tell, party, start, end, text)

        self._thread.submit(work)

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)
