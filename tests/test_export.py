"""Sessions in other tools' formats."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from metrics.compat.fdb.smooth_turn_taking import SmoothTurnTakingSpec
from metrics.compat.fdb.user_interruption import UserInterruptionSpec
from simulator.cli import main
from simulator.errors import SessionError
from simulator.export import audacity, fdb, rttm, srt, textgrid
from simulator.export import csv as csv_export
from simulator.session import Session
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord
from simulator.testing.take import Take
from tests.report_sessions import make_session

RATE = 8000


def speech_of(spoken: list[tuple[float, float, str]], role: str = "") -> PartySpeech:
    """Segments, and a word per text, at 8 kHz."""
    places = [(round(start * RATE), round(end * RATE), text) for start, end, text in spoken]
    return PartySpeech(
        segments=tuple(Segment(start=s, end=e, source="vad") for s, e, _ in places),
        utterances=tuple(Segment(start=s, end=e, source="truth", role=role, text=t) for s, e, t in places if role),
        words=tuple(SpokenWord(text=t, start=s, end=e, source="asr") for s, e, t in places),
    )


@pytest.fixture
def call(tmp_path: Path) -> Session:
    """A 6 s recording: the user says two things, the agent answers and is interrupted."""
    path = tmp_path / "call.wav"
    time = np.arange(6 * RATE) / RATE
    soundfile.write(path, np.stack([0.1 * np.sin(2500 * time), 0.2 * np.sin(3000 * time)], axis=1), RATE)
    user = speech_of([(0.5, 1.0, "hello"), (3.5, 4.0, 'say "stop"')])
    roles = tuple(
        Segment(start=w.start, end=w.end, source="truth", role=role, text=w.text)
        for w, role in zip(user.words, ("turn", "interruption"), strict=True)
    )
    speech = Speech(
        user=PartySpeech(segments=user.segments, words=user.words, utterances=roles),
        agent=speech_of([(2.0, 3.75, "well"), (4.5, 5.75, "yes")]),
    )
    return Session.of_recording(path).with_speech(speech)


def test_a_textgrid_covers_the_recording_without_gaps(call: Session) -> None:
    """Every tier reaches from 0 to the end, intervals touch, quotes are doubled."""
    text = textgrid.export(call)
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"')
    assert re.findall(r'name = "(.*)"', text) == ["user segments", "user words", "agent segments", "agent words"]
    for tier in text.split("    item [")[2:]:
        starts = [float(time) for time in re.findall(r"            xmin = (.*)", tier)]
        ends = [float(time) for time in re.findall(r"            xmax = (.*)", tier)]
        assert starts[0] == 0.0 and ends[-1] == 6.0 and starts[1:] == ends[:-1]
    assert 'text = "say ""stop"""' in text


def test_praat_reads_the_textgrid(call: Session, tmp_path: Path) -> None:
    """The file is one for the program it is meant for."""
    parselmouth = pytest.importorskip("parselmouth", reason="Praat is not installed")
    (tmp_path / "x.TextGrid").write_text(textgrid.export(call))
    grid = parselmouth.read(str(tmp_path / "x.TextGrid"))
    assert parselmouth.praat.call(grid, "Get number of tiers") == 4
    assert parselmouth.praat.call(grid, "Get label of interval", 2, 2) == "hello"


def test_rttm_has_a_line_per_segment(call: Session) -> None:
    """SPEAKER file channel start duration ... speaker, in time order."""
    lines = [line.split() for line in rttm.export(call).splitlines()]
    assert [line[7] for line in lines] == ["user", "agent", "user", "agent"]
    assert lines[1][:5] == ["SPEAKER", "call", "2", "2.000000", "1.750000"] and {len(line) for line in lines} == {10}


def test_labels_and_subtitles_tell_who_says_what(call: Session) -> None:
    """A line per utterance, or per segment of a party whose words alone are known."""
    assert audacity.export(call).splitlines()[0] == "0.500000\t1.000000\tuser: hello"
    blocks = srt.export(call).split("\n\n")
    assert blocks[1] == "2\n00:00:02,000 --> 00:00:03,750\nagent: well"


def test_the_table_holds_every_row_with_full_precision(call: Session) -> None:
    """Segments, words and utterances of both, in time order; the text survives the CSV."""
    rows = list(csv.DictReader(io.StringIO(csv_export.export(call))))
    assert len(rows) == 2 * 3 + 2 * 2 and [float(row["start_s"]) for row in rows] == sorted(
        float(r["start_s"]) for r in rows
    )
    assert {row["tier"] for row in rows} == {"segment", "word", "utterance"} and rows[0]["session"] == "call"
    assert any(row["text"] == 'say "stop"' and row["role"] == "interruption" for row in rows)


def test_a_benchmark_sample_scores_like_its_session(call: Session, tmp_path: Path) -> None:
    """The exported folder gives the scorers the numbers that the session itself gives."""
    assert fdb.write(call, tmp_path / "fdb" / "1") == "user_interruption"
    folder = UserInterruptionSpec(mode="compat").score_corpus([tmp_path / "fdb"])
    direct = UserInterruptionSpec(mode="compat").score(call)
    assert [folder.metrics[name].value for name in ("tor", "latency_s")] == [score.value for score in direct[:2]]
    assert folder.metrics["latency_s"].value == 0.5


