"""Traps: what `simulate check` can see before anybody speaks; a sentence each, and nothing is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.planning.traps import traps
from simulator.testing.sessions import scenario_of
from tests.command_line import simulate

USER = {"kind": "scripted", "turns": [{"after": "agent_turn", "say": "Hello."}]}
BRIEF = {"kind": "scripted", "turns": ["Good evening."]}
AGENT = {"kind": "cascade", "replies": [{"say": "Certainly."}]}
SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
WAIT = {"kind": "interruption", "say": "Wait."}


def found(**data: Any) -> list[str]:
    return list(traps([scenario_of({"user": USER, "agent": AGENT, "duration": "20s", **data}, Path.cwd())]))


def noise(snr_db: float) -> dict[str, Any]:
    return {"agent_to_user": [{"kind": "noise", "color": "pink", "snr_db": snr_db}]}


@pytest.mark.parametrize(
    ("ears", "snr_db", "warned"), [("level", 24, 1), ("level", 25, 0), ("silero", 10, 0), (None, 10, 0)]
)
def test_level_ears_on_a_line_noisier_than_they_bear(ears: str | None, snr_db: float, warned: int) -> None:
    """They take a frame 24 dB under the nominal level for speech; other ears, and those left to choose, do not."""
    sentences = found(user=USER | ({"ears": ears} if ears else {}), lines=noise(snr_db))
    assert len(sentences) == warned
    assert not warned or "$.user.ears: level ears take noise at 24 dB for speech" in sentences[0]


def test_a_judge_that_nothing_asks() -> None:
    """A scorer or an expectation asks it; several votes at temperature 0 are one."""
    judge = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}
    (sentence,) = found(judge=judge)
    assert "$.judge: nothing asks it" in sentence
    assert found(judge=judge, expect=[{"judge": "The agent is polite."}]) == []
    assert found(judge=judge, scorers=[{"kind": "judge", "criteria": {"polite": "The agent is polite."}}]) == []
    (sentence,) = found(judge={**judge, "votes": 3, "temperature": 0}, expect=[{"judge": "The agent is polite."}])
    assert "its 3 votes are one vote said again" in sentence


@pytest.mark.parametrize(
    ("ears", "line", "warned"),
    [
        ("level", {"kind": "echo", "loss_db": 24}, 1),
        ("level", {"kind": "echo", "loss_db": 25}, 0),
        ("silero", {"kind": "echo", "loss_db": 6}, 0),
        ("level", {"kind": "preset", "name": "speakerphone"}, 1),
        ("level", {"kind": "preset", "name": "call_centre"}, 1),  # its noise
        ("level", {"kind": "preset", "name": "pstn"}, 0),
    ],
)
def test_level_ears_that_hear_themselves(ears: str, line: dict[str, Any], warned: int) -> None:
    """Whoever has a loud echo hears its own speech as the other's; what is in a named line counts, too."""
    sentences = found(user=USER | {"ears": ears}, lines={"agent_to_user": [line]})
    assert len(sentences) == warned
    assert all(sentence.startswith("test: $.user.ears: level ears take ") for sentence in sentences)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"kind": "mute"}, "is muted from beginning to end"),
        ({"kind": "mute", "during": {"agent_speaking": "1s"}}, None),
        ({"kind": "mute", "from": "20s"}, "never comes on: the session is over after 20s at the latest"),
        ({"kind": "mute", "during": {"user_speaking": "30s"}}, "never comes on: nothing that the user says lasts"),
        ({"kind": "jitter", "mean": "90ms", "buffer": "80ms"}, "packets take 90ms on the average and are waited for"),
        ({"kind": "jitter", "mean": "90ms", "buffer": "80ms", "adaptive": True}, None),
        ({"kind": "jitter"}, None),
    ],
)
def test_lines_that_let_nothing_pass_or_never_come_on(line: dict[str, Any], told: str | None) -> None:
    """With the place of the channel."""
    sentences = found(lines={"user_to_agent": [line]})
    assert len(sentences) == (told is not None)
    assert all(sentence.startswith(f"test: $.lines.user_to_agent[0]: {told}") for sentence in sentences)


