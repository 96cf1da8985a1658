"""Pipecat's own transports: our caller talks to a bot of theirs, by WebSocket and WebRTC, their client to our agent."""

import array
import asyncio
import json
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from far_end import HERE, LOUD, PYTHON
from pipecat.frames.frames import Frame, InputAudioRawFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.transports.websocket.client import WebsocketClientParams, WebsocketClientTransport

pytestmark = pytest.mark.clients
RATE, FRAME_S = 24_000, 0.02

CALL = """
name: pipecat bot
duration: 9s
user:
  kind: scripted
  turns:
    - {at: 300ms, say: "Hi there, a table for tonight please."}
    - {agent_speaking: 1s, at_latest: 6s, say: "Wait, stop that please."}
    - {at: 8s, press: "1#"}
agent: %s
scorers: [turns, barge_in]
"""


@contextmanager
def bot(recording: Path, *options: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a bot; gives its address and, once it has ended, what happened to it."""
    told: list[dict[str, Any]] = []
    command = [sys.executable, str(HERE / "pipecat_bot.py"), str(recording), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{json.loads(process.stdout.readline())['port']}", told
        finally:
            process.terminate()
            told += [json.loads(line) for line in process.stdout]


@pytest.fixture
def recording(lines: list[bytes], tmp_path: Path) -> Path:
    """What a bot says."""
    file = tmp_path / "voice.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(lines[0])
    return file


AGENTS = {
    "": '{kind: pipecat, url: "ws://%s"}',
    "--header": '{kind: pipecat, url: "ws://%s"}',
    "--webrtc": '{kind: webrtc, dialect: pipecat, url: "http://%s/api/offer", request: {from: ann}, trickle: true}',
}


@pytest.mark.parametrize("option", AGENTS)
def test_our_caller_with_their_bot(option: str, recording: Path, tmp_path: Path) -> None:
    """It is ready, hears turns, says its recording, is interrupted at the sample heard, and gets the keys."""
    scenario = tmp_path / "call.yaml"
    with bot(recording, *filter(None, [option])) as (host, told):
        scenario.write_text(CALL % (AGENTS[option] % host))
        command = [PYTHON, "-P", "-m", "simulator", "run", str(scenario), "--out", str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (tmp_path / "run").glob("*/events.jsonl")
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event["server"] for event in events if event["type"] == "remote_ready"] == ["rtvi 2.2.0"]
    understood = [event["text"] for event in events if event["type"] == "transcript" and event["of"] == "user"]
    assert understood == ["turn 1", "turn 2"]
    ends = [event for event in events if event["type"] == "audio_end" and event["party"] == "agent"]
    assert ends[0]["cut"] and ends[0]["said_samples"] > RATE / 2
    if option == "--webrtc":
        assert {"request_data": {"from": "ann"}} in told and any(found.get("patched") for found in told)
    assert {"interrupted": True} in told
    assert [found["digit"] for found in told if "digit" in found] == ["1", "#"]
    assert not [event for event in events if event["type"] == "remote_error"]


class Ears(FrameProcessor):
    """Counts the loud samples that come in."""

    def __init__(self) -> None:
        super().__init__()
        self.loud = self.heard = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Listen to sound, hand everything else on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            pcm = array.array("h", frame.audio)
            self.heard += len(pcm)
            self.loud += sum(abs(value) > LOUD for value in pcm)
            return
        await self.push_frame(frame, direction)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the agent as a bot of Pipecat's."""
    command = ["serve", str(HERE / "agent.yaml"), "--protocol", "pipecat", "--port", "0", "--out", str(folder)]
    with subprocess.Popen([PYTHON, "-P", "-m", "simulator", *command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "serving" in line)
            yield line.split(" at ")[1].split(";")[0].strip().replace("http", "ws", 1)
        finally:
            process.terminate()


def test_their_client_with_our_agent(lines: list[bytes], tmp_path: Path) -> None:
    """What it says is heard as a turn, and the answer comes back through its own transport."""
    with served(tmp_path / "served") as url:
        ears = asyncio.run(_talk(url, lines[0]))
    assert ears.loud > RATE / 10, (ears.heard, ears.loud)


async def _talk(url: str, line: bytes) -> Ears:
    params = WebsocketClientParams(
        audio_in_enabled=True, audio_out_enabled=True, audio_in_sample_rate=16_000, audio_out_sample_rate=RATE,
        serializer=ProtobufFrameSerializer(),
    )  # fmt: skip
    transport = WebsocketClientTransport(uri=url, params=params)
    ears = Ears()
    task = PipelineTask(
        Pipeline([transport.input(), ears, transport.output()]),
        params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=RATE),
        idle_timeout_secs=None,
        enable_rtvi=False,
    )
    running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(task))
    sound = line + bytes(2 * RATE * 8)
    began, step = time.monotonic(), 2 * round(RATE * FRAME_S)
    for count, start in enumerate(range(0, len(sound), step)):
        await task.queue_frame(OutputAudioRawFrame(sound[start : start + step], RATE, 1))
        if ears.loud > RATE / 10:
            break
        await asyncio.sleep(max(0.0, began + count * FRAME_S - time.monotonic()))
    await task.cancel()
    await running
    return ears
