"""Rules around Nemotron's tokens: when the floor is forced upon the agent, and when its reply has ended.

Both look at the token streams of one row, frame by frame (80 ms). `skills` is the rule of the NeMo-Skills
evaluation server, `nemo3` the default of NeMo 3.0.0; both let a pause of the user open the agent's turn,
`nemo3` also obeys the user's own turn marks.
"""

from collections import deque
from typing import Literal, Protocol

import msgspec
import numpy as np

from simulator.frame import Samples

PAD_WINDOW = 25
"""The user has been silent for 2 s."""
LOOK_BACK = 40
"""A mark of the agent within the last 3.2 s is not repeated."""

TurnRule = Literal["none", "skills", "nemo3"]
EndRule = Literal["none", "eos", "energy"]


class TokenMarks(msgspec.Struct, frozen=True, kw_only=True):
    """The special tokens: padding, and what opens and closes a turn, the agent's and (any of) the user's."""

    pad: int
    bos: int
    eos: int
    user_bos: tuple[int, ...]
    user_eos: tuple[int, ...]


class TokenHistory:
    """The last tokens of a row, the agent's and the heard ones, and how many frames there have been."""

    def __init__(self) -> None:
        self.frames = 0
        self._agent: deque[int] = deque(maxlen=LOOK_BACK)
        self._heard: deque[int] = deque(maxlen=PAD_WINDOW + 1)

    def add(self, agent: int, heard: int) -> None:
        """Note the tokens of a frame."""
        self.frames += 1
        self._agent.append(agent)
        self._heard.append(heard)

    def forced(self, rule: TurnRule, marks: TokenMarks, heard: int) -> int | None:
        """The token that the rule puts in place of the agent's in a frame in which `heard` was heard."""
        if rule == "none" or self.frames < PAD_WINDOW:
            return None
        opens = self._pause_began(marks) or (rule == "nemo3" and heard in marks.user_eos)
        if opens:
            return None if marks.bos in self._agent else marks.bos
        if rule == "nemo3" and heard in marks.user_bos:
            return None if marks.eos in self._agent else marks.eos
        return None

    def _pause_began(self, marks: TokenMarks) -> bool:
        """Whether the last 25 heard tokens are padding and the one before is not."""
        if len(self._heard) <= PAD_WINDOW or self._heard[0] == marks.pad:
            return False
        return all(token == marks.pad for token in list(self._heard)[1:])


class ReplyEnd(Protocol):
    """Says when a reply of the agent has ended, again and again."""

    def ended(self, agent: list[int], pcm: Samples) -> bool:
        """Take a step's agent tokens, one per frame, and its sound, float32 (n,); whether a reply ends."""
        ...


class EndAtPadding:
    """A reply ends with ten padding frames in a row after it began, however many frames a step has."""

    WINDOW = 10

    def __init__(self, pad: int) -> None:
        self._pad = pad
        self._pads: int | None = None

    def ended(self, agent: list[int], pcm: Samples) -> bool:
        """See ReplyEnd."""
        over = False
        for token in agent:
            if token != self._pad:
                self._pads = 0
            elif self._pads is not None:
                self._pads += 1
                if self._pads == self.WINDOW:
                    self._pads, over = None, True
        return over


class EndAtSilence:
    """A reply ends with half a second under an RMS of 0.01, taken over half a second, after it was above."""

    WINDOW = 11_025
    RMS = 0.01

    def __init__(self) -> None:
        self._window = np.zeros(self.WINDOW, np.float32)
        self._quiet: int | None = None

    def ended(self, agent: list[int], pcm: Samples) -> bool:
        """See ReplyEnd."""
        self._window = np.concatenate([self._window, pcm])[-self.WINDOW :]
        if float(np.sqrt(np.mean(np.square(self._window)))) > self.RMS:
            self._quiet = 0
        elif self._quiet is not None:
            self._quiet += len(pcm)
            if self._quiet >= self.WINDOW:
                self._quiet = None
                return True
        return False


def reply_end(rule: EndRule, marks: TokenMarks) -> ReplyEnd | None:
    """Make the detector of a rule; None for `none`."""
    if rule == "none":
        return None
    return EndAtPadding(marks.pad) if rule == "eos" else EndAtSilence()
