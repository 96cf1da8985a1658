"""The page over the sessions of a run: what was expected, the sessions worst first, how every score lies.

Where dialogues were scored, they stand beside people's talk: distances, quantiles, what collapsed.
"""

import numpy as np

from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.difference_tables import difference_section
from simulator.report.index_scores import plots, table
from simulator.report.numbers import clock_time, figure
from simulator.report.plots import fto_histogram
from simulator.report.score_list import verdict_list
from simulator.report.sweep_section import sweep_sections
from simulator.results.beside_people import QUANTILES, Beside, beside_people, collapse_shares
from simulator.results.controls import FIRST, SECOND, control_pairs, control_summary
from simulator.results.policy import worst_first
from simulator.results.row import grouped, values_of
from simulator.results.run import RUN_PAGE, Run
from simulator.results.telling import told_apart
from simulator.scoring.scorer import definition_of

FTO_METRIC = "turns.fto_p50_s"


def write_index_page(run: Run) -> None:
    """Write index.html into a run's folder. OSError."""
    assets.write_page(run.folder / RUN_PAGE, index_html(run))


def index_html(run: Run) -> str:
    """Give the page as text."""
    ordered = worst_first(run)
    return assets.fill(
        "index",
        style=assets.style("base", "index", "compare"),
        script=assets.script("index"),
        title=escape(run.name),
        status=_status(run),
        facts="".join(f"<li>{escape(fact)}</li>" for fact in _facts(run)),
        notes="".join(f'<p class="quiet">{escape(note)}</p>' for note in _notes(run)),
        verdicts=_verdicts(run),
        fto=_fto(run),
        beside=beside_section(run),
        sweeps=_controls(run) + sweep_sections(run),
        plots=plots(run, ordered),
        data=assets.packed_json(table(run, ordered)),
    )


def _status(run: Run) -> str:
    bad, invalid = (
        sum(row.status != "completed" for row in run.rows),
        sum(bool(row.invalid) and row.status == "completed" for row in run.rows),
    )
    text = f"{len(run.rows) - bad} completed" + (f", {bad} not" if bad else "")
    text += f", {invalid} invalid" if invalid else ""
    return f'<span class="badge {"bad" if bad or invalid else "good"}">{text}</span>'


def _facts(run: Run) -> list[str]:
    sessions, scenarios = len(run.rows), len(run.scenarios)
    facts = [f"{sessions} session{'s' * (sessions != 1)} of {scenarios} scenario{'s' * (scenarios != 1)}"]
    info = run.info
    if info.command:
        facts.append(" ".join(info.command))
    if info.wall_s is not None:
        facts.append(f"took {clock_time(info.wall_s)}")
    return facts + [f"{name} {version}" for name, version in info.versions.items() if name == "duplex-simulator"]


def _notes(run: Run) -> list[str]:
    """What was damaged, and that some agents of the run are told and others are not."""
    return [*run.notes, *told_apart(grouped(run.rows))]


def _verdicts(run: Run) -> str:
    unmet_first = sorted(run.verdicts.items(), key=lambda item: all(verdict.passed for verdict in item[1]))
    parts = [
        f'<div class="scenario"><h3>{escape(scenario)}</h3>{verdict_list(verdicts)}</div>'
        for scenario, verdicts in unmet_first
    ]
    if not parts:
        return ""
    return f'<section class="expected" aria-label="Expected"><h2>Expected</h2>{"".join(parts)}</section>'


def _controls(run: Run) -> str:
    """What full duplex cost, where the run has controls: the one row of each scenario, the other metrics folded."""
    parts: list[str] = []
    for scenario, pairs in control_pairs(run.rows).items():
        found = control_summary(pairs, [verdict.metric for verdict in run.verdicts.get(scenario, [])])
        section = difference_section(FIRST, SECOND, pairs, [found.headline] if found.headline else [])
        parts.append(section.replace("<h2>", f"<h2>{escape(scenario)}: ", 1))
    return f'<div class="compare">{"".join(parts)}</div>' if parts else ""


def _fto(run: Run) -> str:
    values = values_of(run.rows, FTO_METRIC)
    if not values:
        return ""
    median = f"{np.median(values) * 1000:.0f} ms".replace("-", "−")
    told = f"median {median}, {np.mean(np.asarray(values) < 0):.0%} overlaps, {len(values)} floor transfers"
    return (
        f'<section class="fto" aria-label="Floor transfers"><h2>Floor transfers</h2>{fto_histogram(values)}'
        f'<p class="quiet">{told}</p></section>'
    )


def beside_section(run: Run) -> str:
    """Give the block; nothing where `dialogue` scored no session."""
    found = beside_people(run.rows)
    if not found:
        return ""
    heading = "".join(f"<th>p{q * 100:.0f}</th>" for q in QUANTILES)
    rows = "".join(_row(item) for item in found)
    return (
        '<section class="beside" aria-label="Beside people"><h2>Beside people’s talk</h2>'
        f'<p class="quiet">{escape(_collapsed(run))}</p>'
        '<div class="scrolled"><table><thead><tr><th>seconds</th><th>n</th><th>distance</th><th>interval</th>'
        f"<th></th>{heading}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _row(item: Beside) -> str:
    definition = definition_of(f"dialogue.{item.shape}_w1_s")
    card = escape(definition.card) if definition else ""
    score = item.distance
    value = figure(score.value) if score.value is not None else "–"
    interval = f"{figure(score.ci95[0])} to {figure(score.ci95[1])}" if score.ci95 else "–"
    why = f' title="{escape(score.ci95_reason)}"' if score.ci95_reason else ""
    ours, people = ("".join(f"<td>{side:.2f}</td>" for side in values) for values in (item.ours, item.people))
    return (
        f'<tr><th scope="rowgroup" rowspan="2" title="{card}">{escape(item.title)}</th><td rowspan="2">{score.n}</td>'
        f'<td rowspan="2">{value}</td><td rowspan="2"{why}>{interval}</td><td>here</td>{ours}</tr>'
        f'<tr class="quiet"><td>people</td>{people}</tr>'
    )


def _collapsed(run: Run) -> str:
    scores = collapse_shares(run.rows)
    if not scores:
        return ""
    whole, *ways = scores
    told = ", ".join(
        f"{score.id.partition('.')[2].replace('_', ' ')} {score.value:.0%}" for score in ways if score.value
    )
    interval = f" ({whole.ci95[0]:.0%} to {whole.ci95[1]:.0%})" if whole.ci95 else ""
    return f"{whole.value:.0%}{interval} of {whole.n} dialogues collapsed" + (f": {told}" if told else "")