@pytest.mark.parametrize(
    ("metric", "more"),
    [
        ("selectivity.aside_ignored_rate", {"injectors": [{"kind": "aside", "say": "Not now.", "cue": {"at": "3s"}}]}),
        ("selectivity.noise_ignored_rate", {"lines": {"user_to_agent": [{"kind": "burst", "color": "white"}]}}),
        ("selectivity.talker_ignored_rate", {"lines": {"user_to_agent": [{"kind": "talker", "say": ["Dinner!"]}]}}),
        (
            "selectivity.steady_noise_stops_per_min",
            {"lines": {"user_to_agent": [{"kind": "noise", "color": "pink", "snr_db": 5}]}},
        ),
        ("barge_in.yield_rate", {"injectors": [{**WAIT, "cue": {"agent_speaking": "1s"}}]}),
        ("barge_in.yield_rate", {"user": USER | {"turns": ["Hi.", {"agent_speaking": "1s", "say": "Wait."}]}}),
        ("backchannel.kept_floor_rate", {"injectors": [{"kind": "backchannel", "say": "Right.", "cue": {"at": "3s"}}]}),
        ("takeover.in_pause_rate", {"user": USER | {"turns": [{"say": ["Well", {"pause": "1s"}, "hello."]}]}}),
        ("barge_in.yield_rate", {"user": USER | {"turns": ["Hello."]}, "agent": AGENT | {"opening": "Good evening."}}),
        ("barge_in.yield_rate", {"user": USER | {"turns": ["Hello."]}, "agent": BRIEF}),
        ("barge_in.yield_rate", {"user": {"kind": "player", "file": str(SCENARIOS / "recordings" / "caller.flac")}}),
    ],
)
def test_an_expectation_on_what_nobody_makes_happen(metric: str, more: dict[str, Any]) -> None:
    """The same expectation is no trap where the scenario has what it needs, or the user may do anything."""
    (sentence,) = found(expect=[f"{metric} >= 0"])
    if metric.startswith("barge_in"):  # nor does a first turn fall over an agent that speaks when it is spoken to
        assert found(expect=[f"{metric} >= 0"], user=USER | {"turns": ["Hello."]}) == [sentence]
    assert sentence.startswith(f"test: $.expect[0]: {metric} will hardly have a value: it needs ")
    assert found(expect=[f"{metric} >= 0"], **more) == []


def test_an_expectation_of_an_agent_that_is_silent() -> None:
    """It answers nobody, and nobody can interrupt it, whenever that is tried; that it answers nobody is a value."""
    late = {"injectors": [{**WAIT, "cue": {"at": "3s"}}]}
    for metric in ("latency.response_p50_s", "barge_in.yield_rate"):
        (sentence,) = found(expect=[f"{metric} >= 0"], agent="silent", user=BRIEF, **late)
        assert f"{metric} will hardly have a value: it needs a" in sentence and "that speak" in sentence
        assert found(expect=[f"{metric} >= 0"], user=BRIEF, **late) == []
    assert found(expect=["latency.unanswered_rate <= 1"], agent="silent", user=BRIEF) == []


@pytest.mark.parametrize(
    ("cue", "more", "why"),
    [
        ({"at": "20s"}, {}, "the session is over after 20s at the latest"),
        ({"at": "18s", "delay": "2s"}, {}, "the session is over after 20s at the latest"),
        ({"agent_speaking": "1s"}, {"agent": "silent"}, "the agent is silent"),
        ({"after": "agent_turn"}, {"agent": "silent"}, "the agent is silent"),
        ({"agent_speaking": "15s"}, {"agent": BRIEF}, "nothing that the agent says lasts so long"),
    ],
)
def test_an_interruption_whose_cue_can_never_fall_due(cue: dict[str, Any], more: dict[str, Any], why: str) -> None:
    """Its time is never reached, or what it waits for does not come."""
    assert found(injectors=[{**WAIT, "cue": cue}], **more) == [f"test: $.injectors[0].cue: can never fall due: {why}"]


@pytest.mark.parametrize(
    ("cue", "more"),
    [
        ({"at": "19s"}, {}),
        ({"agent_speaking": "15s"}, {}),
        ({"agent_speaking": "1s"}, {"agent": BRIEF}),
        ({"agent_speaking": "1s", "at_latest": "5s"}, {"agent": "silent"}),
    ],
)
def test_a_cue_that_may_fall_due_is_no_trap(cue: dict[str, Any], more: dict[str, Any]) -> None:
    """What a model may say nobody knows; `at_latest` comes in any case."""
    assert found(injectors=[{**WAIT, "cue": cue}], **more) == []


def test_a_scripts_turn_after_the_end(tmp_path: Path) -> None:
    """It is named by its place in the script."""
    (sentence,) = found(user=USER | {"turns": ["Hi.", {"at": "30s", "say": "Bye."}]})
    assert sentence.startswith("test: $.user.turns[1].at: can never fall due")


def test_check_warns_and_refuses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence on standard error, exit code 0."""
    data = {"name": "trap", "duration": "20s", "user": USER, "agent": "silent"}
    path = tmp_path / "trap.yaml"
    path.write_text(yaml.safe_dump(data | {"injectors": [{**WAIT, "cue": {"agent_speaking": "1s"}}]}))
    assert simulate("check", path) == 0
    told = capsys.readouterr()
    assert told.out == "trap: fine\n"
    assert told.err == "simulate: remark: trap: $.injectors[0].cue: can never fall due: the agent is silent\n"


def test_the_examples_are_no_traps(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does any warning stand beside those that are shown."""
    assert simulate("check", *sorted(SCENARIOS.glob("*.yaml"))) == 0
    assert "$." not in capsys.readouterr().err
