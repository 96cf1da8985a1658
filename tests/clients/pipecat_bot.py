"""A bot of Pipecat's with local fakes for its services, behind its own transports: WebSocket or SmallWebRTC.

    python pipecat_bot.py RECORDING [--header | --webrtc]

Its ears are a level, what it understands is a count, its voice the recording (PCM16 at 24 kHz). Prints its port, then
what happened to it, as JSON lines.
"""

import array
import asyncio
import json
import socket
import sys
import wave

from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InputDTMFFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.transports.websocket.server import (
    SingleClientWebsocketServerParams,
    SingleClientWebsocketServerTransport,
)
from pipecat.utils.time import time_now_iso8601

IN, OUT = 16_000, 24_000
LOUD = 1000
TURN_S, SILENCE_S = 0.2, 0.4


class Services(FrameProcessor):
    """All in one: a turn that is over is answered by the recording, and speech cuts that off."""

    def __init__(self, voice: bytes) -> None:
        super().__init__()
        self.voice = voice
        self.loud_s = self.silent_s = 0.0
        self.turns = 0
        self.speaking = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Listen to sound, hand everything else on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            await self.hear(frame)
            return
        if isinstance(frame, InputDTMFFrame):
            print(json.dumps({"digit": frame.button.value}), flush=True)
        await self.push_frame(frame, direction)

    async def hear(self, frame: InputAudioRawFrame) -> None:
        """Count loud and silent time."""
        pcm = array.array("h", frame.audio)
        seconds = len(pcm) / frame.sample_rate
        if max(map(abs, pcm), default=0) > LOUD:
            self.loud_s, self.silent_s = self.loud_s + seconds, 0.0
            if self.speaking and self.loud_s > TURN_S:
                self.speaking = False
                print(json.dumps({"interrupted": True}), flush=True)
                await self.broadcast_interruption()
            return
        self.silent_s += seconds
        if self.loud_s > TURN_S and self.silent_s > SILENCE_S:
            self.loud_s = 0.0
            await self.answer()

    async def answer(self) -> None:
        """Say the recording three times, all of it at once, as voices do."""
        self.turns += 1
        self.speaking = True
        await self.push_frame(TranscriptionFrame(f"turn {self.turns}", "caller", time_now_iso8601(), finalized=True))
        await self.push_frame(TTSStartedFrame())
        await self.push_frame(TTSAudioRawFrame(3 * self.voice, OUT, 1))
        await self.push_frame(TTSTextFrame("Certainly.", aggregated_by="sentence"))
        await self.push_frame(TTSStoppedFrame())


async def run(transport: BaseTransport, voice: bytes) -> None:
    """Run a bot behind a transport until it is ended."""
    task = PipelineTask(
        Pipeline([transport.input(), Services(voice), transport.output()]),
        params=PipelineParams(audio_in_sample_rate=IN, audio_out_sample_rate=OUT),
        idle_timeout_secs=None,
    )
    await PipelineRunner(handle_sigint=False).run(task)


async def over_websocket(voice: bytes, *, header: bool) -> None:
    """Serve one bot behind a WebSocket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    params = SingleClientWebsocketServerParams(
        audio_in_enabled=True, audio_out_enabled=True, audio_in_sample_rate=IN, audio_out_sample_rate=OUT,
        add_wav_header=header, serializer=ProtobufFrameSerializer(),
    )  # fmt: skip
    transport = SingleClientWebsocketServerTransport(host="127.0.0.1", port=port, params=params)

    @transport.event_handler("on_websocket_ready")
    async def ready(_transport: object) -> None:
        print(json.dumps({"port": port}), flush=True)

    await run(transport, voice)


async def over_webrtc(voice: bytes) -> None:
    """Serve bots behind SmallWebRTC, each offer one of its own."""
    from aiohttp import web
    from pipecat.transports.smallwebrtc.request_handler import (
        IceCandidate,
        SmallWebRTCPatchRequest,
        SmallWebRTCRequest,
        SmallWebRTCRequestHandler,
    )
    from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

    handler, bots = SmallWebRTCRequestHandler(), []

    async def connected(connection: object) -> None:
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        bots.append(asyncio.create_task(run(SmallWebRTCTransport(connection, params), voice)))

    async def offer(request: web.Request) -> web.Response:
        told = SmallWebRTCRequest.from_dict(await request.json())
        print(json.dumps({"request_data": told.request_data}), flush=True)
        return web.json_response(await handler.handle_web_request(told, connected))

    async def patch(request: web.Request) -> web.Response:
        told = await request.json()
        found = [IceCandidate(**one) for one in told["candidates"]]
        await handler.handle_patch_request(SmallWebRTCPatchRequest(pc_id=told["pc_id"], candidates=found))
        print(json.dumps({"patched": len(found)}), flush=True)
        return web.json_response({"status": "success"})

    app = web.Application()
    app.add_routes([web.post("/api/offer", offer), web.patch("/api/offer", patch)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.Event().wait()


async def main(recording: str, options: list[str]) -> None:
    """Serve until it is ended."""
    with wave.open(recording) as file:
        voice = file.readframes(file.getnframes())
    await (over_webrtc(voice) if "--webrtc" in options else over_websocket(voice, header="--header" in options))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
