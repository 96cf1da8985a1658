"""What is loaded is what was measured, and what is kept on disk stays within bounds."""

import os
import re
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.engines.cache import UtteranceCache, largest_bytes
from simulator.engines.espeak import EspeakSpec
from simulator.engines.silero_model import _model_file
from simulator.engines.store import trim
from simulator.engines.weights import SILERO, check_weights
from simulator.errors import ScenarioError
from tests.licences import PAGE, direct, licence_of


def test_the_installed_detector_is_the_one_that_was_measured() -> None:
    """Its file has the known sha256."""
    check_weights(_model_file().parent, SILERO, remedy="")


@pytest.mark.parametrize("content", [b"", b"another model"])
def test_another_file_of_weights_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    """One sentence: which file, what was found, what is allowed, the command that mends it."""
    (tmp_path / "silero_vad.onnx").write_bytes(content)
    with pytest.raises(ScenarioError, match=r"onnx: is not the file .* not 1a153a22f450\.\.\.\); reinstall"):
        check_weights(tmp_path, SILERO, remedy="reinstall")


def test_weights_that_are_gone_are_told(tmp_path: Path) -> None:
    """A missing file is named, with the command that gets it."""
    with pytest.raises(ScenarioError, match=r"silero_vad\.onnx: cannot be read: No such file .*; reinstall"):
        check_weights(tmp_path, SILERO, remedy="reinstall")


def aged(folder: Path, *sizes: int) -> list[Path]:
    """Files of these sizes, the first one written first."""
    files = []
    for age, size in enumerate(sizes):
        path = folder / f"{age:02}" / "x.utterance"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size))
        os.utime(path, (1_000 + age, 1_000 + age))
        files.append(path)
    return files


def test_the_oldest_files_go_first(tmp_path: Path) -> None:
    """Of 100 bytes in four files 60 may stay: the two oldest go, and a tenth is left free; within bounds none goes."""
    files = aged(tmp_path, 30, 20, 30, 20)
    assert trim(tmp_path, 100) == 0
    assert trim(tmp_path, 60) == 50
    assert [path.exists() for path in files] == [False, False, True, True]
    assert trim(tmp_path, 0) == 50


def test_a_full_cache_makes_room_when_it_keeps_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of the environment holds: old speech goes, what was just said stays if it fits."""
    (old,) = aged(tmp_path / "old", 2_000_000)
    monkeypatch.setenv("SIMULATOR_VOICES_MB", "1")
    assert largest_bytes() == 1_000_000
    said = UtteranceCache(tmp_path).get(EspeakSpec(), "Hello.", 160)
    assert len(said.samples) > 0
    assert not old.exists()
    assert len(list(tmp_path.rglob("*.utterance"))) == 1


def test_doctor_empties_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how much it deleted, and that there is none where there is none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert main(["doctor", "--clean"]) == 0
    aged(tmp_path / "duplex-simulator" / "voices", 1_500_000)
    assert main(["doctor", "--clean"]) == 0
    told = capsys.readouterr().out
    assert "there is no cache" in told
    assert "1.5 MB deleted" in told


def test_the_licence_table_names_what_is_installed() -> None:
    """Every package that pyproject.toml names has a line with its licence; whichever is GPL here is so in the table."""
    lines = dict(re.findall(r"^\| (\S+) \| [^|]* \| ([^|]*) \|$", PAGE.read_text(), re.M))
    assert direct().keys() == lines.keys() - {"package"}
    assert not {"not said", "not installed here"} & set(lines.values())
    for name in direct():
        here = licence_of(name)
        assert here is None or ("GPL" in here or "General Public" in here) == ("GPL" in lines[name]), name
