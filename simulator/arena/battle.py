"""Battles: which of two answers to the same input somebody found better, a JSON line each.

    {"model_a": "cascade", "model_b": "moshi", "winner": "model_a", "domain": "education", "order": "drawn",
     "rater": "ann", "seconds": 41.2}

model_a is whose answer came first, or lay on the left. Files of others name things in other words, which are read too:
the winner by a side, or by the model's own name; a winner and a loser without sides; the public arena's battles
(FastChat: question_id, judge, `tie (bothbad)`; conversations, turn, language and tstamp are left aside), and in columns
(winner_model_a, winner_model_b, winner_tie) those of its competition.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from simulator.errors import ScenarioError
from simulator.files import append_lines
from simulator.texts import quoted

Winner = Literal["model_a", "model_b", "tie", "both_bad"]
Order = Literal["drawn", "turned", ""]
"""Whether the sides are those that the seed drew, or the same ones exchanged; "" where nobody says."""

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "model_a": ("model_a", "model_1", "model1", "modelA", "model_left", "left_model", "system_a", "a"),
    "model_b": ("model_b", "model_2", "model2", "modelB", "model_right", "right_model", "system_b", "b"),
    "winner": ("winner", "win", "vote", "choice", "preference", "result"),
    "loser": ("loser",),
    "domain": ("domain", "category"),
    "rater": ("rater", "judge", "annotator"),
    "seconds": ("seconds", "duration", "time_s"),
    "input": ("input", "question_id"),
}
_SIDES: Mapping[str, Winner] = {
    **dict.fromkeys(("model_a", "model_1", "model1", "modela", "a", "left", "leftvote", "first", "1"), "model_a"),
    **dict.fromkeys(("model_b", "model_2", "model2", "modelb", "b", "right", "rightvote", "second", "2"), "model_b"),
    **dict.fromkeys(("tie", "draw", "tied", "tievote", "equal", "both_good"), "tie"),
    **dict.fromkeys(("both_bad", "bothbad", "bothbad_vote", "tie_bothbad", "tie_both_bad", "neither"), "both_bad"),
}
_COLUMNS: Mapping[str, Winner] = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie"}
_ALLOWED = "model_a, model_b, tie, both_bad or the name of one of the two"


class Battle(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict. rater: who gave it; seconds: how long that took.

    input: what both answered; criterion: what was asked; heard: whether the rater had the sound or the words alone.
    lengths: of both answers, in seconds of sound or in words. repeat: the same rater had judged this pair before: it
    tells how far raters agree with themselves and counts in no rating.
    """

    model_a: str
    model_b: str
    winner: Winner
    domain: str = ""
    order: Order = ""
    rater: str = ""
    seconds: float | None = None
    input: str = ""
    criterion: str = ""
    heard: str = ""
    lengths: tuple[float, float] | None = None
    repeat: bool = False
    reason: str = ""

    @property
    def share(self) -> float:
        """What model_a got: 1 for a win, 0 for a loss, half for a tie of either kind."""
        return 1.0 if self.winner == "model_a" else 0.0 if self.winner == "model_b" else 0.5

    @property
    def pair(self) -> tuple[str, str, str]:
        """The input and both models, whoever stood first."""
        first, second = sorted((self.model_a, self.model_b))
        return self.input, first, second


class ReadBattles(NamedTuple):
    """The battles of a file, and a sentence for every row that is none."""

    battles: list[Battle]
    problems: list[str]


def read_battles(path: Path) -> ReadBattles:
    """Read a file of battles: JSON lines, or one JSON list. ScenarioError: it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    found = ReadBattles([], [])
    for place, row in _rows(content):
        try:
            found.battles.append(battle_of(row() if callable(row) else row))
        except (ValueError, ArithmeticError, RecursionError) as error:
            found.problems.append(f"{path}: {place}: {error}")
    return found


def _rows(content: bytes) -> Iterable[tuple[str, Any]]:
    """Give every row with its place; of lines what decodes it, as each may be damaged by itself."""
    if content.lstrip().startswith(b"["):
        try:
            return [(f"item {number}", row) for number, row in enumerate(msgspec.json.decode(content), 1)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # lines, each of which then says what is wrong with it
    lines = enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
    return [(f"line {number}", _decoding(line)) for number, line in lines if line.strip()]


def _decoding(line: bytes) -> Any:
    def decode() -> Any:
        try:
            return msgspec.json.decode(line)
        except UnicodeDecodeError as error:
            raise ValueError(f"byte {error.start} is no UTF-8") from None
        except msgspec.DecodeError as error:
            raise ValueError(f"no JSON: {error}") from None

    return decode


def battle_of(row: Any) -> Battle:
    """Read one row; ValueError says what is wrong with it."""
    if not isinstance(row, dict):
        raise ValueError(f"expected an object with model_a, model_b and winner, found {quoted(row)}")
    told = {name: _first(row, names) for name, names in _ALIASES.items()}
    if told["winner"] is None:
        told["winner"] = next((winner for column, winner in _COLUMNS.items() if row.get(column) == 1), None)
    if told["model_a"] is None and told["model_b"] is None and told["loser"] is not None:
        told |= {"model_a": told["winner"], "model_b": told["loser"], "winner": "model_a"}
    model_a, model_b = (_model(told[name], name) for name in ("model_a", "model_b"))
    if model_a == model_b:
        raise ValueError(f"model_a and model_b are both {quoted(model_a)}; a battle has two models")
    return Battle(
        model_a=model_a,
        model_b=model_b,
        winner=_winner(told["winner"], model_a, model_b),
        domain=_text(told["domain"]),
        rater=_text(told["rater"]),
        seconds=_number(told["seconds"]),
        input=_text(told["input"]),
        lengths=_lengths(row.get("lengths")),
        repeat=row.get("repeat") is True,
        order=row["order"] if row.get("order") in ("drawn", "turned") else "",
        **{name: _text(row.get(name)) for name in ("criterion", "heard", "reason")},
    )


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _model(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None else quoted(value)
        raise ValueError(f"{name} is {found}; it names a model")
    return value


def _winner(value: Any, model_a: str, model_b: str) -> Winner:
    """Read who won: the models' own names come first, as a model may be called `b`."""
    if value in (model_a, model_b):
        return "model_a" if value == model_a else "model_b"
    if isinstance(value, str | int) and not isinstance(value, bool):
        word = str(value).strip().lower().replace("(", " ").replace(")", " ")
        side = _SIDES.get("_".join(word.replace("-", " ").replace("_", " ").split()))
        if side is not None:
            return side
    found = "nothing" if value is None else quoted(value)
    raise ValueError(f"winner is {found}; allowed are {_ALLOWED}")


def _text(value: Any) -> str:
    return "" if value is None else value.strip() if isinstance(value, str) else str(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _lengths(value: Any) -> tuple[float, float] | None:
    numbers = [_number(item) for item in value] if isinstance(value, list | tuple) else []
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def append_battle(path: Path, battle: Battle) -> None:
    """Add a battle to a file. OSError."""
    append_lines(path, [msgspec.json.encode(battle)])
