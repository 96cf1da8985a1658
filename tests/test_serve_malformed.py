"""Malformed requests hurt nobody, whichever HTTP protocol is served (10,000 of them: benchmarks/serve_malformed.py)."""

from collections import Counter
from pathlib import Path

import anyio
import pytest

from simulator.serving.listening import DoorSpec
from simulator.session import read_session
from tests.contracts.http_peers import ask, served
from tests.contracts.malformed_http import VALID, bombard


@pytest.mark.parametrize("protocol", ["chat_audio", "http_voice"])
@pytest.mark.parametrize("requests", [60, pytest.param(400, marks=pytest.mark.slow)])
def test_malformed_requests_hurt_nobody(tmp_path: Path, protocol: str, requests: int) -> None:
    """None of them is a failure of the server (500); a good client is answered before, amid and after."""
    statuses: Counter[bytes] = Counter()
    path, valid = VALID[protocol]

    async def crowd(url: str) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bombard, url, protocol, requests, 7, lambda answer: statuses.update([answer[9:12]]))
            for _ in range(5):
                assert (await anyio.to_thread.run_sync(ask, url, path, valid))[0] == 200

    door = DoorSpec(patience_s=1.0)
    with served({"kind": "silent"}, protocol, tmp_path, door=door, patience="60ms", quiet="60ms") as url:
        anyio.run(crowd, url)
        assert ask(url, path, valid)[0] == 200
        assert ask(url, "/health")[0] == 200
    assert statuses[b"500"] == 0
    assert statuses[b"400"] + statuses[b"422"] > requests / 4
    for folder in list(tmp_path.glob("serve-*"))[:40]:
        meta = read_session(folder).meta
        # Some of them ask for a turn and hang up before they have it.
        assert meta.status == "completed" or meta.problem == "the client left", meta.problem
