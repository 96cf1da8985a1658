"""A topic per trial: trial t of a scenario with `topics` talks about the t-th of them, and after the last the first."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from simulator.planning.job import Expanded, Job
from simulator.reading.topics import Topic, read_topics
from simulator.scenario import Scenario, check, slug
from simulator.spec import decode, encode

_FEW = 4
"""Files of topics that are kept in memory: a plan goes over the trials of one scenario after the other."""


def each_topic(job: Job) -> Expanded:
    """Give the job with its topic in every text that has `{topic}`; without `topics` the job itself.

    The topic is told as that of the session's sample: trials of one topic are alike, and counted as one cluster.
    ScenarioError names the topic that makes no scenario.
    """
    scenario = job.scenario
    if scenario.topics is None:
        return Expanded(jobs=[job])
    topics = _topics(scenario.topics)
    topic = topics[scenario.trial % len(topics)]
    plain = msgspec.json.encode(encode(msgspec.structs.replace(scenario, topics=None, seed=0, trial=0)))
    filled = _filled(plain, topic.text, msgspec.json.encode(topic.places), scenario.topics)
    played = msgspec.structs.replace(filled, seed=scenario.seed, trial=scenario.trial)
    known = {"id": slug(topic.text), **job.sample, "topic": topic.text}
    return Expanded(jobs=[msgspec.structs.replace(job, scenario=played, sample=known)])


@lru_cache(maxsize=_FEW)
def _topics(path: Path) -> list[Topic]:
    return read_topics(path)


@lru_cache(maxsize=1000)
def _filled(plain: bytes, topic: str, places: bytes, path: Path) -> Scenario:
    data: dict[str, Any] = msgspec.json.decode(plain)
    said = f"{data['name']}: $.topics: {topic!r}"
    found = Topic(text=topic, places=msgspec.json.decode(places)).put_into(data, said=said)
    scenario: Scenario = decode(found, Scenario, source=said, folder=path.parent)
    check(scenario, said)
    return scenario
