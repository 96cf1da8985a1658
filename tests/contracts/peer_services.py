"""Services with a time of their own, scripted for tests: OpenAI Realtime, OpenAI Live, Gemini Live.

A script is an async function that talks to one connection. It decides by how much sound it was sent, not by a
clock, so a test does not depend on how busy the machine is. Sound that a service sends is a tone without a
zero sample: what was heard of it can be counted in a recording.
"""

import base64
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from agents.remote.wire_audio import WireFormat
from tests.contracts.moshi_peers import scripted

Json = dict[str, Any]
RATE = 24_000
PCM = WireFormat()


def tone(seconds: float, rate: int = RATE) -> bytes:
    """PCM16 without a zero sample: a square wave."""
    half = rate // 400
    return (
        np.tile(np.repeat([3000, -3000], half), int(seconds * rate / (2 * half)) + 1)[: int(seconds * rate)]
        .astype("<i2")
        .tobytes()
    )


def heard_of(samples: Any) -> int:
    """How many samples of the tone are in a recording."""
    return int(np.count_nonzero(samples))


class Talker:
    """One connection of a scripted service, message by message."""

    def __init__(self, connection: ServerConnection, form: WireFormat, seen: list[Json]) -> None:
        self.connection = connection
        self.form = form
        self.seen = seen
        self.heard_s = 0.0

    async def send(self, *messages: Json) -> None:
        """Send messages."""
        for message in messages:
            await self.connection.send(json.dumps(message))

    async def until(self, stop: Callable[[Json], bool]) -> Json:
        """Read messages until one satisfies `stop`, counting the sound in them; keeps the others in
        `seen`."""
        while True:
            message = json.loads(await self.connection.recv())
            audio = sound_in(message)
            if audio is not None:
                self.heard_s += len(self.form.decode(audio)) / self.form.rate
            else:
                self.seen.append(message)
            if stop(message):
                return message

    async def until_type(self, type_: str) -> Json:
        """Read until a message of this type."""
        return await self.until(lambda message: message.get("type") == type_)

    async def until_heard(self, seconds: float) -> None:
        """Read until so much sound has been sent in all."""
        await self.until(lambda message: self.heard_s >= seconds)

    async def stay(self) -> None:
        """Read until the client leaves."""
        await self.until(lambda message: False)


def sound_in(message: Json) -> str | None:
    """The sound a client's message carries, in any of the three protocols, camelCase or snake_case."""
    if message.get("type") in ("input_audio_buffer.append", "session.input_audio.append"):
        return str(message["audio"])
    realtime = message.get("realtime_input") or message.get("realtimeInput") or {}
    audio = realtime.get("audio")
    return str(audio["data"]) if audio else None


Script = Callable[[Talker], Awaitable[None]]


@contextmanager
def service(script: Script, form: WireFormat = PCM, **settings: Any) -> Iterator[tuple[str, list[Json]]]:
    """Run a script for every connection; gives the http base URL and the messages seen that were no sound."""
    seen: list[Json] = []

    async def talk(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(Talker(connection, form, seen))

    with scripted(talk, **settings) as url:
        yield url.replace("ws", "https" if "ssl" in settings else "http", 1), seen


async def greet_realtime(talker: Talker) -> None:
    """Shake hands as the Realtime API does."""
    await talker.send({"type": "session.created", "session": {"id": "sess_1"}})
    message = await talker.until_type("session.update")
    await talker.send({"type": "session.updated", "session": message["session"]})


def speech(
    response: str, item: str, pcm: bytes, *, text: str = "", piece_s: float = 0.1, rate: int = RATE
) -> list[Json]:
    """A Realtime response of sound, all of it: created, deltas, done."""
    step = int(piece_s * rate) * 2
    place = {"response_id": response, "item_id": item, "content_index": 0, "output_index": 0}
    deltas = [
        {
            "type": "response.output_audio.delta",
            "delta": base64.b64encode(pcm[start : start + step]).decode(),
            **place,
        }
        for start in range(0, len(pcm), step)
    ]
    return [
        {"type": "response.created", "response": {"id": response}},
        *deltas,
        {"type": "response.output_audio.done", **place},
        {"type": "response.output_audio_transcript.done", "transcript": text, **place},
        {"type": "response.done", "response": {
            "id": response, "status": "completed", "output": [{"id": item, "type": "message"}],
            "usage": {"input_tokens": 120, "output_tokens": 60,
                      "input_token_details": {"text_tokens": 20, "audio_tokens": 100, "cached_tokens": 10,
                                              "cached_tokens_details": {"text_tokens": 10}},
                      "output_token_details": {"text_tokens": 10, "audio_tokens": 50}}}},
    ]  # fmt: skip


def gemini_sound(pcm: bytes) -> Json:
    """A Gemini message with sound of the model's turn."""
    data = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(pcm).decode()}
    return {"serverContent": {"modelTurn": {"parts": [{"inlineData": data}]}}}


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A self-signed certificate for localhost: the server's context, and the file a client trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return context, cert_file
