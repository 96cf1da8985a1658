"""What a judge is examined on: the sessions of runs, with the judge and the criteria that they were judged by."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.annotation.annotate import annotated
from simulator.errors import ScenarioError
from simulator.judging.bench import judge_in
from simulator.judging.rubric import Criteria
from simulator.judging.sentence import criterion_of, name_of
from simulator.judging.spec import JudgeSpec, need_judge
from simulator.plugins import load
from simulator.reading.expect import Expectation
from simulator.reading.outcomes import JudgeOutcome
from simulator.reading.yaml_file import read_yaml
from simulator.scoring.inputs import find_inputs
from simulator.session import Session, read_session
from simulator.spec import decode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line names instead: another judge, other criteria. None: those of the sessions' scenario."""

    judge: JudgeSpec | None = None
    criteria: Criteria | None = None


class Subjects(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions by id, and who judges them by what."""

    judge: JudgeSpec
    criteria: Criteria
    folders: dict[str, Path]

    def sessions(self) -> Iterator[Session]:
        """Give the sessions, annotated, one after the other. SessionError at one that cannot be read."""
        for folder in self.folders.values():
            session = read_session(folder)
            yield annotated(session) if self.judge.hears == "text" else session


def find_subjects(paths: Sequence[Path], wanted: Wanted) -> Subjects:
    """Find what is to be judged, and by whom. ScenarioError: no sessions, no judge, no criteria, or several judges."""
    inputs = find_inputs(paths, ["session"], scorer="simulate judge")
    folders = {item.id: item.path for item in inputs}
    judge, criteria = wanted.judge, wanted.criteria
    if judge is None or criteria is None:
        judges, asked = _written(folders)
        judge, criteria = judge or judges, asked if criteria is None else criteria
    if not criteria:
        raise ScenarioError("the sessions' scenarios ask a judge nothing; name a rubric: --set rubric=FILE")
    return Subjects(judge=need_judge(judge, "simulate judge"), criteria=criteria, folders=folders)


def _written(folders: Mapping[str, Path]) -> tuple[JudgeSpec | None, Criteria]:
    """Give the judge and the criteria that the sessions' own scenarios name."""
    judges: dict[bytes, JudgeSpec] = {}
    criteria: dict[str, Any] = {}
    for folder in folders.values():
        for judge, asked in _of_scenario(folder):
            if judge is not None:
                judges[msgspec.json.encode(judge, enc_hook=str)] = judge
            for name, criterion in asked.items():
                if criteria.setdefault(name, criterion) != criterion:
                    raise ScenarioError(f"{folder.name}: asks something else by {name!r} than the sessions before it")
    if len(judges) > 1:
        raise ScenarioError("the sessions were judged by different judges; name one: --set judge=MODEL@URL")
    return next(iter(judges.values()), None), criteria


def _of_scenario(folder: Path) -> Iterator[tuple[JudgeSpec | None, Criteria]]:
    """Read of a session's scenario what concerns judges; the rest may name what is not there any more."""
    path = folder / "scenario.yaml"
    data = read_yaml(path) if path.is_file() else {}
    judge = judge_in(data, path)

    def read(value: object, kind: Any, where: str) -> Any:
        return decode(value, kind, source=str(path), folder=folder, where=where)

    for index, scorer in enumerate(data.get("scorers") or []):
        if isinstance(scorer, dict) and scorer.get("kind") == "judge":
            spec = read(scorer, load("scorers", "judge"), f"$.scorers[{index}]").with_judge(judge)
            yield spec.judge, spec.all_criteria()
    for index, item in enumerate(data.get("expect") or []):
        outcome = read(item, Expectation, f"$.expect[{index}]").outcome
        if isinstance(outcome, JudgeOutcome):
            yield judge, {name_of(outcome): criterion_of(outcome)}
