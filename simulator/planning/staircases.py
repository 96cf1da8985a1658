"""Staircases: sweeps whose next session follows from what the last ones answered.

A flight climbs one dimension at one place on the others. It goes in rounds, a session of each of its staircases, and
the next round is known when the last one has ended, whoever played it and in what order: so the sessions do not depend
on how many ran side by side, and a resumed run goes on where it stopped. Session t of a flight is trial t, with a seed
of its own, at whatever level.
"""

from collections.abc import Mapping, Sequence

import msgspec

from simulator.curves.staircase import Staircase
from simulator.errors import ScenarioError
from simulator.planning.job import Job
from simulator.scenario import Scenario, resolved
from simulator.sweep.design import StaircaseDesign

Answers = Mapping[str, bool | None]
"""By session: yes or no, or None where there was no answer; of those that have ended."""


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """One climb. levels: a job per level, from the lowest on, which a trial is made of. metric: what is asked."""

    design: StaircaseDesign
    levels: list[Job]
    metric: str

    def unfolded(self, answers: Answers) -> list[Job]:
        """Give the sessions so far, and those of the next round: the last ones of the list, if it has not ended."""
        targets = self.design.targets
        span = len(self.levels) - 1
        stairs = [
            Staircase(len(self.levels), target, span * (place + 1) / (len(targets) + 1), rising=self.design.rising)
            for place, target in enumerate(targets)
        ]
        jobs: list[Job] = []
        while len(jobs) < self.design.trials:
            round_ = [
                (stair, _trial(self.levels[stair.level], len(jobs) + place))
                for place, stair in enumerate(stairs[: self.design.trials - len(jobs)])
            ]
            jobs += [job for _, job in round_]
            if not all(job.id in answers for _, job in round_):
                break
            for stair, job in round_:
                stair.answered(yes=answers[job.id])
        return jobs


def flights_of(scenario: Scenario, points: Sequence[Job]) -> list[Flight]:
    """Give the flights of a sweep's points; none where it has no staircase. ScenarioError where it cannot climb."""
    sweep = scenario.sweep
    if sweep is None or sweep.climbing is None:
        return []
    design = sweep.climbing
    metric = design.metric or next(iter(scenario.measure), None)
    if metric is None:
        raise ScenarioError(f"{scenario.name}: $.measure: is missing; a staircase asks its first metric")
    if scenario.repeat != 1:
        raise ScenarioError(f"{scenario.name}: $.repeat: a staircase repeats nothing; say how long it is by its trials")
    if scenario.dataset is not None:
        raise ScenarioError(f"{scenario.name}: $.sweep.design: a staircase needs one user, and a dataset brings many")
    over = design.climbed(sweep.dimensions)
    apart: dict[tuple[object, ...], list[Job]] = {}
    for job in points:
        assert job.point is not None
        key = tuple(label for name, label in job.point.at.items() if name != over)
        apart.setdefault(key, []).append(job)
    return [Flight(design=design, levels=levels, metric=metric) for levels in apart.values()]


def _trial(level: Job, number: int) -> Job:
    scenario = resolved(level.scenario, number)
    return msgspec.structs.replace(level, id=f"{level.id}-{scenario.trial}", scenario=scenario)
