"""`simulate explain`: a card for every metric of every installed scorer."""

import json

import pytest

from simulator.cli import main
from simulator.plugins import load
from simulator.scoring.scorer import DEFAULT_SCORERS, all_definitions, definitions_of
from tests.distributions import own_kinds


def test_a_metric_is_explained_with_unit_source_and_when_it_is_undefined(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The card of one metric, wrapped for a terminal."""
    assert main(["explain", "barge_in.yield_rate"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("barge_in.yield_rate - ")
    assert "Undefined when" in told
    assert "source: " in told
    assert max(map(len, told.splitlines())) <= 100


@pytest.mark.parametrize("kind", DEFAULT_SCORERS)
def test_every_card_of_ours_says_what_a_stranger_needs(kind: str) -> None:
    """About ten lines: undefined when, how it is pooled, how others differ; ids begin with the scorer's name."""
    for name, card in definitions_of(kind).items():
        assert name == card.id
        assert name.startswith(f"{kind}.")
        assert card.title and card.source
        assert "ndefined when" in card.card, name
        assert 300 < len(card.card) < 2500, name


@pytest.mark.parametrize("kind", DEFAULT_SCORERS)
def test_a_built_scorer_gives_metrics_that_were_announced(kind: str) -> None:
    """Ids are known before a run: `expect` refuses what no scorer measures."""
    assert set(load("scorers", kind)().build().definitions) <= set(definitions_of(kind))


def test_a_scorer_lists_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    """`explain barge_in` and `explain` alone list ids with titles."""
    assert main(["explain", "barge_in"]) == 0
    assert "barge_in.resume_rate" in capsys.readouterr().out
    assert main(["explain"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in all_definitions())


@pytest.mark.parametrize("kind", own_kinds("scorers"))
def test_every_installed_scorer_can_be_explained(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Foreign definitions included."""
    assert main(["explain", kind]) == 0
    assert capsys.readouterr().out.strip()


def test_cards_come_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """For machines: id, unit and card."""
    assert main(["explain", "turns.fto_p50_s", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unit"] == "s"
    assert main(["explain", "turns", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 10


def test_an_unknown_metric_is_refused_with_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one sentence."""
    assert main(["explain", "barge_in.yield"]) == 2
    assert "did you mean barge_in.yield_rate" in capsys.readouterr().err
    assert main(["explain", "nothing at all"]) == 2
