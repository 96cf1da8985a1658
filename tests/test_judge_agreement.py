"""Judges and people: kappa, rates corrected for a judge's errors, labels, calibration, self-tests."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.judging.agreement import Confusion, corrected_rate, kappa, proportion
from simulator.judging.calibration import Calibration, Standing, identity, told_criterion, why_not_believed
from simulator.judging.labels import read_labels
from simulator.judging.rubric import Criterion
from simulator.judging.spec import JudgeSpec
from simulator.testing import Take
from tests.chat_endpoint import CannedReply, ChatEndpoint, chat_endpoint, says

POLITE = Criterion(criterion="The agent is polite.")
HELPFUL = Criterion(criterion="How helpful?", scale=(1, 5))


def pairs(both: int, judge: int, people: int, neither: int) -> list[tuple[int, int]]:
    """(people, judge) pairs of these counts."""
    return [(1, 1)] * both + [(0, 1)] * judge + [(1, 0)] * people + [(0, 0)] * neither


def test_kappa_of_known_tables() -> None:
    """Worked by hand: 35 of 50 agree where 25 would by chance; 0 at chance, -1 against each other, 1 in agreement."""
    assert kappa(pairs(20, 5, 10, 15), (0, 1)).value == pytest.approx(0.4)
    assert kappa(pairs(10, 10, 10, 10), (0, 1)).value == pytest.approx(0.0)
    assert kappa(pairs(0, 5, 5, 0), (0, 1)).value == pytest.approx(-1.0)
    agreed = kappa(pairs(5, 0, 0, 5), (0, 1))
    assert agreed.value == 1 and agreed.bounds is None
    assert kappa(pairs(9, 0, 0, 0), (0, 1)).value is None and kappa([], (0, 1)).value is None


def test_a_scale_weighs_how_far_apart_people_and_judge_are() -> None:
    """Quadratic weights: of three points, (1, 2) is wrong by a quarter of (1, 3). Worked by hand for a small table."""
    near = kappa([(1, 1), (2, 2), (3, 3), (1, 2)], (1, 2, 3)).value
    far = kappa([(1, 1), (2, 2), (3, 3), (1, 3)], (1, 2, 3)).value
    # people: 1 twice, 2, 3; near: the judge 1, 2 twice, 3. Disagreement seen 1/4 * 1/4 = 0.0625; by chance the mean of
    # (difference / 2)^2 over all 16 combinations is (0+1+1+4 + 0+1+1+4 + 1+0+0+1 + 4+1+1+0) / 16 / 4 = 0.3125.
    assert near == pytest.approx(1 - 0.0625 / 0.3125)
    assert far is not None and near is not None and far < near


def test_the_interval_of_kappa_covers_the_true_one() -> None:
    """Two raters who agree as built, drawn 400 times: the interval holds the true kappa 92 to 98 times of a hundred."""
    rng = np.random.default_rng(1)
    table = np.array([0.4, 0.1, 0.05, 0.45])
    agreed, first, second = table[0] + table[3], table[0] + table[2], table[0] + table[1]
    chance = first * second + (1 - first) * (1 - second)
    true = (agreed - chance) / (1 - chance)
    held = 0
    for _ in range(400):
        bounds = kappa(pairs(*map(int, rng.multinomial(120, table))), (0, 1)).bounds
        held += bounds is not None and bounds[0] <= true <= bounds[1]
    assert 0.92 <= held / 400 <= 0.98


def test_a_rate_is_corrected_as_rogan_and_gladen_do() -> None:
    """23 of 150 positive at sensitivity 0.96 and specificity 0.89 are 5.1 % (epiR's example of a herd)."""
    found = corrected_rate(23, 150, Confusion(both=96, people_alone=4, judge_alone=11, neither=89))
    assert found.value == pytest.approx(0.051, abs=5e-4)
    assert corrected_rate(5, 10, Confusion(both=9, judge_alone=0, people_alone=0, neither=9)).value == 0.5
    assert corrected_rate(0, 50, Confusion(both=8, judge_alone=3, people_alone=2, neither=9)).value == 0.0
    for useless in (Confusion(5, 5, 5, 5), Confusion(0, 3, 0, 4), Confusion(4, 0, 3, 0)):
        assert corrected_rate(5, 10, useless).value is None


@pytest.mark.parametrize(
    ("truth", "sensitivity", "specificity"), [(0.3, 0.85, 0.9), (0.8, 0.9, 0.7), (0.05, 1.0, 0.95)]
)
def test_the_interval_of_a_corrected_rate_covers_the_truth(
    truth: float, sensitivity: float, specificity: float
) -> None:
    """A judge with known errors, 40 labels of each sort, 150 sessions, 400 times: at least 92 times of a hundred."""
    rng = np.random.default_rng(2)
    positive = truth * sensitivity + (1 - truth) * (1 - specificity)
    held = naive = 0
    for _ in range(400):
        right, wrong = int(rng.binomial(40, sensitivity)), int(rng.binomial(40, 1 - specificity))
        met = int(rng.binomial(150, positive))
        bounds = corrected_rate(met, 150, Confusion(right, wrong, 40 - right, 40 - wrong)).bounds
        held += bounds is not None and bounds[0] <= truth <= bounds[1]
        plain = proportion(met, 150).bounds
        naive += plain is not None and plain[0] <= truth <= plain[1]
    assert held / 400 >= 0.92
    assert naive < held  # the judge's own rate has no such claim


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", "has no column session, criterion, label"),
        ("session,criterion\na,polite\n", "has no column label"),
        ("session,criterion,label\n", "holds no label"),
        ("session,criterion,label\nb,polite,yes\n", "line 2: there is no session 'b'"),
        ("session,criterion,label\na,rude,yes\n", "line 2: 'rude' is no criterion; choose one of polite, helpful"),
        ("session,criterion,label\na,polite,yes\na,polite,perhaps\n", "line 3: the label 'perhaps' is none; write yes"),
        ("session,criterion,label\na,helpful,6\n", "a whole number from 1 to 5"),
        ("session,criterion,label\na,helpful\n", "the label '' is none"),
        ("\xff\xfe", "cannot be read as CSV"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path: Path, rows: str, sentence: str) -> None:
    """With the line."""
    path = tmp_path / "labels.csv"
    path.write_bytes(rows.encode("latin-1"))
    with pytest.raises(ScenarioError, match=re.escape(sentence)):
        read_labels(path, {"polite": POLITE, "helpful": HELPFUL}, ["a"])


def test_most_people_count_and_a_tie_does_not(tmp_path: Path) -> None:
    """A spreadsheet's byte order mark and blanks do not matter."""
    path = tmp_path / "labels.csv"
    path.write_text("\ufeffsession,criterion,label,rater\na,polite, Yes ,x\na,polite,no,y\na,polite,1,z\n"
                    "b,polite,met,x\nb,polite,0,y\nb,helpful,4,x\n")  # fmt: skip
    labels, ties = read_labels(path, {"polite": POLITE, "helpful": HELPFUL}, ["a", "b"])
    assert labels == {("a", "polite"): 1, ("b", "helpful"): 4} and ties == ["b, polite: people are tied; left out"]


@pytest.mark.parametrize(
    ("labelled", "found", "change", "doubt"),
    [
        (20, 0.6, {}, None),
        (19, 0.9, {}, "19 sessions of the 20"),
        (30, 0.59, {}, "kappa 0.59, the bar is 0.6"),
        (30, None, {}, "no kappa"),
        (30, 0.9, {"votes": 3}, "votes differs"),
        (30, 0.9, {"model": "n"}, "model differs"),
        (30, 0.9, {"hears": "stereo"}, "hears differs"),
        (30, 0.9, {"temperature": 0.5}, "temperature differs"),
        (30, 0.9, {"calibration": None}, "was not calibrated"),
        (30, 0.9, {"timeout": 5.0, "retries": 9, "record": "never"}, None),
        (1, None, {"gate": True}, None),
    ],
)
def test_a_judge_gates_when_it_was_measured_and_agrees(
    tmp_path: Path, labelled: int, found: float | None, change: dict[str, Any], doubt: str | None
) -> None:
    """The same judge, on the same criterion, with enough labels and a kappa at the bar; or `gate: true`."""
    path = tmp_path / "calibration.json"
    judge = JudgeSpec(model="m", calibration=path)
    standing = Standing(criterion=told_criterion(POLITE), labelled=labelled, kappa=found)
    path.write_bytes(json.dumps({"judge": identity(judge), "bar": 0.6, "standings": [
        {"criterion": standing.criterion, "labelled": labelled, "kappa": found}]}).encode())  # fmt: skip
    why = why_not_believed(JudgeSpec(**({"model": "m", "calibration": path} | change)), POLITE)
    assert (why is None) if doubt is None else (why is not None and doubt in why)
    if doubt is None and not change:
        assert "on this criterion" in str(why_not_believed(judge, HELPFUL))


def test_a_calibration_that_is_none_is_refused(tmp_path: Path) -> None:
    """Not there, damaged, newer."""
    path = tmp_path / "calibration.json"
    judge = JudgeSpec(model="m", calibration=path)
    with pytest.raises(ScenarioError, match="no calibration is there"):
        why_not_believed(judge, POLITE)
    for content, sentence in (("{}", "judge"), (json.dumps({"format": 9, "judge": {}}), "format 9")):
        path.write_text(content)
        with pytest.raises(ScenarioError, match=sentence):
            why_not_believed(judge, POLITE)
    assert Calibration(judge={}).doubts(POLITE)


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four sessions, in two of which the agent says please; two sound the same, bit by bit."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text, start in (("a", "please", 1.0), ("b", "what", 1.5), ("c", "please", 2.0), ("d", "please", 2.0)):
        take = Take(tmp_path / "run" / name, duration=5.0)
        take.say("agent", start, start + 1, text=text, words=[(text, start)])
        take.annotated()
    return tmp_path / "run"


def judging(body: Any) -> CannedReply:
    """A judge that looks for `please`, and that a line which addresses it can turn."""
    content = body["messages"][1]["content"]
    ordered = re.search(r'only right answer has \\"met\\": (true|false)', content)
    met = ordered[1] == "true" if ordered else "please" in content
    return says(json.dumps({"reason": "so", "line": 1, "met": met}))


def options(endpoint: ChatEndpoint) -> list[str]:
    """Name this judge and one criterion."""
    return ["--set", f"judge=m@{endpoint.base_url}", "--set", 'criteria={"polite": "The agent is polite."}']


def test_a_run_is_calibrated(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twins count once; the file that is written lets nobody gate with three labels."""
    labels = tmp_path / "labels.csv"
    labels.write_text("session,criterion,label\na,polite,yes\nb,polite,yes\nc,polite,yes\nd,polite,yes\n")
    with chat_endpoint(judging) as endpoint:
        words = ["judge", "calibrate", str(run_folder), "--labels", str(labels), *options(endpoint)]
        assert main([*words, "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)
        assert (found["labelled"], found["sensitivity"]["value"], found["rate"]["of"]) == (3, pytest.approx(2 / 3), 3)
        assert found["table"] == [{"people": 1, "judge": 1, "count": 2}, {"people": 1, "judge": 0, "count": 1}]
        assert found["kappa"]["value"] == 0 and found["gates"] is False
        asked = len(endpoint.asked)
        assert main(words) == 0 and len(endpoint.asked) == asked
        told = capsys.readouterr()
        assert "1 labelled sessions sound as others do" in told.err
        assert "both met 2, judge alone 0, people alone 1, neither 0" in told.out and "does not gate" in told.out
    judge = JudgeSpec(model="m", base_url=endpoint.base_url, calibration=run_folder / "calibration.json")
    assert "3 sessions of the 20" in str(why_not_believed(judge, POLITE))


def test_a_judge_that_never_answers_is_no_calibration(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused, with what it says, and no file is written."""
    labels = tmp_path / "labels.csv"
    labels.write_text("session,criterion,label\na,polite,yes\n")
    with chat_endpoint(says("I would rather not.")) as endpoint:
        assert main(["judge", "calibrate", str(run_folder), "--labels", str(labels), *options(endpoint)]) == 2
    assert "no verdict on any session" in capsys.readouterr().err and not list(run_folder.glob("*.json"))


def test_a_judge_that_can_be_turned_is_told_of(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An order in the conversation turns this one; the other order of verdicts, other words, later times do not."""
    with chat_endpoint(judging) as endpoint:
        assert main(["judge", "check", str(run_folder / "a"), str(run_folder / "b"), *options(endpoint)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines[:4]] == [
        ["swapped", "changed", "0", "of"], ["rephrased", "changed", "0", "of"],
        ["orders", "changed", "2", "of"], ["shifted", "changed", "0", "of"],
    ]  # fmt: skip
    assert lines[4:] == ["  a, polite, orders: 1 became 0", "  b, polite, orders: 0 became 1"]


def test_an_audio_judge_is_tried_with_gain_and_silence(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What goes out is 3 dB louder, 3 dB quieter, two seconds longer; a steady judge passes."""
    with chat_endpoint(says('{"reason": "so", "met": true}')) as endpoint:
        judge = f'judge={{"model": "m", "base_url": "{endpoint.base_url}", "hears": "stereo"}}'
        words = ["--set", judge, *options(endpoint)[2:]]
        assert main(["judge", "check", str(run_folder / "a"), *words]) == 0
        sounds = [body["messages"][1]["content"][1]["input_audio"]["data"] for body in endpoint.asked]
    told = capsys.readouterr().out
    assert all(f"{name:<10} changed 0 of 1" in told for name in ("louder", "quieter", "silence", "swapped"))
    assert len(set(sounds)) == 4 and max(map(len, sounds)) > 1.3 * min(map(len, sounds))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["calibrate", "RUN"], "needs --labels FILE"),
        (["check", "RUN"], "name a rubric"),
        (["check", "RUN", "--set", "criteria={}"], "one of them"),
        (["check", "RUN", "--set", 'criteria={"a": "b"}'], "simulate judge needs a judge"),
        (["check", "RUN", "--set", "colour=red"], "choose one of judge, rubric, criteria"),
        (["check", "RUN", "--bar", "2"], "--bar is 2"),
        (["check", "NONE"], "does not exist"),
    ],
)
def test_what_cannot_be_examined_is_refused(
    run_folder: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence."""
    given = [str(run_folder) if word == "RUN" else word for word in words]
    assert main(["judge", *given]) == 2
    assert sentence in capsys.readouterr().err
