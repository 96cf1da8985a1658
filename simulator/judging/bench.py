"""A bench: the judge of many sessions, one after the other; an endpoint that is down is noticed once for all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.errors import ScenarioError
from simulator.judging.sitting import Sitting
from simulator.judging.spec import AnyJudge, JudgeSpec
from simulator.reading.yaml_file import read_yaml
from simulator.scoring.judge_endpoint import EndpointJudge
from simulator.session import Session
from simulator.spec import decode


class Bench:
    """Gives a sitting for each session. judge: None for that of each session's own scenario."""

    def __init__(self, judge: JudgeSpec | None = None) -> None:
        self._judge = judge
        self._open: dict[JudgeSpec, EndpointJudge] = {}

    def sitting(self, session: Session) -> Sitting | None:
        """Give the judge with a session before it; None where nobody names one."""
        spec = self._judge or judge_of(session.folder)
        if spec is None:
            return None
        if spec not in self._open:
            try:
                self._open[spec] = spec.open()
            except ScenarioError:
                return Sitting(spec, session)  # which says why it gives no vote
        return Sitting(spec, session, judge=self._open[spec])


def judge_of(folder: Path) -> JudgeSpec | None:
    """Give the judge that a session's own scenario names. ScenarioError where what it names is none."""
    path = folder / "scenario.yaml"
    return judge_in(read_yaml(path), path) if path.is_file() else None


def judge_in(scenario: Mapping[str, Any], path: Path) -> JudgeSpec | None:
    """Give the judge that a scenario names, as it was read from `path`. ScenarioError where what it names is none."""
    told = scenario.get("judge")
    if told is None:
        return None
    judge: JudgeSpec = decode(told, AnyJudge, source=str(path), folder=path.parent, where="$.judge")
    return judge
