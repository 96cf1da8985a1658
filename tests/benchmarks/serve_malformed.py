"""What malformed requests do to the served HTTP protocols: nothing, it is hoped.

    python tests/benchmarks/serve_malformed.py [--protocol chat_audio] [--requests 10000] [--json FILE]

The server runs in a process of its own with a silent actor. Two identical rounds of malformed requests are sent, while
one good client asks again and again. Told are the statuses that came back, how the good client fared, and the server's
resident memory after each round: the second may lie 10 % above the first at most.
"""

import argparse
import collections
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def serve(pipe: Any, protocol: str, folder: str) -> None:
    """Run the server until told to stop; tells its URL, then its resident memory in KiB whenever asked."""
    import gc

    from simulator.actor import AnyActor
    from simulator.logs import set_up_logs
    from simulator.plugins import load
    from simulator.serving.door import open_door
    from simulator.serving.listening import DoorSpec
    from simulator.serving.service import Limits, Service
    from simulator.spec import decode, ms

    set_up_logs(verbose=False)  # as the command does; the tracebacks of an unset log take longer than the requests
    actor: Any = decode("silent", AnyActor, source="benchmark", folder=Path(folder))
    server = load("servers", protocol)(patience=ms(60), quiet=ms(60))

    async def main() -> None:
        service = Service(actor, protocol=protocol, out=Path(folder), limits=Limits(sessions=100))
        async with open_door(service, server, DoorSpec(patience_s=2.0)) as url:
            pipe.send(url)
            while await anyio.to_thread.run_sync(pipe.recv) == "memory":
                gc.collect()
                pipe.send(resident_kib())

    anyio.run(main)


def resident_kib() -> int:
    """This process's resident memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


async def one_round(url: str, protocol: str, requests: int, statuses: "collections.Counter[str]") -> dict[str, Any]:
    """Send the requests of a round beside a good client; gives how that one fared."""
    from tests.contracts.http_peers import ask
    from tests.contracts.malformed_http import VALID, bombard

    path, valid = VALID[protocol]
    good: list[int] = []
    delays: list[float] = []
    over = anyio.Event()

    async def be_good() -> None:
        while not over.is_set():
            began = anyio.current_time()
            good.append((await anyio.to_thread.run_sync(ask, url, path, valid))[0])
            delays.append(anyio.current_time() - began)
            with anyio.move_on_after(0.25):
                await over.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(be_good)
        await bombard(url, protocol, requests, 1, lambda answer: statuses.update([_status(answer)]))
        over.set()
    return {"asked": len(good), "answered": good.count(200), "slowest_s": round(max(delays), 3)}


def _status(answer: bytes) -> str:
    return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "none"


def measure(protocol: str, requests: int) -> dict[str, Any]:
    """Run two rounds against a fresh server."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=serve, args=(theirs, protocol, folder), daemon=True)  # ends with us
        process.start()
        theirs.close()  # or a server that cannot start would be waited for
        url = ours.recv()
        statuses: collections.Counter[str] = collections.Counter()
        good, memory = [], []
        for _ in range(2):
            good.append(anyio.run(one_round, url, protocol, requests, statuses))
            ours.send("memory")
            memory.append(ours.recv())
        ours.send("stop")
        process.join(30)
    return {"protocol": protocol, "requests": 2 * requests, "statuses": dict(statuses), "good_client": good,
            "memory_kib": memory, "growth": round(memory[1] / memory[0] - 1, 4), "exit": process.exitcode}  # fmt: skip


def main() -> int:
    """Measure, print, and say by the exit code whether everything held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--protocol", choices=["chat_audio", "http_voice"])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    protocols = [args.protocol] if args.protocol else ["chat_audio", "http_voice"]
    found = [measure(protocol, args.requests) for protocol in protocols]
    print(json.dumps(found, indent=2))
    if args.json:
        args.json.write_text(json.dumps(found))
    held = all(item["growth"] < 0.1 and item["exit"] == 0 and "500" not in item["statuses"] and
               all(fared["asked"] == fared["answered"] for fared in item["good_client"]) for item in found)  # fmt: skip
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
