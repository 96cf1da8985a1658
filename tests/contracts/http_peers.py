"""HTTP voice servers for tests, real ones on loopback: ours with an actor behind it, and scripted ones."""

import base64
import http.client
import io
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import soundfile
from anyio.from_thread import start_blocking_portal

from simulator.actor import ActorSpec, AnyActor
from simulator.plugins import load
from simulator.serving.door import open_door
from simulator.serving.listening import LOCAL, DoorSpec
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import DEFAULT_LIMITS, Limits, Service
from simulator.spec import decode

Json = dict[str, Any]


@contextmanager
def served(actor: Json | ActorSpec, protocol: str, out: Path, *, door: DoorSpec = LOCAL,
           limits: Limits = DEFAULT_LIMITS, **settings: Any) -> Iterator[str]:  # fmt: skip
    """Serve an actor (plain data, or a spec) by a protocol in a thread of its own; gives the http:// URL."""
    spec: ActorSpec = actor if isinstance(actor, ActorSpec) else decode(actor, AnyActor, source="test", folder=out)
    server: ServerSpec = decode(settings, load("servers", protocol), source="test", folder=out)
    service = Service(spec, protocol=protocol, out=out, limits=limits)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_door(service, server, door)) as url,
    ):
        yield url


class Got:
    """A request as a scripted server sees it, and ways to answer it."""

    def __init__(self, request: BaseHTTPRequestHandler, number: int) -> None:
        self._request = request
        self.number = number
        self.method = request.command
        self.path = request.path
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.body = request.rfile.read(int(request.headers.get("Content-Length", 0)))

    @property
    def json(self) -> Json:
        """The body."""
        read: Json = json.loads(self.body)
        return read

    def answer(self, body: Json | bytes, status: int = 200, *, kind: str = "application/json", **headers: str) -> None:
        """Answer with JSON, or with bytes as they are, which are called `kind`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._send(data, kind, status=status, headers=headers)

    def stream(self, *events: Json, whole: bool = True) -> None:
        """Answer with server-sent events, as chat endpoints stream; or cut the connection off before the end."""
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        data = "".join([*lines, *(["data: [DONE]\n\n"] if whole else [])]).encode()
        self._send(data, "text/event-stream", missing=0 if whole else 100)
        if not whole:
            self._request.wfile.flush()
            self.vanish()

    def begin(self, length: int = 10_000) -> None:
        """Promise an answer of so many bytes, and give ten."""
        self._request.send_response(200)
        self._request.send_header("Content-Length", str(length))
        self._request.end_headers()
        self._request.wfile.write(b"0123456789")

    def vanish(self) -> None:
        """Cut the connection off."""
        self._request.close_connection = True
        self._request.connection.shutdown(2)

    def _send(
        self, data: bytes, kind: str, *, status: int = 200, missing: int = 0, headers: Mapping[str, str] = {}
    ) -> None:
        """Send an answer. missing: so many bytes more are promised than come."""
        self._request.send_response(status)
        self._request.send_header("Content-Type", kind)
        self._request.send_header("Content-Length", str(len(data) + missing))
        for name, value in headers.items():
            self._request.send_header(name, value)
        self._request.end_headers()
        self._request.wfile.write(data)


Script = Callable[[Got], None]


@contextmanager
def scripted(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Got]]]:
    """Run `script` for every request in a thread of its own; gives the URL and what was asked, in order."""
    seen: list[Got] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got = Got(self, len(seen))
            seen.append(got)
            script(got)

        do_GET = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that http.server calls

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that left is no error."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(url: str, path: str, body: Json | bytes | None = None, *, method: str = "",
        headers: dict[str, str] | None = None) -> tuple[int, Json]:  # fmt: skip
    """GET, or POST when there is a body: the status and the JSON of the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, data, headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def wav(samples: Any, rate: int = 16_000, **settings: Any) -> str:
    """Base64 of a sound file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=settings.get("format", "WAV"))
    return base64.b64encode(file.getvalue()).decode()


def sound_in(data: str) -> tuple[np.ndarray[Any, Any], int]:
    """Read base64 of a sound file: float64 (n, channels) and the rate."""
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)), always_2d=True)
    return samples, rate


def spoken_wav(text: str = "hello, who is there?", rate: int = 16_000) -> str:
    """Base64 of a WAV in which somebody says a text."""
    from simulator.speaking.voice import spoken

    return wav(spoken(text, "en-gb-x-rp", rate).samples, rate)
