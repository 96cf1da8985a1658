"""The `openai` package's Realtime connection holds a conversation with a served agent."""

import asyncio
import base64

import pytest
from far_end import Mouth, converse, held_well, tapped
from openai import AsyncOpenAI

pytestmark = pytest.mark.clients
TOOL = {
    "type": "function",
    "name": "book",
    "description": "Book a table.",
    "parameters": {"type": "object", "properties": {}},
}


def test_a_conversation(address: str, lines: list[bytes]) -> None:
    """Typed events both ways: settings, a text item, a response with instructions and metadata, three turns."""
    asyncio.run(_talk(address, lines))


async def _talk(address: str, lines: list[bytes]) -> None:
    async with tapped(address) as tap:
        client = AsyncOpenAI(base_url=tap.url.replace("ws", "http", 1), websocket_base_url=tap.url, api_key="none")
        async with client.realtime.connect(model="any") as connection:
            mouth = Mouth(lines)

            async def send() -> None:
                async for frame in mouth.frames():
                    await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())

            async def receive() -> None:
                async for event in connection:
                    if event.type == "response.done" and event.response.status == "cancelled":
                        item = event.response.output[0].id
                        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=500)

            heard = {"turn_detection": {"type": "server_vad"}, "transcription": {"model": "w"}}
            settings = {"type": "realtime", "instructions": "Be brief.", "tools": [TOOL], "audio": {"input": heard}}
            await connection.session.update(session=settings)
            text = {"type": "input_text", "text": "I am Kim."}
            await connection.conversation.item.create(item={"type": "message", "role": "user", "content": [text]})
            tasks = [asyncio.create_task(receive()), asyncio.create_task(send())]
            await converse(mouth, tap)
            await connection.response.create(response={"instructions": "Say goodbye.", "metadata": {"why": "end"}})
            created = await tap.until("response.created", len(tap.got("response.created")) + 1)
            for task in tasks:
                task.cancel()
    assert created["response"]["metadata"] == {"why": "end"}
    assert len(tap.got("conversation.item.truncated")) == 1
    held_well(tap)
    tap.record("openai")
