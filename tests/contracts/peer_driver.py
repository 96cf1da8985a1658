"""Drives a peer's protocol core by hand: messages and sound in, what it does out. No socket, no clock."""

from typing import Any

import numpy as np

from agents.remote.peer_core import Core, Note, Redial, Send
from simulator.frame import Samples, silence
from simulator.testing import burst


class Driver:
    """Steps a core in frames of 20 ms. `sent`: messages that carry no sound; `notes`: (at, type, fields)."""

    def __init__(self, core: Core, party: Any = "agent") -> None:
        self.core = core
        self.at = -1
        self.sent: list[Any] = []
        self.sounds = 0
        self.notes: list[tuple[int, str, dict[str, Any]]] = []
        self.redials = 0
        self.said: list[Samples] = []
        core.begin(party, noisy=False)
        self._input = round((core.format.input_rate or 0) * 0.02)
        self._output = round((core.format.output_rate or 0) * 0.02)

    def receive(self, *messages: dict[str, Any]) -> "Driver":
        """Hand messages over in the present step."""
        for message in messages:
            self.core.receive(message, self.at)
        self._perform()
        return self

    def step(self, frames: int = 1, *, speech: bool = False) -> "Driver":
        """Play frames of silence, or of noise at speech level."""
        for _ in range(frames):
            self.at = self._output if self.at < 0 else self.at + self._output
            self.core.hear(burst(self._input) if speech else silence(self._input), self.at)
            self.said.append(self.core.say(self._output, self.at))
            self._perform()
        return self

    def sound(self) -> int:
        """How many samples that are not silence were said."""
        return int(np.count_nonzero(np.concatenate(self.said))) if self.said else 0

    def types(self) -> list[str]:
        """The types of what was sent."""
        return [message["type"] for message in self.sent]

    def noted(self, type_: str) -> list[dict[str, Any]]:
        """The fields of notes of a type."""
        return [fields for _, noted, fields in self.notes if noted == type_]

    def drop(self) -> "Driver":
        """Forget what was sent and noted so far."""
        self.sent.clear()
        self.notes.clear()
        return self

    def _perform(self) -> None:
        for action in self.core.actions.take():
            if isinstance(action, Send) and action.heard:
                self.sounds += 1
            elif isinstance(action, Send):
                self.sent.append(action.message)
            elif isinstance(action, Note):
                self.notes.append((action.at, action.type, dict(action.fields)))
            elif isinstance(action, Redial):
                self.redials += 1
