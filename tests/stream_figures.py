"""Calls with an agent that says back what it hears, and what of a counted signal came back, when, in which order."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import anyio
import numpy as np
import soundfile
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agents.pipecat.frames import decode_frame, encode_pcm
from agents.remote.trace import read_trace
from agents.remote.wire_audio import wire_format
from simulator.batch.job import Played, play
from simulator.call.surroundings import Surroundings
from simulator.frame import Samples
from simulator.planning.job import Job
from simulator.scenario import resolved
from simulator.session import Session, read_session
from simulator.testing.sessions import scenario_of

Kind = Literal["websocket", "twilio", "pipecat", "webrtc"]
RATES = {"websocket": 16_000, "twilio": 8_000, "pipecat": 16_000, "webrtc": 48_000}
KEYS: dict[str, dict[str, Any]] = {"pipecat": {"rtvi": False, "output_rate": 16_000}}
"""Of each kind's spec, besides its address."""
MULAW = wire_format("mulaw")
CHUNK = 2 * RATES["pipecat"] // 25
"""Bytes of the 40 ms in which Pipecat's transports send."""


async def echo(connection: ServerConnection) -> None:
    """Say back what is heard, until the caller leaves: binary, media of a call, frames of Pipecat's in 40 ms."""
    with suppress(ConnectionClosed):
        await _say_back(connection)


async def _say_back(connection: ServerConnection) -> None:
    waiting = b""
    bot = connection.request is not None and connection.request.path == "/pipecat"
    async for message in connection:
        if isinstance(message, bytes) and bot:
            waiting += decode_frame(message).audio
            if len(waiting) >= CHUNK:
                await connection.send(encode_pcm(waiting, RATES["pipecat"]))
                waiting = b""
            continue
        if isinstance(message, bytes):
            await connection.send(message)
            continue
        told = json.loads(message)
        if told["event"] == "media":
            back = {"event": "media", "streamSid": told["streamSid"], "media": {"payload": told["media"]["payload"]}}
            await connection.send(json.dumps(back))


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """Serve that; gives the address."""
    async with serve(echo, "127.0.0.1", 0, compression=None) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/s"


def counted_noise(kind: Kind, seconds: float) -> Samples:
    """Noise at speech level without a zero sample, which comes through the wire as it was: no stretch of it is like
    another, so that what comes back shows every sample that is lost or doubled.
    """
    rng = np.random.default_rng(7)
    count = round(seconds * RATES[kind])
    noise = (rng.choice((-1, 1), count) * rng.uniform(0.02, 0.08, count)).astype(np.float32)
    return MULAW.unpack(MULAW.pack(noise)) if kind == "twilio" else np.rint(noise * 32_768).astype(np.float32) / 32_768


def job_of(
    kind: Kind,
    url: str,
    folder: Path,
    seconds: float,
    *,
    name: str = "call",
    frame_ms: float = 20,
    sound: Samples | None = None,
) -> Job:
    """A call of a user who plays the counted signal, or another sound, until a second after its end."""
    rate = RATES[kind]
    recording = folder / f"{kind}-{seconds:g}.wav"
    if not recording.exists():
        soundfile.write(recording, counted_noise(kind, seconds) if sound is None else sound, rate, subtype="PCM_16")
    scenario = scenario_of({
        "name": name, "duration": f"{seconds + 1}s", "sample_rate": rate, "frame_ms": frame_ms, "scorers": [],
        "user": {"kind": "player", "file": str(recording), "level": "keep"},
        "agent": {"kind": kind, "url": url.removesuffix("/s") + f"/{kind}", **KEYS.get(kind, {})},
    }, folder)  # fmt: skip
    return Job(id=name, group=name, scenario=resolved(scenario, 0))


async def play_all(jobs: list[Job], folder: Path) -> list[Played]:
    """Play calls at once, on one loop."""
    played: dict[str, Played] = {}

    async def one(job: Job) -> None:
        played[job.id] = await play(job, folder, Surroundings())

    async with anyio.create_task_group() as tasks:
        for job in jobs:
            tasks.start_soon(one, job)
    return [played[job.id] for job in jobs]


class Figures(NamedTuple):
    """Of one call. lost, doubled: samples of the counted signal. mouth_to_ear_ms: until the user hears what it said, by
    way of the agent; its median and what nine of ten samples lie within. gaps: how often sound ran out on the way.
    """

    samples: int
    lost: int
    doubled: int
    mouth_to_ear_p50_ms: float
    jitter_p90_ms: float
    gaps: int


def figures_of(session: Session) -> Figures:
    """Compare what came back with what was said."""
    said, back = session.said("user"), session.heard("user")
    places_said, places_back = np.flatnonzero(said), np.flatnonzero(back)
    sent, came = said[places_said], back[places_back]
    count = min(len(sent), len(came))
    same = np.array_equal(sent[:count], came[:count])
    delays = (places_back[:count] - places_said[:count]) * 1000 / session.sample_rate
    wrong = 0 if same else int(np.count_nonzero(sent[:count] != came[:count]))
    low, high = np.percentile(delays, [5, 95])
    return Figures(
        samples=len(sent),
        lost=max(0, len(sent) - len(came)) + wrong,
        doubled=max(0, len(came) - len(sent)),
        mouth_to_ear_p50_ms=round(float(np.median(delays)), 2),
        jitter_p90_ms=round(float(high - low), 2),
        gaps=len(session.by_type.get("starved", ())),
    )


class Clear(NamedTuple):
    """One clear: until silence in ms, since it came in and since the frame worked on when it was acted on."""

    since_arrival_ms: float
    since_acted_ms: float


def clears_of(session: Session) -> list[Clear]:
    """Look at every clear of a call: of what comes in during a frame, the next one knows."""
    trace = read_trace(session.folder, "agent")
    clears = [record for record in trace.received() if record.type in ("clear", "interrupt")]
    cuts = [event.at for event in session.by_type.get("audio_end", ()) if event.data.get("cut")]
    scale = 1000 / session.sample_rate
    return [
        Clear(round((end - (clear.arrived or 0)) * scale, 2), round((end - clear.at) * scale, 2))
        for clear, end in zip(clears, cuts, strict=False)
    ]


async def clearing(connection: ServerConnection) -> None:
    """Say a second of sound at once and clear it 100 ms later, every 200 ms, counted by what is heard."""
    heard = 0
    async for message in connection:
        told: Any = json.loads(message)
        if told["event"] != "media":
            continue
        sid, heard = told["streamSid"], heard + 1
        if heard % 10 == 1:
            payload = MULAW.encode(np.full(8000, 0.25, np.float32))
            sound = {"event": "media", "streamSid": sid, "media": {"payload": payload}}
            await connection.send(json.dumps(sound))
        elif heard % 10 == 6:
            await connection.send(json.dumps({"event": "clear", "streamSid": sid}))


@asynccontextmanager
async def serving_clears() -> AsyncIterator[str]:
    """Serve that; gives the address."""
    async with serve(clearing, "127.0.0.1", 0, compression=None) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/s"


def session_in(folder: Path, job: Job) -> Session:
    """Read a call back."""
    return read_session(folder / job.id)
