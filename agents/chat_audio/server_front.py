"""The endpoints of the served chat protocol over a service: from a request to an answer."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agents.chat_audio.server_artifacts import Artifacts, TurnArtifacts
from agents.chat_audio.server_loop import rested, with_system_prompt
from agents.chat_audio.server_request import ChatRequest, read_request
from agents.chat_audio.server_sessions import Dialogues, SessionRules
from agents.chat_audio.server_turn import ToldAnswer, TurnPlayer
from agents.serve.http_json import RefusedError, Sent, json_pieces, json_response, pieces_response, read_body
from agents.serve.presence import Check, watched
from agents.serve.sound_in import SoundBudget, joined_sound
from simulator.clock import seconds, today
from simulator.engines.kinds import AnyVoice
from simulator.frame import Samples, freeze, silence
from simulator.scenario import kind_of
from simulator.serving.served_session import ServedSession
from simulator.serving.service import Service
from simulator.sound.wav import encode_wav
from simulator.speaking.voice import spoken
from simulator.spec import Duration

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

KEPT_S = 3600
LONGEST_TEXT = 5000
"""Characters of a client's text that are spoken, or kept in the folder."""


class FrontRules(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are answered. sessions: None where no dialogue is kept. longest_turn: of a request's sound.

    text_voice: speaks a turn that is only text. system_prompt: whether a client's system text reaches the model.
    decode: whether answers have sound. artifacts: where turns are kept beside the session folders.
    """

    sessions: SessionRules | None
    longest_turn: Duration
    text_voice: AnyVoice
    system_prompt: bool = True
    decode: bool = True
    artifacts: Artifacts | None = None


class AnsweredTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A played turn: what is told, the session it was recorded as, who it belongs to, which turn it was, its files."""

    told: ToldAnswer
    name: str
    session_id: str | None = None
    number: int = 1
    files: Mapping[str, str] = {}


class ChatFront:
    """The endpoints over a service."""

    def __init__(self, rules: FrontRules, player: TurnPlayer, service: Service) -> None:
        self._rules = rules
        self._player = player
        self._service = service
        self._dialogues = None if rules.sessions is None else Dialogues(service, rules.sessions, self._opened)

    async def root(self, _request: "Request") -> "Response":
        """Who this is, and what it answers."""
        paths = ["/health", "/v1/models", "/v1/chat/completions", *(["/v1/sessions"] if self._dialogues else [])]
        return json_response(
            {"service": "duplex-simulator", "backend": kind_of(self._service.actor), "endpoints": paths}
        )

    async def health(self, _request: "Request") -> "Response":
        """200 when sessions can start."""
        ready = self._service.ready and not self._service.stopping
        body = {"status": "healthy" if ready else "not ready", "backend": kind_of(self._service.actor),
                "modalities": ["text", "audio"], "timestamp": today()}  # fmt: skip
        return json_response(body, 200 if ready else 503)

    async def models(self, _request: "Request") -> "Response":
        """The one model."""
        model = {"id": kind_of(self._service.actor), "object": "model", "created": 0, "owned_by": "duplex-simulator"}
        return json_response({"object": "list", "data": [model]})

    async def sessions(self, _request: "Request") -> "Response":
        """The dialogues that are kept."""
        if self._dialogues is None:
            return refused(404, "this server keeps no sessions")
        kept = [{**dialogue.info(), **self._player.kept} for dialogue in self._dialogues.all()]
        return json_response({"sessions": kept, "count": len(kept), "ttl_seconds": self._dialogues.ttl_s})

    async def session(self, request: "Request") -> "Response":
        """One of them, looked at or ended."""
        dialogue = self._dialogues.find(request.path_params["id"]) if self._dialogues else None
        if dialogue is None or self._dialogues is None:
            return refused(404, "there is no such session")
        if request.method != "DELETE":
            return json_response({**dialogue.info(), **self._player.kept})
        await self._dialogues.delete(dialogue)
        told: dict[str, Any] = {"success": True, "turn_texts": dialogue.texts, **dialogue.info()}
        if self._rules.artifacts is not None:
            path = await self._service.in_thread(self._rules.artifacts.keep_session, dialogue.id)
            told.update({"session_audio_path": path} if path else {})
        return json_response(told)

    async def complete(self, request: "Request") -> "Response":
        """Play what is asked and answer."""
        body = await read_body(request, self._service)
        async with watched(request, self._service) as check:
            try:
                asked = await self._service.in_thread(read_request, body)
                samples = await self._service.in_thread(self._turn_of, asked, check)
            except RefusedError as error:
                return refused(error.status, str(error))
            answered = await self._answered(asked, samples, check)
            if answered is None:
                return refused(404, "there is no such session" if self._dialogues else "this server keeps no sessions")
            return pieces_response(await self._service.in_thread(self._completion, answered))

    async def _answered(self, asked: ChatRequest, samples: Samples, check: Check) -> AnsweredTurn | None:
        """Play a turn in the dialogue it goes on with, or in a session of its own; None: there is no such dialogue."""
        if self._dialogues is None:
            if asked.session_id is not None:
                return None
            async with self._service.place(), self._opened(asked) as session:
                return await self._play(session, asked, samples, check)
        dialogue = await self._dialogues.of(asked)
        if dialogue is None:
            return None

        async def play(session: ServedSession, number: int) -> AnsweredTurn:
            whose = (dialogue.id, number, dialogue.texts)
            answered = await self._play(session, asked, samples, check, whose)
            dialogue.key = asked.key
            dialogue.replies = (answered.told.content.strip(), f"audio-{answered.name}")
            dialogue.texts.append(answered.told.text)
            return answered

        played: AnsweredTurn = await dialogue.play(play)
        return played

    def _turn_of(self, asked: ChatRequest, check: Check) -> Samples:
        """The sound of what is asked; a text without sound is spoken."""
        rate, sounds = self._player.rate, self._player.sounds(asked)
        if sounds:
            return joined_sound(sounds, rate, SoundBudget(longest_s=self._rules.longest_turn), check)
        if not asked.turn.text.strip():
            return silence(rate // 2)
        line = spoken(asked.turn.text[:LONGEST_TEXT], self._rules.text_voice, rate)
        return freeze(line.samples[: self._rules.longest_turn.samples(rate)].copy())

    def _opened(self, asked: ChatRequest) -> AbstractAsyncContextManager[ServedSession]:
        """A session for a dialogue that begins with a request, whose system text may be its model's prompt."""
        actor = with_system_prompt(self._service.actor, asked.system) if self._rules.system_prompt else None
        return self._service.session(**self._player.opened, actor=actor)

    async def _play(self, session: ServedSession, asked: ChatRequest, samples: Samples, check: Check,
                    whose: tuple[str | None, int, list[str]] = (None, 1, [])) -> AnsweredTurn:  # fmt: skip
        """Play a turn and keep it. whose: the dialogue's id, the number of the turn in it, the texts so far."""
        check()
        texts = {"text": asked.turn.text[:LONGEST_TEXT], "system": asked.system[:LONGEST_TEXT]}
        request = {name: value for name, value in {**texts, "settings": asked.settings}.items() if value}
        session.note("client_message", **request)
        began_s = seconds()
        id_, number, before = whose
        try:
            told = await self._player.play(session, samples, before, check)
        finally:
            rested(session)
        name = session.id if id_ is None else f"{session.id}-{number}"
        files: Mapping[str, str] = {}
        if self._rules.artifacts is not None:
            turn = TurnArtifacts(
                answer=told, asked=samples, rate=self._player.rate, request={"request_id": name, **request},
                took_s=seconds() - began_s, session=id_, number=number - 1, decoded=self._rules.decode,
            )  # fmt: skip
            files = await self._service.in_thread(self._rules.artifacts.keep, turn)
        return AnsweredTurn(told=told, name=name, session_id=id_, number=number, files=files)

    def _completion(self, answered: AnsweredTurn) -> list[bytes]:
        return completion(answered, kind_of(self._service.actor), decode=self._rules.decode)


def completion(answered: AnsweredTurn, model: str, *, decode: bool) -> list[bytes]:
    """Write an answer as JSON. decode: with its sound."""
    told, files = answered.told, answered.files
    whose = {"session_id": answered.session_id, "turn": answered.number} if answered.session_id else {}
    debug = {**told.debug, **({"artifacts": files} if files else {}), **whose}
    now = round(datetime.fromisoformat(today()).timestamp())
    wav = Sent(encode_wav(told.stereo(), told.sample_rate) if decode else b"")
    content = f"{told.content}\n<debug_info>{msgspec.json.encode(debug).decode()}</debug_info>"
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if decode:
        audio = {"id": f"audio-{answered.name}", "data": wav.mark, "format": "wav", "transcript": told.content}
        message["audio"] = {**audio, "sample_rate": told.sample_rate, "expires_at": now + KEPT_S}
    answer: dict[str, Any] = {
        "id": f"chatcmpl-{answered.name}",
        "object": "chat.completion",
        "created": now,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": -1, "completion_tokens": told.tokens, "total_tokens": -1},
        "debug_info": debug,
        **({"session_id": answered.session_id} if answered.session_id else {}),
        **{name.replace("output", "saved"): path for name, path in files.items() if name.startswith("output")},
    }  # fmt: skip
    return json_pieces(answer, wav) if decode else [msgspec.json.encode(answer)]


def refused(status: int, detail: str) -> "Response":
    """Give a refusal with its sentence."""
    return json_response({"detail": detail}, status)
