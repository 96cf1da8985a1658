"""The room of a live session: its handsets, what everybody in it sees, and the keys they press.

    lobby ──all humans ready──> loading ──first tick──> talking ──hung up, or time is up──> scoring ──> over

Pages and the terminal view are listeners: they are told messages (plain dicts with a `type`) as things happen, and a
newcomer gets the latest of each kind. Events may come from threads of actors; listeners are told on the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Literal

import anyio
import msgspec
import numpy as np

from simulator import clock
from simulator.actor import ActorSpec
from simulator.call.surroundings import Surroundings
from simulator.events import PARTIES, Event, Party
from simulator.frame import Samples
from simulator.live.buttons import buttons_of
from simulator.live.floor_watch import FloorWatch, Notice
from simulator.live.handset import HANDSETS, Handset
from simulator.live.live_words import LiveWords
from simulator.scenario import Scenario, kind_of
from simulator.speaking.ears import EarsSpec, LevelEarsSpec, SileroEarsSpec

State = Literal["lobby", "loading", "talking", "scoring", "over"]
Message = dict[str, Any]
Listener = Callable[[Message], None]

TICKS_PER_STRIP = 5
"""Lanes are sent five ticks at a time."""

REMEMBERED = 400
"""Marks, words and rivals a newcomer is told."""

TOLD = ("speech_start", "speech_end", "recognised", "underrun", "late")
"""Events that listeners are told of; the session folder holds them all."""


class Room:
    """One live session. handsets: by human party. state: see above."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        rate, frame = scenario.sample_rate, scenario.frame_samples
        humans = [party for party in PARTIES if scenario.actor(party).traits().live]
        self.handsets = {party: Handset(party, rate, frame) for party in humans}
        self.buttons = buttons_of(scenario)
        self.state: State = "lobby"
        self.left = anyio.Event()
        self.on_rival: Callable[[int], None] = lambda _number: None
        """What a page's wish to put the take before another agent is told."""
        self._ready: set[Party] = set()
        self._all_ready = anyio.Event()
        self._listeners: set[Listener] = set()
        self._history: deque[Message] = deque(maxlen=REMEMBERED)
        self._latest: dict[str, Message] = {}
        self._pressed: list[str] = []
        self._watch = FloorWatch(rate, {party: _ears_for(scenario.actor(party)) for party in PARTIES})
        unheard = [party for party in humans if not _recognised_already(scenario, party)]
        self._words = LiveWords(scenario, unheard, self._say_words)
        self._strip: dict[Party, list[int]] = {party: [] for party in PARTIES}
        self._now = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        for handset in self.handsets.values():
            handset.on_begin = self._begin

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener what has happened and what happens; gives what ends that."""
        for message in (*self._latest.values(), *self._history):
            listener(message)
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def tell(self, type_: str, /, *, keep: bool = True, **fields: Any) -> None:
        """Tell everybody; `keep`: newcomers too, the latest of this type."""
        message = {"type": type_, **fields}
        if type_ in ("mark", "words", "words_end", "rival"):
            self._history.append(message)
        elif keep:
            self._latest[type_] = message
        for listener in tuple(self._listeners):
            listener(message)

    def enter(self, state: State, **fields: Any) -> None:
        """Go on to the next state."""
        self.state = state
        self.tell("state", state=state, **fields)
        if state == "scoring" and self._loop is not None:
            self._loop.call_soon(self._finish)  # behind the last events, which wait there

    def warm(self) -> None:
        """Load the detectors and the recogniser: blocking, for a thread."""
        self._watch.warm()
        self._words.warm()

    def ready(self, party: Party) -> None:
        """Note that a human is ready to talk."""
        self._ready.add(party)
        self.tell("ready", parties=sorted(self._ready))
        if self._ready == set(self.handsets):
            self._all_ready.set()

    async def everybody(self) -> None:
        """Wait until every human is ready."""
        self._loop = asyncio.get_running_loop()
        await self._all_ready.wait()

    def hang_up(self) -> None:
        """End the conversation for everybody."""
        for handset in self.handsets.values():
            handset.hang_up()

    def close(self) -> None:
        """Let the recogniser's thread go."""
        self._words.close()

    def press(self, key: str) -> None:
        """Press a button; a key that no injector waits for is ignored."""
        if self.state == "talking" and any(button.key == key for button in self.buttons):
            self._pressed.append(key)
            self.tell("pressed", key=key, keep=False)

    def surroundings(self) -> Surroundings:
        """What the session gets from this room."""
        return Surroundings(
            shared={HANDSETS: self.handsets}, buttons=self._take_pressed, listen=self._listen, overhear=self._overhear,
            stop=lambda: any(handset.gone for handset in self.handsets.values()),
        )  # fmt: skip

    def ask_rival(self, number: int) -> None:
        """Put the take before another agent, once there is one."""
        if self.state == "over":
            self.on_rival(number)

    def tell_delay(self) -> None:
        """Tell the delay of every human's line, in ms."""
        for party, handset in self.handsets.items():
            parts = handset.parts
            self.tell(
                f"delay_{party}", party=party, parts=msgspec.to_builtins(parts), to_session=round(parts.to_session),
                to_ear=round(parts.to_ear), measured=handset.measured_ms,
            )  # fmt: skip

    def _begin(self) -> None:
        if self.state != "talking":
            self.enter("talking", since=clock.seconds())

    def _take_pressed(self) -> list[str]:
        pressed, self._pressed = self._pressed, []
        return pressed

    def _overhear(self, user: Samples, agent: Samples) -> None:
        """Take one tick of both said tracks, on the event loop."""
        for party, samples in zip(PARTIES, (user, agent), strict=True):
            self._strip[party].append(round(100 * float(np.abs(samples).max(initial=0.0))))
            self._words.hear(party, samples, speaking=self._watch.speaking(party), now=self._now)
        self._tell_notices(self._watch.hear(self._now, user, agent))
        self._now += len(user)
        if len(self._strip["user"]) >= TICKS_PER_STRIP:
            self._tell_strip()

    def _finish(self) -> None:
        self._tell_notices(self._watch.finish())

    def _tell_notices(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self.tell("mark", **msgspec.to_builtins(notice))
        if any(notice.kind == "transfer" and notice.party == "agent" for notice in notices):
            times = self._watch.responses_ms
            self.tell("latency", last_ms=times[-1] if times else None, p50_ms=round(median(times)) if times else None)

    def _tell_strip(self) -> None:
        start = self._now - TICKS_PER_STRIP * self.scenario.frame_samples
        speaking = {party: self._watch.speaking(party) for party in PARTIES}
        self.tell("lanes", keep=False, at=start / self.scenario.sample_rate, speaking=speaking, **self._strip)
        self._strip = {party: [] for party in PARTIES}

    def _listen(self, event: Event) -> None:
        if event.type in TOLD and self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell_event, event)

    def _tell_event(self, event: Event) -> None:
        seconds = event.at / self.scenario.sample_rate
        if event.type in ("speech_start", "speech_end"):
            self._watch.take(event)
        if event.type == "speech_start":
            words = [[text, round(onset / self.scenario.sample_rate, 3)] for text, onset in event.data.get("words", ())]
            self.tell("words", party=event.party, at=seconds, text=event.data.get("text", ""), words=words,
                      id=event.data.get("id"), role=event.data.get("role", "turn"), source="truth")  # fmt: skip
        elif event.type == "speech_end":
            self.tell("words_end", id=event.data.get("id"), at=seconds, cut=bool(event.data.get("cut")))
        elif event.type == "recognised":
            since = event.data.get("heard_since", event.at) / self.scenario.sample_rate
            self._say_words("agent" if event.party == "user" else "user", since, seconds, event.data.get("text", ""))
        elif event.type in ("underrun", "late"):
            size_ms = round(1000 * event.data.get("size", 0) / self.scenario.sample_rate)
            self.tell("trouble", keep=False, what=event.type, party=event.party, at=seconds, ms=size_ms)

    def _say_words(self, party: Party, start: float, end: float, text: str) -> None:
        if text.strip():
            said = {"text": text, "words": [], "source": "asr", "role": "turn"}
            self.tell("words", keep=True, party=party, at=round(start, 3), end=round(end, 3), **said)


def _ears_for(spec: ActorSpec) -> EarsSpec:
    """A real microphone in a real room needs a detector; synthetic speech on a clean track does not."""
    return SileroEarsSpec() if spec.traits().live else LevelEarsSpec()


def _recognised_already(scenario: Scenario, party: Party) -> bool:
    """Whether the other party tells what it understood (a cascade does)."""
    other = scenario.actor("agent" if party == "user" else "user")
    return kind_of(other) == "cascade"
