"""moshi: a Moshi or PersonaPlex server plays a party (`ws://host:8998/api/chat`).

The protocol is in protocol.py; this is the shell around it. A server answers frames with frames and has
no time of its own, so a session runs on either clock:

    virtual   lock-step: a frame is sent, and the step ends when the frames due by then are in. Frames are placed by
              count, so the session is the same however fast the server is.
    wall      a step never waits: what has come in goes through the jitter buffer, and what comes late is heard late.

placement says where the server's sound lies on the session timeline, T being 80 ms:

    heard       as it comes, through a jitter buffer of `jitter` (default on the wall clock).
    contiguous  end to end: the answer to the frame heard in [kT, (k+1)T) lies at (k+1)T; a Python server's first
                frame, the answer to input frame 1, at 2T (default on the virtual clock). On the wall clock, where
                nobody waits, one T later, and what is not there in time is not heard.
    fdb         as Full-Duplex-Bench's client writes its file: one zero frame, then end to end, cut or padded to the
                session (virtual clock only). That client sends a frame when it begins, which no listener can. So the
                server is sent the silence before the session as its first frame, and its answers lie one frame later
                than in the client's file. A recorded session that is replayed with this placement
                (`{kind: replay_trace, set: {placement: fdb}}`) has the client's alignment exactly.

Secrets: `${NAME}` in url and token is expanded when connecting and never written anywhere.
"""

from collections.abc import Awaitable
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from agents.moshi.link import MoshiLink, Patience
from agents.moshi.play import FORMAT, MoshiPlay, MoshiReplay, Placement
from agents.moshi.probe import probe
from agents.moshi.protocol import FRAME, MoshiClient, Server
from agents.moshi.wire import MoshiAddress
from agents.remote.trace import Trace, Tracer
from simulator.actor import Actor, ActorSpec, Context, Setting
from simulator.errors import RemoteError, single
from simulator.frame import AudioFrame, Samples
from simulator.reading.secrets import Secrets, mask_url, names
from simulator.sound.opus import need_sphn
from simulator.spec import Duration, ms
from simulator.traits import PartyTraits, StepTraits

PATH = "/api/chat"


