"""Rules of sweeps: points are scenarios like any other, told apart, summed up in one table."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cli import OK, REFUSED, main
from simulator.errors import ScenarioError
from simulator.planning.checks import check_expectations
from simulator.planning.plan import Plan, Wishes, make_plan
from simulator.results import load_run
from simulator.results.row import Row, RowScore
from simulator.results.row_file import append_row
from simulator.results.run_info import RunInfo, write_info
from simulator.results.sweeps import sweeps_of
from simulator.scenario import load
from simulator.sweep.dimension import labels_of
from simulator.sweep.sweep import DimensionInfo, Point, SweepInfo

PAUSE = "user.turns[0].say[1].pause"
METRIC = "takeover.in_pause_rate"
TALK: dict[str, Any] = {
    "name": "talk",
    "duration": "6s",
    "user": {"kind": "scripted", "turns": [{"at": "100ms", "say": ["A table", {"pause": "300ms"}, "for two."]}]},
    "agent": {"kind": "cascade", "endpoint": "600ms", "replies": [{"say": "Certainly."}]},
    "scorers": ["takeover"],
    "report": "none",
}


def written(folder: Path, **fields: Any) -> Path:
    """A scenario file."""
    path = folder / "talk.yaml"
    path.write_text(yaml.safe_dump({**TALK, **fields}, sort_keys=False))
    return path


def planned(folder: Path, sweep: dict[str, Any], **fields: Any) -> Plan:
    """The plan of a scenario with this sweep."""
    return make_plan([written(folder, sweep=sweep, **fields)], Wishes())


def refusal(folder: Path, sweep: Any, **fields: Any) -> str:
    """The sentence with which a sweep is refused."""
    with pytest.raises(ScenarioError) as refused:
        checked(folder, sweep, **fields)
    return str(refused.value)


def checked(folder: Path, sweep: Any, **fields: Any) -> None:
    """What `simulate check` does."""
    plan = planned(folder, sweep, **fields)
    for scenario in (*plan.sweeps.values(), *plan.scenarios.values()):
        check_expectations(scenario)


def at(plan: Plan) -> list[tuple[Any, ...]]:
    """Where the sessions of a plan lie."""
    return [tuple(job.point.at.values()) for job in plan.jobs if job.point]


def test_a_grid_has_every_value_with_every_other(tmp_path: Path) -> None:
    """Each point is a scenario of its own with its values in it, so many trials each, with seeds as ever."""
    plan = planned(tmp_path, {
        "pause": {"path": PAUSE, "values": ["200ms", "1s"]},
        "patience": {"path": "agent.endpoint", "from": "400ms", "to": "1.2s", "steps": 3},
        "trials": 2,
    })  # fmt: skip
    assert at(plan)[::2] == [(pause, patience) for pause in ("200ms", "1s") for patience in ("400ms", "800ms", "1.2s")]
    last = plan.jobs[-1]
    assert last.id == "talk-pause-1s-patience-1-2s-1" and last.group == "talk-pause-1s-patience-1-2s"
    assert (last.scenario.seed, last.scenario.trial, last.scenario.repeat) == (1, 1, 1)
    assert last.scenario.agent.endpoint == 1.2 and last.scenario.sweep is None  # type: ignore[attr-defined]
    assert list(plan.scenarios) == list(dict.fromkeys(job.group for job in plan.jobs)) and len(plan.scenarios) == 6
    assert plan.name == "talk" and list(plan.swept) == ["talk"]
    assert pickle.loads(pickle.dumps(last)).point == last.point


def test_a_zip_walks_its_dimensions_together(tmp_path: Path) -> None:
    """And a list says its points; both refuse what does not match."""
    pause = {"path": PAUSE, "values": ["200ms", "1s"]}
    patience = {"path": "agent.endpoint", "values": ["400ms", "800ms"]}
    assert at(planned(tmp_path, {"pause": pause, "patience": patience, "design": "zip"})) == [
        ("200ms", "400ms"), ("1s", "800ms"),
    ]  # fmt: skip
    short = {"path": "agent.endpoint", "values": ["400ms"]}
    assert "found pause 2, patience 1" in refusal(tmp_path, {"pause": pause, "patience": short, "design": "zip"})
    points = [{"pause": "200ms", "patience": "1s"}, {"pause": "1s", "patience": "1s"}]
    listed = {"pause": {"path": PAUSE}, "patience": {"path": "agent.endpoint"}}
    assert at(planned(tmp_path, {**listed, "design": {"kind": "list", "points": points}})) == [
        ("200ms", "1s"), ("1s", "1s"),
    ]  # fmt: skip
    message = refusal(tmp_path, {**listed, "design": {"kind": "list", "points": [{"pause": "1s"}]}})
    assert "design.points[0] has pause; needed are pause, patience" in message


def test_a_latin_hypercube_meets_every_part_once(tmp_path: Path) -> None:
    """Twenty points: each twentieth of each dimension holds one, on its scale; the seed decides which."""
    sweep = {
        "snr": {"path": "lines.user_to_agent[0].snr_db", "from": -10, "to": 30},
        "patience": {"path": "agent.endpoint", "from": "100ms", "to": "10s", "scale": "log"},
        "agent": {"path": "agent.ears", "values": ["silero", "level"]},
        "design": {"kind": "random", "points": 20},
    }
    lines = {"user_to_agent": [{"kind": "noise", "color": "pink", "snr_db": 5}]}
    found = at(planned(tmp_path, sweep, lines=lines))
    assert sorted(int((snr + 10) / 2) for snr, _, _ in found) == list(range(20))
    seconds = [load_seconds(patience) for _, patience, _ in found]
    assert sum(second < 1 for second in seconds) == 10 and sum(second < 10**-0.5 for second in seconds) == 5
    assert sorted(ears for _, _, ears in found) == ["level"] * 10 + ["silero"] * 10
    assert at(planned(tmp_path, sweep, lines=lines)) == found
    sweep["design"] = {"kind": "random", "points": 20, "seed": 1}
    assert at(planned(tmp_path, sweep, lines=lines)) != found


def load_seconds(text: str) -> float:
    """A time as a label has it."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


