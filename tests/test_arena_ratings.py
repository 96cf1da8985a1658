"""Ratings of battles: sequential Elo and Bradley-Terry by hand, rows of many looks, and what cannot be rated."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from simulator.arena.battle import Battle, Winner, append_battle, battle_of, read_battles
from simulator.arena.bradley_terry import bradley_terry
from simulator.arena.elo import elo_ratings
from simulator.arena.standings import standings
from tests.command_line import simulate
from tests.prediction_files import write_rows


def battles(*rows: tuple[str, str, Winner], **more: Any) -> list[Battle]:
    """Battles of (first, second, who won)."""
    return [Battle(model_a=first, model_b=second, winner=winner, **more) for first, second, winner in rows]


def wins(first: str, second: str, won: int, lost: int) -> list[Battle]:
    """So many battles each way."""
    won_and_lost: list[tuple[str, str, Winner]] = [(first, second, "model_a")] * won
    won_and_lost += [(first, second, "model_b")] * lost
    return battles(*won_and_lost)


def test_elo_goes_battle_by_battle() -> None:
    """1000 each: the first win moves 16; then E = 1 / (1 + 10^(-32/400)) = 0.545922, and a loss moves 17.4695."""
    first = elo_ratings(battles(("x", "y", "model_a")))
    assert first == {"x": 1016.0, "y": 984.0}
    second = elo_ratings(battles(("x", "y", "model_a"), ("y", "x", "model_a")))
    assert second["x"] == pytest.approx(998.530501, abs=1e-5)
    tied = elo_ratings(battles(("x", "y", "model_a"), ("x", "y", "tie")))
    assert tied["x"] == pytest.approx(1016 + 32 * (0.5 - 0.5459219), abs=1e-5)
    assert sum(tied.values()) == pytest.approx(2000)


def test_elo_depends_on_the_order_and_bradley_terry_does_not() -> None:
    """The same four battles backwards: other Elo ratings, the same maximum of the likelihood."""
    forth = battles(("x", "y", "model_a"), ("y", "z", "model_a"), ("z", "x", "model_a"), ("x", "z", "model_a"))
    back = forth[::-1]
    assert elo_ratings(forth) != elo_ratings(back)
    assert bradley_terry(forth).ratings == pytest.approx(bradley_terry(back).ratings)


def test_bradley_terry_finds_the_strengths_that_made_the_battles() -> None:
    """Strengths 4, 2, 1 win 2:1, 2:1 and 4:1; counts in these shares have them as their maximum, 400 log10(2) apart."""
    found = bradley_terry([*wins("a", "b", 4, 2), *wins("c", "b", 2, 4), *wins("a", "c", 8, 2)], replicates=0).ratings
    step = 400 * math.log10(2)
    assert found == pytest.approx({"a": 1000 + step, "b": 1000, "c": 1000 - step}, abs=1e-6)
    pair = bradley_terry(wins("x", "y", 9, 1), replicates=0).ratings
    assert pair["x"] - pair["y"] == pytest.approx(400 * math.log10(9), abs=1e-6)


def test_a_tie_is_half_a_win_each() -> None:
    """Two ties, of either kind, are a win and a loss."""
    mixed = [*wins("x", "y", 2, 0), *battles(("x", "y", "tie"), ("y", "x", "both_bad"))]
    assert bradley_terry(mixed, replicates=0).ratings == pytest.approx(
        bradley_terry(wins("x", "y", 3, 1), replicates=0).ratings
    )
    assert standings(mixed, replicates=0).as_json()["wins"] == {"x > y": [3.0, 4], "y > x": [1.0, 4]}


@pytest.mark.parametrize("count", [1, 3])
def test_a_model_that_never_lost_gets_one_more_battle_tied(count: int) -> None:
    """n wins of n have no finite rating: with a tie more it is n + 1/2 to 1/2; it is said, and there is no interval."""
    found = bradley_terry(wins("x", "y", count, 0))
    assert found.ratings["x"] - found.ratings["y"] == pytest.approx(400 * math.log10(2 * count + 1), abs=1e-6)
    assert found.intervals == {}
    assert "x never lost, y never won" in found.notes[0]


def test_groups_that_never_met_are_rated_apart() -> None:
    """p and q as if x and y were not there, each group around 1000, and the two are named."""
    found = bradley_terry([*wins("x", "y", 3, 1), *wins("p", "q", 2, 2)], replicates=0)
    step = 200 * math.log10(3)
    assert found.ratings == pytest.approx({"x": 1000 + step, "y": 1000 - step, "p": 1000, "q": 1000}, abs=1e-6)
    assert found.notes == [
        "no battle joins these groups, so ratings compare within each alone, around 1000 apiece: p, q; x, y"
    ]


def test_intervals_are_wider_where_the_same_inputs_are_judged_again_and_again() -> None:
    """Eighty battles tell less over eight inputs, all alike within each, than over eighty."""
    one_by_one = [Battle(model_a="x", model_b="y", winner="model_a" if place % 8 < 5 else "model_b", input=str(place))
                  for place in range(80)]  # fmt: skip
    bunched = [Battle(model_a="x", model_b="y", winner=battle.winner, input=str(place % 8))
               for place, battle in enumerate(one_by_one)]  # fmt: skip
    (low, high), (lowest, highest) = (bradley_terry(rows).intervals["x"] for rows in (one_by_one, bunched))
    rating = bradley_terry(bunched, replicates=0).ratings["x"]
    assert lowest < low < rating < high < highest


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"model_a": "x", "model_b": "y", "winner": "model_b"}, ("x", "y", "model_b")),
        ({"model_a": "x", "model_b": "y", "winner": "x"}, ("x", "y", "model_a")),
        ({"model_a": "a", "model_b": "b", "winner": "b"}, ("a", "b", "model_b")),
        ({"model_a": "b", "model_b": "a", "winner": "b"}, ("b", "a", "model_a")),
        ({"model_a": "x", "model_b": "y", "winner": "A"}, ("x", "y", "model_a")),
        ({"model_a": "x", "model_b": "y", "winner": 2}, ("x", "y", "model_b")),
        ({"model_a": "x", "model_b": "y", "winner": "tie (bothbad)"}, ("x", "y", "both_bad")),
        ({"a": "x", "b": "y", "winner": "Tie"}, ("x", "y", "tie")),
        ({"winner": "x", "loser": "y"}, ("x", "y", "model_a")),
    ],
)
def test_winners_are_written_in_many_ways(row: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """A side, a place, a model's own name (which comes first, as one may be called `b`), or winner and loser."""
    found = battle_of(row)
    assert (found.model_a, found.model_b, found.winner) == expected


