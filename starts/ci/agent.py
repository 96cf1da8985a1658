import array
import asyncio

import websockets

RATE = 16_000  # Hz; samples are 16 bits, little-endian, one channel, both ways
LOUD = 500  # of 32767: below this nobody speaks
PAUSE_S = 0.6  # after so much silence the other's turn is over


async def talk(connection):
    heard, quiet = bytearray(), 0
    async for message in connection:
        samples = array.array("h", message)
        speaks = max(map(abs, samples), default=0) > LOUD
        quiet = 0 if speaks else quiet + len(samples)
        if speaks or heard:
            heard += message
        if heard and quiet > PAUSE_S * RATE:
            await connection.send(bytes(heard))  # faster than real time: it is heard at its own pace
            heard, quiet = bytearray(), 0


async def main():
    async with websockets.serve(talk, "127.0.0.1", 8765):
        print("listening", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
