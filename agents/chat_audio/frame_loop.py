"""The frame loop of the NeMo-Skills server, without I/O: how a turn is cut into steps, and when its reply is over.

Frames last 80 ms; a step holds `frames` of them. A turn is heard first: its sound, `padding_s` of silence behind it,
filled up to whole steps. Without sessions that is all of it. With sessions steps of silence follow until the reply has
ended, or for 30 s:

    energy   the root mean square over the last half second of what was said since then was above 0.01 once, and
             steps below it have come to half a second
    eos      the first token of a step was no padding once, and so many steps in a row began with padding

Both look at what is said after the turn alone: a reply that began earlier is waited for to the end of the 30 s. `eos`
counts steps and not frames, and frame_alignment has a row per step then, as that server has it: with two frames a step,
ten are 1.6 s.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from simulator.frame import Samples, silence

EndMode = Literal["energy", "eos", "audio_energy"]
"""`audio_energy` is how that server writes `energy`."""

FRAME_S = 0.08
"""NeMo's frame: what frame_alignment counts."""
PAD = "<SPECIAL_12>"
"""Its token for a frame in which nothing new is said."""
ENERGY_WINDOW_S, ENERGY = 0.5, 0.01
MOST_RESPONSE_S = 30.0


class LoopRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a turn is played. sessions: whether a reply is waited for. decode: whether it is decoded to sound.

    frames: per step. padding_s: silence behind the turn. window: how many steps of padding end a reply.
    """

    sessions: bool = True
    mode: EndMode = "energy"
    window: int = 10
    padding_s: float = 5.0
    frames: int = 1
    decode: bool = True
    longest_s: float = MOST_RESPONSE_S


class LoopToken(msgspec.Struct, frozen=True):
    """A token of a stream: its id, its text with the leading space, whether it is padding."""

    token: int = -1
    text: str = ""
    pad: bool = True


NOTHING = LoopToken()


class LoopStep(msgspec.Struct, frozen=True, kw_only=True):
    """What a step gave: float32 (n,) at the model's rate, and tokens by the model's own frame, which may be past."""

    pcm: Samples
    said: Mapping[int, LoopToken] = {}
    heard: Mapping[int, LoopToken] = {}


def turn_steps(samples: Samples, rate: int, rules: LoopRules) -> list[Samples]:
    """Cut a turn, float32 (n,) at rate Hz, into steps of float32 (frames * 80 ms,), silence behind it."""
    frame = round(FRAME_S * rate)
    total = len(samples) + int(rules.padding_s * rate)
    size = rules.frames * frame
    whole = np.zeros(-(-total // size) * size, np.float32)
    whole[: len(samples)] = samples
    return [whole[start : start + size] for start in range(0, len(whole), size)]


class EnergyEnd:
    """A reply that has been heard and then was quiet for half a second. started: whether it was heard."""

    def __init__(self, rate: int) -> None:
        self.started = False
        self._window = int(ENERGY_WINDOW_S * rate)
        self._recent = silence(0)
        self._quiet = 0

    def over(self, pcm: Samples) -> bool:
        """Take a step's sound, float32 (n,)."""
        self._recent = np.concatenate([self._recent, pcm])[-self._window :]
        if len(pcm) and math.sqrt(float(np.mean(np.square(self._recent, dtype=np.float64)))) > ENERGY:
            self.started, self._quiet = True, 0
        elif self.started:
            self._quiet += len(pcm)
        return self.started and self._quiet >= self._window


class PaddingEnd:
    """A reply whose steps begin with padding, `window` in a row, after one that did not."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._started = False
        self._pads = 0

    def over(self, first: LoopToken) -> bool:
        """Take the token of a step's first frame."""
        if not first.pad:
            self._started, self._pads = True, 0
        elif self._started:
            self._pads += 1
        return self._started and self._pads >= self._window