def test_the_public_arenas_battles_are_read_as_they_are(tmp_path: Path) -> None:
    """FastChat's file of cleaned battles, one JSON list, and the columns of its competition; a tie is half a win."""
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    common = {"judge": "arena_user_973", "turn": 1, "anony": True, "language": "English", "tstamp": 1682351591.1,
              "conversation_a": talk, "conversation_b": talk, "toxic_chat_tag": {"roberta-large": {"flagged": False}},
              "openai_moderation": {"flagged": False}}  # fmt: skip
    rows = [
        {"question_id": "58210e39", "model_a": "x", "model_b": "y", "winner": "model_a", **common},
        {"question_id": "2cb9a2f3", "model_a": "y", "model_b": "x", "winner": "tie", **common},
        {"question_id": "70a2eb96", "model_a": "x", "model_b": "y", "winner": "tie (bothbad)", **common},
        {"id": 30192, "model_a": "z", "model_b": "y", "winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0},
    ]
    file = tmp_path / "clean_battle.json"
    file.write_text(json.dumps(rows, indent=1))
    found = read_battles(file)
    assert not found.problems
    assert [(battle.winner, battle.input, battle.rater) for battle in found.battles] == [
        ("model_a", "58210e39", "arena_user_973"), ("tie", "2cb9a2f3", "arena_user_973"),
        ("both_bad", "70a2eb96", "arena_user_973"), ("model_b", "", ""),
    ]  # fmt: skip
    assert standings(found.battles, replicates=0).overall.wins["x", "y"] == (2.0, 3)


def test_bad_rows_are_named_and_the_rest_is_rated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line what is wrong; exit 3 where some rows are rated, 2 where none is."""
    good = {"model_a": "x", "model_b": "y", "winner": "model_a", "domain": "d"}
    file = write_rows(tmp_path / "b.jsonl", [
        good, "{", {**good, "winner": "nobody"}, {**good, "model_b": "x"}, {"winner": "x"}, "[1]",
        {**good, "model_a": 3},
    ])  # fmt: skip
    assert simulate("arena", "rate", file, "--json", tmp_path / "out.json") == 3
    told = capsys.readouterr().err
    for line, what in ((2, "no JSON"), (3, "'nobody'; allowed are model_a, model_b, tie, both_bad"), (4, "both 'x'"),
                       (5, "model_a is nothing"), (6, "expected an object"), (7, "model_a is 3")):  # fmt: skip
        assert f"b.jsonl: line {line}: " in told
        assert what in told
    found = json.loads((tmp_path / "out.json").read_text())
    assert list(found) == ["elo", "bradley_terry", "wins", "domains"]
    assert found["elo"] == {"x": 1016.0, "y": 984.0}
    assert found["wins"] == {"x > y": [1.0, 1], "y > x": [0.0, 1]}
    assert list(found["domains"]["d"]) == ["elo", "bradley_terry"]
    assert simulate("arena", "rate", write_rows(tmp_path / "bad.jsonl", ["{"])) == 2
    assert simulate("arena", "rate", tmp_path / "none.jsonl") == 2
    assert simulate("arena", "rate") == 2


def test_domains_start_again_and_repeats_count_in_no_rating() -> None:
    """Each domain from 1000 by its own battles; what the same rater judged again tells of the rater alone."""
    rows = [*battles(("x", "y", "model_a"), domain="u"), *battles(("x", "y", "model_b"), domain="v"),
            *battles(("x", "y", "model_b"), repeat=True, domain="v")]  # fmt: skip
    found = standings(rows, replicates=0)
    assert found.domains["u"].elo["x"] == found.domains["v"].elo["y"] == 1016.0
    assert found.overall.battles == 2


def test_files_of_a_result_lie_in_its_folder(tmp_path: Path) -> None:
    """Numbers, details with intervals, tables and page; names are text on the page, whatever they hold."""
    rows: Sequence[Any] = [{"model_a": "<b>x|", "model_b": "y", "winner": winner} for winner in ("a", "a", "b")]
    assert simulate("arena", "rate", write_rows(tmp_path / "b.jsonl", rows), "--out", tmp_path / "out") == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"ratings.json", "arena.json", "arena.md", "index.html"}
    details = json.loads((tmp_path / "out" / "arena.json").read_text())
    low, high = details["intervals"]["y"]
    assert low <= details["bradley_terry"]["y"] <= high
    assert "<b>x|" not in (tmp_path / "out" / "index.html").read_text()
    assert "| <b>x\\| | 1060 |" in (tmp_path / "out" / "arena.md").read_text()


def test_battles_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    """All of a battle is in its line; half a line that a killed process left spoils none but itself."""
    battle = Battle(model_a="x", model_b="y", winner="both_bad", domain="d", order="turned", rater="r", seconds=2.5,
                    input="i", criterion="both", heard="sound", lengths=(1.0, 2.0), repeat=True,
                    reason="why")  # fmt: skip
    file = tmp_path / "b.jsonl"
    append_battle(file, battle)
    with file.open("ab") as torn:
        torn.write(b'{"model_a')
    append_battle(file, battle)
    found = read_battles(file)
    assert found.battles == [battle, battle]
    assert [problem.partition(": ")[2].partition(":")[0] for problem in found.problems] == ["line 2"]
