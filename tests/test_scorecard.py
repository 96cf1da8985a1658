"""The scorecard of a live talk."""

from simulator.live.scorecard import scorecard
from simulator.score import Score


def score(name: str, value: float | None, unit: str, n: int = 4) -> Score:
    """A score with what a card needs of it."""
    return Score(id=name, definition=name, value=value, unit=unit, n=n)


def test_five_numbers_stand_beside_what_people_do() -> None:
    """Times in milliseconds, shares as counts; what is not defined has a dash, what nobody measured no comparison."""
    lines = scorecard(
        [
            score("latency.response_p50_s", 0.736, "s"),
            score("turns.fto_p50_s", -0.2, "s"),
            score("barge_in.yield_rate", 2 / 3, "ratio", 3),
            score("barge_in.yield_latency_p50_s", None, "s", 0),
            score("turns.silence_share", 0.3, "ratio"),
        ]
    )
    assert [line.found for line in lines] == ["736 ms", "-200 ms", "2 of 3", "–", "–"]
    assert ["200 ms" in lines[0].people, "80 ms" in lines[1].people] == [True, True]
    assert [line.people for line in lines[2:4]] == ["", ""]
