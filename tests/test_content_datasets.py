"""Data sets of spoken questions: miniature sets of every kind, read, chosen, played and scored."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import soundfile

from simulator.batch.job import play
from simulator.call.surroundings import Surroundings
from simulator.cli import main
from simulator.datasets.asr_leaderboard import AsrLeaderboardDatasetSpec
from simulator.datasets.big_bench_audio import BigBenchAudioDatasetSpec
from simulator.datasets.content import AskedRow, Stratified, drawn
from simulator.datasets.mmau_pro import MmauProDatasetSpec
from simulator.datasets.nemo import NemoDatasetSpec
from simulator.datasets.s2s_arena import S2sArenaDatasetSpec
from simulator.datasets.source import Folder
from simulator.datasets.tables import TableRow, read_table, table_files
from simulator.datasets.voicebench import VoicebenchDatasetSpec
from simulator.errors import ScenarioError
from simulator.planning.plan import Wishes, make_plan
from simulator.session import read_session
from simulator.sound.recordings import open_recording


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sounds out of tables and our voice's are kept for this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def tone(path: Path, seconds: float = 0.5, hz: int = 8000) -> Path:
    """A sound file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(round(seconds * hz)) / 3), hz)
    return path


def lines(path: Path, rows: list[Any]) -> Path:
    """A file of JSON lines; a text is written as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def parquet(path: Path, rows: list[dict[str, Any]], *, seconds: float = 0.5) -> Path:
    """A table as the hub has it: the sound as bytes in a struct."""
    pyarrow = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    content = io.BytesIO()
    soundfile.write(content, 0.1 * np.sin(np.arange(round(seconds * 16_000)) / 3), 16_000, format="WAV")
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = {"bytes": content.getvalue(), "path": "x.wav"}
    pq.write_table(pyarrow.Table.from_pylist([{**row, "audio": audio} for row in rows]), path)
    return path


def test_the_hubs_layout_is_read_and_a_sample_knows_its_row(tmp_path: Path) -> None:
    """Subset and split from folders and names; sounds become files; the row's own fields go along, null and all."""
    rows = [{"prompt": "Which? A: x. B: y.", "reference": "B", "kwargs": [{"n": None}]}]
    parquet(tmp_path / "openbookqa" / "test-00000-of-00001.parquet", rows)
    spec = VoicebenchDatasetSpec(path=tmp_path, subset="openbookqa")
    (sample,) = spec.samples()
    assert sample.id == "openbookqa-test-0" and sample.text == "Which? A: x. B: y." and sample.reference == "B"
    assert sample.user_audio is not None and open_recording(sample.user_audio, channels=(0,)).sample_rate == 16_000
    assert sample.meta["kwargs"] == [{"n": None}] and sample.meta["split"] == "test" and "audio" not in sample.meta
    assert spec.scorers() == ["voicebench:mcq"]


def test_splits_and_all_subsets(tmp_path: Path) -> None:
    """Domains that are there, in their order; a subset that is missing is passed over, none at all is refused."""
    for split in ("physics", "law"):
        parquet(tmp_path / "mmsu" / f"{split}-00000-of-00001.parquet", [{"prompt": "p", "reference": "A"}] * 2)
    parquet(tmp_path / "bbh" / "test-00000-of-00001.parquet", [{"id": "bbh_navigate_7", "prompt": "p"}])
    spec = VoicebenchDatasetSpec(path=tmp_path)
    assert [sample.id for sample in spec.samples()] == [
        "mmsu-law-0", "mmsu-law-1", "mmsu-physics-0", "mmsu-physics-1", "bbh-test-bbh_navigate_7",
    ]  # fmt: skip
    assert spec.scorers() == ["voicebench"]
    assert len(VoicebenchDatasetSpec(path=tmp_path, subset="mmsu", split="law", limit=1).samples()) == 1
    with pytest.raises(ScenarioError, match=r"no table .* of ifeval; it has bbh/test, mmsu/law"):
        VoicebenchDatasetSpec(path=tmp_path, subset="ifeval").samples()


