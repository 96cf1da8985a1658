"""Scores and expectations as HTML: value, unit and n at a glance, the definition one hover away.

A score with evidence is a button: the page's script walks through the evidence on the time line.
"""

from collections.abc import Collection, Sequence
from itertools import groupby

from simulator.reading.expect import Verdict
from simulator.report.assets import escape
from simulator.report.numbers import figure
from simulator.results.leading import LEADING
from simulator.score import Score
from simulator.scoring.scorer import definition_of

_TICK, _CROSS = "✓", "✕"

FEW = 3
"""Fewer scores than this are not worth folding."""

FULL_LINE = 85
"""Characters from which a line of a card was broken for width and not for sense."""


def verdict_list(verdicts: Sequence[Verdict]) -> str:
    """Give the expectations, unmet ones first; nothing when the scenario expects nothing."""
    if not verdicts:
        return ""
    ordered = sorted(verdicts, key=lambda verdict: verdict.passed)
    unmet = sum(not verdict.passed for verdict in verdicts)
    if unmet:
        title = f"{unmet} of {len(verdicts)} expectations not met"
    else:
        title = {1: "The expectation is met", 2: "Both expectations met"}.get(
            len(verdicts), f"All {len(verdicts)} expectations met"
        )
    items = "".join(f"<li>{_verdict(verdict)}</li>" for verdict in ordered)
    return f'<section class="verdicts" aria-label="Expectations"><h2>{title}</h2><ul>{items}</ul></section>'


def _verdict(verdict: Verdict) -> str:
    tone, sign, word = ("good", _TICK, "met") if verdict.passed else ("bad", _CROSS, "not met")
    if verdict.undecided:
        word = "undecided"
    found = verdict.found_as(figure) if verdict.found is not None else verdict.reason or "undefined"
    if verdict.found is not None and verdict.reason:
        found += f", {verdict.reason}"
    return (
        f'<button type="button" class="verdict {tone}" data-metric="{escape(verdict.metric)}">'
        f'<span class="sign" role="img" aria-label="{word}">{sign}</span>'
        f'<span class="what">{escape(verdict.text)}</span><span class="found">{escape(found)}</span></button>'
    )


def score_list(scores: Sequence[Score], expected: Collection[str] = ()) -> str:
    """Give all scores, grouped by scorer in their order; what a reader seldom asks for is folded.

    expected: metrics that the scenario expects something of, which are never folded.
    """
    if not scores:
        return '<p class="quiet">This session has no scores.</p>'
    groups = groupby(scores, key=lambda score: score.id.partition(".")[0])
    return "".join(_family(name, list(members), expected) for name, members in groups)


def _family(name: str, scores: Sequence[Score], expected: Collection[str]) -> str:
    first = [score for score in scores if score.id in expected or (score.id in LEADING and score.value is not None)]
    rest = [score for score in scores if score not in first]
    undefined = sum(score.value is None for score in rest)
    if len(rest) < FEW and not undefined:
        first, rest = list(scores), []
    told = ", ".join(
        filter(
            None,
            (
                f"{len(rest) - undefined} more" if len(rest) > undefined else "",
                f"{undefined} undefined" if undefined else "",
            ),
        )
    )
    more = f"<details><summary>{told}</summary>{_items(rest)}</details>" if rest else ""
    return f'<section class="family"><h3>{escape(name.replace("_", " "))}</h3>{_items(first)}{more}</section>'


def _items(scores: Sequence[Score]) -> str:
    return f"<ul>{''.join(map(_item, scores))}</ul>"


def _item(score: Score) -> str:
    definition = definition_of(score.definition or score.id)
    title = definition.title if definition else score.id
    card = _card(score)
    return (
        f'<li><button type="button" class="score{"" if score.evidence else " bare"}" data-metric="{escape(score.id)}"'
        f' aria-describedby="card-{escape(score.id)}">'
        f'<span class="name">{escape(title)}</span>{_value(score)}<span class="n">{_counted(score)}</span></button>'
        f'<div class="card" role="tooltip" id="card-{escape(score.id)}">{card}</div></li>'
    )


def _value(score: Score) -> str:
    if score.value is None:
        reason = f'<span class="reason">{escape(score.reason)}</span>'
        return f'<span class="value undefined" title="undefined">–</span>{reason}'
    unit = "" if score.unit in ("", "ratio", "share") else f' <span class="unit">{escape(score.unit)}</span>'
    return f'<span class="value">{figure(score.value)}{unit}</span>'


def _counted(score: Score) -> str:
    """What the value rests on: `5 of 6` for a share, `n 12` for measured values, the interval where there is one."""
    count, of = score.parts.get("count"), score.parts.get("of")
    rests = f"{count} of {of}" if _is_share(score) and of else f"n {score.n}"
    if score.ci95 is not None:
        rests += f", {figure(score.ci95[0])} to {figure(score.ci95[1])}"
    return escape(rests)


def _is_share(score: Score) -> bool:
    count = score.parts.get("count")
    return (
        score.unit in ("", "ratio", "share", "%") and isinstance(count, int) and isinstance(score.parts.get("of"), int)
    )


def _card(score: Score) -> str:
    definition = definition_of(score.definition or score.id)
    head = f'<p class="id">{escape(score.id)}{" in " + escape(score.unit) if score.unit else ""}</p>'
    if definition is None:
        return head + "<p>No installed scorer defines this metric.</p>"
    source = f'<p class="source">{escape(definition.source)}</p>' if definition.source else ""
    good = {"higher": "higher is better", "lower": "lower is better"}.get(definition.better, "")
    return f"{head}<p>{escape(flowing(definition.card))}</p>{source}" + (
        f'<p class="source">{good}</p>' if good else ""
    )


def flowing(text: str) -> str:
    """Undo the hard line breaks of a card: a line that is nearly full goes on in the next one."""
    return "".join(line + (" " if len(line) > FULL_LINE else "\n") for line in text.splitlines()).rstrip()
