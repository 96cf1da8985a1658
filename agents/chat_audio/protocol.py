"""The chat completions protocol with audio parts, without I/O: bodies out, answers in.

Spoken by OpenAI's own endpoint, vLLM-style servers and the NeMo-Skills unified server. What differs between them:

    sound asked     `input_audio` {data, format}, or `audio_url` with a data: URL
    sound answered  message.audio.data (base64 of a sound file): mono, the reply alone; or stereo, user left and agent
                    right, both from the beginning of what was asked (NeMo)
    text            message.content, message.audio.transcript, or both; NeMo puts stamps `<|t|>` ... `<$t$>` (seconds)
                    around what is said and `<debug_info>JSON</debug_info>` behind it
    memory          everything is sent again each time; a session_id in the answer goes back as the literal key
                    `extra_body: {"session_id": ...}` of the JSON body; an audio id stands for an earlier reply

States of a dialogue:  idle --ask--> asked --200--> idle, with one more exchange in the history
                                           --any other status, nonsense--> RemoteError
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from agents.chat_audio.answer import ChatAnswer, read_answer
from simulator.errors import RemoteError

Part = Literal["input_audio", "audio_url"]
HistoryKind = Literal["audio", "text", "none"]

UNHEARD = "(speech)"
"""Stands for a past turn whose words nobody knows, where the history is text."""


class AskRules(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are made. part, modalities, voice, system, prompt, sampling: what goes into the body.

    history: what of earlier turns is sent again. session: whether a session_id goes back. extra: keys of the body.
    """

    model: str = ""
    part: Part = "input_audio"
    modalities: Sequence[str] = ()
    voice: str | None = None
    system: str = ""
    prompt: str = ""
    history: HistoryKind = "audio"
    session: bool = True
    sampling: Mapping[str, Any] = {}
    extra: Mapping[str, Any] = {}


class _Exchange(msgspec.Struct, kw_only=True):
    """A past turn: the user's message as it was sent, what was answered, and what of that was really said."""

    asked: dict[str, Any]
    answer: ChatAnswer


class ChatAudioCore:
    """One dialogue with one server."""

    def __init__(self, rules: AskRules) -> None:
        self._rules = rules
        self._past: list[_Exchange] = []
        self._asked: dict[str, Any] = {}
        self._session_id: str | None = None

    def ask(self, wav: bytes, said: Sequence[str] = ()) -> dict[str, Any]:
        """Give the body that asks for an answer to a turn, a WAV file.

        said: the texts of the earlier replies as they were really said, last one last: one that was cut short goes
        back as what was heard of it.
        """
        rules = self._rules
        self._asked = user_message(wav, rules.prompt, rules.part)
        messages = [{"role": "system", "content": rules.system}] if rules.system else []
        messages += self._history(said)
        body: dict[str, Any] = {"model": rules.model, "messages": [*messages, self._asked]}
        if rules.modalities:
            body["modalities"] = list(rules.modalities)
        if rules.voice is not None:
            body["audio"] = {"voice": rules.voice, "format": "wav"}
        body.update(rules.sampling)
        body.update(rules.extra)
        if rules.session and self._session_id is not None:
            body["extra_body"] = {**body.get("extra_body", {}), "session_id": self._session_id}
        return body

    def receive(self, status: int, body: object) -> ChatAnswer:
        """Read an answer, JSON as plain data (a text when it was none). RemoteError: refused, failed, nonsense."""
        if status in (401, 403):
            raise RemoteError(f"refused the key (HTTP {status}{_because(body)})")
        if status != 200:
            raise RemoteError(f"refused to answer (HTTP {status}{_because(body)})")
        answer = read_answer(body)
        self._past.append(_Exchange(asked=self._asked, answer=answer))
        self._session_id = answer.session_id or self._session_id
        return answer

    def _history(self, said: Sequence[str]) -> list[dict[str, Any]]:
        if self._rules.history == "none":
            return []
        messages: list[dict[str, Any]] = []
        texts = [""] * max(0, len(self._past) - len(said)) + list(said)[-len(self._past) :] if self._past else []
        for past, text in zip(self._past, texts, strict=True):
            asked = past.asked
            if self._rules.history == "text":
                asked = {"role": "user", "content": past.answer.understood or self._rules.prompt or UNHEARD}
            messages += [asked, _assistant_message(past.answer, text)]
        return messages


def user_message(wav: bytes, prompt: str, part: Part) -> dict[str, Any]:
    """Give the message that says a WAV file, with a text beside it where there is one."""
    data = base64.b64encode(wav).decode("ascii")
    audio: dict[str, Any] = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    if part == "audio_url":
        audio = {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{data}"}}
    return {"role": "user", "content": [*([{"type": "text", "text": prompt}] if prompt else []), audio]}


def _assistant_message(answer: ChatAnswer, said: str) -> dict[str, Any]:
    """An earlier reply: by its audio id when it was said whole, else as the text that was heard of it."""
    if answer.audio_id is not None and said in ("", answer.text):
        return {"role": "assistant", "audio": {"id": answer.audio_id}}
    return {"role": "assistant", "content": said or answer.text}


def _because(body: object) -> str:
    from agents.remote.far_end import told_by

    told = told_by(body.encode() if isinstance(body, str) else msgspec.json.encode(body))
    return f": {told}" if told else ""
