"""The history of runs: a line per run in history.jsonl of a folder that a CI keeps between its runs.

    {"at": "2026-03-01T10:00:00Z", "commit": "9f2c...", "checks": {"book a table": {"a.b < 1": {"became": "held"}}}}

A check is flaky in the last N runs when what became of it changed and changed back, or differed at one commit: a check
that failed and holds since the agent was mended is none. Runs in which its settings were others (another scenario,
another seed) are told apart by their hash and never compared.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from simulator.batch.attempts import RETRY
from simulator.ci.cases import Became, CaseSuite
from simulator.errors import SessionError
from simulator.files import append_lines, decode_json
from simulator.results.row import Row
from simulator.scenario import slug

FILE = "history.jsonl"
RUNS = 20
"""So many runs are looked at unless somebody says otherwise."""
COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "GIT_COMMIT")
"""Where services of this kind tell what is tested."""


class CheckRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a check in one run. settings: a hash of all that decides its sessions."""

    became: Became
    settings: str = ""


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run. commit: what was tested, "" where nobody says. checks: by scenario, by the text of the expectation."""

    at: str
    commit: str = ""
    checks: dict[str, dict[str, CheckRun]] = {}


class Flaky(msgspec.Struct, frozen=True, kw_only=True):
    """A check that is flaky. runs: those it was in; failed: of them; changes: between one and the next."""

    scenario: str
    check: str
    runs: int
    failed: int
    changes: int
    at_one_commit: bool = False


_DECODER = msgspec.json.Decoder(HistoryLine)


def line_of(
    suites: Sequence[CaseSuite], rows: Sequence[Row], at: str, environment: Mapping[str, str] = os.environ
) -> HistoryLine:
    """Give what a run is remembered by. at: when it started, UTC, ISO 8601."""
    checks: dict[str, dict[str, CheckRun]] = {}
    for suite in suites:
        digest = _settings([row for row in rows if row.scenario == slug(suite.name) and RETRY not in row.id])
        checks[suite.name] = {case.name: CheckRun(became=case.became, settings=digest) for case in suite.cases}
    commit = next((environment[name] for name in COMMITS if environment.get(name)), "")
    return HistoryLine(at=at, commit=commit, checks=checks)


def _settings(rows: Sequence[Row]) -> str:
    """A hash of what was asked: of the first trials alone, as how many follow may depend on what came of them."""
    first = min((row.trial for row in rows), default=0)
    told = sorted({row.settings for row in rows if row.trial == first})
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def add_line(folder: Path, line: HistoryLine) -> None:
    """Add a run to a history; those that end together never mix. OSError."""
    append_lines(folder / FILE, [msgspec.json.encode(line)])


def read_history(folder: Path) -> tuple[list[HistoryLine], list[str]]:
    """Read a history, the earliest run first, and a sentence for every line that is none. OSError, if unreadable."""
    path = folder / FILE
    if not path.is_file():
        return [], []
    found: list[HistoryLine] = []
    notes: list[str] = []
    for number, text in enumerate(path.read_bytes().split(b"\n"), 1):
        if text.strip():
            try:
                found.append(decode_json(text, _DECODER, where="the line"))
            except SessionError as error:
                notes.append(f"{path}: line {number}: {error}; passed over")
    return found, notes


def flaky_in(history: Sequence[HistoryLine], runs: int = RUNS) -> list[Flaky]:
    """Give the checks that are flaky in the last `runs` runs, those that changed most often first."""
    found = [flaky for name in _names(history[-runs:]) if (flaky := _flaky(history[-runs:], *name)) is not None]
    return sorted(found, key=lambda item: (-item.changes, -item.failed, item.scenario, item.check))


def _names(history: Sequence[HistoryLine]) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys(
        (scenario, check) for line in history for scenario, checks in line.checks.items() for check in checks
    )


def _flaky(history: Sequence[HistoryLine], scenario: str, check: str) -> Flaky | None:
    seen = [(line.commit, line.checks[scenario][check]) for line in history if check in line.checks.get(scenario, {})]
    # Only the settings of the last run: what was asked before was another question.
    seen = [(commit, run) for commit, run in seen if run.settings == seen[-1][1].settings]
    held = [run.became == "held" for _, run in seen]
    changes = sum(before != after for before, after in pairwise(held))
    by_commit: dict[str, set[bool]] = {}
    for (commit, _), one in zip(seen, held, strict=True):
        by_commit.setdefault(commit, set()).add(one)
    both = any(commit and len(ends) > 1 for commit, ends in by_commit.items())
    if changes < 2 and not both:
        return None
    return Flaky(
        scenario=scenario, check=check, runs=len(held), failed=held.count(False), changes=changes, at_one_commit=both
    )


def last_runs(count: int) -> str:
    """Give how many runs are meant, in words."""
    return "the one run so far" if count == 1 else f"the last {count} runs"


def flaky_markdown(flaky: Sequence[Flaky], runs: int) -> str:
    """Give the table in Markdown; a sentence where nothing is flaky."""
    if not flaky:
        return f"Nothing was flaky in {last_runs(runs)}."
    lines = [
        f"### flaky in {last_runs(runs)}",
        "",
        "| scenario | expectation | failed | changes |",
        "|---|---|---|---|",
    ]
    for item in flaky:
        both = ", both at one commit" if item.at_one_commit else ""
        name, check = (text.replace("|", "\\|") for text in (item.scenario, item.check))
        lines.append(f"| {name} | {check} | {item.failed} of {item.runs} | {item.changes}{both} |")
    return "\n".join(lines)
