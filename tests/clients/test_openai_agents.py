"""The `openai-agents` package's RealtimeSession holds a conversation with a served agent."""

import asyncio

import pytest
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from far_end import Mouth, converse, held_well, tapped

pytestmark = pytest.mark.clients


@function_tool
def book() -> str:
    """Book a table."""
    return "booked"


def test_a_conversation(address: str, lines: list[bytes]) -> None:
    """Every event is one that it knows; its history is the server's, in order."""
    asyncio.run(_talk(address, lines))


async def _talk(address: str, lines: list[bytes]) -> None:
    async with tapped(address) as tap:
        agent = RealtimeAgent(name="host", instructions="Be brief.", tools=[book])
        config = {"model_settings": {"turn_detection": {"type": "server_vad"}}}
        runner = RealtimeRunner(agent, config=config)
        options = {"url": f"{tap.url}/realtime?model=any", "api_key": "none"}
        errors, history = [], []
        async with await runner.run(model_config=options) as session:
            mouth = Mouth(lines)

            async def send() -> None:
                async for frame in mouth.frames():
                    await session.send_audio(frame)

            async def receive() -> None:
                async for event in session:
                    if event.type == "error":
                        errors.append(event)
                    elif event.type == "history_updated":
                        history[:] = [item.item_id for item in event.history]

            tasks = [asyncio.create_task(receive()), asyncio.create_task(send())]
            await converse(mouth, tap)
            await session.send_message("I am Kim.")
            await tap.until("response.created", len(tap.got("response.created")) + 1)
            await session.interrupt()
            await asyncio.sleep(1.0)
            history[:] = [item.item_id for item in session._history]
            for task in tasks:
                task.cancel()
    assert not errors
    assert history == tap.order()
    assert tap.got("conversation.item.truncated")
    held_well(tap)
    tap.record("openai_agents")
