"""`control: half_duplex`: every trial once more with the same words in turns, and what the difference is."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.caller.manner import manner_of
from agents.caller.spec import CallerSpec
from agents.scripted import ScriptedSpec
from simulator.cli import EXPECTATION_FAILED, main
from simulator.errors import ScenarioError
from simulator.injector import SpeechInjectorSpec
from simulator.planning.plan import Plan, plan_of
from simulator.report.index import index_html
from simulator.results.controls import control_pairs, control_summary
from simulator.results.models import models_of
from simulator.results.pairs import pairs_of
from simulator.results.row import Row, RowScore
from simulator.results.run import Run, load_run
from simulator.results.summary import summarise
from simulator.session import read_session
from simulator.testing import scenario_of
from tests.callers import AGENT, CALL, CALLER
from tests.test_frozen_callers import LONG
from tests.test_injector import RATE, injected, played

YIELD = "barge_in.yield_rate"
OVERLAP = "turns.overlap_s_per_min"
Json = dict[str, Any]


def call(folder: Path, **more: Any) -> Json:
    """The agent speaks from 1 s to 3 s; the user is silent but for what is injected 600 ms into that."""
    agent = played(folder, (1.0, 2.0))
    agent["clips"][0]["text"] = "Some words that take two seconds."
    injector = injected(folder, {"agent_speaking": "600ms"}, text="Stop.")
    return {"name": "call", "user": "silent", "agent": agent, "duration": "5s", "control": "half_duplex",
            "injectors": [injector], **more}  # fmt: skip


def plan(folder: Path, **more: Any) -> Plan:
    """The plan of that call."""
    return plan_of({"call.yaml": scenario_of(call(folder, **more), folder)})


def test_every_trial_is_planned_twice(tmp_path: Path) -> None:
    """The second in a group of its own, with the same seed and everything else the same; neither asks for another."""
    jobs = plan(tmp_path, repeat=2, seed=5).jobs
    assert [job.id for job in jobs] == ["call-0", "call-half-duplex-0", "call-1", "call-half-duplex-1"]
    assert [job.scenario.seed for job in jobs] == [5, 5, 6, 6]
    assert all(job.scenario.control is None and job.purse == "call" for job in jobs)
    full, half = jobs[0].scenario, jobs[1].scenario
    assert (full.agent, full.user, full.lines) == (half.agent, half.user, half.lines)
    assert half.injectors != full.injectors and jobs[1].control_of == "call" and not jobs[0].control_of


def test_a_script_waits_where_it_did_not(tmp_path: Path) -> None:
    """Turns that wait for the other's turn stay as they are; words stay in any case."""
    turns: list[Json | str] = [
        "Hello.",
        {"after": "agent_turn", "say": "Yes."},
        {"agent_speaking": "1s", "say": "Stop."},
    ]
    user: Json = {"kind": "scripted", "turns": turns}
    control = plan(tmp_path, user=user, injectors=[]).jobs[1].scenario.user
    assert isinstance(control, ScriptedSpec)
    assert [(turn.say, turn.other_silent) for turn in control.told()] == [
        ("Hello.", None),
        ("Yes.", None),
        ("Stop.", 0.3),
    ]


def test_a_caller_neither_cuts_in_nor_says_anything_beside(tmp_path: Path) -> None:
    """With the same wish and the rest of its manner, whether that is a preset or not; what is injected waits too."""
    caller = {**CALLER, "manner": {"preset": "rambling", "interrupts": 1.0, "pauses": 0.2}}
    half = plan(tmp_path, user=caller).jobs[1].scenario
    assert isinstance(half.user, CallerSpec)
    manner = manner_of(half.user.manner)
    assert (manner.preset, manner.interrupts, manner.backchannels, manner.pauses) == ("rambling", 0, 0, 0.2)
    (stop,) = half.injectors
    assert isinstance(stop, SpeechInjectorSpec)
    assert (half.user.goal, stop.cue.other_silent) == (CALLER["goal"], 0.3)
    preset = plan(tmp_path, injectors=[], user={**CALLER, "manner": "impatient"}).jobs[1].scenario.user
    assert isinstance(preset, CallerSpec)
    assert (manner_of(preset.manner).patience, manner_of(preset.manner).interrupts) == ("low", 0)


