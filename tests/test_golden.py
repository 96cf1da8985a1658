"""Golden sessions: what happens, when, to the sample; a change in the engine shows as a change in a text file.

After a change that is meant, `python tests/test_golden.py` writes the stored events anew: read the difference.
"""

import tempfile
from pathlib import Path

import pytest

from simulator.scenario import load
from simulator.session import Session
from simulator.testing import play_scenario

GOLDEN = Path(__file__).resolve().parent / "golden"
SCENARIOS = sorted(GOLDEN.glob("*.yaml"))
FILES = ("session.json", "scenario.yaml", "events.jsonl", "conversation.wav", "heard.wav")


def play(path: Path, folder: Path) -> Session:
    """Play a golden scenario."""
    session, played = play_scenario(load(path), folder)
    assert played.status == "completed", played.problem
    return session


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_golden_session_goes_as_it_is_written(path: Path, tmp_path: Path) -> None:
    """The events are those of the stored file, line for line; and a second run has the same bytes in every file."""
    first, second = play(path, tmp_path / "a"), play(path, tmp_path / "b")
    events = (first.folder / "events.jsonl").read_text(encoding="utf-8")
    assert events.splitlines() == path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    for name in FILES:
        if (first.folder / name).exists():
            assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes(), name


def test_the_golden_sessions_hold_what_they_are_for() -> None:
    """Between them: every role, a missed cue, cut and whole utterances, a background talker, both parties."""
    text = "".join(path.with_suffix(".jsonl").read_text(encoding="utf-8") for path in SCENARIOS)
    for part in ("turn", "interruption", "backchannel", "aside", "cue_missed", "talker", '"agent"', '"user"', "pauses"):
        assert part in text, part


if __name__ == "__main__":
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory() as scratch:
            session = play(scenario, Path(scratch))
            scenario.with_suffix(".jsonl").write_bytes((session.folder / "events.jsonl").read_bytes())
