"""websocket: a party played by any system that talks over a WebSocket, described in the scenario.

    agent:
      kind: websocket
      url: wss://agents.example/talk
      headers: {Authorization: "Bearer ${AGENT_KEY}"}
      up: {encoding: pcm16, rate: 16000}
      down: {encoding: mulaw, rate: 8000}
      send: {json: {type: audio, data: "{audio}"}}
      receive: {audio: "$.data", text: "$.transcript", clear: {type: interrupt}, done: {type: end}}

Without `send` and `receive` sound goes and comes as binary messages. How the words are written is in wording.py, what
they do in protocol.py. Sound that comes faster than real time is heard at its pace.
"""

from collections.abc import Iterator
from typing import Any

from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.socket_wire import SocketAddress, dial_socket
from agents.remote.sound_form import SoundForm
from agents.remote.stream_spec import check_latency, check_socket_url, stream_traits
from agents.remote.trace import Trace
from agents.websocket.outgoing import SocketSettings
from agents.websocket.protocol import SocketCore
from agents.websocket.wording import EVERY, ReceiveWords, SendWords, Template, complaints
from simulator.actor import Actor, ActorSpec, Setting
from simulator.errors import located
from simulator.reading.secrets import Secrets, mask_url
from simulator.spec import Duration, ms
from simulator.texts import written
from simulator.traits import PartyTraits


class WebSocketSpec(ActorSpec, frozen=True, kw_only=True, tag="websocket"):
    """Any WebSocket agent, in your words: `{kind: websocket, url: "ws://host/talk", send: {...}, receive: {...}}`.

    headers, subprotocol: of the handshake. up, down: the form of sound to it and from it. hello, bye: messages at the
    beginning and the end. ping: how often a keep-alive goes out. jitter: how much sound waits before a burst is heard.
    verify: not for a self-signed certificate. billed_as: the name its prices stand under. url: the agent's address.
    send, receive: what messages look like, binary sound without them. connect_timeout: for the connection.
    """

    url: str
    headers: dict[str, str] = {}
    subprotocol: str | None = None
    up: SoundForm = SoundForm()
    down: SoundForm = SoundForm()
    send: SendWords = SendWords()
    receive: ReceiveWords = ReceiveWords()
    hello: Template | list[Template] = []
    bye: Template | list[Template] = []
    ping: Duration | None = None
    jitter: Duration = ms(100)
    verify: bool = True
    connect_timeout: Duration = Duration(10)
    billed_as: str | None = None

    def traits(self) -> PartyTraits:
        """It has its own real time, and maybe prices; keys reach it where `send.digits` says how."""
        return stream_traits(self.billed_as, takes_keys=self.send.digits is not None)

    def check(self, setting: Setting) -> None:
        """Refuse a description that cannot be meant, each with its place."""
        check_socket_url(self.url, setting)
        check_latency(self, setting)
        for name, form in (("up", self.up), ("down", self.down)):
            located(f"{setting.where}.{name}", form.check)
        for place, key, template in self._templates():
            for inside, complaint in complaints(key, template):
                raise setting.refuse(f".{place}{inside}", complaint)
        for name in ("ready", "clear", "done", "hang_up", "ping"):
            if getattr(self.receive, name) in EVERY:
                raise setting.refuse(f".receive.{name}", "an empty match is every message; write like {type: end}")
        for asked, needs in _GO_TOGETHER.items():
            if getattr(self.send, asked) is not None and getattr(self.receive, needs) is None:
                raise setting.refuse(f".send.{asked}", f"nothing asks for it; say what does, as `receive.{needs}`")
        if "{ping_id}" in written(self.send.pong) and self.receive.ping_id is None:
            raise setting.refuse(".send.pong", "nothing says where {ping_id} stands; say it as `receive.ping_id`")
        if self.ping is not None and self.ping <= 0:
            raise setting.refuse(".ping", "must be above 0; leave it out for none")

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return dial_socket(self.address(secrets))

        far_end = FarEnd(name=f"websocket at {mask_url(self.url)}", dial=dial, connect_s=self.connect_timeout)
        return Peer(self, SocketCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(SocketCore(self.settings()), trace)

    def settings(self) -> SocketSettings:
        """What the core needs to know."""
        return SocketSettings(
            up=self.up,
            down=self.down,
            send=self.send,
            receive=self.receive,
            hello=_listed(self.hello),
            bye=_listed(self.bye),
            jitter_s=self.jitter,
            billed_as=self.billed_as,
        )

    def address(self, secrets: Secrets) -> SocketAddress:
        """Give where to dial, secrets expanded."""
        return SocketAddress(
            url=secrets.expand(self.url),
            headers=secrets.expand_all(self.headers),
            subprotocol=self.subprotocol,
            verify=self.verify,
            ping_s=self.ping,
            connect_s=self.connect_timeout,
            expand=secrets.expand_all,
        )

    def _templates(self) -> Iterator[tuple[str, str, Template]]:
        """Give every message that is described: its place, what it is, the template."""
        for name in ("json", "mark", "played", "digits", "pong"):
            template = getattr(self.send, name)
            if template is not None:
                yield f"send.{name}", name, template
        for name in ("hello", "bye"):
            messages = getattr(self, name)
            for index, template in enumerate(_listed(messages)):
                yield f"{name}[{index}]" if isinstance(messages, list) else name, name, template


_GO_TOGETHER = {"mark": "mark", "pong": "ping"}


def _listed(messages: Template | list[Template]) -> list[Template]:
    return messages if isinstance(messages, list) else [messages]
