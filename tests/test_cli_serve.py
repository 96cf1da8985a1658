"""Rules of `simulate serve`, the whole command in a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from simulator.cli import main
from simulator.frame import silence
from simulator.session import read_session
from simulator.sound.opus import OpusEncoder


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_served_actor_ends_gracefully(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """On SIGTERM the client gets a close frame, its session is complete, the command ends with 0 (Ctrl-C: 130)."""
    scenario = tmp_path / "agent.yaml"
    scenario.write_text("agent: {kind: scripted, turns: [{at: 0s, say: hello}]}\n")
    command = [sys.executable, "-c", "import sys; from simulator.cli import main; sys.exit(main())", "serve",
               str(scenario), "--protocol", "moshi", "--port", "0", "--out", str(tmp_path / "runs")]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert line.startswith("simulate: serving moshi at ws://127.0.0.1:")
        url = line.split()[4].rstrip(";")

        async def client() -> int | None:
            async with connect(url, ping_interval=None) as connection:
                assert await connection.recv() == b"\x00"
                await connection.send(b"\x01" + OpusEncoder().encode(silence(1920)))
                await connection.recv()
                process.send_signal(sent)
                try:
                    with anyio.fail_after(5):
                        while True:
                            await connection.recv()
                except ConnectionClosed as closed:
                    return closed.rcvd and closed.rcvd.code

        assert anyio.run(client) == 1001
        assert process.wait(10) == code
    finally:
        process.kill()
        process.communicate()
    assert read_session(tmp_path / "runs" / "serve-moshi-0").meta.status == "completed"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nobody", "--protocol", "moshi"], "'nobody' is no YAML file and no kind; choose one of"),
        (["silent", "--protocol", "smoke"], "'smoke' is not installed; choose one of"),
        (["silent", "--protocol", "moshi", "--host", "0.0.0.0"], "give a --token, or --open"),
        (["silent", "--protocol", "moshi", "--token", "${NO_SUCH_NAME}"], "NO_SUCH_NAME is not set"),
        (["silent", "--protocol", "moshi", "--set", "queue"], "expected key=value"),
        (["silent", "--protocol", "moshi", "--set", "speed=1"], "--set: $: object contains unknown field `speed`"),
        (["silent", "--protocol", "moshi", "--sessions", "0"], "at least 1 is needed"),
        (["silent", "--protocol", "moshi", "--idle", "60"], "--idle: $: '60' is not a duration"),
        (["missing.yaml", "--protocol", "moshi"], "there is no such file"),
        (["openai_realtime", "--protocol", "moshi"], "has its own real time"),
    ],
)
def test_what_cannot_be_served_is_refused(
    arguments: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 2 and one sentence, before anything listens."""
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *arguments]) == 2
    assert complaint in capsys.readouterr().err
