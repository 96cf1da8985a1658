"""openai_live: a party played by the continuous full-duplex sessions of the OpenAI Live API.

    agent:
      kind: openai_live
      model: gpt-live-1
      instructions: You take bookings for a restaurant.
      backend: {model: gpt-5.4-mini, instructions: Book with book_table.}
      tools:
        - name: book_table
          parameters: {type: object, properties: {people: {type: integer}}}
          answer: booked

The model hears and speaks at the same time; when to speak and when to yield is its own affair. Functions are
called by a `backend` model that it delegates to; without one, a task it delegates is answered with the text
`delegated`. The protocol is in live_protocol.py; it goes as far as the types of the installed openai
package do.
"""

from typing import Any, Literal

import msgspec

from agents.openai.live_protocol import LiveCore, LiveSettings
from agents.openai.wire import OpenAIAddress, dial_live
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.peer_spec import PeerSpec
from agents.remote.trace import Trace
from agents.remote.wire_audio import Encoding, wire_format
from simulator.actor import Actor, Setting
from simulator.reading.secrets import Secrets
from simulator.world.tool import Tool

FORMATS = {"pcm16": "audio/pcm", "mulaw": "audio/pcmu", "alaw": "audio/pcma"}
GREETING = "The call has just been connected. You speak first, now."


class Backend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The model that works on delegated tasks and calls functions.

    model: its name. instructions: what it is told.
    """

    model: str
    instructions: str = ""


class OpenAILiveSpec(PeerSpec, frozen=True, kw_only=True, tag="openai_live"):
    """OpenAI's continuous full-duplex sessions: `{kind: openai_live, model: gpt-live-1}`.

    backend: who works on delegated tasks; delegated: what they are answered where that is up to us.

    audio_format: PCM16 at `pcm_rate`, or G.711 at 8 kHz. session: more fields of session.start, laid over ours.
    pcm_rate: of PCM16, in Hz.
    """

    model: str = "gpt-live-1"
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str | None = "OPENAI_API_KEY"
    backend: Backend | None = None
    delegated: str = ""
    audio_format: Encoding = "pcm16"
    pcm_rate: Literal[16_000, 24_000] = 24_000
    session: dict[str, Any] = msgspec.field(default_factory=dict)

    def check(self, setting: Setting) -> None:
        """Refuse functions that nobody would call."""
        PeerSpec.check(self, setting)
        if self.offered_tools() and self.backend is None:
            raise setting.refuse(
                ".backend",
                "functions (hanging up is one) are called by a backend model; name one, "
                "or leave out tools and say `persona.hang_up: false`",
            )

    def models(self) -> tuple[str, ...]:
        """The models whose prices apply."""
        return (self.model, self.backend.model) if self.backend else (self.model,)

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return dial_live(
                OpenAIAddress(
                    base_url=secrets.expand(self.base_url),
                    key=self.key(secrets),
                    connect_s=self.connect_timeout,
                )
            )

        far_end = FarEnd(name="openai_live", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, LiveCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(LiveCore(self.settings()), self.laid(trace))

    def settings(self) -> LiveSettings:
        """What the core needs to know."""
        return LiveSettings(
            session=self._session(),
            model=self.model,
            audio=wire_format(self.audio_format, self.pcm_rate),
            backend=self.backend.model if self.backend else "",
            tools=self.offered_tools(),
            delegated=self.delegated,
            greeting=GREETING if self.speaks_first else "",
            jitter_s=self.jitter,
        )

    def _session(self) -> dict[str, Any]:
        """The object of session.start."""
        form = wire_format(self.audio_format, self.pcm_rate)
        audio: dict[str, Any] = {"format": {"type": FORMATS[self.audio_format], "rate": form.rate}}
        if self.voice:
            audio["output"] = {"voice": self.voice}
        session: dict[str, Any] = {"model": self.model, "audio": audio}
        if self.told():
            session["instructions"] = self.told()
        if self.backend is not None:
            session["delegation"] = {
                "type": "responses",
                "responses": _backend(self.backend, self.offered_tools()),
            }
        return session | self.session


def _backend(backend: Backend, tools: tuple[Tool, ...]) -> dict[str, Any]:
    config: dict[str, Any] = {"model": backend.model}
    if backend.instructions:
        config["instructions"] = backend.instructions
    if tools:
        config["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            }
            for tool in tools
        ]
    return config
