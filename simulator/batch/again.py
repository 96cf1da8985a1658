"""Annotation that a session folder lacks: who deletes speech.json gets it made anew with the next page."""

from pathlib import Path

from simulator.errors import ScenarioError
from simulator.scenario import Scenario, load
from simulator.session import Session


def annotate_missing(session: Session) -> bool:
    """Make speech.json and scores.json of a completed session without a speech.json that can be read; say if so.

    The session's own scenario names the scorers; `scorers: []` wants no annotation. Where the scenario cannot be loaded
    any more (an input file is gone), the speech is annotated and the scores stay as they are.
    """
    if session.meta.status != "completed" or session.annotated:
        return False
    from simulator.batch.job import score_folder
    from simulator.files import write_json

    folder = session.folder
    scenario = _scenario(folder / "scenario.yaml")
    if scenario is not None and scenario.scorers == []:
        return False
    if scenario is not None:
        score_folder(folder, scenario)
        return True
    from simulator.annotation.annotate import annotate

    write_json(folder / "speech.json", annotate(session))
    return True


def _scenario(path: Path) -> Scenario | None:
    try:
        return load(path)
    except ScenarioError:
        return None
