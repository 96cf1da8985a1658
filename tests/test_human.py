"""Rules of the human party: where it may take part, what is refused, what the command says."""

from importlib import import_module
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.cli.talk import default_scenario, seated
from simulator.errors import ScenarioError
from simulator.live.at_device.device import sound_devices
from simulator.live.at_device.terminal import choose
from simulator.live.buttons import buttons_of
from simulator.planning.job import Job
from simulator.scenario import kind_of, load
from simulator.testing import play_session, scenario_of


def test_a_human_runs_on_the_wall_clock_only(tmp_path: Path) -> None:
    """A scenario that wants the virtual clock with a human is refused before anything starts."""
    with pytest.raises(ScenarioError, match="has its own real time, so the clock must be wall"):
        scenario_of({"user": "human", "agent": "silent", "clock": "virtual"}, tmp_path)
    assert scenario_of({"user": "human", "agent": "silent"}, tmp_path).wall() is not None


def test_a_run_without_a_seat_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate scenario.yaml` says to use `simulate talk`; a session without a seat fails with that sentence."""
    file = tmp_path / "me.yaml"
    file.write_text("name: me\nuser: human\nagent: silent\nduration: 1s\n")
    assert main([str(file), "--out", str(tmp_path / "run")]) == 2
    assert "$.user: is human; take part with `simulate talk`" in capsys.readouterr().err
    session = play_session({"user": "human", "agent": "silent", "scorers": []}, tmp_path)
    assert session.meta.status == "failed"
    assert "take part with `simulate talk`" in str(session.meta.problem)


def test_a_scenario_without_a_human_seats_you_as_the_user(tmp_path: Path) -> None:
    """Any scenario can be talked to: its user makes room."""
    scenario = scenario_of({"user": "silent", "agent": "silent"}, tmp_path)
    taken = seated(Job(id="a-0", group="a", scenario=scenario)).scenario
    assert kind_of(taken.user) == "human" and taken.wall() is not None


def test_talk_alone_talks_to_the_cascade_with_buttons_for_both_sides() -> None:
    """The default scenario is there; its keys put mm-hm, `Wait, stop.`, a cough and noise into either mouth."""
    scenario = load(default_scenario())
    assert (kind_of(scenario.user), kind_of(scenario.agent)) == ("human", "cascade")
    labels = ["mm-hm", "Wait, stop.", "cough", "noise"]
    for party, keys in (("user", "mwcn"), ("agent", "MWCN")):
        own = [button for button in buttons_of(scenario) if button.party == party]
        assert [button.key for button in own] == list(keys) and [button.label for button in own] == labels


def test_every_live_scenario_is_sound(scenarios: Path) -> None:
    """The files under live/ pass the check."""
    files = sorted((scenarios / "live").glob("*.yaml"))
    assert files
    assert [main(["check", str(file)]) for file in files] == [0] * len(files)


def test_a_missing_portaudio_is_one_sentence_with_the_command() -> None:
    """What the import raises without the library becomes what to type."""

    def load_without(name: str) -> object:
        raise OSError("PortAudio library not found")

    with pytest.raises(ScenarioError, match=r"needs PortAudio, which is missing; install it with: \w+"):
        sound_devices(load_without)


def test_one_device_seats_one_human(tmp_path: Path) -> None:
    """Two humans need two pages."""
    scenario = scenario_of({"user": "human", "agent": "human"}, tmp_path)
    with pytest.raises(ScenarioError, match="one device seats one human, so use --audio browser"):
        choose(None, None, scenario)


@pytest.mark.parametrize(("text", "complaint"), [
    ("{kind: sound, sound: sneeze, cue: {button: c}}", "sneeze"),
    ("{kind: sound, sound: cough, say: hello, cue: {button: c}}", "a sound says nothing"),
    ("{kind: sound, sound: noise, length: 10ms, cue: {button: c}}", "allowed are 50ms to 60s"),
])  # fmt: skip
def test_a_sound_that_cannot_be_made_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """An unknown sound, one that speaks, one too short to hear."""
    file = tmp_path / "bad.yaml"
    file.write_text(f"name: bad\nuser: silent\nagent: silent\nduration: 1s\ninjectors:\n  - {text}\n")
    with pytest.raises(ScenarioError, match=complaint):
        load(file)


def test_the_terminal_view_imports_no_sound_device() -> None:
    """sounddevice is imported when a device is asked for, not when the command is."""
    import sys

    before = "sounddevice" in sys.modules
    import_module("simulator.live.at_device.terminal")
    assert ("sounddevice" in sys.modules) == before
