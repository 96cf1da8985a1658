"""livekit: a party played by an agent in a LiveKit room, which the session joins as an ordinary participant.

    agent:
      kind: livekit
      url: wss://project.livekit.example
      api_key: ${LIVEKIT_API_KEY}
      api_secret: ${LIVEKIT_API_SECRET}
      agent_name: booking                      calls the worker of that name; without it whoever comes by itself
      metadata: '{"customer": 42}'

One microphone is published at 48 kHz, the agent's sound is subscribed to. The attribute `lk.simulator` is never set:
agents that see it take no sound. Needs LiveKit's SDK (extra `connect`). There is no room server to test
with: this is held to what livekit-agents 1.8 and livekit 1.2 say and do, the SDK's calls to a double of it.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agents.livekit.protocol import RoomCore, RoomSettings
from agents.livekit.token import RoomGrant, claims_of, signed
from agents.livekit.wire import RoomAddress, RoomWire, dial_room
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.stream_spec import check_latency, check_socket_url, stream_traits
from agents.remote.trace import Trace
from simulator.actor import Actor, ActorSpec, Setting
from simulator.clock import epoch_s
from simulator.reading.secrets import Secrets, mask_url, names
from simulator.spec import Duration, ms
from simulator.traits import PartyTraits


class LiveKitSpec(ActorSpec, frozen=True, kw_only=True, tag="livekit"):
    """An agent in a LiveKit room: `{kind: livekit, url: "wss://host", api_key: "${K}", api_secret: "${S}"}`.

    token: instead of key and secret. room: its name, a new one unless told otherwise. identity: ours. agent_name,
    metadata: explicit dispatch. agent_identity: whom to listen to, the first agent unless told otherwise. jitter: how
    much sound waits before a burst is heard. billed_as: the name its prices stand under. url: the server's address.
    api_key, api_secret: what the token is made of, as `${NAME}`. attributes: of our participant. connect_timeout: for
    joining, and for the agent to come.
    """

    url: str
    api_key: str | None = None
    api_secret: str | None = None
    token: str | None = None
    room: str | None = None
    identity: str = "caller"
    agent_name: str | None = None
    metadata: str = ""
    agent_identity: str | None = None
    attributes: dict[str, str] = {}
    jitter: Duration = ms(60)
    connect_timeout: Duration = Duration(30)
    billed_as: str | None = None

    def traits(self) -> PartyTraits:
        """It has its own real time; keys reach it as SIP's digits do."""
        return stream_traits(self.billed_as, takes_keys=True)

    def check(self, setting: Setting) -> None:
        """Refuse what nobody could join with."""
        check_socket_url(self.url, setting)
        check_latency(self, setting)
        if (self.token is None) == (self.api_key is None or self.api_secret is None):
            raise setting.refuse(
                "", "a room is joined with `token`, or with `api_key` and `api_secret`; give one of them"
            )
        for name in ("token", "api_secret"):
            value = getattr(self, name)
            if value is not None and not names(value):
                raise setting.refuse(f".{name}", "write it as ${NAME}, the name of an environment variable")
        if self.token is not None and (self.agent_name or self.room or self.attributes):
            raise setting.refuse(".token", "names room, attributes and agent already; leave those keys out")
        if "lk.simulator" in self.attributes:
            raise setting.refuse(".attributes", "`lk.simulator` makes agents deaf and dumb; leave it out")

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return self._join(secrets)

        far_end = FarEnd(name=f"livekit at {mask_url(self.url)}", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, RoomCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(RoomCore(self.settings()), trace)

    def settings(self) -> RoomSettings:
        """What the core needs to know."""
        return RoomSettings(identity=self.agent_identity, jitter_s=self.jitter, billed_as=self.billed_as)

    @asynccontextmanager
    async def _join(self, secrets: Secrets) -> AsyncIterator[RoomWire]:
        """Join: every session has a room of its own, unless it is named."""
        if self.token is not None:
            token = secrets.expand(self.token)
        else:
            grant = RoomGrant(
                room=self.room or f"simulator-{uuid.uuid4().hex[:12]}", identity=self.identity,
                agent_name=self.agent_name, metadata=secrets.expand(self.metadata),
                attributes=secrets.expand_all(self.attributes),
            )  # fmt: skip
            claims = claims_of(grant, secrets.expand(self.api_key or ""), epoch_s())
            token = signed(claims, secrets.expand(self.api_secret or ""))
            secrets.hide(token)
        async with dial_room(RoomAddress(url=secrets.expand(self.url), token=token)) as wire:
            yield wire
