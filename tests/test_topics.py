"""Topics: trial t talks about the t-th line of a file, in every text that has {topic}, in its own voices."""

from pathlib import Path

import pytest

from simulator.cli import REFUSED
from simulator.errors import ScenarioError
from simulator.planning.plan import Plan, Wishes, make_plan
from simulator.reading.keep import Keep
from simulator.reading.topics import read_topics
from simulator.scenario import to_yaml
from tests.command_line import simulate

SCENARIO = """
name: talk
topics: {file}
repeat: 5
duration: 5s
user: {{kind: scripted, turns: ["What about {{topic}}?"]}}
agent: {{kind: cascade, replies: [{{say: "I like {{topic}}."}}]}}
keep: "dialogue.collapsed == false and turns.overlap_share < 0.3"
"""


def planned(folder: Path, topics: str, name: str = "topics.yaml") -> Plan:
    """The plan of a scenario with these topics."""
    (folder / name).write_text(topics)
    (folder / "talk.yaml").write_text(SCENARIO.format(file=name))
    return make_plan([folder / "talk.yaml"], Wishes())


def test_topics_go_round_and_trials_of_one_are_one_cluster(tmp_path: Path) -> None:
    """Five trials of two topics: the sea three times; ids and seeds are those of trials; samples are told."""
    plan = planned(tmp_path, "# what\nthe sea\n\n  old maps\n", "topics.txt")
    assert [job.sample for job in plan.jobs][:2] == [
        {"id": "the-sea", "topic": "the sea"}, {"id": "old-maps", "topic": "old maps"}
    ]  # fmt: skip
    assert [job.sample["topic"] for job in plan.jobs] == ["the sea", "old maps", "the sea", "old maps", "the sea"]
    assert [(job.id, job.scenario.seed, job.scenario.trial) for job in plan.jobs][3] == ("talk-3", 3, 3)
    for job in plan.jobs:
        text = to_yaml(job.scenario)
        assert f"What about {job.sample['topic']}?" in text and f"I like {job.sample['topic']}." in text
        assert "topics" not in text and "{topic}" not in text and "keep: dialogue.collapsed == false" in text


def test_a_topic_may_decide_places_of_the_scenario(tmp_path: Path) -> None:
    """Its voices, by their paths; the next topic has the scenario's own."""
    plan = planned(tmp_path, "- {topic: rain, agent.voice: en-us+f4}\n- snow\n")
    voices = [to_yaml(job.scenario).count("voice: en-us+f4") for job in plan.jobs]
    assert voices == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("# none\n", "topics.txt", "holds no topic"),
        ("topic: one\n", "topics.yaml", "allowed is a list of topics"),
        ("- {voice: en}\n", "topics.yaml", r"topics.yaml\[0\] is .*a topic is a text, or a mapping"),
        ("- {topic: rain, agent.voice: nobody}\n", "topics.yaml", r"talk: \$.topics: 'rain': .*nobody"),
        ("- {topic: rain, agent.replies.7.say: x}\n", "topics.yaml", "is no place in a list of 1"),
    ],
)
def test_topics_that_are_none_are_refused_before_anything_runs(tmp_path: Path, text: str, name: str, told: str) -> None:
    """The sentence says which file, which topic, what is allowed."""
    with pytest.raises(ScenarioError, match=told):
        planned(tmp_path, text, name)
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        read_topics(tmp_path / "gone.txt")


def test_a_filter_says_what_breaks_it() -> None:
    """`and` binds before `or`; an undefined value meets nothing; overlap_share is talk_over_share."""
    keep = Keep("dialogue.collapsed == false and turns.overlap_share < 0.3")
    assert keep.metrics == ["dialogue.collapsed", "turns.talk_over_share"]
    assert keep.refuses({"dialogue.collapsed": 0.0, "turns.talk_over_share": 0.1}) is None
    assert keep.refuses({"dialogue.collapsed": 1.0, "turns.talk_over_share": None}) == (
        "dialogue.collapsed is 1, wanted is == 0; turns.talk_over_share is undefined, wanted is < 0.3"
    )
    either = Keep("a.x > 1 or a.y == true and a.z < 2")
    assert either.refuses({"a.x": 2.0}) is None and either.refuses({"a.y": 1.0, "a.z": 1.0}) is None
    assert either.refuses({"a.y": 1.0, "a.z": 3.0}) == "a.x is undefined, wanted is > 1; a.z is 3, wanted is < 2"


@pytest.mark.parametrize("text", ["dialogue.collapsed", "a < b", "", "a.x < 1 and", "a.x < 1 with confidence 0.9"])
def test_what_compares_nothing_is_no_filter(text: str) -> None:
    """The sentence shows one that is."""
    with pytest.raises(ValueError, match=r"write it like `dialogue\.collapsed == false and"):
        Keep(text)


def test_a_filter_on_a_metric_that_nobody_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused by check, with what was meant."""
    (tmp_path / "topics.txt").write_text("rain\n")
    (tmp_path / "talk.yaml").write_text(SCENARIO.format(file="topics.txt").replace("collapsed", "colapsed"))
    assert simulate("check", tmp_path / "talk.yaml") == REFUSED
    told = capsys.readouterr().err
    assert "'dialogue.colapsed' is not measured" in told and "did you mean dialogue.collapsed" in told
