"""twilio: a party played by a server for Twilio Media Streams; the session is the telephone network.

    agent:
      kind: twilio
      url: ws://127.0.0.1:8000/media            the stream's own address, or the webhook that names it:
      webhook: https://agent.example/voice
      auth_token: ${TWILIO_AUTH_TOKEN}          signs the webhook's request and the stream's handshake
      parameters: {from_number: "+15550100"}    customParameters, beside those of the answer

Mu-law at 8 kHz both ways. The protocol is in protocol.py, the webhook in webhook.py. The handshake's signature is over
the stream's address as it is dialled, wss:// and all, as Twilio's own packages check it (twilio-agent-connect).
"""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from agents.remote.far_end import refusal
from agents.remote.peer import FarEnd, Peer
from agents.remote.peer_replay import PeerReplay
from agents.remote.socket_wire import SocketAddress, SocketWire, dial_socket
from agents.remote.stream_spec import check_latency, check_socket_url, stream_traits
from agents.remote.trace import Trace
from agents.twilio.protocol import MediaStreamCore, StreamSettings
from agents.twilio.webhook import LONGEST_ANSWER, StreamOrder, read_order, signature
from simulator.actor import Actor, ActorSpec, Setting
from simulator.errors import RemoteError
from simulator.reading.secrets import Secrets, mask_url, names
from simulator.remote.http_exchange import HttpRequest, exchange
from simulator.remote.server import check_base_url
from simulator.spec import Duration, ms
from simulator.traits import PartyTraits

ACCOUNT = "AC" + "0" * 32
"""An account of nobody's."""


class TwilioSpec(ActorSpec, frozen=True, kw_only=True, tag="twilio"):
    """A server for Twilio Media Streams: `{kind: twilio, url: "ws://host/media"}`, or `webhook: "http://host/voice"`.

    webhook: where the call is told first, by a POST signed with `auth_token`; its TwiML names the stream. parameters:
    the stream's customParameters. from_number, to_number: of the call. jitter: how much sound waits before a burst is
    heard. verify: not for a self-signed certificate. billed_as: the name its prices stand under. url: the stream's
    address. auth_token: what the webhook and the stream's handshake are signed with, as `${NAME}`. account: the
    account's sid. connect_timeout: for the connection.
    """

    url: str | None = None
    webhook: str | None = None
    auth_token: str | None = None
    parameters: dict[str, str] = {}
    from_number: str = "+15005550006"
    to_number: str = "+15005550010"
    account: str = ACCOUNT
    jitter: Duration = ms(60)
    verify: bool = True
    connect_timeout: Duration = Duration(15)
    billed_as: str | None = None

    def traits(self) -> PartyTraits:
        """It has its own real time; keys reach it as `dtmf`."""
        return stream_traits(self.billed_as, takes_keys=True)

    def check(self, setting: Setting) -> None:
        """Refuse what nobody could call."""
        if (self.url is None) == (self.webhook is None):
            raise setting.refuse("", "a call goes to a `url` or by a `webhook`; give one of them")
        if self.url is not None:
            check_socket_url(self.url, setting)
            if "?" in self.url:
                raise setting.refuse(".url", "Twilio passes no query string on; use `parameters`")
        if self.webhook is not None:
            check_base_url(self.webhook, setting.where, "webhook")
        if self.auth_token is not None and not names(self.auth_token):
            raise setting.refuse(".auth_token", "write it as ${NAME}, the name of an environment variable")
        check_latency(self, setting)

    def build(self) -> Peer:
        """Make the actor."""
        secrets = Secrets()

        def dial() -> Any:
            return self._call(secrets)

        name = f"twilio at {mask_url(self.url or self.webhook or '')}"
        far_end = FarEnd(name=name, dial=dial, connect_s=self.connect_timeout)
        return Peer(self, MediaStreamCore(self.settings()), far_end, secrets)

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind."""
        return PeerReplay(MediaStreamCore(self.settings()), trace)

    def settings(self) -> StreamSettings:
        """What the core needs to know."""
        return StreamSettings(jitter_s=self.jitter, billed_as=self.billed_as)

    @asynccontextmanager
    async def _call(self, secrets: Secrets) -> AsyncIterator[SocketWire]:
        """Call: the webhook first, where there is one; then the stream. Every call has names of its own."""
        call_sid = "CA" + uuid.uuid4().hex
        order = StreamOrder(url=secrets.expand(self.url or ""), parameters={})
        if self.webhook is not None:
            order = await self._ask(secrets.expand(self.webhook), self._form(call_sid), secrets)
        call = {
            "streamSid": "MZ" + uuid.uuid4().hex,
            "callSid": call_sid,
            "accountSid": self.account,
            "customParameters": {**secrets.expand_all(self.parameters), **order.parameters},
        }
        address = SocketAddress(
            url=order.url,
            headers=self._signed(order.url, {}, secrets),
            verify=self.verify,
            connect_s=self.connect_timeout,
            opened={"call": call},
        )
        async with dial_socket(address) as wire:
            yield wire

    def _form(self, call_sid: str) -> dict[str, str]:
        return {
            "CallSid": call_sid,
            "AccountSid": self.account,
            "From": self.from_number,
            "To": self.to_number,
            "Caller": self.from_number,
            "Called": self.to_number,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }

    def _signed(self, url: str, form: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
        if self.auth_token is None:
            return {}
        return {"X-Twilio-Signature": signature(secrets.expand(self.auth_token), url, form)}

    async def _ask(self, url: str, form: Mapping[str, str], secrets: Secrets) -> StreamOrder:
        headers = {"User-Agent": "TwilioProxy/1.1", **self._signed(url, form, secrets)}
        answer = await exchange(
            HttpRequest(
                url=url,
                body=urlencode(form).encode(),
                content_type="application/x-www-form-urlencoded",
                headers=headers,
                timeout_s=self.connect_timeout,
                longest=LONGEST_ANSWER + 1,
            )
        )
        if answer.status in (401, 403):
            raise RemoteError(f"{refusal(answer.status, answer.body)}; is `auth_token` the one it checks with?")
        if answer.status != 200:
            raise RemoteError(refusal(answer.status, answer.body))
        return read_order(answer.body)
