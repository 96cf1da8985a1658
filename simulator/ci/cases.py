"""Cases: a run as test reports see it. A case for every expectation of a scenario, and one for the scenario itself.

The scenario's own case says whether its sessions were completed; an expectation's whether it held over them. Each
knows the line of the YAML it comes from and the sessions to look at.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from simulator.errors import SimulatorError
from simulator.reading.expect import Verdict
from simulator.reading.places import line_at
from simulator.results.judged import read_judged
from simulator.results.row import Row
from simulator.results.run import SESSION_PAGE
from simulator.results.summary import ScenarioSummary, Summary
from simulator.scenario import slug
from simulator.score import Evidence, Score
from simulator.session import read_meta
from simulator.texts import shown

Became = Literal["held", "failed", "undecided", "error"]

COMPLETED = "sessions completed"
"""The name of a scenario's own case."""
SHOWN_SESSIONS = 3
"""A report names so many sessions to look at, the worst first."""


class YamlLine(NamedTuple):
    """A line of a file, from 1 on; 0 where it is not known."""

    file: str
    line: int


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a report. name: the expectation's text, or COMPLETED. became: error where a session failed.

    message: why, in a sentence. evidence: where to look, a line each. page: that of the session to look at first.
    line: of the file, from 1 on, 0 where it is not known. inform: it decides no exit code.
    """

    scenario: str
    name: str
    became: Became
    message: str = ""
    evidence: list[str] = []
    page: str = ""
    file: str = ""
    line: int = 0
    inform: bool = False

    @property
    def failed(self) -> bool:
        """Whether it stops a release."""
        return self.became != "held" and not self.inform


class CaseSuite(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of one scenario. seconds: of conversation, over its sessions. seeds: by session. told: what was left
    out, or counted once.
    """

    name: str
    cases: list[Case]
    seconds: float = 0.0
    seeds: dict[str, int] = {}
    agent: str = ""
    told: list[str] = []


def suites_of(summary: Summary, folder: Path, sources: Mapping[str, str]) -> list[CaseSuite]:
    """Give a suite per scenario. folder: of the run. sources: the scenario's file by its name in rows, where known."""
    return [_suite(item, summary.rows, folder, sources.get(slug(item.name), "")) for item in summary.scenarios]


def _suite(scenario: ScenarioSummary, rows: Sequence[Row], folder: Path, source: str) -> CaseSuite:
    mine = [row for row in rows if row.scenario == slug(scenario.name)]
    text = _text_of(source)
    cases = [
        _verdict_case(scenario.name, verdict, mine, folder, YamlLine(source, line_at(text, f"$.expect[{index}]")))
        for index, verdict in enumerate(scenario.verdicts)
    ]
    whole = _completed_case(scenario.name, mine, folder, YamlLine(source, line_at(text, "$.name")))
    return CaseSuite(
        name=scenario.name,
        cases=[whole, *cases],
        seconds=sum(row.duration_s or 0.0 for row in mine),
        seeds={row.id: row.seed for row in mine},
        agent=scenario.agent,
        told=[*scenario.told, *(f"{row.id}: {row.problem}" for row in mine if row.problem)],
    )


def _completed_case(scenario: str, rows: Sequence[Row], folder: Path, place: YamlLine) -> Case:
    bad = [row for row in rows if row.status != "completed"]
    message = f"{len(bad)} of {len(rows)} sessions were not completed" if bad else ""
    if not rows:
        message = "no session was played"
    shown_rows = (bad or list(rows))[:SHOWN_SESSIONS]
    return Case(
        scenario=scenario, name=COMPLETED, became="held" if rows and not bad else "error", message=message,
        evidence=[shown(f"{row.id} (seed {row.seed}): {row.status}: {row.problem or 'no reason'}") for row in bad],
        page=next((_page(folder, row) for row in shown_rows), ""), file=place.file, line=place.line,
    )  # fmt: skip


def _verdict_case(scenario: str, verdict: Verdict, rows: Sequence[Row], folder: Path, place: YamlLine) -> Case:
    found = verdict.found_as("{:.4g}".format)
    worst = worst_of(verdict, rows)[:SHOWN_SESSIONS]
    evidence = [] if verdict.passed else [line for row in worst for line in evidence_of(verdict, row, folder)]
    return Case(
        scenario=scenario, name=verdict.text, became=verdict.outcome,
        message=shown(f"{verdict.outcome}: {found}" + (f", {verdict.reason}" if verdict.reason else "")),
        evidence=evidence, page=next((_page(folder, row) for row in worst), ""),
        file=place.file, line=place.line, inform=verdict.inform,
    )  # fmt: skip


def worst_of(verdict: Verdict, rows: Sequence[Row]) -> list[Row]:
    """Give the sessions to look at, the worst by its own value first; those that break nothing only if none does."""
    valid = [row for row in rows if not row.invalid]
    own = [row for row in valid if verdict.violated_by(row.value(verdict.metric))]
    return sorted(own or valid, key=lambda row: _missed_by(verdict, row), reverse=True)


def _missed_by(verdict: Verdict, row: Row) -> float:
    value = row.value(verdict.metric)
    return 0.0 if value is None else abs(value - verdict.bound)


def evidence_of(verdict: Verdict, row: Row, folder: Path) -> list[str]:
    """Say what a session's own value is, and the moments that it rests on."""
    value = row.value(verdict.metric)
    score = row.score(verdict.metric)
    why = f" ({score.reason})" if score is not None and score.reason else ""
    lines = [
        shown(
            f"{row.id} (seed {row.seed}): {verdict.metric} is {'undefined' if value is None else f'{value:.4g}'}{why}"
        )
    ]
    try:
        scores, rate = read_judged(folder / row.id).scores, read_meta(folder / row.id).sample_rate
    except SimulatorError:
        return lines
    moments = [item for one in scores if one.id == verdict.metric for item in moments_of(verdict, one)]
    for item in moments[:SHOWN_SESSIONS]:
        measured = "" if item.value is None else f" ({item.value:.3g})"
        lines.append(
            shown(f"  {item.start / rate:.2f} - {item.end / rate:.2f} s: {item.label or item.party}{measured}")
        )
    return lines


def moments_of(verdict: Verdict, score: Score) -> list[Evidence]:
    """Give the stretches that a session's score rests on, those first that speak most against what is expected.

    Of a share they are cases, of which those have a value that are as they should be: how soon the agent yielded.
    """
    if score.unit == "ratio":
        return sorted(score.evidence, key=lambda item: item.value is not None)
    return sorted(score.evidence, key=lambda item: _against(verdict, item.value), reverse=True)


def _against(verdict: Verdict, value: float | None) -> float:
    """How far a value is beyond the bound; 0 for one within it."""
    return abs(value - verdict.bound) if value is not None and verdict.violated_by(value) else 0.0


def _page(folder: Path, row: Row) -> str:
    """Where a session's page is, or the folder that one can be made of."""
    page = folder / row.id / SESSION_PAGE
    return str(page if page.is_file() else folder / row.id)


def _text_of(source: str) -> str:
    try:
        return Path(source).read_text(encoding="utf-8") if source else ""
    except (OSError, ValueError):
        return ""