def test_a_table_in_pieces_is_one_table(tmp_path: Path) -> None:
    """Rows are numbered and limited throughout, so that none of the second piece is called like one of the first."""
    for piece in range(2):
        parquet(tmp_path / "commoneval" / f"test-0000{piece}-of-00002.parquet", [{"prompt": f"p{piece}"}] * 2)
    spec = VoicebenchDatasetSpec(path=tmp_path, subset="commoneval", limit=3)
    assert [(sample.id, sample.text) for sample in spec.samples()] == [
        ("commoneval-test-0", "p0"), ("commoneval-test-1", "p0"), ("commoneval-test-2", "p1"),
    ]  # fmt: skip


def test_a_line_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    """A blank line is no row, so it has no number among the rows, and it is a line all the same."""
    (file,) = table_files(Folder(lines(tmp_path / "a.jsonl", [{"prompt": "a"}, "", "no json", {"prompt": "b"}])))
    rows = list(read_table(file))
    assert [(row.place, row.number) for row in rows] == [("a.jsonl:1", 0), ("a.jsonl:3", 1), ("a.jsonl:4", 2)]


def test_json_lines_lie_beside_their_sounds(tmp_path: Path) -> None:
    """Rows that cannot be used are named; without a sound a text is said by our voice where that is wished for."""
    tone(tmp_path / "wavs" / "a.wav")
    rows = [{"prompt": "hello", "audio": "wavs/a.wav"}, "no json", {"prompt": "good day"}, {"audio": "wavs/gone.wav"}]
    file = lines(tmp_path / "advbench.jsonl", rows)
    found = VoicebenchDatasetSpec(path=file).read()
    assert [sample.id for sample in found.samples] == ["advbench-test-0"]
    assert [note.partition(":")[0] for note in found.notes] == ["advbench.jsonl", "advbench-test-2", "advbench-test-3"]
    aloud = VoicebenchDatasetSpec(path=file, speak=True).read()
    assert [sample.id for sample in aloud.samples] == ["advbench-test-0", "advbench-test-2"]
    silent = VoicebenchDatasetSpec(path=file, no_audio=True).read()
    assert silent.samples[0].user_audio not in (None, tmp_path / "wavs" / "a.wav")
    with pytest.raises(ScenarioError, match="its name says no subset"):
        VoicebenchDatasetSpec(path=lines(tmp_path / "rows.jsonl", rows)).samples()


def test_turns_follow_one_another(tmp_path: Path) -> None:
    """mtbench's texts are turns; the session waits for the agent between them and after the last."""
    file = lines(tmp_path / "mtbench.jsonl", [{"turns": ["Hello there.", "And how are you today?"]}])
    spec = f"{{kind: voicebench, path: {file.name}, subset: mtbench, no_audio: true}}"
    scenario = f"name: s\ndataset: {spec}\nagent: {{kind: cascade, replies: [{{say: Fine.}}]}}\nscorers: []\n"
    (tmp_path / "s.yaml").write_text(scenario)
    (job,) = make_plan([tmp_path / "s.yaml"], Wishes()).jobs
    anyio.run(play, job, tmp_path / "runs", Surroundings())
    session = read_session(tmp_path / "runs" / job.id)
    told = [(event.party, event.data["text"]) for event in session.by_type["speech_start"]]
    assert told == [
        ("user", "Hello there."),
        ("agent", "Fine."),
        ("user", "And how are you today?"),
        ("agent", "Fine."),
    ]
    assert session.meta.status == "completed"


@pytest.mark.parametrize(
    ("groups", "n", "counts"),
    [({"a": 8, "b": 4}, 6, {"a": 4, "b": 2}), ({"a": 5, "b": 3, "c": 2}, 5, {"a": 3, "b": 1, "c": 1}),
     ({"a": 2}, 9, {"a": 2})],
)  # fmt: skip
def test_a_stratified_sample_keeps_the_shares(groups: dict[str, int], n: int, counts: dict[str, int]) -> None:
    """In the order of the set, the same for a seed, another for another."""
    names = [name for name, count in groups.items() for _ in range(count)]
    row = TableRow("", 0, {}, list)
    questions = [AskedRow(str(place), row, {"kind": name}) for place, name in enumerate(names)]
    chosen = drawn(questions, Stratified(n=n, by="kind"))
    ids = [question.id for question in chosen]
    assert Counter(question.fields["kind"] for question in chosen) == counts
    assert ids == sorted(ids, key=int) and ids == [
        question.id for question in drawn(questions, Stratified(n=n, by="kind"))
    ]
    others = {tuple(q.id for q in drawn(questions, Stratified(n=n, by="kind", seed=seed))) for seed in range(20)}
    assert len(others) > 1 or n >= len(names)


