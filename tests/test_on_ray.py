"""Rules of runs on Ray: the same sessions as here, byte for byte, and none lost with a node; on a real cluster."""

import json
import os
import pickle
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read with the import: nodes are found on the loopback
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray")

from simulator.batch.folder import RunFolder  # noqa: E402 - what follows imports Ray
from simulator.batch.job import finish  # noqa: E402
from simulator.batch.on_ray import OnRay  # noqa: E402
from simulator.batch.ray_cluster import ray_cluster  # noqa: E402
from simulator.batch.ray_node import Environment, Heard, Order, environment_of, play_order, score_order, unpack  # noqa: E402
from simulator.batch.run import assign_elsewhere, run_plan  # noqa: E402
from simulator.cli import INTERRUPTED, OK, REFUSED  # noqa: E402
from simulator.planning.plan import Wishes, make_plan  # noqa: E402
from simulator.testing import scenario_of  # noqa: E402
from tests import choir  # noqa: E402
from tests.chat_endpoint import chat_endpoint, says  # noqa: E402
from tests.command_line import SHORT, command, simulate  # noqa: E402
from tests.test_run import Told, plan, run, statuses  # noqa: E402
from tests.test_shards import tree  # noqa: E402

pytestmark = [pytest.mark.ray, pytest.mark.timeout(150)]

LOOPBACK: dict[str, Any] = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80_000_000}
QUICK = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300, "health_check_failure_threshold": 3}
"""A node is dead when it has not answered for a second; as Ray comes it takes a quarter of a minute."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Three nodes of one core each, every one with processes of its own, that know the kinds of the choir."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}{os.pathsep}{Path(__file__).parent.parent}")
    with choir.installed(tmp_path / "site"):
        nodes = Cluster(initialize_head=True, head_node_args=LOOPBACK | {"_system_config": QUICK})
        try:
            for _ in range(2):
                nodes.add_node(**LOOPBACK)
            yield nodes
        finally:
            ray.shutdown()
            nodes.shutdown()


def written(folder: Path, **fields: Any) -> Path:
    """A scenario file of short talks."""
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"report": "none"} | fields))
    return path


def whole(run_folder: Path) -> dict[str, bytes]:
    """Every file of a run by its place; its rows by their ids, as they come in the order in which sessions end."""
    files = tree(run_folder)
    rows = files.pop("results.jsonl").splitlines()
    return files | {f"row {json.loads(row)['id']}": row for row in rows}


def kill_with_workers(nodes: Any, node: Any) -> None:
    """End a node as a power cut does: its raylet and what that started, at once."""
    (raylet,) = [info.process.pid for info in node.all_processes["raylet"]]
    threads = Path(f"/proc/{raylet}/task").iterdir()  # each has children of its own
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    for process in (raylet, *children):  # at once: a worker that only misses its raylet finishes its session
        os.kill(process, signal.SIGKILL)
    nodes.remove_node(node, allow_graceful=False)


def test_a_node_that_dies_costs_no_session(tmp_path: Path, cluster: Any) -> None:
    """Killed when the tenth of forty has ended; all are there, as they are without Ray, and nothing else is."""
    path = written(tmp_path, repeat=40, duration="60s")
    assert simulate(path, "--out", tmp_path / "here") == OK

    ended: list[str] = []

    def strike(session: str) -> None:
        ended.append(session)
        if len(ended) == 10:
            kill_with_workers(cluster, cluster.worker_nodes.copy().pop())

    with ray_cluster(f"ray://{cluster.address}"):
        executor = OnRay()
        folder = RunFolder(tmp_path / "there", resume=False)
        result = run_plan(make_plan([path], Wishes()), folder, 1, Told(strike), assign_elsewhere(executor))
        folder.close()
    assert executor.lost and max(executor.lost.values()) == 1
    assert len(ended) == 40 and {row.status for row in result.rows} == {"completed"}
    assert whole(tmp_path / "there") == whole(tmp_path / "here")


def test_a_run_by_the_command_is_the_run_made_here(tmp_path: Path) -> None:
    """On a cluster of this machine's cores; sessions, ids, bytes."""
    path = written(tmp_path, repeat=6)
    assert simulate(path, "--out", tmp_path / "here") == OK
    process = command(path, "--on", "ray", "--out", tmp_path / "there", "--json")
    out, errors = process.communicate(timeout=100)
    assert process.returncode == OK, errors
    assert len(json.loads(out)["sessions"]) == 6
    assert whole(tmp_path / "there") == whole(tmp_path / "here")


def test_folders_travel_where_they_are_not_shared(tmp_path: Path) -> None:
    """A node that does not see the run's workroom sends the files, to who scores them and to the driver."""

    talk = {"name": "talk", "duration": "3s", "user": SHORT["user"], "agent": SHORT["agent"]}
    whole_plan = plan(tmp_path, talk)
    run(whole_plan, tmp_path / "here")
    (job,) = whole_plan.jobs
    order = Order(job.id, pickle.dumps(job), tmp_path / "elsewhere" / "attempt", 60.0, Environment(), verbose=False)
    brought = play_order(order)
    assert brought.files and not (tmp_path / "elsewhere").exists()
    unpack(brought.files, tmp_path / "there" / job.id)
    assert tree(tmp_path / "there" / job.id) == tree(tmp_path / "here" / job.id)
    again = score_order(order, Heard(brought.outcome.played, 0.0, brought.files))
    assert again.files == brought.files and again.outcome.row == finish(job, tmp_path / "here", brought.outcome.played)


