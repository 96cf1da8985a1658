"""The command line as a user meets it: exit codes, folders, resuming, Ctrl-C, many sessions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simulator.batch.run import Result
from simulator.cli.run import exit_code
from simulator.cli.screen import print_summary
from simulator.reading.expect import Verdict
from simulator.results.row import Row
from simulator.results.row_file import read_rows
from simulator.results.summary import ScenarioSummary, Summary
from simulator.session import read_session
from tests.command_line import SHORT, command, simulate


def test_a_run_leaves_the_folder_of_the_format(short: Path, tmp_path: Path) -> None:
    """run.json, results.jsonl, and a session folder that reads."""
    assert simulate(short, "--out", tmp_path / "out") == 0
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} >= {"run.json", "results.jsonl", "short-0"}
    session = read_session(out / "short-0")
    assert session.meta.status == "completed"
    assert session.duration == 72_000
    assert session.notes == ()
    assert session.meta.versions["duplex-simulator"]
    assert json.loads((out / "run.json").read_text())["exit_code"] == 0
    for name in ("session.json", "scenario.yaml", "events.jsonl"):
        text = (out / "short-0" / name).read_text()
        assert "2026-" not in text
        assert "wall_s" not in text


def test_the_resolved_scenario_runs_the_same_session_again(short: Path, tmp_path: Path) -> None:
    """scenario.yaml of a session gives that session, byte for byte."""
    simulate(short, "--out", tmp_path / "a", "--repeat", 2, "--seed", 4)
    assert simulate(tmp_path / "a" / "short-1" / "scenario.yaml", "--out", tmp_path / "b") == 0
    for name in ("conversation.wav", "events.jsonl", "session.json", "scenario.yaml"):
        assert (tmp_path / "a" / "short-1" / name).read_bytes() == (tmp_path / "b" / "short-1" / name).read_bytes(), (
            name
        )


def test_a_bad_scenario_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence on stderr with the line that it is about, no folder."""
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"user": "scriptd"}))
    assert simulate(path, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()
    message = capsys.readouterr().err
    assert message.startswith("simulate: bad.yaml: $.user.kind: 'scriptd' is not installed")
    assert message.splitlines()[1:] == ["  9 | user: scriptd", "    | ^"]


def test_a_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for a typing mistake."""
    assert simulate(tmp_path / "nothing.yaml") == 2
    assert "there is no such file" in capsys.readouterr().err


def test_an_existing_run_is_refused_and_resumed(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run is never overwritten; --resume runs what is missing and keeps the rest."""
    out = tmp_path / "out"
    assert simulate(short, "--out", out) == 0
    assert simulate(short, "--out", out) == 2
    assert "holds a run already" in capsys.readouterr().err
    before = (out / "short-0" / "conversation.wav").stat().st_mtime_ns
    assert simulate(short, "--out", out, "--resume", "--repeat", 3) == 0
    assert (out / "short-0" / "conversation.wav").stat().st_mtime_ns == before
    assert len((out / "results.jsonl").read_text().splitlines()) == 3


def test_a_resumed_run_keeps_what_is_known_of_the_earlier_sessions(short: Path, tmp_path: Path) -> None:
    """run.json holds every session of the run; a last line that a kill cut in two costs only itself."""
    out = tmp_path / "out"
    simulate(short, "--out", out, "--repeat", 2)
    rows = (out / "results.jsonl").read_bytes()
    (out / "results.jsonl").write_bytes(rows[:-20])
    assert simulate(short, "--out", out, "--resume", "--repeat", 3) == 0
    assert set(json.loads((out / "run.json").read_text())["sessions"]) == {"short-0", "short-1", "short-2"}
    assert [row.id for row in read_rows(out)[0]] == ["short-0", "short-1", "short-2"]


def test_a_folder_that_cannot_be_made_is_refused(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A system's no is one sentence, too."""
    (tmp_path / "file").write_text("")
    assert simulate(short, "--out", tmp_path / "file" / "out") == 2
    assert "Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--repeat", "0"], ["--seed", "-1"], ["--set", "user.turns.0.x.y=1"]])
