"""LiveKit's OpenAI plugin holds a conversation with a served agent."""

import asyncio

import pytest
from far_end import FRAME, RATE, Mouth, converse, held_well, tapped
from livekit import rtc
from livekit.agents import function_tool, llm
from livekit.agents.utils import http_context
from livekit.plugins import openai

pytestmark = pytest.mark.clients


@function_tool
async def book() -> str:
    """Book a table."""
    return "booked"


def test_a_conversation(address: str, lines: list[bytes]) -> None:
    """generate_reply comes back by its metadata; the chat context is added to, truncated, and in order."""
    asyncio.run(_talk(address, lines))


async def _talk(address: str, lines: list[bytes]) -> None:
    async with tapped(address) as tap, http_context.open():
        model = openai.realtime.RealtimeModel(base_url=tap.url, api_key="none", model="any")
        session = model.session()
        errors: list[object] = []
        session.on("error", errors.append)
        await session.update_instructions("Be brief.")
        await session.update_tools([book])
        context = session.chat_ctx.copy()
        context.add_message(role="user", content="I am Kim.")
        await session.update_chat_ctx(context)
        mouth = Mouth(lines)

        async def send() -> None:
            async for frame in mouth.frames():
                session.push_audio(rtc.AudioFrame(frame, RATE, 1, FRAME))

        async def cut() -> None:
            done = await tap.until("response.done")
            item = done["response"]["output"][0]["id"]
            session.truncate(message_id=item, modalities=["audio"], audio_end_ms=500, audio_transcript="Certainly.")

        tasks = [asyncio.create_task(send()), asyncio.create_task(cut())]
        await converse(mouth, tap)
        generation = await asyncio.wait_for(session.generate_reply(instructions="Say goodbye."), 12)
        assert generation.user_initiated
        session.interrupt()
        last = tap.got("response.done")[-1]["response"]["output"][0]["id"]
        session.truncate(message_id=last, modalities=["audio"], audio_end_ms=0)
        await tap.until("conversation.item.deleted")
        ours = [item.id for item in session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
        for task in tasks:
            task.cancel()
        await session.aclose()
        await model.aclose()
    assert not errors
    assert ours == tap.order()
    assert len(tap.got("conversation.item.truncated")) == 1
    held_well(tap)
    tap.record("livekit")
