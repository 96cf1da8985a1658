"""A run, handed to the sinks that its scenarios name (`log:`) when it is over."""

from collections.abc import Callable, Mapping
from pathlib import Path

from simulator.errors import SimulatorError
from simulator.reading.secrets import mask
from simulator.results.row import Row
from simulator.results.run import RUN_PAGE, SESSION_PAGE
from simulator.results.summary import ScenarioSummary, Summary
from simulator.scenario import Scenario, slug
from simulator.sinks.sink import LoggedCheck, LoggedRun, LoggedSession, SinkSpec
from simulator.spec import encode


def log_run(
    scenarios: Mapping[str, Scenario],
    summary: Summary,
    folder: Path,
    *,
    code: int,
    say: Callable[[str], None],
    complain: Callable[[str], None],
) -> None:
    """Hand a run to its sinks. scenarios: by name in the rows. say, complain: take a sentence each.

    A sink that fails is told and changes no exit code: the run lies in its folder all the same.
    """
    for sink in _sinks(scenarios):
        mine = {name: item for name, item in scenarios.items() if item.log == sink}
        try:
            say(sink.log(logged(mine, summary, folder, code)))
        except (SimulatorError, OSError) as error:
            complain(f"the run was not logged: {error}")


def _sinks(scenarios: Mapping[str, Scenario]) -> list[SinkSpec]:
    """Give every sink once; scenarios that name it alike are logged together."""
    found: list[SinkSpec] = []
    for scenario in scenarios.values():
        if scenario.log is not None and scenario.log not in found:
            found.append(scenario.log)
    return found


def logged(scenarios: Mapping[str, Scenario], summary: Summary, folder: Path, code: int) -> LoggedRun:
    """Give a run as sinks get it, of these scenarios alone."""
    mine: list[ScenarioSummary] = [item for item in summary.scenarios if slug(item.name) in scenarios]
    page = folder / RUN_PAGE
    return LoggedRun(
        name=folder.resolve().name,
        folder=folder,
        exit_code=code,
        scenarios={item.name: mask(encode(item)) for item in scenarios.values()},
        sessions=[_session(row, folder) for row in summary.rows if row.scenario in scenarios],
        pooled={item.name: {score.id: score.value for score in item.scores} for item in mine},
        checks=[
            LoggedCheck(scenario=item.name, text=verdict.text, became=verdict.outcome, found=verdict.found)
            for item in mine
            for verdict in item.verdicts
        ],
        page=page if page.is_file() else None,
    )


def _session(row: Row, folder: Path) -> LoggedSession:
    own = folder / row.id
    sounds = [own / name for name in ("conversation.wav", "conversation.flac") if (own / name).is_file()]
    page = own / SESSION_PAGE
    return LoggedSession(
        id=row.id, scenario=row.scenario, agent=row.agent, seed=row.seed, trial=row.trial, status=row.status,
        problem=row.problem or "", invalid=row.invalid, folder=own,
        scores={metric: score.value for metric, score in row.scores.items()},
        sound=sounds[0] if sounds else None, page=page if page.is_file() else None,
    )  # fmt: skip
