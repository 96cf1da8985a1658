"""Serves an actor as an OpenAI-compatible chat endpoint with audio parts, as the NeMo-Skills unified server is one.

    GET  /  /health  /v1/models  /v1/sessions  /v1/sessions/{id}      DELETE /v1/sessions/{id}
    POST /v1/chat/completions

A request's turn is the last user message: its sound, or its text spoken where it has none. It is played to the actor
on the virtual clock and the answer holds both channels, user left and agent right, from the turn's beginning. A request
goes on with a dialogue by `session_id` (at top level or in a literal `extra_body`) or by its history: role, text and
sound of every message tell dialogues apart, so strangers never continue each other's.

    400   no messages, nothing asked, sound that does not decode, http or file URLs
    404   a session that is not there; with `sessions: off` any
    500   the actor failed        503   not ready yet, stopping, or every place taken by a turn
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from agents.chat_audio.answer import FRAME_S
from agents.chat_audio.server_request import ChatRequest, read_request
from agents.chat_audio.server_sessions import Dialogues, SessionRules
from agents.serve.http_json import RefusedError, Sent, json_pieces, json_response, pieces_response
from agents.serve.presence import Check, watched
from agents.serve.sound_in import SoundBudget, joined_sound
from agents.serve.turn import ServedTurn, TurnServerSpec, take_turn
from simulator.actor import ActorSpec
from simulator.clock import today
from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import AnyVoice
from simulator.frame import Samples, freeze, silence
from simulator.scenario import kind_of
from simulator.serving.served_session import ServedSession
from simulator.serving.service import Service
from simulator.sound.wav import encode_wav
from simulator.speaking.voice import check_voice, spoken
from simulator.spec import Duration

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

PAD = "<SPECIAL_12>"
"""NeMo's token for a frame in which nothing new is said."""
KEPT_S = 3600
LONGEST_TEXT = 5000
"""Characters of a client's text that are spoken, or kept in the folder."""