class MoshiSpec(ActorSpec, frozen=True, kw_only=True, tag="moshi"):
    """A Moshi or PersonaPlex server: `{kind: moshi, url: "ws://host:8998"}`; the path is /api/chat unless given.

    url: ws or wss; `verify: false` takes a self-signed certificate. server: whose counting rules hold. voice_prompt,
    text_prompt: PersonaPlex wants both, the name of a voice file it has and a text that is not empty. token: `${NAME}`,
    sent as a Bearer header; for a server that reads it from the query, write `?worker_auth_id=${NAME}` in the url.
    handshake_timeout: how long to wait behind other clients and for prompts to be read. stall_timeout: how long a frame
    may take. drain: how long to listen after the last frame owed. verify: whether the server's certificate is checked.
    placement: where its sound lies, as it comes (`heard`), without the network's gaps (`contiguous`), or as
    Full-Duplex-Bench's client has it (`fdb`); default: heard on the wall clock, contiguous on the virtual one. jitter:
    so much of its sound waits before it is heard. connect_timeout: for dialling.
    """

    url: str
    server: Server = "auto"
    voice_prompt: str | None = None
    text_prompt: str | None = None
    token: str | None = None
    verify: bool = True
    placement: Placement | None = None
    jitter: Duration = ms(80)
    drain: Duration = ms(300)
    connect_timeout: Duration = Duration(10)
    handshake_timeout: Duration = Duration(300)
    stall_timeout: Duration = Duration(30)

    def check(self, setting: Setting) -> None:
        """Refuse a URL, prompts or a placement that cannot work, and a missing sphn."""
        need_sphn()
        if not names(self.url):
            _check_url(self.url, setting)
        if self.server == "personaplex" and self.voice_prompt is None and "voice_prompt=" not in self.url:
            raise setting.refuse("", "PersonaPlex needs both a voice_prompt and a text_prompt")
        if (self.voice_prompt is None) != (self.text_prompt is None) or self.text_prompt == "":
            raise setting.refuse("", "voice_prompt and text_prompt go together, and neither may be empty")
        if self.token is not None and not names(self.token):
            raise setting.refuse(".token", "write it as ${NAME}, the name of an environment variable")
        if self.placement == "fdb" and setting.realtime:
            raise setting.refuse(".placement", "fdb lays frames by count, which needs `clock: virtual`")

    def traits(self) -> PartyTraits:
        """A server samples as it likes."""
        return PartyTraits(deterministic=False, remote=True)

    def build(self) -> "Moshi":
        """Make the actor."""
        return Moshi(self)

    def replay(self, trace: Trace) -> MoshiReplay:
        """Make an actor that plays a trace of this kind; another `placement` than the recorded one lays it anew."""
        recorded = trace.header.spec.get("placement")
        placement = self.placement or recorded or "heard"
        by_time = placement == recorded and any(record.arrived is not None for record in trace.received())
        play = MoshiPlay(self.core(), placement, jitter_s=self.jitter, waits=not by_time, primed=recorded == "fdb")
        return MoshiReplay(trace, play, by_time=by_time)

    def core(self) -> MoshiClient:
        """Make the protocol core."""
        return MoshiClient(self.server)

    def patience(self) -> Patience:
        """Give how long to wait for what."""
        return Patience(handshake_s=self.handshake_timeout, stall_s=self.stall_timeout, drain_s=self.drain)

    def address(self, secrets: Secrets) -> MoshiAddress:
        """Give where to dial, secrets expanded."""
        # A key is put in behind the taking apart: a `+` or an `&` in it is a part of the key.
        url, _, written = self.url.partition("?")
        secrets.learn(self.url)
        parts = urlsplit(secrets.expand(url))
        query = parse_qsl(parts.query, keep_blank_values=True)
        query += [(name, secrets.expand(value)) for name, value in parse_qsl(written, keep_blank_values=True)]
        prompts = {"voice_prompt": self.voice_prompt, "text_prompt": self.text_prompt}
        query += [(name, value) for name, value in prompts.items() if value is not None]
        path = PATH if parts.path in ("", "/") else parts.path
        url = parts._replace(path=path, query=urlencode(query, quote_via=quote)).geturl()
        token = secrets.expand(self.token) if self.token else None
        return MoshiAddress(url=url, token=token, verify=self.verify, connect_s=self.connect_timeout)

    async def probe(self) -> str:
        """Ask the server whether it works; gives what was found, in a sentence. RemoteError when it does not."""
        secrets = Secrets()
        address = self.address(secrets)
        name = secrets.scrub(address.url.partition("?")[0])
        try:
            return f"moshi at {name} {await probe(address, self.core(), self.patience())}"
        except Exception as group:
            error = single(group)  # of the task group inside
            if not isinstance(error, RemoteError):
                raise
            raise RemoteError(f"moshi at {name} {secrets.scrub(str(error))}") from None


def _check_url(url: str, setting: Setting) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise setting.refuse(".url", f"expected ws://host:port or wss://host:port, found {mask_url(url)!r}")


class Moshi(Actor):
    """Plays a party by a Moshi server. It stays on the event loop: a step only moves data, or waits for the server."""

    traits = StepTraits(format=FORMAT, threaded=False, skips_first=True)

    def __init__(self, spec: MoshiSpec) -> None:
        self._spec = spec
        self._secrets = Secrets()
        self._link: MoshiLink | None = None

    async def start(self, context: Context) -> None:
        """Connect and wait for the handshake; RemoteError when either fails or takes too long."""
        placement = self._spec.placement or ("heard" if context.realtime else "contiguous")
        spec = msgspec.structs.replace(self._spec, placement=placement)
        self._context = context
        self._tracer = Tracer(context, spec, protocol="moshi", secrets=self._secrets)
        self._play = MoshiPlay(
            spec.core(), placement, jitter_s=spec.jitter, waits=not context.realtime, primed=placement == "fdb"
        )
        self._play.begin(context, self._secrets.scrub)
        address = spec.address(self._secrets)
        self._link = MoshiLink(address, self._play, self._tracer, spec.patience(), self._secrets)
        await self._link.connect(context)

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Send what is heard and say what is due: in lock-step on the virtual clock, at once on the wall clock."""
        assert self._link is not None
        at = heard.start + FRAME
        self._tracer.heard(heard.samples, at)
        if not self._context.realtime:
            return self._wait_and_say(self._link, heard.samples, at)
        self._link.exchange_at_once(heard.samples, at)
        return AudioFrame(at, self._play.say(at))

    async def close(self) -> None:
        """Wait for what is owed and say goodbye; RemoteError when the server left before that."""
        if self._link is not None:
            try:
                await self._link.close()
            finally:
                self._tracer.close()

    async def _wait_and_say(self, link: MoshiLink, samples: Samples, at: int) -> AudioFrame:
        await link.exchange(samples, at)
        return AudioFrame(at, self._play.say(at))