@pytest.mark.slow
def test_a_callers_control_has_no_word_of_its_over_the_agents(tmp_path: Path) -> None:
    """One that always cuts in, and its control: an interruption in the first, and in the second none."""
    user = {**CALLER, "manner": {"interrupts": 1.0, "backchannels": 0, "pauses": 0, "disfluent": 0}}
    agent = {**AGENT, "replies": [{"match": "change", "say": LONG}, *AGENT["replies"][2:]]}
    scenario = {**CALL, "user": user, "agent": agent, "control": "half_duplex", "report": "none", "scorers": ["turns"]}
    (tmp_path / "changed.yaml").write_text(json.dumps(scenario))
    assert main([str(tmp_path / "changed.yaml"), "--out", str(tmp_path / "out")]) == 0
    roles = [
        {event.role for event in read_session(tmp_path / "out" / name).by_type["speech_start"]}
        for name in ("changed-0", "changed-half-duplex-0")
    ]
    assert roles == [{"turn", "interruption"}, {"turn"}]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"injectors": []}, "nothing of the user can fall into the agent's turn"),
        ({"injectors": [], "user": CALLER}, "nothing of the user can fall into the agent's turn"),
        ({"injectors": [], "user": {"kind": "openai_realtime"}}, "nobody here decides when it speaks"),
        ({"repeat": {"until": "decided"}, "expect": [f"{YIELD} > 0.5"]}, "write `repeat: 20`"),
        ({"control": "simplex"}, "'simplex'"),
    ],
)
def test_a_control_that_cannot_be_is_refused(tmp_path: Path, more: Json, complaint: str) -> None:
    """Before anything starts, with what could be written instead."""
    with pytest.raises(ScenarioError, match=complaint):
        plan(tmp_path, **more)


def row(scenario: str, trial: int, value: float, **more: Any) -> Row:
    """A session with so many yields of one."""
    score = RowScore(value=value, unit="ratio", n=1, parts={"count": int(value), "of": 1})
    return Row(id=f"{scenario}-{trial}", scenario=scenario, trial=trial, sound=f"{scenario}{trial}", **more,
               scores={YIELD: score})  # fmt: skip


def test_the_difference_is_of_pairs() -> None:
    """Full minus half duplex, by trial: 1/4 minus 3/4 is -0.5, of four pairs; invalid ones make none."""
    full = [row("call", trial, value) for trial, value in enumerate((1.0, 0.0, 0.0, 0.0, 1.0))]
    half = [row("call-half-duplex", trial, value, control_of="call", invalid="" if trial < 4 else "noise")
            for trial, value in enumerate((1.0, 1.0, 1.0, 0.0, 0.0))]  # fmt: skip
    found = control_summary(control_pairs([*full, *half])["call"], [YIELD])
    assert (found.pairs, found.headline) == (4, YIELD)
    (shown,) = found.row
    assert (shown.first, shown.second, shown.value) == (0.75, 0.25, -0.5)


def test_controls_count_for_nothing_else(tmp_path: Path) -> None:
    """Not in pooled values of the scenario or the run, not in a comparison of two runs."""
    rows = [row("call", 0, 1.0), row("call-half-duplex", 0, 0.0, control_of="call")]
    scenario = scenario_of(call(tmp_path, scorers=["barge_in"]), tmp_path)
    summary = summarise({"call": scenario}, rows, pool_all=True)
    assert {score.id: score.value for score in summary.pooled}[YIELD] == 1.0
    (told,) = summary.scenarios
    assert told.control and told.control.differences[0].value == 1.0 and told.sessions == 1
    run = Run(tmp_path, rows)
    assert [pair.first.id for pair in pairs_of(run, run)] == ["call-0"]
    assert [[one.id for one in found] for found in models_of([run]).values()] == [["call-0"]]
    (alone,) = summarise({"call": scenario}, rows[:1]).scenarios
    assert b"control" not in msgspec.json.encode(alone)


def test_what_is_injected_comes_behind_the_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run from the command line: in the control it begins when the agent has been silent for 300 ms, to the sample;
    expectations gate by the trials alone; table, page and JSON have the row.
    """
    scenario = call(tmp_path, scorers=["turns"], expect=[f"{OVERLAP} >= 9"], report="none")
    (tmp_path / "call.yaml").write_text(json.dumps(scenario))
    words = [str(tmp_path / "call.yaml"), "--out"]
    assert main([*words, str(tmp_path / "one"), "--json"]) == EXPECTATION_FAILED
    said = json.loads(capsys.readouterr().out)
    starts = [
        read_session(tmp_path / "one" / name).by_type["speech_start"][-1].at
        for name in ("call-0", "call-half-duplex-0")
    ]
    assert starts[0] < 2 * RATE and starts[1] == round(3.3 * RATE)
    control = said["scenarios"][0]["control"]
    assert (control["kind"], control["pairs"], control["headline"]) == ("half_duplex", 1, OVERLAP)
    assert control["differences"][0]["value"] == pytest.approx(4.8, abs=0.3)  # 0.4 s of 5 s, and none
    assert main([*words, str(tmp_path / "two")]) == EXPECTATION_FAILED
    assert "full duplex minus half duplex" in capsys.readouterr().out
    page = index_html(load_run(tmp_path / "two"))
    assert "call: full duplex minus half duplex" in page
