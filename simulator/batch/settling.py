"""When a run has seen enough: `repeat: {until: decided}` goes on until every expectation is decided, and no longer.

Trials are looked at in their order, as far as they have ended without a gap, whatever order they end in: so the answer
does not depend on how many ran side by side.
"""

from collections.abc import Sequence

from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.planning.scorers import metrics_of
from simulator.reading.playing import UntilDecided
from simulator.results.deciding import all_alike, decided
from simulator.results.row import Row
from simulator.scenario import Scenario


class Settling:
    """Says of every scenario of a plan whether more trials would change anything. Those with a fixed number: never."""

    def __init__(self, plan: Plan) -> None:
        self._open = {
            name: _Undecided(scenario, [job for job in plan.jobs if job.group == name])
            for name, scenario in plan.scenarios.items()
            if isinstance(scenario.repeat, UntilDecided)
        }

    def note(self, row: Row) -> None:
        """Take the row of a session that has ended."""
        if row.scenario in self._open:
            self._open[row.scenario].note(row)

    def settled(self, job: Job) -> bool:
        """Say whether a session needs not be played any more."""
        return job.group in self._open and self._open[job.group].settled()


class _Undecided:
    """A scenario that is repeated until it is decided. rounds: the ids of the sessions of each trial."""

    def __init__(self, scenario: Scenario, jobs: Sequence[Job]) -> None:
        self._gating = [expectation for expectation in scenario.expect if not expectation.inform]
        self._definitions = metrics_of(scenario)
        self._rounds = _by_trial(jobs)
        self._rows: dict[str, Row] = {}
        self._seen = 0
        self._settled = False

    def note(self, row: Row) -> None:
        self._rows[row.id] = row

    def settled(self) -> bool:
        while not self._settled and self._whole(self._seen):
            self._seen += 1
            self._settled = self._seen > 1 and self._decides()
        return self._settled

    def _whole(self, number: int) -> bool:
        return number < len(self._rounds) and all(name in self._rows for name in self._rounds[number])

    def _decides(self) -> bool:
        rows = [self._rows[name] for names in self._rounds[: self._seen] for name in names]
        if all_alike(rows):
            return True
        verdicts = (decided(item, self._definitions[item.metric], rows) for item in self._gating)
        # An undefined metric is no decision: the next trial may have what this one lacked.
        return all(verdict.found is not None and not verdict.undecided for verdict in verdicts)


def _by_trial(jobs: Sequence[Job]) -> list[list[str]]:
    rounds: dict[int, list[str]] = {}
    for job in jobs:
        rounds.setdefault(job.scenario.trial, []).append(job.id)
    return [rounds[trial] for trial in sorted(rounds)]