def test_the_leaderboards_sets(tmp_path: Path) -> None:
    """By folder and split, or by name; rows without a text and clips of no length are told."""
    rows = [{"id": "a", "text": "one", "duration": 1.0}, {"id": "b", "text": " ", "duration": 1.0},
            {"id": "c", "text": "three", "duration": 0.05}]  # fmt: skip
    parquet(tmp_path / "librispeech" / "test.clean-00000-of-00001.parquet", rows)
    sounds = [{"audio_filepath": str(tone(tmp_path / "ami" / "x.wav")), "text": "x"}]
    lines(tmp_path / "ami" / "test.jsonl", sounds)
    found = AsrLeaderboardDatasetSpec(path=tmp_path).read()
    assert [sample.id for sample in found.samples] == ["librispeech_clean-a", "ami-0"]
    assert found.samples[0].meta["dataset"] == "librispeech_clean" and found.samples[0].text == "one"
    assert len(found.notes) == 2
    with pytest.raises(ScenarioError, match="'fleurs' is no set"):
        AsrLeaderboardDatasetSpec(path=tmp_path, sets=["fleurs"]).samples()


def test_a_question_about_sounds_is_asked_behind_them(tmp_path: Path) -> None:
    """One recording: the sounds, half a second apart, then our voice with the choices; nothing else is a turn."""
    tone(tmp_path / "data" / "a.wav", 1.0)
    tone(tmp_path / "data" / "b.wav", 2.0, hz=16_000)
    row = {"id": "q", "category": "sound", "question": "What is it?", "choices": ["dog", "cat"], "answer": "dog",
           "audio_path": ["data/a.wav", "data/b.wav"]}  # fmt: skip
    other = {**row, "id": "o", "category": "open", "choices": None}
    lines(tmp_path / "test.jsonl", [row, other])
    spec = MmauProDatasetSpec(path=tmp_path, categories=["closed"])
    (sample,) = spec.samples()
    assert sample.text == "What is it? A: dog. B: cat." and sample.reference == "dog" and not sample.turns
    assert sample.user_audio is not None
    heard = open_recording(sample.user_audio, channels=(0,))
    assert heard.sample_rate >= 16_000 and 5.0 < heard.length / heard.sample_rate < 10.0
    assert [sample.id for sample in MmauProDatasetSpec(path=tmp_path, only=["o"]).samples()] == ["o"]


def test_nemos_messages(tmp_path: Path) -> None:
    """The set's own name before a path; several user messages are turns; what stands beside a sound is told before."""
    folder = tmp_path / "demo"
    tone(folder / "data" / "a.flac")
    tone(folder / "data" / "b.flac")

    def heard(name: str, content: str = "") -> dict[str, Any]:
        return {"role": "user", "content": content, "audio": {"path": f"s2s/demo/data/{name}.flac"}}

    system = {"role": "system", "content": "Be kind."}
    rows = [
        {"problem": "", "audio_path": "data/a.flac", "messages": [system, heard("a")]},
        {
            "messages": [system, heard("a", "Transcribe."), {"role": "assistant", "content": "ok"}, heard("b")],
            "id": "two",
        },
        {"messages": [heard("a"), {"role": "user", "content": "And now?"}], "id": "mixed"},
        {"messages": "none"},
    ]
    lines(folder / "test.jsonl", rows)
    found = NemoDatasetSpec(path=folder).read()
    assert [sample.id for sample in found.samples] == ["a", "two"]
    assert found.samples[0].prompt == "Be kind." and found.samples[0].meta["system"] == "Be kind."
    assert found.samples[1].prompt == "Be kind. Transcribe."
    assert [turn.audio.name for turn in found.samples[1].turns] == ["a.flac", "b.flac"]
    assert len(found.notes) == 2 and "speak: true" in found.notes[0]
    aloud = NemoDatasetSpec(path=folder / "test.jsonl", speak=True).read()
    assert [turn.text for turn in aloud.samples[-1].turns] == ["", "And now?"]