def test_sessions_that_share_a_host_meet_in_its_loop(tmp_path: Path, cluster: Any) -> None:
    """One loop for each node; hosts tell of themselves, and what fails alone costs itself."""

    singing = {"name": "sings", "agent": "choir", "repeat": 8}
    both = plan(tmp_path, singing, {"name": "fine", "repeat": 2})
    here = run(both, tmp_path / "here")
    with ray_cluster(f"ray://{cluster.address}"):
        there = run(both, tmp_path / "there", assign=assign_elsewhere(OnRay()))
    assert statuses(there) == statuses(here)
    assert 1 <= len(there.hosts) <= 3 and whole(tmp_path / "there") == whole(tmp_path / "here")


def test_what_kills_its_process_is_given_up(tmp_path: Path, cluster: Any) -> None:
    """After three more tries, in a sentence; the others are played."""

    deadly = plan(tmp_path, {"name": "fine", "repeat": 2}, {"name": "kills", "scorers": ["deadly"]})
    with ray_cluster(f"ray://{cluster.address}"):
        result = run(deadly, tmp_path / "out", assign=assign_elsewhere(OnRay()))
    assert statuses(result) == {"fine-0": "completed", "fine-1": "completed", "kills-0": "failed"}
    assert "lost 4 times with the node that played it" in str(result.rows[-1].problem)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_run_at_a_url_is_sent_from_here(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions come here, and go where `--out` says; file for file the run made here."""
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, repeat=3)
    url = f"memory://ray/{tmp_path.name}" if kind == "memory" else f"file://{tmp_path}/far"
    assert simulate(path, "--out", tmp_path / "here") == OK
    assert simulate(path, "--on", "ray", "--out", url) == OK
    files, root = fsspec.core.url_to_fs(url)
    files.get(f"{root}/", f"{tmp_path / 'back'}/", recursive=True)
    assert whole(tmp_path / "back") == whole(tmp_path / "here")
    assert not any((tmp_path / "runs").iterdir())


def test_a_key_stands_in_nothing_that_ray_keeps(tmp_path: Path) -> None:
    """The node used it, as the far end saw; after the run no file of Ray's session and none of the run holds it."""
    secret = "sk-which-must-not-be-kept-anywhere"
    # A socket's name has 107 characters at most, and Ray has several below this folder.
    with TemporaryDirectory(prefix="ray") as kept, chat_endpoint(says("Of course.")) as endpoint:
        chat = {"kind": "chat", "base_url": endpoint.base_url, "model": "m", "api_key_env": "FAR_KEY"}
        agent = {"kind": "turn_based", "responder": chat}
        path = written(tmp_path, repeat=2, agent=agent)
        process = command(path, "--on", "ray", "--out", tmp_path / "run", FAR_KEY=secret, RAY_TMPDIR=kept)
        _, errors = process.communicate(timeout=100)
        assert process.returncode == OK, errors
        assert {got.headers["authorization"] for got in endpoint.got} == {f"Bearer {secret}"}
        files = [path for folder in (Path(kept), tmp_path) for path in folder.rglob("*") if path.is_file()]
        assert any("worker" in path.name for path in files)
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_ctrl_c_ends_the_run_and_its_cluster(tmp_path: Path) -> None:
    """What was under way is marked, 130, and a resumed run completes it."""
    path = written(tmp_path, repeat=300, duration="20s")
    process = command(path, "--on", "ray", "--out", tmp_path / "run", "-v")
    assert process.stderr is not None
    for line in process.stderr:
        if "completed" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, errors
    left = list((tmp_path / "run").iterdir())
    assert not [path for path in left if path.name.startswith(".ray-")]
    folders = {path.name for path in left if path.is_dir()}
    rows = [json.loads(line) for line in (tmp_path / "run" / "results.jsonl").read_text().splitlines()]
    assert folders == {row["id"] for row in rows} and len(rows) < 300


def test_an_address_without_ray_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody there, somebody else there, no address at all; a sentence each, and no run folder."""
    path = written(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {silent.getsockname()[1]: "nobody answers there"}
        for port, says in ports.items():
            assert simulate(path, "--on", f"ray://127.0.0.1:{port}", "--out", tmp_path / "run") == REFUSED
            assert says in capsys.readouterr().err
    for on, says in {"ray://127.0.0.1:1": "nobody answers there", "slurm": "neither ray nor ray://HOST:PORT"}.items():
        assert simulate(path, "--on", on, "--out", tmp_path / "run") == REFUSED
        assert says in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_keys_reach_the_node_and_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a scenario names of the environment goes along; what shows an order shows names alone."""

    fields = {"user": "silent", "agent": {"kind": "websocket", "url": "wss://x.test/?key=${FAR_KEY}"}}
    found = environment_of(scenario_of(fields, Path()), {"FAR_KEY": "abc-very-secret", "OTHER": "no"})
    assert dict(found) == {"FAR_KEY": "abc-very-secret"} and "secret" not in repr(found)
