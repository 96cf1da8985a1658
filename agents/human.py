"""A human at a microphone: in a browser page, or at a sound device of this machine (`simulate talk`)."""

from simulator.actor import Actor, ActorSpec, Context
from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, silence
from simulator.live.handset import HANDSETS, Handset
from simulator.traits import PartyTraits, StepTraits


class HumanSpec(ActorSpec, frozen=True, kw_only=True, tag="human"):
    """Take part yourself: `user: human`, then `simulate talk scenario.yaml`.

    Runs on the wall clock. echo_canceller: whether the browser takes the loudspeaker out of the microphone.
    """

    echo_canceller: bool = True

    def traits(self) -> PartyTraits:
        """A human has a real time of their own."""
        return PartyTraits(live=True, own_time=True, echo_canceller=self.echo_canceller)

    def build(self) -> "Human":
        """Make the actor."""
        return Human()


class Human(Actor):
    """Says what the microphone captured and plays what is heard; done when the human hangs up.

    Events, on its own output stream: `mouth_to_ear` (the line's delay and its parts), `microphone` (which capture frame
    is said now, and what explains its distance to session time), `underrun` and `late` (steps of it).
    """

    traits = StepTraits(threaded=False)

    def __init__(self) -> None:
        self._handset: Handset | None = None

    async def start(self, context: Context) -> None:
        """Find the handset. ScenarioError when this run has none for the party."""
        self._handset = context.shared.get(HANDSETS, {}).get(context.party)
        if self._handset is None:
            raise ScenarioError(f"the {context.party} is human: take part with `simulate talk`")
        self._emit = context.emit
        self._rate = context.output_rate
        self._now = 0

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Play what is heard, say what the microphone has."""
        handset, count = self._handset, len(heard.samples)
        assert handset is not None
        self._now = heard.start + count
        if heard.start < 0:  # before the session: to take sound twice in a moment would empty the buffer
            return AudioFrame(self._now, silence(count))
        if not handset.talking:
            handset.begin()
        handset.hear(heard)
        samples = handset.say(count)
        if handset.talking:
            self._tell(handset.news())
        self.done = handset.gone
        return AudioFrame(self._now, samples)

    async def close(self) -> None:
        """Give the last account."""
        handset = self._handset
        if handset is not None and handset.talking:
            self._tell(handset.last_news())

    def _tell(self, news: list[tuple[str, dict[str, object]]]) -> None:
        for type_, fields in news:
            size = fields.get("size")
            since = {"since": max(0, self._now - size)} if type_ == "underrun" and isinstance(size, int) else {}
            self._emit(self._now, type_, **since, **fields)
