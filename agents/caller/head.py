"""A caller's head: makes text of what was heard, asks the mind, and remembers what both said."""

import anyio

from agents.caller.mind import Mind, Occurred, Situation, Thought
from simulator.actor import Context
from simulator.engines import Recognizer
from simulator.events import other_party
from simulator.speaking.dialogue import Message
from simulator.speaking.hearing import HeardSound


class Head:
    """Thinks about what `sound` holds. at: where on the stream it says a moment lies."""

    def __init__(self, mind: Mind, recognizer: Recognizer, sound: HeardSound) -> None:
        self._mind = mind
        self._recognizer = recognizer
        self._sound = sound
        self._history: list[Message] = []
        self._silences = 0

    async def think(self, occurred: Occurred, at: int) -> tuple[str, Thought]:
        """Give what was understood and what came to mind. RemoteError: what it thinks by failed."""
        sound = self._sound.sound()
        heard = ""
        if len(sound):
            heard = (await anyio.to_thread.run_sync(self._recognizer.recognize, sound, self._sound.sample_rate)).text
        if occurred in ("turn", "cut_in") and not heard.strip():
            return "", Thought(choice="wait", reason="understood nothing")
        self._silences = self._silences + 1 if occurred == "silence" else 0
        situation = Situation(
            occurred=occurred, heard=heard, history=tuple(self._history), silences=self._silences, at=at
        )  # fmt: skip
        return heard, await self._mind.think(situation)

    def said(self, heard: str, words: str) -> None:
        """Remember that `words` were said to what was heard."""
        if heard:
            self._history.append(Message(role="user", text=heard))
        self._history.append(Message(role="assistant", text=words))

    def cut(self, words: str) -> None:
        """Remember that only so much was said of what was said last."""
        self._history[-1] = Message(role="assistant", text=words)


def hears_noise(context: Context) -> bool:
    """Whether it may hear more than clean speech: through an impaired line, or of a model, a service or a person."""
    other = context.specs.get(other_party(context.party))
    if context.line_has_channels or other is None:
        return context.line_has_channels
    traits = other.traits()
    return traits.remote or traits.live or traits.host is not None
