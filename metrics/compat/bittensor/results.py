"""A validator's results: sets by key, each with the responses of a model."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.errors import SessionError
from simulator.texts import quoted

WEIGHTS = {"alpacaeval_test": 2.0, "commoneval_test": 2.0, "wildvoice_test": 2.0, "ifeval_test": 1.5}
EVALUATORS = {
    "alpacaeval": "open",
    "commoneval": "open",
    "wildvoice": "open",
    "openbookqa": "mcq",
    "mmsu": "mcq",
    "ifeval": "ifeval",
    "bbh": "bbh",
    "advbench": "harm",
}
_INSIDE = ("results", "voicebench_results")
_MOS = ("voice_mos_score", "voice_mos")


class ResultSet(NamedTuple):
    """One set's results as they were written."""

    key: str
    fields: Mapping[str, Any]

    @property
    def evaluator(self) -> str:
        """The evaluator: by what stands before the first underscore of the key, else the one for open questions."""
        return EVALUATORS.get(self.key.split("_")[0], "open")

    @property
    def weight(self) -> float:
        """What it weighs in the whole."""
        return WEIGHTS.get(self.key, 1.0)

    @property
    def responses(self) -> Sequence[Any]:
        """Its responses; empty where there are none."""
        found = self.fields.get("responses")
        return found if isinstance(found, list) else []

    @property
    def success_rate(self) -> float:
        """The share of responses as the file says it, 0 where it says nothing."""
        told = self.fields.get("success_rate", 0.0)
        return float(told) if isinstance(told, int | float) else 0.0

    @property
    def counted_success_rate(self) -> float:
        """The share of responses that are not empty and had no error."""
        good = [row for row in self.responses if isinstance(row, dict) and "error" not in row and row.get("response")]
        return len(good) / len(self.responses) if self.responses else 0.0


class Results(NamedTuple):
    """All sets in their order, and the mean opinion score of the model's voice (0 to 1) where the file tells one."""

    sets: list[ResultSet]
    mos: float | None


def read_results(file: Path) -> Results:
    """Read a validator's results; SessionError where the file holds none."""
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise SessionError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SessionError(f"{file}: is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise SessionError(f"{file}: is no JSON object: {quoted(found)}")
    inside = next((found[name] for name in _INSIDE if isinstance(found.get(name), dict)), found)
    sets = [
        ResultSet(key, fields)
        for key, fields in inside.items()
        if isinstance(fields, dict) and ("responses" in fields or "error" in fields)
    ]
    if not sets:
        raise SessionError(f"{file}: holds no set with `responses`")
    return Results(sets, _mos(found))


def _mos(found: Mapping[str, Any]) -> float | None:
    raw = found.get("raw_scores")
    places = (found, raw if isinstance(raw, dict) else {})
    values = (place.get(name) for place in places for name in _MOS)
    return next((float(value) for value in values if isinstance(value, int | float)), None)
