"""Corpus values of compatibility scorers: one form, whether a corpus is scored or a scenario names the scorer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.as_scorer import AsScorer, corpus_result
from metrics.compat.measured import Measured
from simulator.intervals.observations import Origin
from simulator.intervals.pooled import interval
from simulator.plugins import load
from simulator.score import Definition, Score, Statistic, value_of
from simulator.scoring.corpus import CorpusScorer, Mode
from simulator.scoring.pooling import pool
from simulator.scoring.scorer import definitions_of
from simulator.session import Session
from tests.distributions import own_kinds

VALUES = st.lists(st.floats(-100, 100), min_size=1, max_size=12)


def column(statistic: Statistic) -> Definition:
    """A definition of this statistic."""
    return Definition(id="x", unit="s", title="x", statistic=statistic)


@given(VALUES)
def test_values_are_those_of_the_joined_list(values: list[float]) -> None:
    """mean, population deviation and the mean between the 5th and 95th percentile, as numpy has them."""
    parts = {"values": values}
    assert value_of(column("mean"), parts) == pytest.approx(np.mean(values), abs=1e-9)
    assert value_of(column("std"), parts) == pytest.approx(np.std(values), abs=1e-9)
    low, high = np.percentile(values, [5, 95])
    inner = [value for value in values if low <= value <= high] if len(values) >= 3 else values
    assert value_of(column("trimmed_mean"), parts) == pytest.approx(np.mean(inner), abs=1e-9)


@pytest.mark.parametrize("statistic", get_args(Statistic))
@pytest.mark.parametrize("parts", [{}, {"values": [], "count": 0, "of": 0}])
def test_nothing_measured_has_no_value(statistic: Statistic, parts: Mapping[str, Any]) -> None:
    """No parts, empty parts: None."""
    assert value_of(column(statistic), parts) is None


@pytest.mark.parametrize("statistic", ["mean", "std", "trimmed_mean", "p50"])
def test_intervals_draw_whole_samples(statistic: Statistic) -> None:
    """Ordered, and wider for few samples with many values than for many samples with one each."""
    rng = np.random.default_rng(0)
    card = column(statistic)
    groups = [list(rng.normal(rng.normal(0, 3), 0.1, 10)) for _ in range(8)]
    clustered = interval(card, [{"values": group} for group in groups]).bounds
    spread = interval(card, [{"values": [value]} for group in groups for value in group]).bounds
    assert clustered is not None and spread is not None and clustered[0] < clustered[1]
    assert clustered[1] - clustered[0] > spread[1] - spread[0]


def test_few_samples_have_no_interval() -> None:
    """One or two samples tell no spread, however many values they hold; the reason says so."""
    for number in (1, 2):
        found = interval(column("mean"), [{"values": [1.0, 2.0]}] * number)
        assert found == (None, f"{number} independent observation{'s' * (number > 1)}; an interval needs 3")


class Trial(AsScorer, frozen=True, kw_only=True, tag="trial"):
    """A scorer with one column of each sort."""

    table = (
        Definition(id="m", unit="s", title="a mean"),
        Definition(id="m_std", of="m", unit="s", title="its deviation", statistic="std"),
        Definition(id="r", unit="share", title="a rounded share", statistic="ratio", decimals=2),
        Definition(id="s", unit="s", title="with a stand-in", sentinel=9999.0),
    )
    accepts = ("fdb",)
    extras = ("besides",)


def measured(value: float | None) -> Measured:
    """A measurement with or without a value."""
    found = Measured(shown={} if value is None else {"besides": [value]})
    if value is None:
        found.undefined(["m", "r"], "nothing there")
    else:
        found.add("m", value)
        found.parts["r"] = {"count": 1, "of": 3}
    return found


def test_a_result_holds_metrics_and_samples() -> None:
    """n counts what entered; a spread beside a mean is of the corpus only; a skipped sample shows nulls."""
    result = corpus_result(Trial(mode="strict"), [("a", measured(1.0)), ("b", measured(3.0)), ("c", measured(None))])
    assert result.n == 2 and result.metrics["m"].value == 2.0 and result.metrics["m"].n == 2
    assert result.metrics["m_std"].value == 1.0 and result.metrics["r"].value == 1 / 3
    assert result.samples[0].metrics == {"m": 1.0, "r": 1 / 3, "s": None, "besides": [1.0]}
    assert result.samples[2].metrics == {"m": None, "r": None, "s": None, "besides": None}


def test_a_result_is_told_without_what_it_was_made_of() -> None:
    """The JSON of a corpus value: number, unit, n, interval and reason, in this order."""
    told = corpus_result(Trial(), [("a", measured(1.0))]).as_json()
    assert list(told["metrics"]["m"].items()) == [
        ("value", 1.0), ("unit", "s"), ("n", 1), ("ci95", None),
        ("ci95_reason", "1 independent observation; an interval needs 3"), ("reason", None),
    ]  # fmt: skip


def test_stand_ins_and_rounding_belong_to_compat() -> None:
    """compat gives the original's stand-in with the reason sentinel and rounds; strict gives null and all digits."""
    samples = [("a", measured(1.0))]
    strict, compat = (corpus_result(Trial(mode=mode), samples).metrics for mode in ("strict", "compat"))
    assert (compat["s"].value, compat["s"].reason, compat["s"].n) == (9999.0, "sentinel", 0)
    assert strict["s"].value is None and compat["r"].value == 0.33