class LoopTurn:
    """A turn as its steps come in. start: the first frame's number in the dialogue. rate: Hz of what is said."""

    def __init__(self, rules: LoopRules, start: int, rate: int) -> None:
        self.rules, self.start, self.rate = rules, start, rate
        self.turn_frames = self.response_frames = 0
        self.stopped = ""
        self._energy, self._padding = EnergyEnd(rate), PaddingEnd(rules.window)
        self._sound: list[Samples] = []
        self._said: dict[int, LoopToken] = {}
        self._heard: dict[int, LoopToken] = {}
        self._stops: list[bool] = []

    @property
    def final(self) -> int:
        """The number of the frame after the last one."""
        return self.start + self.turn_frames + self.response_frames

    @property
    def waits(self) -> bool:
        """Whether more silence is to be heard."""
        return self.rules.sessions and not self.stopped

    @property
    def sound(self) -> Samples:
        """All that was said, from the turn's first frame on: float32 (n,)."""
        return np.concatenate([silence(0), *self._sound])

    def hear(self, step: LoopStep) -> None:
        """Take what came of a step of the turn itself."""
        self._note(step)
        self.turn_frames += self.rules.frames
        self._stops.append(False)

    def wait(self, step: LoopStep) -> None:
        """Take what came of a step of silence behind it, and see whether the reply is over."""
        first = self.final
        self._note(step)
        loud = self._energy.over(step.pcm) if self.rules.decode else False
        padded = self._padding.over(self._said.get(first, NOTHING))
        over = padded if self.rules.mode == "eos" else loud
        self.response_frames += self.rules.frames
        self._stops.append(over)
        if over:
            self.stopped = "eos" if self.rules.mode == "eos" else "audio_energy"
        elif self.response_frames >= int(self.rules.longest_s / FRAME_S):
            self.stopped = "max_duration"

    def _note(self, step: LoopStep) -> None:
        self._sound.append(step.pcm)
        self._said.update(step.said)
        self._heard.update(step.heard)

    def text(self, stream: Literal["said", "heard"] = "said", *, stamps: bool = True) -> str:
        """The words of this turn; stamps: with `<|t|>` and `<$t$>`, seconds from its beginning, where it was marked."""
        found = self._said if stream == "said" else self._heard
        parts = []
        for frame in range(self.start, self.final):
            text = found.get(frame, NOTHING).text
            time_s = round((frame - self.start) * FRAME_S, 3)
            marks = {"<s>": f"<|{time_s}|>", "</s>": f"<${time_s}$>"} if stamps else {"<s>": " ", "</s>": " "}
            parts.append(marks.get(text, text))
        whole = "".join(parts).strip()
        return whole if stamps else " ".join(whole.split())

    def tokens(self) -> int:
        """How many tokens were said that are no padding."""
        return sum(not self._said.get(frame, NOTHING).pad for frame in range(self.start, self.final))

    def debug(self, texts: Sequence[str] = ()) -> dict[str, Any]:
        """The debug_info of the turn. texts: of all turns of the dialogue so far, with this one."""
        alignment = self._alignment()
        told = {"total_frames": self.final, "frame_alignment": alignment, "asr_text": self.text("heard")}
        if not self.rules.sessions:
            return told
        return {
            "start_frame_idx": self.start,
            "final_frame_idx": self.final,
            "turn_frames": self.turn_frames,
            "response_frames": self.response_frames,
            "stop_reason": self.stopped,
            "audio_energy_response_started": self._energy.started,
            "turn_texts": list(texts),
            **told,
        }

    def _alignment(self) -> dict[str, list[Any]]:
        """Rows of the streams: with sessions of the first frame of every step, without of every frame."""
        every = self.rules.frames if self.rules.sessions else 1
        frames = range(self.start, self.final, every)
        said = [self._said.get(frame, NOTHING) for frame in frames]
        heard = [self._heard.get(frame, NOTHING) for frame in frames]
        asked = self.start + self.turn_frames
        return {
            "frame_idx": list(frames),
            "user_stream": ["user_turn" if frame < asked else "agent_response" for frame in frames],
            "agent_stream_token": [token.token for token in said],
            "agent_stream_decoded": [PAD if token.pad else token.text for token in said],
            "asr_stream_token": [token.token for token in heard],
            "asr_stream_decoded": [PAD if token.pad else token.text for token in heard],
            "is_tts_stop": self._stops if self.rules.sessions else [False] * len(frames),
        }
