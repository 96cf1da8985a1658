"""A bot of Pipecat's with local fakes for its services, behind its own WebSocket transport and protobuf frames.

    python pipecat_bot.py RECORDING [--header]

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


async def main(recording: str, *, header: bool) -> None:
    """Serve one bot until it is ended."""
    with wave.open(recording) as file:
        voice = file.readframes(file.getnframes())
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

    task = PipelineTask(
        Pipeline([transport.input(), Services(voice), transport.output()]),
        params=PipelineParams(audio_in_sample_rate=IN, audio_out_sample_rate=OUT),
        idle_timeout_secs=None,
    )
    await PipelineRunner().run(task)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], header="--header" in sys.argv))