def test_a_sentinel_among_values_is_not_the_value() -> None:
    """The reason says sentinel only where nothing but stand-ins entered."""
    stand_in, real = measured(1.0), measured(0.5)
    stand_in.sentinels.add("m")
    compat = Trial(mode="compat")
    assert corpus_result(compat, [("a", stand_in)]).metrics["m"].reason == "sentinel"
    assert corpus_result(compat, [("a", stand_in), ("b", real)]).metrics["m"].reason is None


# 50 is far from the others: a mean, a trimmed mean and a median that are taken for one another show at once.
MEASURED: dict[str, float | None] = {"a": 0.9, "b": 1.0, "c": None, "d": 1.1, "e": 1.2, "f": 50.0}
EXPECTED: dict[Statistic, float] = {
    "mean": 10.84,
    "fmean": 10.84,
    "std": (1916.932 / 5) ** 0.5,  # squares of -9.94, -9.84, -9.74, -9.64, 39.16
    "trimmed_mean": 1.1,  # 0.9 and 50 lie outside 0.92 to 40.24
    "p50": 1.1,
    "p95": 40.24,  # four fifths of the way from 1.2 to 50
    "w1": 9.86,  # all the mass moves to 1.1: 0.2, 0.1, 0, 0.1, 48.9
    "ratio": 5 / 20,
    "sum": 5.0,
}


class EveryStatistic(AsScorer, frozen=True, kw_only=True, tag="every"):
    """A scorer with a column of every statistic, one of them scaled, one never measured."""

    table = (
        *(
            Definition(
                id=name,
                of="values" if name not in ("ratio", "sum") else "",
                unit="s",
                title=name,
                statistic=name,
                reference=(1.1,),
            )
            for name in EXPECTED
        ),
        Definition(id="ms", of="values", unit="ms", title="in ms", statistic="trimmed_mean", scale=1000),
        Definition(id="never", unit="s", title="never measured", sentinel=0.0),
    )
    accepts = ("wav",)

    def measure_session(self, session: Session, given: Any) -> Measured:
        """Say what the session's name stands for."""
        value = MEASURED[session.id]
        if value is None:
            return Measured(reasons={"values": "nobody spoke"})
        parts = {"values": {"values": [value]}, "ratio": {"count": 1, "of": 4}, "sum": {"count": 1, "of": 1}}
        return Measured(parts=parts)


def both_ways(folder: Path, mode: Mode) -> tuple[dict[str, Score], dict[str, Score]]:
    """The same sessions as a corpus, and as sessions of a run that are pooled, by metric."""
    for name in MEASURED:
        soundfile.write(folder / f"{name}.wav", np.zeros((1600, 2)), 16_000)
    sessions = [Session.of_recording(folder / f"{name}.wav") for name in MEASURED]
    scorer = EveryStatistic(mode=mode)
    corpus = corpus_result(scorer, [(one.id, scorer.measure_session(one, None)) for one in sessions]).metrics
    scored = [scorer.score(session) for session in sessions]
    cards = scorer.definitions
    pooled = [
        pool(cards[of_one[0].id], of_one, [Origin(name) for name in MEASURED]) for of_one in zip(*scored, strict=True)
    ]
    return corpus, {score.id.removeprefix("every."): score for score in pooled}


@pytest.mark.parametrize("mode", ["compat", "strict"])
def test_a_scenario_that_names_a_scorer_gets_the_numbers_of_score_as(tmp_path: Path, mode: Mode) -> None:
    """Value, unit, n, interval and reason, bit by bit, for every statistic: one metric id has one value."""
    assert set(EXPECTED) == set(get_args(Statistic))
    corpus, pooled = both_ways(tmp_path, mode)
    for name, expected in EXPECTED.items():
        assert pooled[name].value == pytest.approx(expected), name
    assert pooled["ms"].value == pytest.approx(1100) and pooled["ms"].n == pooled["trimmed_mean"].n == 3
    assert pooled["never"].value == (0.0 if mode == "compat" else None)
    assert {name: told(score) for name, score in pooled.items()} == {n: told(score) for n, score in corpus.items()}


def told(score: Score) -> tuple[Any, ...]:
    """What a reader sees of a corpus value."""
    return score.value, score.unit, score.n, score.ci95, score.reason


def test_a_card_with_a_stand_in_makes_none_of_scores_that_have_none(tmp_path: Path) -> None:
    """A page has the cards of the scorer's defaults: what a strict scorer left undefined stays undefined."""
    _, strict = both_ways(tmp_path, "strict")
    card = EveryStatistic(mode="compat").definitions["every.never"]
    assert pool(card, [strict["never"]] * 3, [Origin("")] * 3).value is None


@pytest.mark.parametrize("kind", own_kinds("scorers"))
def test_every_installed_foreign_metric_is_pooled_as_its_table_says(kind: str) -> None:
    """The cards that pages, summaries and comparisons pool by have the statistic and the scale of the table."""
    spec = load("scorers", kind)
    if issubclass(spec, CorpusScorer):
        cards = definitions_of(kind)
        assert [name.removeprefix(f"{kind}.") for name in cards] == [row.id for row in spec.table]
        plain = [msgspec.structs.replace(card, id="", of="", card="") for card in cards.values()]
        kept = spec().in_mode
        assert plain == [msgspec.structs.replace(row, id="", of="") for row in kept]
