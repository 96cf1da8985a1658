"""What a PATH holds, and how samples are named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ScenarioError
from simulator.scoring.inputs import InputKind, find_inputs, sample_ids


def touch(root: Path, *names: str) -> Path:
    """Make empty files (and folders, for names that end in a slash)."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True) if name.endswith("/") else path.touch()
    return root


def found(*paths: Path, kinds: tuple[InputKind, ...] = ("fdb",)) -> list[tuple[str, str]]:
    """Kind and id of what is found."""
    return [(item.kind, item.id) for item in find_inputs(paths, kinds, scorer="test")]


def test_a_sample_folder_and_a_dataset_root(tmp_path: Path) -> None:
    """A folder with a known file is a sample, numbers are in order of value, other files are passed over."""
    touch(tmp_path, "10/output.json", "2/input.wav", "README.md", "all.wav", ".hidden/output.json")
    assert found(tmp_path) == [("fdb", "2"), ("fdb", "10")]
    assert found(tmp_path, kinds=("fdb", "wav")) == [("fdb", "2"), ("fdb", "10")]
    assert found(tmp_path / "10") == [("fdb", "10")]


def test_empty_folders_beside_samples_are_told_of(tmp_path: Path) -> None:
    """A leaf folder without known files counts beside samples, and alone when a number names it."""
    touch(tmp_path / "a", "1/output.json", "x/other.txt")
    touch(tmp_path / "b", "7/")
    assert found(tmp_path / "a") == [("fdb", "1"), ("fdb", "x")]
    assert found(tmp_path / "b") == [("fdb", "7")]


def test_several_datasets_under_one_path_name_samples_by_path(tmp_path: Path) -> None:
    """Ids are paths relative to PATH as soon as samples lie in several folders, or names repeat."""
    touch(tmp_path, "candor/1/output.json", "synthetic/2/output.json")
    assert [name for _, name in found(tmp_path)] == ["candor/1", "synthetic/2"]


def test_several_paths_with_the_same_names_put_the_path_in_front(tmp_path: Path) -> None:
    """Samples of two PATHs that are named alike carry the PATH's name; the same PATH twice is counted."""
    touch(tmp_path, "a/1/output.json", "b/1/output.json")
    assert [name for _, name in found(tmp_path / "a", tmp_path / "b")] == ["a/1", "b/1"]
    assert len({name for _, name in found(tmp_path / "a", tmp_path / "a")}) == 2


def test_kinds_are_told_apart(tmp_path: Path) -> None:
    """Sessions, sound files, NeMo and tau folders and judge replies, only where they are asked for."""
    touch(
        tmp_path,
        "run/run.json",
        "run/s-0/session.json",
        "run/s-0/conversation.wav",
        "calls/a.wav",
        "calls/b.flac",
        "nemo/output.jsonl",
        "tau/results.json",
        "tau/simulations/",
        "v2/Daily/a.json",
        "v2/Daily/a_processed.json",
        "v2/tasks.json",
    )
    assert found(tmp_path / "run", kinds=("session", "wav", "fdb")) == [("session", "s-0")]
    assert found(tmp_path / "calls", kinds=("session", "wav")) == [("wav", "a"), ("wav", "b")]
    assert found(tmp_path / "calls" / "b.flac", kinds=("wav",)) == [("wav", "b")]
    assert found(tmp_path, kinds=("nemo",)) == [("nemo", "nemo")] and found(tmp_path, kinds=("tau",)) == [
        ("tau", "tau")
    ]
    assert found(tmp_path / "v2", kinds=("fdb_v2",)) == [("fdb_v2", "a")]
    assert found(tmp_path / "v2" / "Daily", kinds=("fdb_v2",)) == [("fdb_v2", "a")]


def test_nothing_to_score_is_refused(tmp_path: Path) -> None:
    """A missing path and a path without anything fitting: a sentence that says what would fit."""
    with pytest.raises(ScenarioError, match="none does not exist"):
        found(tmp_path / "none")
    with pytest.raises(ScenarioError, match="nothing there that test scores; it takes sessions or run folders"):
        found(tmp_path, kinds=("session",))


NAMES = st.text("ab/1", min_size=1, max_size=6).map(lambda text: text.strip("/").replace("//", "/") or "a")


@given(st.lists(st.tuples(st.sampled_from(["p", "q/p"]), NAMES), max_size=8))
def test_ids_are_never_shared(places: list[tuple[str, str]]) -> None:
    """Whatever lies where, no two samples have the same id, and unique names stay as they are."""
    samples = [(Path(root), Path(root) / name, Path(name).name) for root, name in places]
    ids = sample_ids(samples)
    assert len(set(ids)) == len(ids)
    if len({name for _, _, name in samples}) == len(samples):
        assert ids == [name for _, _, name in samples]
