"""Turns asked over HTTP, one POST after the other, with everything that goes over the wire in the session's trace."""

import base64
from typing import Any

import msgspec

from simulator.remote.http_exchange import HttpAnswer, HttpRequest, exchange
from simulator.remote.server import RemoteServer
from simulator.speaking.dialogue import ResponderContext


class HttpAsker:
    """A server that is asked with JSON. kind: what it is called; timeout_s: for a whole answer.

    What is noted of a request is `told`, sound left out; of an answer its status and its body, in base64 where it is
    sound.
    """

    def __init__(self, kind: str, base_url: str, token: str | None, timeout_s: float) -> None:
        self.server = RemoteServer(kind, base_url, token)
        self._timeout_s = timeout_s
        self._context: ResponderContext | None = None

    def begin(self, context: ResponderContext) -> None:
        """Write into this session's trace from now on."""
        self._context = context

    async def post(self, path: str, body: Any, *, told: Any, sound: bool = False, url: str | None = None) -> HttpAnswer:
        """POST a body and give what came back, whatever its status. RemoteError, a predicate: nothing did.

        url: another server's address, where the path lies instead. sound: whether the answer's body is sound.
        """
        self._note("sent", path, told)
        where = self.server.url(path) if url is None else url.rstrip("/") + path
        headers = self.server.headers() if url is None else {}
        request = HttpRequest(url=where, body=msgspec.json.encode(body), headers=headers, timeout_s=self._timeout_s)
        got = await exchange(request)
        shown = (
            base64.b64encode(got.body).decode() if sound and got.status == 200 else got.body.decode("utf-8", "replace")
        )
        self._note("received", path, {"status": got.status, "body": shown})
        return got

    def _note(self, direction: Any, type_: str, payload: object) -> None:
        if self._context is not None:
            self._context.trace(direction, type_, self.server.secrets.scrub_all(payload))
