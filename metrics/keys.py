"""Keys: whether what was pressed as tones can be heard behind the line, by a receiver as ITU-T Q.24 asks for."""

from collections.abc import Sequence
from typing import ClassVar

from metrics.card import card, rate
from simulator.events import PARTIES, Event, Party, other_party
from simulator.score import Definition, Evidence, Score, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.sound.dtmf import KeyFound, find_keys

HEARD = rate(
    "keys.heard_rate",
    "Keys heard",
    "higher",
    card(
        """The share of the keys pressed as tones (`keys_pressed` with band `in`, either party's) that are found again
            in what the other party hears, behind the line's channels.""",
        """Found: a receiver by ITU-T Q.24 (pairs within 2.5 % of their frequencies, 30 ms and longer, the high tone
            4 dB above to 8 dB below the low one) gives the key in its place in the order of all that were pressed.""",
        """Undefined when nobody pressed keys as tones; those told beside the sound need no ears. Pooled: keys over
            keys.""",
    ),
    "ITU-T Q.23, Q.24",
)
LONGEST_DELAY_S = 5.0
"""A line that holds sound back for longer is no line that anybody presses keys on."""


class KeysScorerSpec(ScorerSpec, frozen=True, kw_only=True, tag="keys"):
    """Measure whether keys can be heard: `scorers: [keys]`."""

    cards: ClassVar[tuple[Definition, ...]] = (HEARD,)

    def build(self) -> "KeysScorer":
        """Make the scorer."""
        return KeysScorer()


class KeysScorer:
    """Looks for pressed keys in what the other heard."""

    definitions = by_id((HEARD,))

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        evidence: list[Evidence] = []
        for party in PARTIES:
            pressed = [event for event in session.by_type.get("keys_pressed", ())
                       if event.party == party and event.data.get("band") == "in"]  # fmt: skip
            evidence += _found(session, party, pressed) if pressed else []
        heard = sum(not item.label.endswith("not heard") for item in evidence)
        return [share(HEARD, heard, len(evidence), evidence, reason="nobody pressed keys as tones")]


def _found(session: Session, party: Party, pressed: Sequence[Event]) -> list[Evidence]:
    """Give each key that a party pressed, with whether it was heard."""
    rate_hz = session.sample_rate
    at = [int(event.data.get("since", event.at)) for event in pressed]
    start, end = max(0, min(at) - rate_hz // 5), max(at) + round(LONGEST_DELAY_S * rate_hz)
    heard = find_keys(session.heard(other_party(party), start, end), rate_hz, start)
    kept = _in_order([str(event.data["digits"]) for event in pressed], heard)
    return [
        Evidence(
            start=moment,
            end=moment + rate_hz // 10,
            party=party,
            label=f"{event.data['digits']} {'heard' if index in kept else 'not heard'}",
        )
        for index, (event, moment) in enumerate(zip(pressed, at, strict=True))
    ]


def _in_order(pressed: Sequence[str], heard: Sequence[KeyFound]) -> set[int]:
    """Give the places of pressed keys that stand in the longest common subsequence with what was heard."""
    rows, columns = len(pressed), len(heard)
    longest = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            same = pressed[row] == heard[column].digit
            longest[row][column] = (
                longest[row + 1][column + 1] + 1 if same else max(longest[row + 1][column], longest[row][column + 1])
            )
    kept: set[int] = set()
    row = column = 0
    while row < rows and column < columns:
        if pressed[row] == heard[column].digit:
            kept.add(row)
            row, column = row + 1, column + 1
        elif longest[row + 1][column] >= longest[row][column + 1]:
            row += 1
        else:
            column += 1
    return kept
