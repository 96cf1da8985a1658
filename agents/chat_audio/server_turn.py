"""How a served chat turn is played, and what is told of it: the answer's text, its two channels, its debug_info.

An actor of any kind is played by `WholeTurns`: its reply is over when it has been quiet for a while. Models whose
frames last 80 ms have a way of their own (server_loop.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from agents.chat_audio.frame_loop import FRAME_S, PAD
from agents.chat_audio.server_request import ChatRequest
from agents.serve.presence import Check
from agents.serve.turn import ServedTurn, TurnRules, take_turn
from simulator.frame import Samples
from simulator.serving.served_session import ServedSession

PEAK = 0.95
_PIECE = 2**18


class ToldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a turn. content: the answer's text, with stamps where there are any; text: as it is kept.

    user, agent: both channels from the turn's beginning, float32 (n,) each at sample_rate Hz. tokens: how many were
    said. debug: its debug_info.
    """

    content: str
    text: str
    user: Samples
    agent: Samples
    sample_rate: int
    tokens: int
    debug: dict[str, Any]

    def stereo(self) -> Samples:
        """User left, agent right, silence behind the shorter one: float32 (n, 2)."""
        both = np.zeros((max(len(self.user), len(self.agent)), 2), np.float32)
        # A piece at a time: at once, ten minutes hold up everybody else for 100 ms.
        for channel, sound in enumerate((self.user, self.agent)):
            for start in range(0, len(sound), _PIECE):
                part = sound[start : start + _PIECE]
                both[start : start + len(part), channel] = part
        return both


def raised(samples: Samples) -> Samples:
    """Raise, or lower, to a peak of 0.95, as that server does; silence stays as it is: float32 of any shape."""
    peak = float(np.max(np.abs(samples), initial=0.0))
    return (samples * np.float32(PEAK / peak)).astype(np.float32) if peak > 0 else samples


class TurnPlayer(Protocol):
    """Plays turns of dialogues, each in a session that was opened as `opened` says."""

    rate: int
    """Hz of a turn's sound as `play` gets it."""
    opened: Mapping[str, Any]
    kept: Mapping[str, bool]
    """What a dialogue's information tells of the model's state."""

    def sounds(self, asked: ChatRequest) -> Sequence[bytes]:
        """Give the sound files that make up a request's turn. RefusedError: it has some that are not played."""
        ...

    async def play(self, session: ServedSession, samples: Samples, texts: Sequence[str], check: Check) -> ToldAnswer:
        """Play a turn, float32 (n,), and wait for the reply. texts: of the replies before it."""
        ...


class WholeTurns:
    """Plays turns to an actor of any kind. stamps: put NeMo's `<|t|>` stamps into the text."""

    rate = 24_000
    opened: Mapping[str, Any] = {}
    kept: Mapping[str, bool] = {}

    def __init__(self, rules: TurnRules, *, stamps: bool) -> None:
        self._rules = rules
        self._stamps = stamps

    def sounds(self, asked: ChatRequest) -> Sequence[bytes]:
        """All of the turn's, one after the other."""
        return asked.turn.sounds

    async def play(self, session: ServedSession, samples: Samples, texts: Sequence[str], check: Check) -> ToldAnswer:
        """See TurnPlayer."""
        turn = await take_turn(session, samples, self._rules, check)
        return ToldAnswer(content=self._content(turn), text=turn.text, user=turn.user, agent=turn.agent,
                          sample_rate=turn.sample_rate, tokens=len(turn.text.split()), debug=_debug(turn))  # fmt: skip

    def _content(self, turn: ServedTurn) -> str:
        if not self._stamps:
            return turn.text
        end_s = (turn.reply_at + len(turn.reply)) / turn.sample_rate
        begin, end = (round(time_s / FRAME_S) * FRAME_S for time_s in (turn.reply_at / turn.sample_rate, end_s))
        return f"<|{begin:.2f}|> {turn.text} <${end:.2f}$>"


def _debug(turn: ServedTurn) -> dict[str, Any]:
    """What a turn's debug_info tells: times in seconds from its beginning, and words by frames of 80 ms."""
    rate = turn.sample_rate
    frames = -(-len(turn.agent) // round(FRAME_S * rate))
    spoken_at: dict[int, str] = {}
    for word, onset in turn.words:
        frame = min(frames - 1, max(0, int(onset / rate / FRAME_S)))
        spoken_at[frame] = f"{spoken_at.get(frame, '')} {word}"
    asked = turn.asked / rate / FRAME_S
    heard_at = {min(frames - 1, int(asked)): f" {turn.understood}"} if turn.understood else {}
    return {
        "total_frames": frames, "user_s": round(turn.asked / rate, 3), "start_s": round(turn.start / rate, 3),
        "response_s": round(len(turn.reply) / rate, 3), "stop_reason": turn.stopped, "asr_text": turn.understood,
        "frame_alignment": {
            "frame_idx": list(range(frames)),
            "user_stream": ["user_turn" if index < asked else "agent_response" for index in range(frames)],
            "agent_stream_decoded": [spoken_at.get(index, PAD) for index in range(frames)],
            "asr_stream_decoded": [heard_at.get(index, PAD) for index in range(frames)],
        },
    }  # fmt: skip
