"""Rules of damaged session folders: one decoder each, a sentence or as far as it goes, and one exit code for all."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from simulator.errors import SessionError
from simulator.events import decode_event
from simulator.results import load_run, read_judged
from simulator.session import read_meta, read_session
from tests.command_line import SHORT, simulate


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two sessions with scores, `a-0` in WAV and `b-0` in FLAC."""
    home = tmp_path_factory.mktemp("stored")
    for name, audio in (("a", "wav"), ("b", "flac")):
        scenario = SHORT | {"name": name, "audio": audio, "scorers": ["turns"], "report": "none"}
        (home / f"{name}.yaml").write_text(yaml.safe_dump(scenario))
    assert simulate(home / "a.yaml", home / "b.yaml", "--out", home / "run") == 0
    return home / "run"


@pytest.fixture
def run(stored: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(stored, tmp_path / "run"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"\xff": 1}', "a text in it is no UTF-8"),
        (b'{"a":' + b"[" * 100_000, "recursion"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b"{}", "says no format"),
        (b'{"format": 1, "id": "a", "scenario": "a", "sample_rate": 0, "frame_ms": 20}', r"\$\.sample_rate"),
        (b'{"format": 1, "id": "a", "scenario": "a", "sample_rate": 9, "frame_ms": 1e999}', "out of range"),
    ],
)
def test_a_session_json_that_is_none_says_file_place_and_what_was_found(run: Path, content: bytes, told: str) -> None:
    """Bytes that are no text, no JSON, too deep, or a value that cannot be: a sentence that begins with the file."""
    (run / "a-0" / "session.json").write_bytes(content)
    with pytest.raises(SessionError, match=told) as caught:
        read_meta(run / "a-0")
    assert str(caught.value).startswith(str(run / "a-0" / "session.json"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"at": None, "type": "x", "party": "user"}, "at is None"),
        ({"at": -1, "type": "x", "party": "user"}, "at is -1"),
        ({"at": 1, "type": ["x"], "party": "user"}, r"type is \['x'\]"),
        ({"at": 1, "type": "x", "party": {}}, r"party is {}; allowed are user, agent, line"),
        ({"at": 1, "type": "speech_start", "party": "user", "words": [0.5]}, r"speech_start.words is \[0.5\]; allowed"),
        ({"at": 1, "type": "speech_end", "party": "user", "since": "x"}, "speech_end.since is 'x'"),
        (5, "Expected `object`"),
    ],
)
def test_an_event_with_fields_of_another_kind_is_none(line: object, told: str) -> None:
    """What the table of events says of a field is held when it is read; an unknown type may hold what it likes."""
    with pytest.raises(SessionError, match=told):
        decode_event(json.dumps(line).encode())
    assert decode_event(b'{"at":1,"type":"of_a_plugin","party":"user","words":[0.5]}').words == [0.5]


def test_events_are_read_up_to_the_first_that_is_none(run: Path) -> None:
    """The note says which line, and why."""
    path = run / "a-0" / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"at":"soon"}\n' + b"".join(lines[1:]))
    session = read_session(run / "a-0")
    assert len(session.events) == 1
    assert session.notes == (
        f"{path}: line 2 is no event: at is 'soon'; allowed is a sample of the session; read up to line 1",
    )
    path.unlink()  # what a test leaves is held to the table of events


def test_speech_outside_the_sound_is_annotated_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A speech.json that cannot be of this sound counts as absent, and is said to."""
    path = run / "a-0" / "speech.json"
    told = json.loads(path.read_text())
    told["user"]["segments"][0]["end"] = 10**9
    path.write_text(json.dumps(told))
    assert not read_session(run / "a-0").annotated
    assert simulate("report", run / "a-0", "--page-audio", "none") == 0
    assert "lies outside its 72000 samples; annotated again" in capsys.readouterr().err
    assert read_session(run / "a-0").annotated


def test_a_flac_that_breaks_off_is_read_as_far_as_it_goes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`score` says how much of it there is and goes on: exit code 0."""
    path = run / "b-0" / "conversation.flac"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    session = read_session(run / "b-0")
    assert 0 < session.duration < 72_000
    assert len(session.said("user")) == session.duration == len(session.said("agent", 0, 10**9))
    assert simulate("score", run) == 0
    assert "conversation.flac: breaks off: " in capsys.readouterr().err


def test_a_session_of_which_no_sound_is_left_breaks_nobody(run: Path) -> None:
    """Of a FLAC that breaks off in its first block nothing is heard; whoever scores it says so."""
    path = run / "b-0" / "conversation.flac"
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\xff\xf8") + 4])  # where a frame begins
    assert read_session(run / "b-0").duration == 0
    for words in ([], ["--as", "fdb:timing"], ["--as", "fdb:backchannel"], ["--as", "tau"], ["--as", "nemo_s2s"]):
        assert simulate("score", run, *words) == 0


def test_scores_that_do_not_fit_their_metric_are_left_out(run: Path) -> None:
    """A row with an id that is no folder, or parts of another form, is told and the others are read."""
    path = run / "results.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["scores"]["turns.fto_p50_s"]["parts"] = {"values": ["x"]}
    lines += [lines[1] | {"id": "../b-0"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"id": "half')
    found = load_run(run)
    assert [row.id for row in found.rows] == ["b-0"]
    assert [note.split(":")[1] for note in found.left_out] == [
        " line 1 cannot be used and was left out", " line 3 cannot be used and was left out",
    ]  # fmt: skip
    assert found.notes[-1] == "results.jsonl: line 4 is not whole and was left out"
    (run / "b-0" / "scores.json").write_text('{"expectations": [{"text": "x"}]}')
    with pytest.raises(SessionError, match=r"scores\.json: cannot be read"):
        read_judged(run / "b-0")


COMMANDS = {
    "score": ["score", "{run}"],
    "score --as": ["score", "{run}", "--as", "fdb:timing"],
    "report": ["report", "{run}", "--page-audio", "none"],
    "doctor": ["doctor", "{run}"],
    "export": ["export", "{run}", "--to", "csv", "--out", "{out}"],
    "export fdb": ["export", "{run}", "--to", "fdb", "--out", "{out}"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("damage", [("session.json", b"\x90{}"), ("conversation.wav", b"no sound at all")])
def test_what_cannot_be_used_is_2_where_it_is_all_and_3_where_it_is_some(
    name: str, damage: tuple[str, bytes], run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are done, and the sentence names the file; never a traceback, never 1."""
    file, content = damage
    words = [word.format(run=run, out=tmp_path / "out") for word in COMMANDS[name]]
    (run / "a-0" / file).write_bytes(content)
    assert simulate(*words) == 3
    told = capsys.readouterr()
    assert f"a-0/{file}" in told.out + told.err and "fault" not in told.err
    for folder in ("a-0", "b-0"):
        (run / folder / "session.json").write_bytes(b"\x90{}")
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert simulate(*words) == 2
    assert "session.json" in capsys.readouterr().err


def test_a_comparison_without_a_damaged_session_is_3(run: Path, stored: Path, tmp_path: Path) -> None:
    """It is made of what there is; half a line at the end of a file is none of it."""
    path = run / "results.jsonl"
    whole = path.read_text()
    path.write_text(whole + '{"id": "c-0", "scen')
    words = ("compare", stored, run, "--out", tmp_path / "page.html")
    assert simulate(*words) == 0
    path.write_text(whole + '{"id": 5}\n')
    assert simulate(*words) == 3
