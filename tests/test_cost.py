"""Rules of cost: prices are the scenario's, what has no price makes the cost null, a run stops before it
spends more."""

from pathlib import Path
from typing import Any

import pytest

from agents.openai.live import OpenAILiveSpec
from agents.openai.realtime import OpenAIRealtimeSpec
from agents.remote.peer_core import Actions, Note
from agents.remote.usage import UsageTally, gemini_counts, openai_counts
from simulator.errors import ScenarioError
from simulator.reading.cost import Meter, Price, check_budget, cost_of
from simulator.spec import decode

PRICES = {"m": Price(input_text=4, input_audio=32, cached_text=0.4, output_text=16, output_audio=64),
          "live": Price(session_minute=0.06)}  # fmt: skip


def test_tokens_are_priced_by_kind_per_million() -> None:
    """A million tokens of a kind cost its price; kinds add up."""
    usage = [{"model": "m", "input_audio_tokens": 1_000_000, "output_audio_tokens": 500_000}]
    assert cost_of(usage, PRICES).value == pytest.approx(64)


def test_minutes_are_priced_where_the_price_says_so() -> None:
    """A model billed by the minute ignores its tokens, one billed by tokens its minutes."""
    assert cost_of([{"model": "live", "session_s": 90.0, "input_text_tokens": 10}], PRICES).value == pytest.approx(0.09)
    assert cost_of([{"model": "m", "session_s": 90.0, "input_s": 90.0}], PRICES).value == 0


@pytest.mark.parametrize(("usage", "reason"), [
    ({"model": "other", "input_text_tokens": 1}, "there is no price for other"),
    ({"model": "m", "cached_audio_tokens": 1}, "the price of m names no cached_audio"),
    ({"input_text_tokens": 1}, "there is no price for an unnamed model"),
])  # fmt: skip
def test_what_has_no_price_makes_the_cost_null(usage: dict[str, Any], reason: str) -> None:
    """Never zero: null, with the reason."""
    cost = cost_of([{"model": "m", "input_text_tokens": 5}, usage], PRICES)
    assert (cost.value, cost.reason) == (None, reason)


def test_a_budget_needs_prices() -> None:
    """max_cost is refused when a model of the scenario, its recogniser or backend included, has no price."""
    spec = OpenAIRealtimeSpec(model="m")
    with pytest.raises(ScenarioError, match=r"max_cost.*gpt-4o-transcribe"):
        check_budget(spec.traits().billed_as, PRICES, 1.0)
    check_budget(spec.traits().billed_as, PRICES, None)
    check_budget(OpenAIRealtimeSpec(model="m", transcribe=None).traits().billed_as, PRICES, 1.0)
    check_budget(OpenAILiveSpec(model="live").traits().billed_as, PRICES, 1.0)
    check_budget([], {}, 1.0)


def test_a_run_stops_at_its_limits() -> None:
    """The meter names the limit that is reached, by cost or by minutes, and stays quiet before."""
    meter = Meter(PRICES, max_cost=0.1, max_minutes=3)
    meter.add({"model": "live", "session_s": 60.0})
    assert meter.exhausted() is None
    meter.add({"model": "live", "session_s": 60.0})
    assert meter.exhausted() == "max_cost: 0.12 of 0.1 is spent"
    assert Meter({}, max_minutes=0).exhausted() == "max_minutes: 0 of 0 minutes are used"


def test_unpriced_use_stops_a_run_with_a_budget_only() -> None:
    """Without a budget the cost is null and the run goes on."""
    for max_cost, stops in ((None, False), (5.0, True)):
        meter = Meter({}, max_cost=max_cost)
        meter.add({"model": "x", "input_text_tokens": 1})
        assert meter.cost.value is None
        assert (meter.exhausted() is not None) is stops


def test_prices_are_read_from_a_scenario() -> None:
    """Unknown kinds and negative prices are refused with the place in the file."""
    prices = decode({"m": {"input_audio": 32}}, dict[str, Price], source="x.yaml", folder=Path())
    assert prices["m"].input_audio == 32
    for bad in ({"m": {"input_smell": 1}}, {"m": {"input_audio": -1}}):
        with pytest.raises(ScenarioError, match=r"x\.yaml: \$"):
            decode(bad, dict[str, Price], source="x.yaml", folder=Path())


def test_openai_cached_tokens_are_taken_out_of_the_input() -> None:
    """Cached tokens are a part of the input counts there; kinds told never overlap and add up to the
    totals."""
    counts = openai_counts({
        "input_tokens": 130, "output_tokens": 60,
        "input_token_details": {"text_tokens": 30, "audio_tokens": 100, "cached_tokens": 64,
                                "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 64}},
        "output_token_details": {"text_tokens": 10, "audio_tokens": 50},
    })  # fmt: skip
    assert {kind: count for kind, count in counts.items() if count} == {
        "input_text": 30, "input_audio": 36, "cached_audio": 64, "output_text": 10, "output_audio": 50,
    }  # fmt: skip


def test_a_response_of_the_backend_is_text() -> None:
    """The Responses API tells totals and cached ones only."""
    counts = openai_counts({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 40}, "output_tokens": 7})
    assert {kind: count for kind, count in counts.items() if count} == {
        "input_text": 60, "cached_text": 40, "output_text": 7}  # fmt: skip


def test_gemini_thoughts_are_text_that_is_paid() -> None:
    """What the details do not name is text; thinking is output."""
    counts = gemini_counts({
        "prompt_token_count": 120, "response_token_count": 30, "thoughts_token_count": 5,
        "prompt_tokens_details": [{"modality": "AUDIO", "token_count": 100}],
        "response_tokens_details": [{"modality": "AUDIO", "token_count": 30}],
    })  # fmt: skip
    assert {kind: count for kind, count in counts.items() if count} == {
        "input_text": 20, "input_audio": 100, "output_text": 5, "output_audio": 30}  # fmt: skip


def test_seconds_are_told_every_ten_and_add_up() -> None:
    """The events' seconds sum to the session's, whenever it ends."""
    actions = Actions()
    tally = UsageTally(actions, "m", 16_000, 24_000)
    for _ in range(25):
        tally.heard(16_000, 8_000, 0)
        tally.received(12_000)
    tally.tell(0)
    fields = [action.fields for action in actions.take() if isinstance(action, Note)]
    assert len(fields) == 3
    assert [sum(field[name] for field in fields) for name in ("session_s", "input_s", "output_s")] == [
        25,
        12.5,
        12.5,
    ]


def test_time_under_way_counts_before_a_service_tells_it() -> None:
    """Minutes and prices by the minute stop a session while it runs, not only the one after it."""
    meter = Meter({"live": Price(session_minute=0.6)}, max_cost=1.0, max_minutes=5)
    assert meter.exhausted(60, 0.6) is None
    assert meter.exhausted(101, 101 * meter.per_minute(["live"]) / 60) == "max_cost: 1.01 of 1 is spent"
    assert meter.allowance_s(40, 0.4, ["live"]) == pytest.approx(60)
    meter.add({"model": "live", "session_s": 60})
    assert meter.allowance_s(0, 0, ["live"]) == pytest.approx(40)
    assert Meter({}, max_minutes=1).exhausted(61) == "max_minutes: 1.02 of 1 minutes are used"
    assert Meter({}).allowance_s(1e6, 0, []) == float("inf")