def test_big_bench_audio_and_the_arena(tmp_path: Path) -> None:
    """An official answer is the reference; a clip is named by its path, and knows its task and what lies beside it."""
    tone(tmp_path / "bba" / "data" / "0.wav")
    row = {"id": 0, "category": "navigate", "official_answer": "Yes", "file_name": "data/0.wav", "transcript": "Go."}
    lines(tmp_path / "bba" / "metadata.jsonl", [row, {**row, "id": 1, "category": "web_of_lies"}])
    (sample,) = BigBenchAudioDatasetSpec(path=tmp_path / "bba", categories=["navigate"]).samples()
    assert sample.reference == "Yes" and sample.text == "Go."
    for task in ("singing", "rhythm_control"):
        tone(tmp_path / "arena" / "input" / task / "1.wav")
    (tmp_path / "arena" / "input" / "singing" / "1.txt").write_text("Sing it.")
    (tmp_path / "arena" / "input" / "singing" / "metadata.json").write_text('[{"filename": "1.wav", "level": "L2"}]')
    samples = S2sArenaDatasetSpec(path=tmp_path / "arena").samples()
    assert [sample.id for sample in samples] == ["rhythm_control/1", "singing/1"]
    assert samples[1].text == "Sing it." and samples[1].meta["task"] == "singing" and samples[1].meta["level"] == "L2"
    assert len(S2sArenaDatasetSpec(path=tmp_path / "arena", tasks=["singing"]).samples()) == 1


def test_without_pyarrow_the_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else needs it."""
    (tmp_path / "bbh").mkdir()
    (tmp_path / "bbh" / "test-0.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ScenarioError, match=r"duplex-simulator\[data\]"):
        VoicebenchDatasetSpec(path=tmp_path, subset="bbh").samples()


def test_a_subset_is_run_scored_and_written_for_the_originals_scripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The session ends two seconds after the answer; the file has the original's name and fields, and one score."""
    rows = [{"prompt": "Which of them is a fruit?", "reference": "A"}, {"prompt": "What is a stone?", "reference": "B"}]
    lines(tmp_path / "set" / "openbookqa" / "test.jsonl", rows)
    (tmp_path / "s.yaml").write_text(
        "name: s\ndataset: {kind: voicebench, path: set, subset: openbookqa, no_audio: true}\n"
        "agent: {kind: cascade, replies: [{match: fruit, say: The answer is A.}, {say: I do not know.}]}\n"
    )
    out = tmp_path / "run"
    assert main(["run", str(tmp_path / "s.yaml"), "--out", str(out), "--json"]) == 0
    capsys.readouterr()
    assert main(["export", str(out), "--to", "voicebench", "--out", str(tmp_path / "files")]) == 0
    file = tmp_path / "files" / "cascade-openbookqa-test-audio.jsonl"
    assert capsys.readouterr().out.strip() == str(file)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["response"] for row in written] == ["The answer is A.", "I do not know."]
    assert written[0]["prompt"] == rows[0]["prompt"] and written[0]["reference"] == "A"
    values = []
    for source in (out, file):
        assert main(["score", str(source), "--as", "voicebench:mcq", "--json", str(tmp_path / "v.json")]) == 0
        values.append(json.loads((tmp_path / "v.json").read_text())["metrics"]["acc"]["value"])
    assert values == [62.5, 62.5]
    session = read_session(out / "s-openbookqa-test-0-0")
    (said,) = [event for event in session.by_type["speech_end"] if event.party == "agent"]
    assert 1.5 < (session.duration - said.at) / session.sample_rate < 2.5
