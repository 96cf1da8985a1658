"""Exported corpora as their own readers take them: Lhotse and datasets, where installed (`.ci/full corpora`)."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from simulator.cli import OK
from tests.command_line import simulate
from tests.test_corpora import session

pytestmark = pytest.mark.filterwarnings("ignore")  # other people's packages warn of what is theirs


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two sessions of one topic: one part."""
    for name in ("t-0", "t-1"):
        session(tmp_path / "talks", name, topic="rain", voices=("ann", "ben"))
    return tmp_path / "talks"


@pytest.mark.parametrize("form", ["lhotse", "nemo"])
def test_lhotse_reads_what_was_said(run: Path, tmp_path: Path, form: str) -> None:
    """Its validator finds nothing; sound to the sample, supervisions, words, the target's sound."""
    lhotse = pytest.importorskip("lhotse")
    from lhotse.qa import validate

    assert simulate("export", run, "--to", form, "--out", tmp_path / "out") == OK
    cuts = {cut.id: cut for cut in lhotse.CutSet.from_shar(in_dir=tmp_path / "out" / "train")}
    assert set(cuts) == {"t-0", "t-1"}
    cut = cuts["t-0"]
    validate(cut)
    original, _ = soundfile.read(run / "t-0" / "conversation.wav", dtype="float32")
    if form == "lhotse":
        assert np.array_equal(cut.load_audio(), original.T)
        assert [item.speaker for item in cut.supervisions] == ["ann", "ben", "ben"]
    else:
        assert np.array_equal(cut.load_audio()[0], original[:, 0])
        assert np.array_equal(cut.load_target_audio()[0], original[:, 1])
        assert [item.speaker for item in cut.supervisions] == ["user", "agent", "agent"]
    assert cut.supervisions[0].alignment["word"][2].symbol == "raining?"
    assert len(cut.trim_to_supervisions(keep_overlapping=False)) == 3


def test_datasets_read_rows_with_their_sound(run: Path, tmp_path: Path) -> None:
    """Without decoding: the bytes are the FLAC of the session."""
    datasets = pytest.importorskip("datasets")
    assert simulate("export", run, "--to", "huggingface", "--out", tmp_path / "out") == OK
    found = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    found = found.cast_column("audio", datasets.Audio(decode=False))
    row = found[0]
    assert (row["id"], row["topic"], row["user_voice"]) == ("t-0", "rain", "ann") and row["audio"]["bytes"][
        :4
    ] == b"fLaC"
    assert [item["text"] for item in row["utterances"]] == ["Is it raining?", "mm-hm", "Not yet"]
    assert row["utterances"][1]["injected"] and row["overlaps"] == [{"start": 1.0, "end": 1.5}]
