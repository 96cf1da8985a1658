"""Lhotse shards become a NeMo-Skills test set: what is written of which cut and which member."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import main


def shards(folder: Path, cuts: list[list[dict[str, Any] | str]], tars: list[dict[str, bytes]]) -> Path:
    """Shards with these cuts and these members."""
    folder.mkdir()
    for place, rows in enumerate(cuts):
        lines = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
        (folder / f"cuts.{place:06d}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for place, members in enumerate(tars):
        with tarfile.open(folder / f"recording.{place:06d}.tar", "w") as tar:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return folder


def test_every_cut_is_a_row_and_every_wanted_member_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cuts in the order of the shards' names; an id may end like a sound file; an absent recording is a row, too."""
    source = shards(
        tmp_path / "shar",
        [[{"id": "b", "start": 3}, {"id": "a.wav"}], [{"id": "gone"}, "", {"id": "sub/c"}]],
        [
            {"b.flac": b"B", "b.json": b"{}", "other.flac": b"x"},
            {"a.wav.flac": b"A", "a.wav": b"raw", "sub/c.flac": b"C"},
        ],
    )
    assert main(["export", str(source), "--to", "nemo", "--out", str(tmp_path / "set")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "set" / "test.jsonl").read_text().splitlines()]
    assert [row["audio_path"] for row in rows] == [
        "data/b.flac", "data/a.wav.flac", "data/gone.flac", "data/sub/c.flac"
    ]  # fmt: skip
    assert rows[0] == {
        "problem": "",
        "audio_path": "data/b.flac",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "", "audio": {"path": "s2s_demo/data/b.flac"}},
        ],
    }
    written = {path.name: path.read_bytes() for path in (tmp_path / "set" / "data").iterdir()}
    assert written == {"b.flac": b"B", "a.wav.flac": b"A", "c.flac": b"C"}
    told = capsys.readouterr()
    assert "(4 rows)" in told.out and "gone: no shard holds its recording" in told.err


def test_the_converters_own_options(tmp_path: Path) -> None:
    """The system prompt, the folder of recordings, the prefix of paths."""
    source = shards(tmp_path / "shar", [[{"id": "a"}]], [{"a.flac": b"A"}])
    options = ["--system-prompt", "Be kind.", "--audio-subdir", "wavs", "--dataset-prefix", "mine/x"]
    assert main(["export", str(source), "--to", "nemo", "--out", str(tmp_path / "set"), *options]) == 0
    (row,) = (json.loads(line) for line in (tmp_path / "set" / "test.jsonl").read_text().splitlines())
    assert row["messages"][0]["content"] == "Be kind."
    assert row["messages"][1]["audio"]["path"] == "mine/x/wavs/a.flac"
    assert (tmp_path / "set" / "wavs" / "a.flac").read_bytes() == b"A"


def test_a_member_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    """Its own file name alone counts."""
    source = shards(tmp_path / "shar", [[{"id": "../../evil"}]], [{"../../evil.flac": b"E"}])
    assert main(["export", str(source), "--to", "nemo", "--out", str(tmp_path / "set")]) == 0
    assert (tmp_path / "set" / "data" / "evil.flac").read_bytes() == b"E"
    assert not (tmp_path / "evil.flac").exists() and not (tmp_path.parent / "evil.flac").exists()


@pytest.mark.parametrize("cuts", [["no json"], ['{"name": "a"}'], ['{"id": 3}']])
def test_what_is_no_cut_is_named(tmp_path: Path, cuts: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 with the file and the line."""
    source = shards(tmp_path / "shar", [cuts], [])
    assert main(["export", str(source), "--to", "nemo", "--out", str(tmp_path / "set")]) == 2
    assert "cuts.000000.jsonl.gz:1" in capsys.readouterr().err


def test_a_folder_without_shards_and_a_broken_one_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence each; of several folders the good ones are written."""
    assert main(["export", str(tmp_path), "--to", "nemo"]) == 2
    assert "holds no lhotse shards" in capsys.readouterr().err
    good = shards(tmp_path / "good", [[{"id": "a"}]], [{"a.flac": b"A"}])
    bad = shards(tmp_path / "bad", [[{"id": "a"}]], [])
    (bad / "recording.000000.tar").write_bytes(b"no tar")
    assert main(["export", str(good), str(bad), "--to", "nemo", "--out", str(tmp_path / "sets")]) == 3
    assert (tmp_path / "sets" / "good" / "data" / "a.flac").read_bytes() == b"A"
