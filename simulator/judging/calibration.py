"""Calibration: what a judge's word is worth, measured on sessions that people have labelled, as a file.

It holds for the judge that was measured: the same model at the same address, asked the same way as often. A judge that
was not measured, or agrees too little, informs and does not gate.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from simulator.errors import ScenarioError, SessionError
from simulator.files import read_json, write_json
from simulator.judging.question import wording
from simulator.judging.rubric import Criterion
from simulator.judging.spec import JudgeSpec
from simulator.reading.secrets import mask_text
from simulator.spec import encode

FORMAT = 1
BAR = 0.6
"""Kappa above which Landis & Koch (1977, Biometrics 33:159) call agreement substantial."""
FEWEST = 20
"""Labelled sessions below which nothing is believed: at 20 the interval of a kappa of 0.7 still reaches down to 0.4."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a judge agrees with people on one criterion. kappa None: either always said the same."""

    criterion: str
    labelled: int
    kappa: float | None


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The file. judge: what tells it from other judges. bar: the kappa it has to reach."""

    format: int = FORMAT
    judge: dict[str, str | int | float | None]
    bar: float = BAR
    standings: list[Standing] = []

    def doubts(self, criterion: Criterion) -> str | None:
        """Say why the judge is not believed on a criterion; None where it is."""
        asked = told_criterion(criterion)
        found = next((item for item in self.standings if item.criterion == asked), None)
        if found is None:
            return "its judge was not calibrated on this criterion"
        if found.labelled < FEWEST:
            return f"people labelled {found.labelled} sessions of the {FEWEST} that a calibration needs"
        if found.kappa is None:
            return "no kappa can be had from labels, or verdicts, that are all the same"
        if found.kappa < self.bar:
            return f"its judge agrees too little with people: kappa {found.kappa:.2f}, the bar is {self.bar:g}"
        return None


def identity(judge: JudgeSpec) -> dict[str, str | int | float | None]:
    """Give what tells a judge from others: who is asked, and how."""
    return {
        "model": judge.model,
        "base_url": mask_text(judge.base_url or ""),
        "votes": judge.votes,
        "temperature": judge.settings(judge.votes).temperature,
        "hears": judge.hears,
        "wording": hashlib.sha256(wording().encode()).hexdigest()[:16],
    }


def told_criterion(criterion: Criterion) -> str:
    """Give all that a criterion asks, as one text: two that differ in anything are two."""
    asked = msgspec.structs.replace(criterion, paraphrases=[])
    return msgspec.json.encode(encode(asked), order="sorted").decode()


def why_not_believed(judge: JudgeSpec, criterion: Criterion) -> str | None:
    """Say why a judge's word on a criterion only informs; None where it may gate.

    ScenarioError where its calibration cannot be read.
    """
    if judge.gate:
        return None
    if judge.calibration is None:
        return "its judge was not calibrated"
    calibration = read_calibration(judge.calibration)
    other = _difference(calibration.judge, identity(judge))
    return f"its calibration is another judge's ({other} differs)" if other else calibration.doubts(criterion)


def _difference(first: Mapping[str, object], second: Mapping[str, object]) -> str | None:
    return next((name for name in second if first.get(name) != second[name]), None)


def read_calibration(path: Path) -> Calibration:
    """Read a calibration. ScenarioError: it is not there, or none."""
    try:
        found = read_json(path, Calibration)
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no calibration is there; `simulate judge calibrate` writes one") from None
    except SessionError as error:
        raise ScenarioError(str(error)) from error
    if found.format > FORMAT:
        raise ScenarioError(f"{path}: is a calibration of format {found.format}; this version reads {FORMAT}")
    return found


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration. OSError."""
    write_json(path, calibration)
