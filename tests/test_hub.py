"""Data sets by their ids on the hub: read by the hub's own client from one on loopback, kept, and read without it."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.cli import main
from simulator.datasets.asr_leaderboard import AsrLeaderboardDatasetSpec
from simulator.datasets.big_bench_audio import BigBenchAudioDatasetSpec
from simulator.datasets.content import ContentDatasetSpec
from simulator.datasets.hub import _known
from simulator.datasets.hub_client import HubFileInfo
from simulator.datasets.hub_file import BLOCK, HubFile
from simulator.datasets.mmau_pro import MmauProDatasetSpec
from simulator.datasets.nemo import NemoDatasetSpec
from simulator.datasets.s2s_arena import S2sArenaDatasetSpec
from simulator.datasets.voicebench import VoicebenchDatasetSpec
from simulator.errors import ScenarioError
from simulator.results.run_info import read_info
from tests.hub_standin import OWNER, HubStandIn, standing

pytest.importorskip("huggingface_hub")

TOKEN = "hf_doorsareopenedbythis"


@pytest.fixture(autouse=True)
def own_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache of this test alone, no token of the machine's, and the hub's client as it is anywhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield
    _known.cache_clear()


def sound(number: int, seconds: float = 0.5) -> bytes:
    """A recording that is like no other."""
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(round(seconds * 16_000)) / (3 + number)), 16_000, format="WAV")
    return file.getvalue()


def table(rows: list[dict[str, Any]], *, group: int = 10, seconds: float = 0.5) -> bytes:
    """A parquet file with a sound in every row, so many rows to a group."""
    pyarrow = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    sounds = [{"bytes": sound(number, seconds), "path": f"{number}.wav"} for number in range(len(rows))]
    filled = [{**row, "audio": audio} for row, audio in zip(rows, sounds, strict=True)]
    # As sound is: compressed already.
    pq.write_table(pyarrow.Table.from_pylist(filled), file, row_group_size=group, compression="none")
    return file.getvalue()


def at(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> HubStandIn:
    """Have HF_ENDPOINT name a hub."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    return hub


def prompts(count: int) -> list[dict[str, Any]]:
    """Rows of questions."""
    return [{"prompt": f"question {number}?"} for number in range(count)]


ALPACA = "alpacaeval/test-00000-of-00001.parquet"


def test_as_much_is_read_as_the_rows_need_and_again_without_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of forty groups of sounds one is fetched; later, with nobody there, the same samples come from the cache."""
    body = table(prompts(80), group=2, seconds=2.0)
    spec = VoicebenchDatasetSpec(hub=OWNER, subset="alpacaeval", limit=2)
    with standing(HubStandIn({ALPACA: body, "README.md": b"# it"})) as hub:
        at(hub, monkeypatch)
        found = spec.read()
        asked = [got.headers["range"] for got in hub.fetched]
    assert [sample.id for sample in found.samples] == ["alpacaeval-test-0", "alpacaeval-test-1"]
    assert [sample.user_audio.read_bytes() for sample in found.samples if sample.user_audio] == [
        sound(0, 2.0), sound(1, 2.0),
    ]  # fmt: skip
    ranges = [[int(end) for end in asked_for.removeprefix("bytes=").split("-")] for asked_for in asked]
    assert sum(end + 1 - start for start, end in ranges) < len(body) / 4
    assert found.origin is not None and found.origin.revision == "a" * 40 and not found.remarks
    _known.cache_clear()  # as in another process
    again = spec.read()
    assert again.samples == found.samples and again.origin == found.origin
    assert again.remarks == [
        f"{OWNER}: the hub cannot be reached at {hub.url.removeprefix('http://')}; it is read from the cache, as of "
        f"commit {'a' * 40}"
    ]
    with pytest.raises(ScenarioError, match="cannot be reached"):
        VoicebenchDatasetSpec(hub=OWNER, subset="alpacaeval", limit=9).read()


def test_a_commit_is_asked_for_once_and_a_new_one_costs_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in a file names it: of a later commit the same file is not fetched again."""
    with standing(HubStandIn({ALPACA: table(prompts(2))})) as hub:
        at(hub, monkeypatch)
        first = VoicebenchDatasetSpec(hub=OWNER, subset="alpacaeval").read()
        hub.commit, hub.files["NEW.md"] = "b" * 40, b"new"
        fetched = len(hub.fetched)
        assert (
            VoicebenchDatasetSpec(hub=OWNER, subset="alpacaeval").read().origin == first.origin
        )  # one run, one commit
        _known.cache_clear()
        later = VoicebenchDatasetSpec(hub=OWNER, subset="alpacaeval").read()
        assert later.origin is not None and later.origin.revision == "b" * 40 and later.samples == first.samples
        asked = len(hub.asked)
        pinned = VoicebenchDatasetSpec(hub=OWNER, subset="alpacaeval", revision="a" * 40).read()
        assert pinned.origin == first.origin
        assert len(hub.fetched) == fetched and len(hub.asked) == asked


