"""The block of a run's page that holds its dialogues beside people's talk: distances, quantiles, what collapsed."""

from simulator.report.assets import escape
from simulator.report.numbers import figure
from simulator.results.beside_people import QUANTILES, Beside, beside_people, collapse_shares
from simulator.results.run import Run
from simulator.scoring.scorer import definition_of


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
