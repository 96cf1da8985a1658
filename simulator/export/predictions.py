"""Sessions as rows of prediction files: the sample's own fields and the agent's answer, under the originals' names.

A file holds the rows of one model over one set, called as VoiceBench calls it: MODEL-SUBSET-SPLIT-MODALITY.jsonl.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulator.errors import ScenarioError
from simulator.session import Session

OWN = ("dataset", "subset", "split", "text", "system", "folder")
"""What a session's sample says beside the fields of the data set's row."""
MODALITY = "audio"


def row_of(session: Session, answer: str) -> dict[str, Any]:
    """Give a session's row: what the data set knows of its sample, and `response`."""
    fields = {name: value for name, value in session.meta.sample.items() if name not in OWN}
    return {**fields, "response": answer}


def file_name(session: Session) -> str:
    """Give the name of the file that a session's row belongs in, without its suffix."""
    sample = session.meta.sample
    subset = sample.get("subset") or session.meta.scenario or "recordings"
    parts = (_model(session), subset, sample.get("split") or "test", MODALITY)
    return "-".join(str(part).replace("/", "_").replace(" ", "_") for part in parts)


def _model(session: Session) -> str:
    """Give what the agent is called: its model where its spec names one, else its kind."""
    agent = session.meta.parties.get("agent")
    if agent is None:
        return "agent"
    named = agent.spec.get("model")
    named = named.get("kind") if isinstance(named, Mapping) else named
    return str(named or agent.kind).replace("-", "_")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as Python's json writes them, a line each; ScenarioError where the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(dict(row)) + "\n" for row in rows), encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from error
