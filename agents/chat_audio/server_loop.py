"""Serves a duplex model frame by frame, as the NeMo-Skills server does: its own frames in, its own frames out.

A session runs at the rate the model hears and in its steps, so that it hears the client's samples as they are; what it
says is taken from the model itself (in the session's folder it is resampled, and a step later). Frame t of the answer's
agent channel is what the model said while it heard frame t. Levels are that server's: the agent's channel is raised to
a peak of 0.95, then both together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from agents.chat_audio.frame_loop import FRAME_S, LoopRules, LoopStep, LoopToken, LoopTurn, turn_steps
from agents.chat_audio.server_request import ChatRequest
from agents.chat_audio.server_turn import ToldAnswer, raised
from agents.duplex.model import ModelSpec, Piece
from agents.duplex_model import DuplexModelActor, DuplexModelSpec
from agents.serve.http_json import RefusedError
from agents.serve.presence import Check
from simulator.actor import ActorSpec
from simulator.errors import ScenarioError
from simulator.frame import Samples, silence
from simulator.serving.served_session import ServedSession
from simulator.sound import recordings


def loop_model(actor: ActorSpec) -> ModelSpec | None:
    """Give the model whose frames can be served: a duplex model with frames of 80 ms; None for other actors."""
    if not isinstance(actor, DuplexModelSpec):
        return None
    audio = actor.model.audio()
    return actor.model if abs(audio.step_s / audio.frames - FRAME_S) < 1e-9 else None


def with_frames(actor: ActorSpec, frames: int | None) -> ActorSpec:
    """Give the actor with so many frames a step, where its model can change that."""
    model = loop_model(actor)
    if frames is None or model is None or not hasattr(model, "frames_per_step"):
        return actor
    changed: dict[str, Any] = {"model": msgspec.structs.replace(model, frames_per_step=frames)}
    return msgspec.structs.replace(actor, **changed)


def with_system_prompt(actor: ActorSpec, text: str) -> ActorSpec | None:
    """Give the actor with a system text as its model's prompt; None where its model takes none, or there is no text."""
    model = loop_model(actor)
    prompt: Any = getattr(model, "prompt", None)
    if model is None or not text.strip() or not isinstance(getattr(prompt, "text", None), str):
        return None
    changed: dict[str, Any] = {"prompt": msgspec.structs.replace(prompt, text=text)}
    whole: dict[str, Any] = {"model": msgspec.structs.replace(model, **changed)}
    return msgspec.structs.replace(actor, **whole)


class LoopTurns:
    """Plays turns to a duplex model, step by step. ScenarioError: so many frames are no whole number of its steps."""

    def __init__(self, model: ModelSpec, rules: LoopRules, frames: int | None) -> None:
        audio = model.audio()
        asked = audio.frames if frames is None else frames
        if asked % audio.frames:
            raise ScenarioError(
                f"num_frames_per_inference is {asked}; {model.name} takes {audio.frames} frames a step, "
                f"so {audio.frames} or a multiple of it is allowed"
            )
        self.rate = audio.input_rate
        self.opened: Mapping[str, Any] = {"sample_rate": audio.input_rate, "frame_ms": audio.step_ms}
        embedded = getattr(model, "history", None) == "embeddings"
        self.kept: Mapping[str, bool] = {"has_llm_cache": not embedded, "has_input_embeds_history": embedded}
        self._audio = audio
        self._rules = msgspec.structs.replace(rules, frames=asked)

    def sounds(self, asked: ChatRequest) -> Sequence[bytes]:
        """With sessions the last sound of the whole history, without the only one. RefusedError (400): several."""
        if not self._rules.sessions and len(asked.sounds) > 1:
            raise RefusedError(400, f"{len(asked.sounds)} sounds in one request; without sessions 1 is allowed")
        return asked.sounds[-1:]

    async def play(self, session: ServedSession, samples: Samples, texts: Sequence[str], check: Check) -> ToldAnswer:
        """See TurnPlayer."""
        frames_before = round(session.now / session.sample_rate / FRAME_S)
        turn = LoopTurn(self._rules, frames_before, self._audio.output_rate)
        if frames_before and isinstance(session.actor, DuplexModelActor):
            await session.actor.begin_turn()  # that server's voice is a new one each turn; its language model goes on
        quiet = silence(self._rules.frames * round(FRAME_S * self.rate))
        for step in turn_steps(samples, self.rate, self._rules):
            check()
            turn.hear(await self._step(session, step))
        while turn.waits:
            check()
            turn.wait(await self._step(session, quiet))
        return await session.in_thread(self._told, turn, samples, texts)

    async def _step(self, session: ServedSession, samples: Samples) -> LoopStep:
        """Let the model hear a step of the loop, which may be several of its own."""
        sound: list[Samples] = []
        said: dict[int, LoopToken] = {}
        heard: dict[int, LoopToken] = {}
        for start in range(0, len(samples), session.frame):
            await session.hear(samples[start : start + session.frame])
            session.take_events()
            actor = session.actor
            assert isinstance(actor, DuplexModelActor) and actor.last_answer is not None
            answer = actor.last_answer
            sound.append(answer.pcm)
            for piece in answer.pieces:
                (said if piece.stream == "said" else heard)[piece.frame] = _token(piece)
        await session.give_way()  # a long turn must not keep other clients waiting
        return LoopStep(pcm=np.concatenate(sound), said=said, heard=heard)

    def _told(self, turn: LoopTurn, samples: Samples, texts: Sequence[str]) -> ToldAnswer:
        text = turn.text()
        agent = raised(turn.sound) if self._rules.decode else silence(0)
        user = recordings.resample(samples, self.rate, turn.rate)
        both = raised(np.concatenate([user, agent]))
        return ToldAnswer(
            content=text, text=text, user=both[: len(user)], agent=both[len(user) :], sample_rate=turn.rate,
            tokens=turn.tokens(), debug=turn.debug([*texts, text]),
        )  # fmt: skip


def rested(session: ServedSession) -> None:
    """Let a model's batch go on without this session until the client's next turn, which may never come."""
    if isinstance(session.actor, DuplexModelActor):
        session.actor.rest()


def _token(piece: Piece) -> LoopToken:
    pad = not piece.text if piece.pad is None else piece.pad
    return LoopToken(piece.token, piece.text, pad)