@pytest.mark.parametrize("parts", [True, False])
def test_a_file_is_read_anywhere_in_it(parts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Across blocks, at its end and behind it, whether or not the hub gives parts."""
    body = np.random.default_rng(0).bytes(3 * BLOCK + 17)
    with standing(HubStandIn({"x.bin": body}, parts=parts)) as hub:
        at(hub, monkeypatch)
        info = HubFileInfo(size=len(body), content="x")
        with HubFile(OWNER, "a" * 40, "x.bin", info) as file:
            for start, length in ((5, 10), (BLOCK - 3, BLOCK + 9), (len(body) - 4, 100), (len(body) + 9, 5), (0, -1)):
                file.seek(start)
                assert file.read(length) == body[start:][: length if length >= 0 else None]
            assert file.seek(-7, io.SEEK_END) == len(body) - 7 and file.read() == body[-7:]


def test_a_run_says_its_commit_and_goes_on_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """run.json names repository and commit; once the branch has moved, a resumed run is told which commit it was."""
    (tmp_path / "s.yaml").write_text(
        f"name: s\ndataset: {{kind: voicebench, hub: {OWNER}, subset: alpacaeval}}\n"
        "agent: {kind: cascade, replies: [{say: Fine.}]}\nscorers: []\nreport: none\n"
    )
    command = ["run", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "run")]
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with standing(HubStandIn({ALPACA: table(prompts(1))}, token=TOKEN)) as hub:
        at(hub, monkeypatch)
        assert main(["doctor", str(tmp_path / "s.yaml")]) == 0
        assert f"ok   dataset (voicebench): {OWNER} is at commit {'a' * 40}\n" in capsys.readouterr().out
        assert main(command) == 0
        assert all(got.headers.get("authorization") == f"Bearer {TOKEN}" for got in hub.asked)
        assert not any("authorization" in got.headers for got in hub.fetched)
        hub.commit = "b" * 40
        _known.cache_clear()
        capsys.readouterr()
        assert main([*command, "--resume"]) == 2
        assert capsys.readouterr().err == (
            f"simulate: {tmp_path / 'run'}: s was run with {OWNER} at {'a' * 40}, and {OWNER} is at {'b' * 40} now; "
            f"go on with `revision: {'a' * 40}`\n"
        )
    told = read_info(tmp_path / "run").datasets
    assert told and {name: (origin.hub, origin.revision) for name, origin in told.items()} == {"s": (OWNER, "a" * 40)}
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".wav"]
    assert written and not any(
        secret in path.read_bytes() for path in written for secret in (TOKEN.encode(), b"sig-no")
    )


def test_parts_of_different_commits_are_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The branch moved between the first part and the second, whatever changed with it."""
    (tmp_path / "s.yaml").write_text(
        f"name: s\ndataset: {{kind: voicebench, hub: {OWNER}, subset: alpacaeval}}\nagent: silent\nscorers: []\n"
        "report: none\nduration: 1s\n"
    )
    with standing(HubStandIn({ALPACA: table(prompts(2))})) as hub:
        at(hub, monkeypatch)
        for part, commit in (("1", "a"), ("2", "b")):
            hub.commit = commit * 40
            _known.cache_clear()
            out = str(tmp_path / "parts" / part)
            assert main(["run", str(tmp_path / "s.yaml"), "--shard", f"{part}/2", "--out", out]) == 0
    capsys.readouterr()
    assert main(["merge", str(tmp_path / "parts"), "--out", str(tmp_path / "whole")]) == 2
    assert "its data set is of another commit" in capsys.readouterr().err


def spec_of(**given: Any) -> VoicebenchDatasetSpec:
    """One subset of the hub's."""
    return VoicebenchDatasetSpec(**{"hub": OWNER, "subset": "alpacaeval", **given})


REFUSED: dict[str, tuple[HubStandIn, dict[str, Any], str, str]] = {
    "unknown": (HubStandIn({}), {"hub": "no/set"}, "", "no/set: is no data set at HOST, or a private one"),
    "private": (HubStandIn({}, token=TOKEN), {}, "hf_wrong", "IT: is no data set at HOST, or a private one: HF_TOKEN "),
    "gated": (HubStandIn({ALPACA: bytes(99)}, token=TOKEN, gated=True), {}, "",
              "IT: is gated: accept its terms on its page at HOST, and set HF_TOKEN to a token that opens it"),
    "shut": (HubStandIn({ALPACA: bytes(99)}, token=TOKEN, gated=True), {}, "hf_wrong",
             "IT: is gated: accept its terms on its page at HOST, and HF_TOKEN does not open it"),
    "revision": (HubStandIn({}), {"revision": "v9"}, "", "IT: has no revision 'v9'; name a commit, a tag or a branch"),
    "split": (HubStandIn({ALPACA: b"x", "sd-qa/usa-0-of-1.parquet": b"x"}), {"subset": "sd-qa", "split": "fra"}, "",
              "IT: holds no table (.parquet or .jsonl) of sd-qa fra; it has alpacaeval/test, sd-qa/usa"),
    "damaged": (HubStandIn({ALPACA: bytes(99)}), {}, "", f"IT/{ALPACA}: is no parquet file that can be read: "),
}  # fmt: skip
"""What is wrong, by name: the hub, what a scenario asks of it, with which token, and how the sentence begins."""


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_wrong_is_one_sentence(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id, a token, a revision, a split: what was found, and what is allowed."""
    pytest.importorskip("pyarrow")
    hub, given, token, sentence = REFUSED[fault]
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with standing(hub):
        at(hub, monkeypatch)
        with pytest.raises(ScenarioError) as caught:
            spec_of(**given).read()
    host = hub.url.removeprefix("http://")
    assert str(caught.value).startswith(sentence.replace("HOST", host).replace("IT", OWNER))
    assert "\n" not in str(caught.value) and TOKEN not in str(caught.value)


def test_nobody_is_asked_unless_a_hub_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in HF_ENDPOINT is not shown; what else answers there is told; both a path and a hub are refused."""
    monkeypatch.setenv("HF_ENDPOINT", "http://me:secret-door@127.0.0.1:9")
    with pytest.raises(ScenarioError, match=r"cannot be reached at 127\.0\.0\.1:9$"):
        spec_of().read()
    with pytest.raises(ValueError, match="exactly one of path and hub"):
        spec_of(path=Path("here"))
    with pytest.raises(ValueError, match="name it with hub"):
        VoicebenchDatasetSpec(path=Path("here"), revision="main")
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(ScenarioError, match=r"duplex-simulator\[data\]"):
        spec_of().read()


def zipped(**members: bytes) -> bytes:
    """An archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in members.items():
            archive.writestr(f"data/{name}.wav", body)
    return file.getvalue()


def lines(*rows: dict[str, Any]) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


BBA = {"id": 7, "category": "navigate", "official_answer": "Yes", "file_name": "data/7.wav", "transcript": "Go."}
MMAU = {"id": "q", "category": "sound", "question": "What is it?", "answer": "dog", "audio_path": ["data/a.wav"]}
HEARD = {"role": "user", "content": "", "audio": {"path": "demo/data/a.wav"}}


@pytest.mark.parametrize(
    ("spec", "files", "name", "content"),
    [
        (BigBenchAudioDatasetSpec(hub=OWNER), {"metadata.jsonl": lines(BBA), "data/7.wav": sound(7)}, "7", sound(7)),
        (MmauProDatasetSpec(hub=OWNER), {"test.jsonl": lines(MMAU), "data.zip": zipped(a=sound(1))}, "q", None),
        (NemoDatasetSpec(hub=OWNER), {"test.jsonl": lines({"messages": [HEARD]}), "data/a.wav": sound(2)},
         "a", sound(2)),
        (S2sArenaDatasetSpec(hub=OWNER), {"input/sing/1.wav": sound(3), "input/sing/1.txt": b"Sing."},
         "sing/1", sound(3)),
        (AsrLeaderboardDatasetSpec(hub=OWNER, sets=["librispeech_clean"]),
         {"librispeech/test.clean-00000-of-00001.parquet": table([{"text": "one"}])}, "librispeech_clean-0", sound(0)),
    ],
    ids=["big_bench_audio", "mmau_pro", "nemo", "s2s_arena", "asr_leaderboard"],
)  # fmt: skip
def test_every_kind_is_read_from_the_hub(
    spec: ContentDatasetSpec,
    files: dict[str, bytes],
    name: str,
    content: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sounds in tables, beside them, and in an archive."""
    with standing(HubStandIn(files)) as hub:
        at(hub, monkeypatch)
        (sample,) = spec.read().samples
    assert sample.id == name and sample.user_audio is not None
    if content is not None:
        assert sample.user_audio.read_bytes() == content
    else:  # and then our voice asks
        assert soundfile.info(sample.user_audio).duration > 1.0
