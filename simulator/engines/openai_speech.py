"""Voices behind `/v1/audio/speech`: OpenAI's own, and whoever is compatible (Kokoro-FastAPI, speaches, Piper servers).

voice: {kind: openai, model: gpt-4o-mini-tts, name: alloy}
voice: {kind: openai, base_url: "http://127.0.0.1:8880/v1", model: kokoro, name: af_heart}
"""

from typing import Annotated, Any, Literal

import msgspec

from simulator.engines.far_probe import FarVoiceSpec
from simulator.engines.far_voice import FarVoice
from simulator.reading.secrets import key_variable
from simulator.remote.http_exchange import HttpRequest
from simulator.remote.server import RemoteServer, check_base_url, check_token
from simulator.spec import Duration
from simulator.traits import PartyTraits

OPENAI_URL = "https://api.openai.com/v1"
Rate = Annotated[int, msgspec.Meta(ge=4_000, le=192_000)]


class OpenAISpeechSpec(FarVoiceSpec, frozen=True, kw_only=True, tag="openai", omit_defaults=True):
    """A voice of an OpenAI-compatible server: `{kind: openai, base_url: ..., model: ..., name: alloy}`.

    format: wav, or pcm, headerless, whose rate is sample_rate. key: `${NAME}`; without it OpenAI gets OPENAI_API_KEY,
    and nobody else gets a key. language: what it speaks, for the scorers. The model's name is what its price goes by.
    model: its name. name: of the voice. base_url: the server's address, up to /v1. sample_rate: of pcm, in Hz.
    instructions: how to speak. timeout: for a text. self_test: whether a first text proves the rate.
    """

    model: str
    name: str
    base_url: str = OPENAI_URL
    format: Literal["wav", "pcm"] = "wav"
    sample_rate: Rate = 24_000
    instructions: str = ""
    language: str = ""
    key: str | None = None
    timeout: Duration = Duration(60.0)
    self_test: bool = True

    @property
    def label(self) -> str:
        """What it is called."""
        return f"openai {self.model} {self.name}"

    def traits(self) -> PartyTraits:
        """A server samples; its price goes by the model's name."""
        return PartyTraits(deterministic=False, billed_as=(self.model,))

    def check(self) -> None:
        """Refuse a base URL that is none, and a key that is written out."""
        check_far(self.base_url, self.key)

    def speaks(self) -> str:
        """What was said of it."""
        return self.language

    def build(self) -> FarVoice:
        """Make the voice."""
        return FarVoice(self, _Speech(self), asked=self.format, sample_rate=self.sample_rate, prove=self.self_test)


class _Speech:
    """Requests of `/audio/speech`."""

    def __init__(self, spec: OpenAISpeechSpec) -> None:
        self._spec = spec
        self.server = far_server(spec.base_url, spec.key)

    def request(self, text: str, pace: float) -> HttpRequest:
        """Ask for a text. What is not needed is not sent: servers refuse keys they do not know."""
        spec = self._spec
        body: dict[str, Any] = {
            "model": spec.model,
            "input": text,
            "voice": spec.name,
            "response_format": spec.format,
        }
        if spec.instructions:
            body["instructions"] = spec.instructions
        if pace != 1:
            body["speed"] = round(min(4.0, max(0.25, pace)), 3)
        return HttpRequest(
            url=self.server.url("/audio/speech"),
            body=msgspec.json.encode(body),
            headers=self.server.headers(),
            timeout_s=spec.timeout,
        )


def far_server(base_url: str, key: str | None) -> RemoteServer:
    """Give an OpenAI-compatible server with its key: the one that is named, else OpenAI's own for OpenAI's address."""
    usual = key_variable(base_url)
    return RemoteServer("openai", base_url, key or ("${" + usual + "}" if usual else None))


def check_far(base_url: str, key: str | None) -> None:
    """Refuse an address that is none, and a key that is written out. ScenarioError."""
    check_base_url(base_url, "the server")
    check_token(key, "key")