def test_bad_options_are_refused(
    words: list[str], short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a sentence."""
    assert simulate(short, *words, "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("simulate: ")
    assert not (tmp_path / "out").exists()


def test_a_failing_expectation_does_not_hide_a_session_that_is_missing() -> None:
    """Precedence 130 > 3 > 1 > 0, a sample that could not be used included."""
    verdict = Verdict(text="a.b > 1", metric="a.b", op=">", bound=1, found=0, passed=False)
    scenario = ScenarioSummary(name="s", sessions=1, completed=1, scores=[], verdicts=[verdict])
    row = Row(id="s-0", scenario="s", trial=0, seed=0, status="completed")
    summary = Summary(rows=[row], scenarios=[scenario], pooled=[], definitions={})
    assert exit_code(Result(rows=[row]), summary, expected=1) == 1
    assert exit_code(Result(rows=[row]), summary, expected=2) == 3
    assert exit_code(Result(rows=[row], interrupted=True), summary, expected=2) == 130


def test_a_disk_that_fills_up_costs_the_session_that_does_not_fit(short: Path, tmp_path: Path) -> None:
    """Exit code 3; what was completed stays, what did not fit is marked failed with the reason."""
    long = tmp_path / "long.yaml"
    long.write_text(yaml.safe_dump(SHORT | {"name": "long", "duration": "20s"}))
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
    program = limit + "from simulator.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [
        sys.executable,
        "-c",
        program,
        str(short),
        str(long),
        "--out",
        str(tmp_path / "out"),
        "--set",
        "report=none",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert read_session(tmp_path / "out" / "short-0").meta.status == "completed"
    assert read_session(tmp_path / "out" / "long-0").meta.status == "failed"


def test_resuming_with_other_settings_is_refused(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run goes on with the settings it began with; the sentence names what differs."""
    out = tmp_path / "out"
    assert simulate(short, "--out", out) == 0
    assert simulate(short, "--out", out, "--resume", "--repeat", 2, "--set", "user.words_per_minute=120") == 2
    assert "$.user.words_per_minute = 150 and would now be run with 120" in capsys.readouterr().err
    assert simulate(short, "--out", out, "--resume", "--seed", 3) == 2


def test_many_scenarios_are_checked_to_the_end(short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate check` names what is wrong with every file, not only with the first."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("name: x\nuser: nobody\nagent: silent\nduration: 1s\n")
    assert simulate("check", tmp_path / "a.yaml", short, tmp_path / "b.yaml") == 2
    shown = capsys.readouterr()
    assert "a.yaml: $.user.kind" in shown.err
    assert "b.yaml: $.user.kind" in shown.err
    assert "short: fine" in shown.out


@pytest.mark.parametrize("words", [["--repeat", "0"], ["--seed", "-1"], ["--concurrency", "0"]])
def test_numbers_out_of_range_are_one_sentence(
    words: list[str], short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, no traceback."""
    try:
        code = simulate(short, *words)
    except SystemExit as stopped:
        code = stopped.code  # argparse refuses by itself
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_key_that_is_not_set_is_refused_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check` accepts a scenario without its keys, a run does not begin."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    path = tmp_path / "remote.yaml"
    agent = {"kind": "openai_realtime", "api_key_env": "NO_SUCH_KEY"}
    path.write_text(yaml.safe_dump(SHORT | {"name": "remote", "agent": agent}))
    assert simulate("check", path) == 0
    assert simulate(path, "--out", tmp_path / "out") == 2
    assert "$.agent: the environment variable NO_SUCH_KEY is not set" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_is_refused(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--out never writes among other people's files."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    assert simulate(short, "--out", tmp_path / "out") == 2
    assert "something else than a run" in capsys.readouterr().err
    assert simulate(short, "--out", tmp_path / "out" / "thesis.txt") == 2


def test_a_session_that_fails_is_told_and_the_others_are_kept(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3: which session, why; the completed ones stay."""
    bad = tmp_path / "bad.yaml"
    chat = {
        "kind": "cascade",
        "chat": {"kind": "chat", "base_url": "http://127.0.0.1:9/v1", "model": "none", "timeout": "1s"},
    }
    bad.write_text(yaml.safe_dump(SHORT | {"name": "bad", "agent": chat, "duration": "5s"}))
    assert simulate(bad, short, "--out", tmp_path / "out") == 3
    shown = capsys.readouterr()
    assert "did not answer" in shown.out + shown.err
    assert read_session(tmp_path / "out" / "bad-0").meta.status == "failed"
    assert read_session(tmp_path / "out" / "short-0").meta.status == "completed"


def test_dry_run_says_what_would_run_and_writes_nothing(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--dry-run: sessions, length, clock, cost."""
    assert simulate(short, "--dry-run", "--repeat", 4, "--out", tmp_path / "out") == 0
    assert "4 session(s) of up to 3 s on the virtual clock" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_json_is_json(short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json prints the result and nothing else on stdout."""
    assert simulate(short, "--json", "--out", tmp_path / "out") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["exit_code"] == 0
    assert [row["id"] for row in result["sessions"]] == ["short-0"]


@pytest.mark.parametrize("words", [["check"], ["list", "actors"], ["schema"]])
def test_small_commands_answer(words: list[str], short: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """check, list and schema print something sensible and succeed."""
    assert simulate(*words, *([short] if words == ["check"] else [])) == 0
    assert capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate --help` is the map of the house."""
    from simulator.cli import COMMANDS

    assert simulate("--help") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    """The answer to --help must not wait for arrays, models or sockets."""
    program = "import sys; from simulator.cli import main; main(['--help']); print(sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for heavy in ("numpy", "onnxruntime", "soundfile", "openai", "torch", "rich"):
        assert f"'{heavy}'" not in shown


@pytest.mark.slow
def test_same_seed_same_bytes_in_two_processes_alone_and_beside_others(tmp_path: Path, scenarios: Path) -> None:
    """Whatever PYTHONHASHSEED, alone or with other sessions in the process or beside it: byte-identical folders."""
    first = scenarios / "first_call.yaml"
    other = scenarios / "noisy_phone_line.yaml"
    runs = [
        command(first, "--out", tmp_path / "alone", PYTHONHASHSEED="1"),
        command(other, first, "--out", tmp_path / "behind", PYTHONHASHSEED="2"),
        command(first, other, "--repeat", 2, "--concurrency", 2, "--out", tmp_path / "beside", PYTHONHASHSEED="3"),
    ]
    for process in runs:
        process.communicate()
        assert process.returncode in (0, 1)
    alone = tmp_path / "alone" / "first-call-0"
    for path in sorted(alone.iterdir()):
        if path.suffix == ".html":
            continue
        for run in ("behind", "beside"):
            assert (tmp_path / run / "first-call-0" / path.name).read_bytes() == path.read_bytes(), (run, path.name)


def test_what_a_far_end_says_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets in an error are no markup."""
    row = Row(id="x-0", scenario="x", trial=0, seed=0, status="failed", problem="said [/INST] and list[int]")
    print_summary(Summary(scenarios=[], pooled=[], rows=[row], definitions={}), Path("run[1]"))
    told = capsys.readouterr().out
    assert "x-0: said [/INST] and list[int]" in told and "run[1]" in told


def test_what_many_sessions_remark_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With the first of them and how many more; each failure has its line."""
    said = [("completed", "never spoke")] * 3 + [("completed", "diverged")] + [("failed", "is gone")] * 2
    rows = [Row(id=f"x-{n}", scenario="x", status=status, problem=problem) for n, (status, problem) in enumerate(said)]
    print_summary(Summary(scenarios=[], pooled=[], rows=rows, definitions={}), Path("run"))
    told = capsys.readouterr().out
    assert "completed x-0 and 2 more: never spoke\n" in told and "completed x-3: diverged\n" in told
    assert "failed x-4: is gone\n" in told and "failed x-5: is gone\n" in told