class ChatAudioServerSpec(TurnServerSpec, frozen=True, kw_only=True, tag="chat_audio"):
    """OpenAI-compatible chat completions with audio, for NeMo-Skills clients.

    sessions: keep dialogues between requests. capacity: so many at most. ttl: so long after a last turn.

    text_voice: speaks a turn that is only text. stamps: put NeMo's `<|t|>` stamps into the text.
    """

    path: ClassVar[str] = "/v1"

    sessions: bool = True
    capacity: Annotated[int, Meta(ge=1)] = 100
    ttl: Duration = Duration(300.0)
    text_voice: AnyVoice = EspeakSpec(name="en-gb-x-rp")
    stamps: bool = False

    def check(self, actor: ActorSpec) -> None:
        """Refuse an actor that cannot be served, and unknown voices."""
        TurnServerSpec.check(self, actor)
        check_voice(self.text_voice, "--set text_voice")

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The paths of the protocol."""
        from starlette.routing import Route

        front = _Front(self, service)
        return [
            Route("/", front.root),
            Route("/health", front.health),
            Route("/v1/models", front.models),
            Route("/v1/sessions", front.sessions),
            Route("/v1/sessions/{id}", front.session, methods=["GET", "DELETE"]),
            Route("/v1/chat/completions", front.complete, methods=["POST"]),
        ]


class _Front:
    """The endpoints over a service."""

    def __init__(self, spec: ChatAudioServerSpec, service: Service) -> None:
        self._spec = spec
        self._service = service
        self._dialogues = Dialogues(service, SessionRules(capacity=spec.capacity, ttl_s=spec.ttl))

    async def root(self, request: "Request") -> "Response":
        paths = ["/health", "/v1/models", "/v1/chat/completions", *(["/v1/sessions"] if self._spec.sessions else [])]
        return json_response(
            {"service": "duplex-simulator", "backend": kind_of(self._service.actor), "endpoints": paths}
        )

    async def health(self, request: "Request") -> "Response":
        ready = self._service.ready and not self._service.stopping
        body = {"status": "healthy" if ready else "not ready", "backend": kind_of(self._service.actor),
                "modalities": ["text", "audio"], "timestamp": today()}  # fmt: skip
        return json_response(body, 200 if ready else 503)

    async def models(self, request: "Request") -> "Response":
        model = {"id": kind_of(self._service.actor), "object": "model", "created": 0, "owned_by": "duplex-simulator"}
        return json_response({"object": "list", "data": [model]})

    async def sessions(self, request: "Request") -> "Response":
        if not self._spec.sessions:
            return _refused(404, "this server keeps no sessions")
        kept = [dialogue.info() for dialogue in self._dialogues.all()]
        return json_response({"sessions": kept, "count": len(kept), "ttl_seconds": float(self._spec.ttl)})

    async def session(self, request: "Request") -> "Response":
        dialogue = self._dialogues.find(request.path_params["id"]) if self._spec.sessions else None
        if dialogue is None:
            return _refused(404, "there is no such session")
        if request.method != "DELETE":
            return json_response(dialogue.info())
        await self._dialogues.delete(dialogue)
        return json_response({"success": True, "turn_texts": dialogue.texts, **dialogue.info()})

    async def complete(self, request: "Request") -> "Response":
        body = await request.body()
        async with watched(request, self._service) as check:
            try:
                asked = await self._service.in_thread(read_request, body)
                samples = await self._service.in_thread(self._turn_of, asked, check)
            except RefusedError as error:
                return _refused(error.status, str(error))
            if self._spec.sessions:
                return await self._go_on(asked, samples, check)
            if asked.session_id is not None:
                return _refused(404, "this server keeps no sessions")
            async with self._service.place(), self._service.session() as session:
                turn = await self._play(session, asked, samples, check)
                name = session.id
            return pieces_response(await self._service.in_thread(self._answer, turn, name, {}))

    async def _go_on(self, asked: ChatRequest, samples: Samples, check: Check) -> "Response":
        """Play the turn in the dialogue that the request goes on with, or in a new one."""
        dialogue = await self._dialogues.of(asked)
        if dialogue is None:
            return _refused(404, "there is no such session")

        async def play(session: ServedSession, number: int) -> tuple[ServedTurn, str, int]:
            turn = await self._play(session, asked, samples, check)
            dialogue.key, dialogue.reply = asked.key, self._content(turn)
            dialogue.texts.append(turn.text)
            return turn, session.id, number

        turn, name, number = await dialogue.play(play)
        told = {"session_id": dialogue.id, "turn": number}
        return pieces_response(await self._service.in_thread(self._answer, turn, f"{name}-{number}", told))

    def _turn_of(self, asked: ChatRequest, check: Check) -> Samples:
        """The sound of what is asked; a text without sound is spoken."""
        rate, turn = 24_000, asked.turn
        if turn.sounds:
            return joined_sound(turn.sounds, rate, SoundBudget(longest_s=self._spec.longest_turn), check)
        if not turn.text.strip():
            return silence(rate // 2)
        line = spoken(turn.text[:LONGEST_TEXT], self._spec.text_voice, rate)
        return freeze(line.samples[: self._spec.longest_turn.samples(rate)].copy())

    async def _play(self, session: ServedSession, asked: ChatRequest, samples: Samples, check: Check) -> ServedTurn:
        check()
        texts = {"text": asked.turn.text[:LONGEST_TEXT], "system": asked.system[:LONGEST_TEXT]}
        told = {**texts, "settings": asked.settings}
        session.note("client_message", **{name: value for name, value in told.items() if value})
        return await take_turn(session, samples, self._spec.rules(), check)

    def _content(self, turn: ServedTurn) -> str:
        if not self._spec.stamps:
            return turn.text
        end_s = (turn.reply_at + len(turn.reply)) / turn.sample_rate
        begin, end = (round(time_s / FRAME_S) * FRAME_S for time_s in (turn.reply_at / turn.sample_rate, end_s))
        return f"<|{begin:.2f}|> {turn.text} <${end:.2f}$>"

    def _answer(self, turn: ServedTurn, name: str, told: dict[str, Any]) -> list[bytes]:
        """Write the chat.completion as JSON; told: the dialogue's session_id and the number of the turn in it."""
        debug = {**_debug(turn), **told}
        text = self._content(turn)
        content = f"{text}\n<debug_info>{msgspec.json.encode(debug).decode()}</debug_info>"
        now = round(datetime.fromisoformat(today()).timestamp())
        wav = Sent(encode_wav(np.stack([turn.user, turn.agent], axis=1), turn.sample_rate))
        audio = {"id": f"audio-{name}", "data": wav.mark, "format": "wav",
                 "sample_rate": turn.sample_rate, "expires_at": now + KEPT_S, "transcript": text}  # fmt: skip
        message = {"role": "assistant", "content": content, "audio": audio}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {
            "id": f"chatcmpl-{name}",
            "object": "chat.completion",
            "created": now,
            "model": kind_of(self._service.actor),
            "choices": [choice],
            "usage": {"prompt_tokens": -1, "completion_tokens": len(turn.text.split()), "total_tokens": -1},
            "debug_info": debug,
            **({"session_id": told["session_id"]} if told else {}),
        }
        return json_pieces(answer, wav)


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


def _refused(status: int, detail: str) -> "Response":
    return json_response({"detail": detail}, status)