def test_sound_is_mono_at_16_khz_and_equally_long(call: Session, tmp_path: Path) -> None:
    """input.wav is the user, output.wav the agent; both PCM16, from the same start to the same end."""
    fdb.write(call, tmp_path / "1")
    infos = [soundfile.info(tmp_path / "1" / name) for name in ("input.wav", "output.wav")]
    assert {(info.samplerate, info.channels, info.frames, info.subtype) for info in infos} == {
        (16000, 1, 96000, "PCM_16")
    }
    user, _ = soundfile.read(tmp_path / "1" / "input.wav")
    assert np.max(np.abs(user[1000:-1000])) == pytest.approx(0.1, abs=0.002)


def test_the_task_decides_the_label_and_the_words(call: Session, tmp_path: Path) -> None:
    """An interruption's word file starts after it; other tasks hold all words and their own label file."""
    fdb.write(call, tmp_path / "a")
    fdb.write(call, tmp_path / "b", "smooth_turn_taking")
    texts = [json.loads((tmp_path / name / "output.json").read_text())["text"] for name in ("a", "b")]
    assert texts == ["yes", "well yes"]
    assert not (tmp_path / "b" / "interrupt.json").exists()
    assert json.loads((tmp_path / "b" / "turn_taking.json").read_text()) == [
        {"text": "[TURN-TAKING]", "timestamp": [0.5 + 0.5, 6.0]}
    ]
    assert SmoothTurnTakingSpec(mode="compat").score_corpus([tmp_path / "b"]).metrics["latency_s"].value == 1.0
    with pytest.raises(SessionError, match=r"holds nothing to make pause\.json of"):
        fdb.write(call, tmp_path / "c", "pause_handling")


@pytest.mark.parametrize("form", ["textgrid", "rttm", "audacity", "srt", "csv", "fdb"])
def test_the_command_writes_a_file_per_session(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every format works on a run folder, prints where it wrote, and leaves the sessions alone."""
    make_session(tmp_path / "run" / "call-0")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert main(["export", str(tmp_path / "run"), "--to", form, "--out", str(tmp_path / "out")]) == 0
    written = capsys.readouterr().out.splitlines()
    assert len(written) == 1 and Path(written[0].split(" (")[0]).exists()
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    assert main(["export", str(tmp_path / "run"), "--to", form, "--out", str(tmp_path / "out")]) == 2
    assert "exists; name another folder" in capsys.readouterr().err


def test_a_session_is_never_exported_into_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--out inside the session's folder is refused, and a task without fdb too."""
    make_session(tmp_path / "call-0")
    call = str(tmp_path / "call-0")
    assert main(["export", call, "--to", "csv", "--out", call]) == 2
    assert main(["export", call, "--to", "csv", "--task", "backchannel", "--out", str(tmp_path)]) == 2
    assert "only with --to fdb" in capsys.readouterr().err


def test_sound_that_cannot_be_trusted_is_not_exported_unless_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is not scored: labels of one mix would be made up. Of more than two channels two are named."""
    buzzes = Take(tmp_path / "t", duration=6)
    buzzes.sound("user", 1.0, 4.0)
    one, none = buzzes.tracks["user"], buzzes.tracks["agent"]
    soundfile.write(tmp_path / "mix.wav", np.stack([one, one / 2], axis=1), buzzes.rate)
    soundfile.write(tmp_path / "three.wav", np.stack([none, one, none], axis=1), buzzes.rate)
    export = ["--to", "rttm", "--out", str(tmp_path / "out")]
    assert main(["export", str(tmp_path / "mix.wav"), *export]) == 2
    assert "both channels hold one mix" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "mix.wav"), *export, "--set", "force=true"]) == 0
    named = ["--set", "user_channel=1", "--set", "agent_channel=2"]
    for command in (["export", str(tmp_path / "three.wav"), *export], ["doctor", str(tmp_path / "three.wav")]):
        assert main(command) == 2
        assert "has 3 channels; name the two" in capsys.readouterr().err
        assert main([*command, *named]) == 0


def test_commands_say_which_sound_of_a_folder_they_pass_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether they score or export: nobody wonders where a call went."""
    take = Take(tmp_path / "t", duration=3)
    take.sound("user", 1.0, 2.0)
    (tmp_path / "calls").mkdir()
    soundfile.write(tmp_path / "calls" / "a.wav", np.stack(list(take.tracks.values()), axis=1), take.rate)
    (tmp_path / "calls" / "b.wma").write_bytes(b"")
    out = ["--to", "rttm", "--out", str(tmp_path / "out")]
    for command in (["score", str(tmp_path / "calls"), "--as", "turns"], ["export", str(tmp_path / "calls"), *out]):
        assert main(command) == 0
        assert "b.wma: passed over" in capsys.readouterr().err