def test_agents_are_a_dimension_and_need_not_stand_twice(tmp_path: Path) -> None:
    """The scenario itself may leave out what it sweeps over; mappings go by their kind, equal ones by their number."""
    (tmp_path / "caller.wav").touch()
    cascade = TALK["agent"]
    agents = ["silent", cascade, {**cascade, "endpoint": "1s"}, {"kind": "player", "file": "caller.wav"}]
    path = tmp_path / "talk.yaml"
    data = {name: value for name, value in TALK.items() if name != "agent"}
    path.write_text(yaml.safe_dump({**data, "sweep": {"agent": {"path": "agent", "values": agents}}}))
    scenario = load(path)
    assert scenario.sweep is not None
    labels = scenario.sweep.labelled(scenario.sweep.places())
    assert [label["agent"] for label in labels] == ["silent", "cascade", "cascade #2", "player"]
    named = {"path": "agent", "values": ["silent", cascade], "labels": ["mute", "ours"]}
    assert at(planned(tmp_path, {"agent": named})) == [("mute",), ("ours",)]


def test_a_key_that_a_dimension_writes_is_told_with_the_dimension(tmp_path: Path) -> None:
    """The file has no such key: who put another agent there would look for it in vain."""
    sweep = {"wait": {"path": "agent.endpoint", "values": ["500ms", "1s"]}}
    with pytest.raises(ScenarioError, match=r"unknown field `endpoint`.*\(\$\.sweep\.wait writes it\)$"):
        load(written(tmp_path, agent="silent", sweep=sweep, measure=[METRIC]))


