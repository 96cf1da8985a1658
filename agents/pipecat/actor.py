"""pipecat: a party played by a bot behind a WebSocket of Pipecat's, with its protobuf serializer.

    agent:
      kind: pipecat
      url: ws://127.0.0.1:8765
      input_rate: 16000         the bot's audio_in_sample_rate
      output_rate: 24000        the bot's audio_out_sample_rate
      rtvi: true                false for a pipeline without an RTVI processor

Its sound comes about twice as fast as it is heard, and is heard at its pace; an interruption drops what waits. A bot
whose transport adds WAV headers is understood, too. The protocol is in protocol.py.
"""

from typing import Any

from agents.pipecat.protocol import PipecatCore, PipecatSettings
from agents.pipecat.wire import dial_pipecat
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.socket_wire import SocketAddress
from agents.remote.sound_form import SoundRate
from agents.remote.stream_spec import check_latency, check_socket_url, stream_traits
from agents.remote.trace import Trace
from simulator.actor import Actor, ActorSpec, Setting
from simulator.reading.secrets import Secrets, mask_url
from simulator.spec import Duration, ms
from simulator.traits import PartyTraits


class PipecatSpec(ActorSpec, frozen=True, kw_only=True, tag="pipecat"):
    """A bot behind a WebSocket of Pipecat's: `{kind: pipecat, url: "ws://host:8765"}`.

    input_rate, output_rate: of the bot's transport, in Hz. rtvi: whether its pipeline speaks RTVI. headers: of
    the handshake (an Origin, where the bot asks for one). jitter: how much sound waits before a burst is heard. verify:
    not for a self-signed certificate. billed_as: the name its prices stand under. url: the bot's address.
    connect_timeout: for the connection, and for the bot to be ready.
    """

    url: str
    input_rate: SoundRate = 16_000
    output_rate: SoundRate = 24_000
    rtvi: bool = True
    headers: dict[str, str] = {}
    jitter: Duration = ms(100)
    verify: bool = True
    connect_timeout: Duration = Duration(10)
    billed_as: str | None = None

    def traits(self) -> PartyTraits:
        """It has its own real time; keys reach it by RTVI."""
        return stream_traits(self.billed_as, takes_keys=self.rtvi)

    def check(self, setting: Setting) -> None:
        """Refuse what nobody could dial."""
        check_socket_url(self.url, setting)
        check_latency(self, setting)

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return dial_pipecat(self.address(secrets))

        far_end = FarEnd(name=f"pipecat at {mask_url(self.url)}", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, PipecatCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(PipecatCore(self.settings()), trace)

    def settings(self) -> PipecatSettings:
        """What the core needs to know."""
        return PipecatSettings(
            input_rate=self.input_rate,
            output_rate=self.output_rate,
            rtvi=self.rtvi,
            jitter_s=self.jitter,
            billed_as=self.billed_as,
        )

    def address(self, secrets: Secrets) -> SocketAddress:
        """Give where to dial, secrets expanded."""
        return SocketAddress(
            url=secrets.expand(self.url),
            headers=secrets.expand_all(self.headers),
            verify=self.verify,
            connect_s=self.connect_timeout,
        )
