"""Pairs: which of two conversations a judge prefers, asked in both orders; who comes first must not decide.

Judges prefer what stands first (or last), so a preference counts only if it stays with the conversation when the order
is turned round; else the pair is tied, and the judge was not consistent.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.judging.exhibit import Exhibit
from simulator.judging.question import SYSTEM, THOUGHT, Vote, objects
from simulator.judging.rubric import Criterion
from simulator.judging.voting import first_vote
from simulator.scoring.judge_endpoint import EndpointJudge
from simulator.texts import quoted

_SIDES = {"first": 1, "second": -1, "tie": 0}


class Preference(NamedTuple):
    """What one vote came to. share: 1 for the one, 0 for the other, 0.5 tied; None without a verdict, reason says why.

    consistent: whether both orders said the same.
    """

    share: float | None
    consistent: bool
    reason: str


def preferences(
    judge: EndpointJudge, criterion: Criterion, pair: tuple[Exhibit, Exhibit], *, votes: int, retries: int
) -> list[Preference]:
    """Ask so often which of a pair is better, each time in both orders; shares speak for the first of the pair."""
    tries = retries + 1
    found: list[Preference] = []
    for number in range(votes):
        attempts = range(number * tries, (number + 1) * tries)
        one, other = (
            first_vote(judge, _what(order, criterion), _messages(criterion, order), attempts, read_side)
            for order in (pair, pair[::-1])
        )
        found.append(_joined(one, other))
    return found


def _joined(one: Vote, other: Vote) -> Preference:
    missing = next((vote for vote in (one, other) if vote.value is None), None)
    if missing is not None or one.value is None or other.value is None:
        return Preference(None, consistent=False, reason=missing.reason if missing else "")
    if one.value != -other.value:
        return Preference(0.5, consistent=False, reason=f"its preference goes with the order: {one.reason}")
    return Preference((one.value + 1) / 2, consistent=True, reason=one.reason)


def _what(order: Sequence[Exhibit], criterion: Criterion) -> str:
    return f"{order[0].id} before {order[1].id}: {criterion.criterion}"


def _messages(criterion: Criterion, order: Sequence[Exhibit]) -> list[dict[str, Any]]:
    question = (
        f"Two conversations of one kind. Criterion: {criterion.criterion.strip()}\n\nWhich of them meets it better? "
        'Answer with one JSON object and nothing else. Its keys, in this order: "reason", one or two sentences; '
        '"better", which is "first", "second", or "tie".'
    )
    if any(exhibit.sound is not None for exhibit in order):
        content: Any = [{"type": "text", "text": question}]
        for name, exhibit in zip(("first", "second"), order, strict=True):
            content.append({"type": "text", "text": f"The {name} conversation is this sound:\n{exhibit.told()}"})
            content.append({"type": "input_audio", "input_audio": {"data": exhibit.sound, "format": "wav"}})
    else:
        shown = [f"The {name} conversation:\n\n{exhibit.told()}"
                 for name, exhibit in zip(("first", "second"), order, strict=True)]  # fmt: skip
        content = "\n\n".join([question, *shown])
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": content}]


def read_side(text: str) -> Vote:
    """Read which side an answer prefers: 1 the first, -1 the second, 0 a tie; no value where it says none."""
    found = [item for item in objects(THOUGHT.sub("", text)) if "better" in item]
    if len(found) != 1:
        return Vote(None, f"its answer holds {len(found) or 'no'} preference{'s' * (len(found) > 1)}: {quoted(text)}")
    side, reason = found[0]["better"], found[0].get("reason")
    value = _SIDES.get(side) if isinstance(side, str) else None
    if value is None or not isinstance(reason, str) or not reason.strip():
        return Vote(None, f"its preference is {quoted(found[0])}; allowed are first, second or tie, with a reason")
    return Vote(value, " ".join(reason.split()))
