"""The end of a run on the screen: scores, expectations, what failed, where the files lie; readable at 80 columns."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from simulator.ci.cases import moments_of, worst_of
from simulator.cli.closing import closing_lines
from simulator.cli.compare_tables import print_table
from simulator.cli.console import console
from simulator.cli.numbers import number, without_interval
from simulator.cli.sweep_screen import print_sweep
from simulator.errors import SimulatorError
from simulator.reading.expect import Verdict
from simulator.results.controls import FIRST, SECOND, ControlSummary
from simulator.results.judged import read_judged
from simulator.results.leading import LEADING
from simulator.results.row import Row
from simulator.results.run import RUN_PAGE, SESSION_PAGE
from simulator.results.summary import Summary
from simulator.scenario import slug
from simulator.score import Score
from simulator.session import read_meta
from simulator.texts import shown

DETAILS = (
    "_within_",
    "_change_",
    "turns.ipu_",
    "turns.pause_",
    "turns.fto_mean_s",
    "turns.user_share",
    "turns.agent_share",
)
"""Metrics that the table leaves to -v, the page and scores.json: those that mean little without their neighbours."""


FEW = 4
"""Metrics that a line names one by one; of more it gives the number."""


def print_summary(summary: Summary, folder: Path, at: str = "", *, verbose: bool = False) -> None:
    """Print the scores, the expectations, what failed, and where the files lie; verbose: the details too.

    at: where the run lies for whoever reads this, if that is not its folder.
    """
    at = at or str(folder)
    screen = console()
    points = {row.scenario for row in summary.rows if row.point}
    for sweep in summary.sweeps:
        print_sweep(screen, sweep)
    if (summary.pooled or len(summary.scenarios) < 2) and not points:
        _print_scores(screen, summary.pooled, summary.told, verbose=verbose)
    else:
        for scenario in summary.scenarios:
            if slug(scenario.name) in points and not verbose:
                continue
            heading = f"{scenario.name} · {scenario.agent}" if scenario.agent else scenario.name
            screen.print(f"[bold]{escape(shown(heading))}[/]")
            _print_scores(screen, scenario.scores, scenario.told, verbose=verbose, brief=True)
    for scenario in summary.scenarios:
        for verdict in scenario.verdicts:
            screen.print(_verdict_line(verdict, scenario.name if len(summary.scenarios) > 1 else ""))
            if not verdict.passed:
                _print_evidence(screen, verdict, slug(scenario.name), summary, folder, at=at)
        if scenario.trials is not None:
            trials = scenario.trials
            screen.print(
                f"{escape(shown(scenario.name))}: {trials.passed} of {trials.of} trials hold every expectation by "
                "themselves "
                f"(pass@1 {number(trials.pass_at_1)}, pass^{trials.of} {number(trials.pass_hat_k)})"
            )
        if scenario.control:
            _print_control(scenario.name, scenario.control)
    _print_problems(screen, summary.rows)
    for line in closing_lines(summary, folder):
        screen.print(escape(shown(line)))
    _print_files(screen, summary, folder, at)


def _print_problems(screen: Any, rows: Sequence[Row]) -> None:
    """Print what is to be said of single sessions; what completed ones remark once, for a thousand may say the same."""
    remarks: dict[str, list[str]] = {}
    for row in rows:
        if row.status != "completed":
            screen.print(f"[red]{row.status}[/] {row.id}: {escape(shown(row.problem or ''))}")
        elif row.invalid:
            screen.print(f"[yellow]invalid[/] {row.id}: {escape(shown(row.invalid))}")
        elif row.problem:
            remarks.setdefault(row.problem, []).append(row.id)
    for problem, ids in remarks.items():
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        screen.print(f"[yellow]completed[/] {ids[0]}{more}: {escape(shown(problem))}")


def _print_control(scenario: str, control: ControlSummary) -> None:
    """Print what full duplex cost: one row, in the form of a comparison."""
    if control.row:
        print_table(FIRST, SECOND, control.row, need=None)
    else:
        console().print(f"[dim]{escape(shown(scenario))}: nothing to hold against its half-duplex control[/]")


def _print_scores(
    console: Any, scores: Sequence[Score], told: Sequence[str], *, verbose: bool, brief: bool = False
) -> None:
    """Print a table of pooled scores and what it rests on; brief: one of many, with the leading metrics only."""
    scored = [score for score in scores if score.value is not None]
    shown = [score for score in scored if verbose or not any(part in score.id for part in DETAILS)]
    if brief and not verbose:
        shown = [score for score in shown if score.id in LEADING] or shown
    if shown:
        console.print(_table(shown))
    if len(shown) < len(scored):
        console.print(f"[dim]{len(scored) - len(shown)} details more with -v[/]")
    _print_undefined(console, () if brief and not verbose else scores, verbose=verbose)
    for line in told:
        console.print(f"[dim]{escape(line)}[/]")
    for reason, ids in without_interval(shown).items():
        which = ", ".join(ids) if verbose or len(ids) <= FEW else f"{len(ids)} metrics"
        console.print(f"[dim]no interval ({escape(reason)}): {escape(which)}[/]")


def _table(scores: Iterable[Score]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric", overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("n", justify="right")
    intervals = any(score.ci95 for score in scores)
    if intervals:
        table.add_column("95 % interval", justify="right")
    family = None
    for score in scores:
        if family not in (None, score.id.split(".")[0]):
            table.add_section()
        family = score.id.split(".")[0]
        cells = [score.id, number(score.value), score.unit, str(score.n)]
        if intervals:
            cells.append(f"{number(score.ci95[0])} .. {number(score.ci95[1])}" if score.ci95 else "")
        table.add_row(*cells)
    return table


def _print_undefined(console: Any, scores: Iterable[Score], *, verbose: bool) -> None:
    """Print what is undefined, with -v by its reason."""
    reasons: dict[str, list[str]] = {}
    for score in scores:
        if score.value is None and score.reason != "no sessions":
            reasons.setdefault(score.reason or "", []).append(score.id)
    if not verbose and len(reasons) > 1:
        told = ", ".join(name for ids in reasons.values() for name in ids)
        console.print(f"[dim]undefined (why: -v): {escape(told)}[/]")
        return
    for reason, ids in reasons.items():
        console.print(f"[dim]undefined ({escape(reason)}): {escape(', '.join(ids))}[/]")


def _verdict_line(verdict: Verdict, scenario: str) -> str:
    where = f" [dim]({escape(shown(scenario))})[/]" if scenario else ""
    text = escape(verdict.text)
    colour, word = {"held": ("green", "held"), "failed": ("red", "failed"), "undecided": ("yellow", "undecided")}[
        verdict.outcome
    ]
    told = [] if verdict.found is None else [verdict.found_as(number)]
    told += [escape(verdict.reason)] if verdict.reason else []
    told += [f"decided after {verdict.trials} trials"] if verdict.trials else []
    note = " [dim](informs only)[/]" if verdict.inform and not verdict.passed else ""
    return f"[{colour}]{word:<7}[/] {text}: {', '.join(told)}{note}{where}"


def _print_evidence(console: Any, verdict: Verdict, group: str, summary: Summary, folder: Path, *, at: str) -> None:
    """Say where to look: the session that is worst by its own value, or the scenario's first, and when in it."""
    rows = [row for row in summary.rows if row.scenario == group]
    for row in worst_of(verdict, rows)[:1]:
        there = (folder / row.id / SESSION_PAGE).is_file()
        moment, label = _moment(folder / row.id, verdict)
        if verdict.asked is not None and label and label != verdict.reason:
            console.print(f"        in {row.id}: {shown(label)}", soft_wrap=True, markup=False)
        look = f"open {at}/{row.id}/{SESSION_PAGE}{moment}" if there else f"simulate report {at}/{row.id}"
        console.print(
            f"        evidence: {look}   meaning: simulate explain {verdict.metric}", soft_wrap=True, markup=False
        )


def _moment(session: Path, verdict: Verdict) -> tuple[str, str]:
    """Give the moment that speaks most against it as a link into the session's page, and what it is; empty without."""
    try:
        scores = read_judged(session).scores
        rate = read_meta(session).sample_rate
    except SimulatorError:
        return "", ""
    found = [evidence for score in scores if score.id == verdict.metric for evidence in moments_of(verdict, score)]
    return (f"#t={found[0].start / rate:.1f}", found[0].label) if found else ("", "")


def _print_files(console: Any, summary: Summary, folder: Path, at: str) -> None:
    lines: list[str] = []
    if len(summary.rows) == 1:
        only = summary.rows[0].id
        lines = [f"session: {at}/{only}"]
        lines += [f"page:    {at}/{only}/{SESSION_PAGE}"] if (folder / only / SESSION_PAGE).is_file() else []
    elif summary.rows:
        lines = [f"run:     {at} ({len(summary.rows)} sessions)"]
        lines += [f"page:    {at}/{RUN_PAGE}"] if (folder / RUN_PAGE).is_file() else []
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