def test_labels_hide_what_a_url_holds_in_secret() -> None:
    """They name folders: userinfo and keys in addresses are masked, and what differs stays apart."""
    urls = ["wss://ann:pw@host.example/a?token=abc", "wss://ann:pw@host.example/a?token=abd"]
    assert labels_of(urls) == ["wss://***@host.example/a?token=***", "wss://***@host.example/a?token=*** #2"]
    assert labels_of([True, None, 2, 2.5, [1, 2], {"kind": "moshi", "url": urls[0]}, {"at": 1}]) == [
        "true", "none", 2, 2.5, "list of 2", "moshi", "mapping",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({}, "$.sweep: has no dimension; write one like"),
        (["pause"], "$.sweep: expected a mapping of dimensions, found ['pause']"),
        ({"pause": {"path": PAUSE, "values": []}}, "$.sweep.pause: has no values; give one or more"),
        ({"pause": {"path": PAUSE}}, "pause has no values; give `values`, or `from`, `to` and `steps`"),
        ({"pause": {"path": PAUSE, "from": "1s", "steps": 3}}, "$.sweep.pause: lacks an end"),
        ({"pause": {"path": PAUSE, "from": "1s", "to": "200ms", "steps": 3}}, "the first must be the smaller"),
        ({"pause": {"path": PAUSE, "from": 1, "to": "2s", "steps": 3}}, "allowed are two numbers, or two times"),
        ({"pause": {"path": PAUSE, "from": 0, "to": 1, "steps": 2, "scale": "log"}}, "above 0"),
        ({"pause": {"path": PAUSE, "values": ["1s", "2s"], "labels": [1, 1]}}, "all of them different"),
        ({"pause": {"path": PAUSE, "values": ["1s"], "step": 2}}, "$.sweep.pause: object contains unknown field"),
        ({"pause": {"path": PAUSE, "values": ["1s"], "labels": ["long"]},
          "design": {"kind": "list", "points": [{"pause": "2s"}]}}, "points[0].pause is '2s', which has no label"),
        ({"Pause": {"path": PAUSE, "values": ["1s"]}}, "'Pause' is no name of a dimension"),
        ({"seed": {"path": "seed", "values": [1]}}, "$.sweep.seed.path: seed belongs to the sweep as a whole"),
        ({"pause": {"path": "user.turns[4].say", "values": ["Hi."]}}, "'user.turns[4].say': '4' is no place in a list"),
        ({"pause": {"path": "user..say", "values": ["Hi."]}}, "expected a path such as agent.kind, found 'user..say'"),
        ({"patience": {"path": "agent.endpiont", "values": ["1s"]}}, "unknown field `endpiont`"),
        ({"patience": {"path": "agent.endpoint", "values": ["1s", "soon"]}}, "at patience soon: $.agent.endpoint:"),
        ({"pause": {"path": PAUSE, "values": ["1s"]}, "design": "cube"}, "$.sweep.design.kind: invalid value 'cube'"),
        ({"pause": {"path": PAUSE, "values": ["1s"]}, "trials": 0}, "$.sweep.trials: expected `int` >= 1"),
        ({"x": {"path": "agent.endpoint", "from": "1s", "to": "2s", "steps": 9999},
          "y": {"path": PAUSE, "from": "1s", "to": "2s", "steps": 9999}}, "99980001 points; allowed are 10000"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_refused_with_its_place(tmp_path: Path, sweep: Any, message: str) -> None:
    """In one sentence, before anything runs."""
    assert message in refusal(tmp_path, sweep)


def test_measures_and_trials_are_checked(tmp_path: Path) -> None:
    """A metric that nobody measures is none; trials are given once."""
    sweep = {"pause": {"path": PAUSE, "values": ["1s"]}, "trials": 2}
    message = refusal(tmp_path, sweep, measure=[METRIC, "takeover.in_pose_rate"])
    assert "$.measure[1]: 'takeover.in_pose_rate' is not measured" in message and METRIC in message
    assert "$.sweep.trials: the scenario has `repeat`" in refusal(tmp_path, sweep, repeat=3)


def test_a_sweep_is_run_resumed_and_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every point's rows carry it, the table has a row for each, and what is missing is played by --resume."""
    path, out = written(tmp_path, measure=[METRIC], sweep={
        "pause": {"path": PAUSE, "values": ["300ms", "900ms"]},
        "patience": {"path": "agent.endpoint", "values": ["500ms", "1.2s"]},
    }), tmp_path / "out"  # fmt: skip
    assert main([str(path), "--out", str(out), "--json"]) == OK
    told = json.loads(capsys.readouterr().out)["sweeps"][0]
    values = {tuple(point["at"].values()): point["scores"][0]["value"] for point in told["points"]}
    assert (values["900ms", "500ms"], values["900ms", "1.2s"]) == (1, 0)
    run = load_run(out)
    assert [row.point.at["pause"] for row in run.rows if row.point] == ["300ms", "300ms", "900ms", "900ms"]
    assert [point.at for point in run.sweeps[0].points] == [point["at"] for point in told["points"]]
    first = json.loads((out / run.rows[0].id / "session.json").read_text())
    assert first["point"] == {"sweep": "talk", "at": {"pause": "300ms", "patience": "500ms"}}
    lines = (out / "results.jsonl").read_text().splitlines(keepends=True)
    (out / "results.jsonl").write_text("".join(lines[:2]))
    assert main([str(path), "--out", str(out), "--resume", "--json"]) == OK
    again = json.loads(capsys.readouterr().out)
    assert again["sweeps"][0]["points"] == told["points"] and len(again["sessions"]) == 4
    assert main([str(path), "--out", str(out), "--resume", "--set", "agent.yield_after=1s"]) == REFUSED
    assert "was run with $.agent.yield_after" in capsys.readouterr().err


def rows_of(levels: dict[float, tuple[int, int]], metric: str = METRIC, **more: Any) -> list[Row]:
    """Sessions with one case each, so many of them a yes."""
    return [
        Row(
            id=f"s-{level}-{trial}-{len(more)}", scenario=f"s-{level}", trial=trial, sound=f"{level}-{trial}",
            point=Point(sweep="s", at={"level": level, **more}),
            scores={metric: RowScore(value=float(trial < yes), n=1, parts={"count": int(trial < yes), "of": 1})},
        )
        for level, (yes, of) in levels.items()
        for trial in range(of)
    ]  # fmt: skip


def test_a_curve_goes_through_the_points_of_each_agent() -> None:
    """Along the dimension with most levels, apart for each place on the others; a step is told as one."""
    info = SweepInfo(
        dimensions={"level": DimensionInfo(path="x"), "agent": DimensionInfo(path="agent")}, measure=[METRIC]
    )
    smooth = rows_of({1: (0, 20), 2: (4, 20), 3: (10, 20), 4: (16, 20), 5: (20, 20)}, agent="a")
    step = rows_of({1: (0, 20), 2: (0, 20), 3: (20, 20), 4: (20, 20), 5: (20, 20)}, agent="b")
    first, second = sweeps_of({"s": info}, [*smooth, *step])[0].curves
    assert first.where == {"agent": "a"} and first.fit is not None
    assert first.fit.threshold == pytest.approx(3.0, abs=0.05) and not first.fit.falling
    assert [(point.level, point.value, point.n) for point in first.points][:2] == [(1, 0.0, 20), (2, 0.2, 20)]
    assert second.fit is None and second.reason is not None and "a step between 2 and 3" in second.reason


@pytest.mark.parametrize("metric", ["expect.booked", "judge.polite"])
def test_outcomes_and_what_judges_say_have_curves_as_well(metric: str) -> None:
    """Nobody has installed a scorer of theirs, and they are shares of sessions all the same."""
    info = SweepInfo(dimensions={"level": DimensionInfo(path="x")}, measure=[metric])
    rows = rows_of({1: (0, 20), 2: (4, 20), 3: (10, 20), 4: (16, 20), 5: (20, 20)}, metric)
    (curve,) = sweeps_of({"s": info}, rows)[0].curves
    assert curve.unit == "ratio" and curve.fit is not None
    assert curve.fit.threshold == pytest.approx(3.0, abs=0.05)


def test_identical_trials_are_one_case() -> None:
    """Twenty sessions that sound the same at each level are five cases, and carry no curve."""
    rows = rows_of({1: (0, 20), 2: (20, 20), 3: (0, 20), 4: (20, 20), 5: (20, 20)})
    alike = [
        Row(**{name: getattr(row, name) for name in row.__struct_fields__ if name != "sound"}, sound=row.scenario)
        for row in rows
    ]
    curve = sweeps_of({"s": SweepInfo(dimensions={"level": DimensionInfo(path="x")}, measure=[METRIC])}, alike)[
        0
    ].curves[0]
    assert curve.reason == "5 independent cases; a curve needs 20" and all(point.n == 1 for point in curve.points)


def swept(folder: Path, levels: dict[float, tuple[int, int]]) -> Path:
    """A run of a sweep, as it lies on the disk."""
    folder.mkdir()
    info = RunInfo(sweeps={"s": SweepInfo(dimensions={"level": DimensionInfo(path="x")}, measure=[METRIC])})
    write_info(folder, info)
    for row in rows_of(levels):
        append_row(folder, row)
    return folder


def test_comparing_sweeps_compares_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A level later is a level later; the run itself is no different, though both sides are drawn anew."""
    levels = {1.0: (0, 40), 2.0: (8, 40), 3.0: (20, 40), 4.0: (32, 40), 5.0: (40, 40), 6.0: (40, 40)}
    first = swept(tmp_path / "a", levels)
    later = swept(tmp_path / "b", {level + 1: yes for level, yes in levels.items() if level < 6} | {1.0: (0, 40)})
    assert main(["compare", str(first), str(later), "--json"]) == OK
    (found,) = json.loads(capsys.readouterr().out)["thresholds"][str(later)]
    assert found["value"] == pytest.approx(1.0, abs=0.02) and found["p_adjusted"] < 0.01
    low, high = found["ci95"]
    assert low < 1 < high and 0.3 < high - low < 1.2
    assert main(["compare", str(first), str(first), "--json"]) == OK
    (same,) = json.loads(capsys.readouterr().out)["thresholds"][str(first)]
    assert same["value"] == 0 and same["ci95"][0] < 0 < same["ci95"][1] and same["p"] > 0.5
    assert main(["compare", str(first), str(later)]) == OK
    assert "threshold of" in capsys.readouterr().out


def test_a_threshold_that_one_side_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And runs that met at no level still compare by their thresholds."""
    first = swept(tmp_path / "a", {1.0: (0, 20), 2.0: (4, 20), 3.0: (16, 20), 4.0: (20, 20)})
    elsewhere = swept(tmp_path / "b", {1.5: (0, 20), 2.5: (4, 20), 3.5: (16, 20), 4.5: (20, 20)})
    never = swept(tmp_path / "c", {1.0: (0, 20), 2.0: (0, 20), 3.0: (1, 20), 4.0: (2, 20)})
    assert main(["compare", str(first), str(elsewhere), "--format", "markdown"]) == OK
    assert "| takeover.in_pause_rate over level | 2.500 | 3.000 | +0.500 |" in capsys.readouterr().out
    assert main(["compare", str(first), str(never)]) == OK
    assert "no curve on the second side: it never crosses one half" in capsys.readouterr().out
