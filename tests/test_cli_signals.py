"""Rules of a run that is told to stop, or whose workers die: sessions are kept, and nobody waits for the dead."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simulator.results.row_file import read_rows
from simulator.session import read_session
from tests.command_line import SHORT, command


def long_scenario(folder: Path) -> Path:
    """A minute on the wall clock: nobody waits for its end."""
    path = folder / "long.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"name": "long", "duration": "60s", "clock": "wall"}))
    return path


def under_way(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A run of the long scenario in a process of its own, and its session's folder, into which sound has come."""
    process = command(long_scenario(folder), "--out", folder / "out")
    session = folder / "out" / "long-0"
    wav = session / "conversation.wav"
    while process.poll() is None and not (wav.is_file() and wav.stat().st_size > 100_000):
        os.sched_yield()
    return process, session


def test_ctrl_c_closes_the_session_and_marks_it(tmp_path: Path) -> None:
    """Ctrl-C once: exit 130, status interrupted, what was recorded stays readable."""
    process, folder = under_way(tmp_path)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    session = read_session(folder)
    assert session.meta.status == "interrupted"
    assert session.duration >= 24_000
    assert "Traceback" not in told


@pytest.mark.parametrize(("sent", "to_all"), [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)])
def test_ctrl_c_reaches_the_workers_that_play_and_not_the_idle_ones(
    short: Path, tmp_path: Path, sent: signal.Signals, to_all: bool
) -> None:
    """With --concurrency, a session under way is closed and marked; an idle worker says nothing.

    A terminal sends Ctrl-C to every process of the group, other programs send a signal to the run alone.
    """
    path = long_scenario(tmp_path)
    words = [
        sys.executable,
        "-m",
        "simulator",
        str(short),
        str(path),
        "--concurrency",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wav, rows = tmp_path / "out" / "long-0" / "conversation.wav", tmp_path / "out" / "results.jsonl"
    while process.poll() is None and not (rows.is_file() and wav.is_file() and wav.stat().st_size > 100_000):
        os.sched_yield()
    if to_all:
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert read_session(tmp_path / "out" / "long-0").meta.status == "interrupted"
    assert read_session(tmp_path / "out" / "short-0").meta.status == "completed"


@pytest.mark.slow
def test_a_stop_that_ends_the_workers_first_ends_the_run(tmp_path: Path) -> None:
    """A batch system's SIGTERM goes to the whole group: the workers are gone at once, and nobody waits for them."""
    path = long_scenario(tmp_path)
    words = [sys.executable, "-m", "simulator", str(path), "--repeat", "2", "--concurrency", "2"]
    process = subprocess.Popen([*words, "--out", str(tmp_path / "out")], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
    wavs = [tmp_path / "out" / f"long-{trial}" / "conversation.wav" for trial in range(2)]
    while process.poll() is None and not all(wav.is_file() and wav.stat().st_size > 50_000 for wav in wavs):
        os.sched_yield()
    os.killpg(process.pid, signal.SIGTERM)
    _, told = process.communicate(timeout=40)
    assert process.returncode in (3, 130) and "Traceback" not in told, told
    assert all(read_session(wav.parent).duration > 10_000 for wav in wavs)


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_session_and_not_the_run(short: Path, tmp_path: Path) -> None:
    """The session is failed with a sentence, the others are run in new workers, and the exit code is 3."""
    (tmp_path / "deadly.py").write_text("import os\ndef answer(turn, history):\n    os._exit(9)\n")
    responder = {"kind": "function", "call": "deadly:answer", "folder": str(tmp_path)}
    deadly = SHORT | {"name": "deadly", "agent": {"kind": "turn_based", "ears": "level", "responder": responder}}
    (tmp_path / "deadly.yaml").write_text(yaml.safe_dump(deadly))
    process = command(tmp_path / "deadly.yaml", short, "--repeat", 3, "--concurrency", 2, "--out", tmp_path / "out")
    _, told = process.communicate(timeout=100)
    assert process.returncode == 3 and "Traceback" not in told, told
    rows = {row.id: row for row in read_rows(tmp_path / "out")[0]}
    assert len(rows) == 6 and all("worker process died" in str(rows[f"deadly-{trial}"].problem) for trial in range(3))
    assert "completed" in {rows[f"short-{trial}"].status for trial in range(3)}


def _long(folder: Path, *, trials: int) -> tuple[subprocess.Popen[str], list[Path]]:
    """Begin a run of long sessions in two workers, in a group of its own; gives it when all of them play."""
    path = folder / "long.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"name": "long", "duration": "60s", "clock": "wall"}))
    words = [sys.executable, "-m", "simulator", str(path), "--repeat", str(trials), "--concurrency", "2"]
    process = subprocess.Popen([*words, "--out", str(folder / "out")], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
    wavs = [folder / "out" / f"long-{trial}" / "conversation.wav" for trial in range(trials)]
    while process.poll() is None and not all(wav.is_file() and wav.stat().st_size > 50_000 for wav in wavs):
        os.sched_yield()
    return process, [wav.parent for wav in wavs]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGHUP])
def test_workers_end_with_the_run_however_it_went(tmp_path: Path, sent: signal.Signals) -> None:
    """Nothing holds the output of a run that is gone, and what its workers played is closed and marked."""
    process, folders = _long(tmp_path, trials=2)
    process.send_signal(sent)
    process.communicate(timeout=30)  # ends when the last process has let go of the pipes
    assert [read_session(folder).meta.status for folder in folders] == ["interrupted"] * 2


@pytest.mark.slow
def test_idle_workers_end_with_the_run(short: Path, tmp_path: Path) -> None:
    """A worker that waits for work while another one plays does not outlive the run."""
    path = long_scenario(tmp_path)
    process = command(short, path, "--concurrency", 2, "--out", tmp_path / "out")
    wav, rows = tmp_path / "out" / "long-0" / "conversation.wav", tmp_path / "out" / "results.jsonl"
    while process.poll() is None and not (rows.is_file() and wav.is_file() and wav.stat().st_size > 100_000):
        os.sched_yield()
    process.kill()
    process.communicate(timeout=30)
    assert read_session(wav.parent).meta.status == "interrupted"


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_sent_twice_to_the_group_leaves_every_session_interrupted(tmp_path: Path, sent: signal.Signals) -> None:
    """No folder says that it runs beside a row that says otherwise."""
    process, folders = _long(tmp_path, trials=2)
    os.killpg(process.pid, sent)
    os.killpg(process.pid, sent)
    _, told = process.communicate(timeout=40)
    assert process.returncode == 130 and "Traceback" not in told, told
    rows = read_rows(tmp_path / "out")[0]
    assert [read_session(folder).meta.status for folder in folders] == ["interrupted"] * 2
    assert [row.status for row in rows] == ["interrupted"] * 2


def test_a_stop_sent_twice_does_not_cut_a_closing_short(tmp_path: Path) -> None:
    """In the process of the run itself, too, a session is closed however often one asks."""
    process, folder = under_way(tmp_path)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in told, told
    assert read_session(folder).meta.status == "interrupted"


def test_what_a_shell_runs_in_the_background_is_stopped_all_the_same(tmp_path: Path) -> None:
    """There Ctrl-C is ignored, and SIGTERM, which is taken for one, is not."""
    behind = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-m", "simulator"]
    words = [*behind, str(long_scenario(tmp_path)), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wav = tmp_path / "out" / "long-0" / "conversation.wav"
    while process.poll() is None and not (wav.is_file() and wav.stat().st_size > 50_000):
        os.sched_yield()
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in told, told
    assert read_session(wav.parent).meta.status == "interrupted"


def test_a_run_folder_has_one_writer_at_a_time(short: Path, tmp_path: Path) -> None:
    """A second run into the folder is refused while the first one goes, and not when it was killed."""
    path = long_scenario(tmp_path)
    out = tmp_path / "out"
    process = command(path, "--out", out)
    while process.poll() is None and not (out / "long-0" / "conversation.wav").is_file():
        os.sched_yield()
    second = command(path, short, "--out", out, "--resume")
    _, told = second.communicate(timeout=30)
    assert second.returncode == 2 and "another run is writing into it" in told
    process.kill()
    process.communicate(timeout=30)
    third = command(short, "--out", out, "--resume")
    _, told = third.communicate(timeout=30)
    assert third.returncode == 0, told


def test_a_full_disk_leaves_the_session_failed(tmp_path: Path) -> None:
    """Where not a byte can be written any more, session.json still says that the session failed, and why."""
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom simulator.call.recording import Recorder\n"
        "from simulator.session import SessionMeta\n"
        "meta = SessionMeta(format=1, id='a', scenario='a', sample_rate=24000, frame_ms=20)\n"
        "recorder = Recorder(Path(sys.argv[1]), meta, 'name: a', heard=False)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "recorder.close('completed')\n"
    )
    folder = tmp_path / "a"
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    meta = read_session(folder).meta
    assert meta.status == "failed" and meta.problem == "the disk was full when the session was closed"
    assert sorted(path.name for path in folder.iterdir()) == [
        "conversation.wav", "events.jsonl", "scenario.yaml", "session.json",
    ]  # fmt: skip
