"""webrtc: a party played by an agent behind WebRTC, agreed on by an offer over HTTP.

    agent:
      kind: webrtc
      dialect: pipecat                         plain, whip, pipecat (SmallWebRTC) or openai
      url: http://127.0.0.1:7860/api/offer
      headers: {Authorization: "Bearer ${KEY}"}
      request: {customer: "42"}                what goes with the offer; openai: its session

Opus at 48 kHz both ways; what the network loses is lost, what it delays is late. What goes over the data channel is
told in words.py, how the connection is agreed on in signalling.py. Needs aiortc (extra `connect`).
"""

from typing import Any

from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.stream_spec import check_latency, stream_traits
from agents.remote.trace import Trace
from agents.webrtc.protocol import RtcCore, RtcSettings
from agents.webrtc.signalling import Dialect, OfferAddress
from agents.webrtc.wire import RtcAddress, dial_rtc
from simulator.actor import Actor, ActorSpec, Setting
from simulator.reading.secrets import Secrets, mask_url
from simulator.remote.server import check_base_url
from simulator.spec import Duration, ms
from simulator.traits import PartyTraits

CHANNELS = {"openai": "oai-events", "pipecat": "rtvi-ai", "plain": "events", "whip": None}
"""The label of the channel that is opened; WHIP has none."""


class WebRtcSpec(ActorSpec, frozen=True, kw_only=True, tag="webrtc"):
    """An agent behind WebRTC: `{kind: webrtc, dialect: pipecat, url: "http://host:7860/api/offer"}`.

    dialect: how the offer is made and what the data channel says. headers: of the offer. request: what goes with it
    (plain: more fields, pipecat: request_data, or the body of /start; openai: the session). channel: its label, "" for
    none. rtvi: whether a bot of Pipecat's speaks it. stun: servers. trickle: candidates follow the offer (pipecat).
    jitter: how much sound waits before a burst is heard. billed_as: the name its prices stand under. url: where the
    offer goes. connect_timeout: for the connection, and for the agent to be ready.
    """

    url: str
    dialect: Dialect = "plain"
    headers: dict[str, str] = {}
    request: dict[str, Any] = {}
    channel: str | None = None
    rtvi: bool = True
    stun: tuple[str, ...] = ()
    trickle: bool = False
    jitter: Duration = ms(60)
    connect_timeout: Duration = Duration(15)
    billed_as: str | None = None

    def traits(self) -> PartyTraits:
        """It has its own real time; keys reach a bot of Pipecat's by RTVI, others as tones."""
        return stream_traits(self.billed_as, takes_keys=self.dialect == "pipecat" and self.rtvi)

    def check(self, setting: Setting) -> None:
        """Refuse what nobody could agree on."""
        check_base_url(self.url, setting.where, "url")
        check_latency(self, setting)
        if self.request and self.dialect == "whip":
            raise setting.refuse(".request", "WHIP's offer is an SDP and nothing else; leave it out")
        if self.trickle and self.dialect != "pipecat":
            raise setting.refuse(".trickle", "candidates follow an offer to `dialect: pipecat` only; leave it out")
        for index, server in enumerate(self.stun):
            if not server.startswith(("stun:", "turn:", "turns:")):
                raise setting.refuse(f".stun[{index}]", f"expected stun:host:port, found {server!r}")

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return dial_rtc(self.address(secrets))

        far_end = FarEnd(name=f"webrtc at {mask_url(self.url)}", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, RtcCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(RtcCore(self.settings()), trace)

    def settings(self) -> RtcSettings:
        """What the core needs to know."""
        return RtcSettings(dialect=self.dialect, rtvi=self.rtvi, jitter_s=self.jitter, billed_as=self.billed_as)

    def address(self, secrets: Secrets) -> RtcAddress:
        """Give where to offer, secrets expanded."""
        offer = OfferAddress(
            url=secrets.expand(self.url),
            dialect=self.dialect,
            headers=secrets.expand_all(self.headers),
            request=secrets.expand_all(self.request),
            timeout_s=self.connect_timeout,
        )
        label = CHANNELS[self.dialect] if self.channel is None else self.channel or None
        return RtcAddress(
            offer=offer, channel=label, stun=self.stun, trickle=self.trickle, connect_s=self.connect_timeout
        )
