"""The guard: who may come through the door. ASGI middleware, in front of every path of every served protocol.

In this order, each with the answer it gives (a WebSocket gets the same status before its handshake):

    403  on loopback: a `Host` that is not this machine, or an `Origin` that is not this very server (no web page
         must reach it, not even one that another port of this machine serves)
    401  a token is demanded and none of the three ways holds it; `/health` is open to everybody
    413  a body longer than allowed, by its header or as it arrives; 408 for one that does not go on; 503 for one
         that, with those of all other requests, is more than the server holds

A token comes as `Authorization: Bearer`, `?token=` or `?worker_auth_id=` (Moshi's clients cannot set
headers). It is compared in constant time, taken out of the query before anything else sees it, and never
logged.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from simulator.remote.server import host_of
from simulator.serving.guarded_exchange import (
    TOO_LONG,
    BodiesInFlight,
    BodyLimits,
    GuardedExchange,
    Receive,
    Send,
    has_body,
)

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/health",)
_BODIES = 4
"""The bodies of all requests hold so many times as much as one of them may."""
TOKEN_KEYS = ("token", "worker_auth_id")


class AccessRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard demands. token: None lets everybody in. body_bytes: the longest body of an HTTP request.

    piece_s: how long the next piece of a body may take.
    """

    loopback: bool
    token: str | None = None
    body_bytes: int = 64 * 2**20
    piece_s: float = 30.0


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine alone: `localhost`, 127.0.0.0/8, ::1."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refusal(rules: AccessRules, scope: Scope) -> tuple[int, str] | None:
    """Give the status and the sentence a request is refused with, None when it may pass."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if rules.loopback:
        host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin")
        if not is_loopback(host_of("//" + host)):
            return 403, "this server only answers requests to this machine's own address"
        if origin is not None and _netloc(origin.decode("latin-1")) != host.lower():
            return 403, "this server does not answer pages of another origin"
    if rules.token is not None and scope["path"] not in OPEN_PATHS and not _holds_token(rules.token, scope, headers):
        return 401, "a valid token is needed: as `Authorization: Bearer`, ?token= or ?worker_auth_id="
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > rules.body_bytes:
        return 413, TOO_LONG.format(rules.body_bytes)
    return None


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _holds_token(token: str, scope: Scope, headers: dict[bytes, bytes]) -> bool:
    scheme, _, bearer = headers.get(b"authorization", b"").partition(b" ")
    offered = [bearer.strip()] if scheme.lower() == b"bearer" else []
    offered += [
        value.encode() for key, value in parse_qsl(scope["query_string"].decode("latin-1")) if key in TOKEN_KEYS
    ]
    found = False
    for one in offered:
        found |= hmac.compare_digest(one, token.encode())
    return found


class Guard:
    """Wraps an ASGI app in the rules."""

    def __init__(self, app: App, rules: AccessRules) -> None:
        self._app = app
        self._rules = rules
        self._bodies = BodiesInFlight(_BODIES * rules.body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let the request through without its token and with its body counted."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http" and has_body(dict(scope["headers"])):
            limits = BodyLimits(most_bytes=self._rules.body_bytes, piece_s=self._rules.piece_s)
            exchange = GuardedExchange(limits, self._bodies, receive, send)
            try:
                await self._let_in(scope, exchange.receive, exchange.send)
            finally:
                exchange.let_go()
        else:
            await self._let_in(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(self._rules, scope)
        if refused is not None:
            await refuse(scope, receive, send, *refused)
            return
        scope["query_string"] = _without_token(scope["query_string"])
        await self._app(scope, receive, send)


def _without_token(query: bytes) -> bytes:
    if not any(key.encode() in query for key in TOKEN_KEYS):
        return query
    kept = [pair for pair in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if pair[0] not in TOKEN_KEYS]
    return urlencode(kept).encode()


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
    """Answer an HTTP request, or a WebSocket before its handshake, with a status and a JSON `detail`."""
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    if scope["type"] == "websocket":
        await receive()
    body = msgspec.json.encode({"detail": detail})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
