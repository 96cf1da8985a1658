"""Pipecat's OpenAIRealtimeLLMService holds a conversation with a served agent."""

import asyncio

import pytest
from far_end import RATE, Mouth, converse, held_well, tapped
from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import ErrorFrame, InputAudioRawFrame, LLMRunFrame, TTSAudioRawFrame
from pipecat.observers.base_observer import BaseObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

pytestmark = pytest.mark.clients
BOOK = FunctionSchema(name="book", description="Book a table.", properties={}, required=[])


class Watcher(BaseObserver):
    """Notes the frames of errors and of sound that go through the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []
        self.sound = 0

    async def on_push_frame(self, data) -> None:  # type: ignore[no-untyped-def]
        """A frame goes from one processor to the next."""
        if isinstance(data.frame, ErrorFrame):
            self.errors.append(data.frame.error)
        elif isinstance(data.frame, TTSAudioRawFrame):
            self.sound += len(data.frame.audio) // 2


def test_a_conversation(address: str, lines: list[bytes]) -> None:
    """A context with messages is taken, turns are heard and answered, and no error ends its receive loop."""
    asyncio.run(_talk(address, lines))


async def _talk(address: str, lines: list[bytes]) -> None:
    async with tapped(address) as tap:
        properties = events.SessionProperties(instructions="Be brief.", audio=events.AudioConfiguration(
            input=events.AudioInput(transcription=events.InputAudioTranscription())))  # fmt: skip
        settings = OpenAIRealtimeLLMService.Settings(model="any", session_properties=properties)
        service = OpenAIRealtimeLLMService(api_key="none", base_url=f"{tap.url}/realtime", settings=settings)
        context = LLMContext([{"role": "user", "content": "I am Kim."}], tools=ToolsSchema(standard_tools=[BOOK]))
        pair = LLMContextAggregatorPair(context)
        watcher = Watcher()
        task = PipelineTask(
            Pipeline([pair.user(), service, pair.assistant()]),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
            observers=[watcher], idle_timeout_secs=None,
        )  # fmt: skip
        running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(task))
        mouth = Mouth(lines)

        async def send() -> None:
            async for frame in mouth.frames():
                await task.queue_frame(InputAudioRawFrame(audio=frame, sample_rate=RATE, num_channels=1))

        sending = asyncio.create_task(send())
        await task.queue_frame(LLMRunFrame())
        await tap.until("response.created")
        await converse(mouth, tap)
        sending.cancel()
        await task.cancel()
        await running
    assert not watcher.errors
    assert watcher.sound > RATE
    assert tap.sent("conversation.item.create") and tap.got("conversation.item.truncated")
    held_well(tap)
    tap.record("pipecat")
