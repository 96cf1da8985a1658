"""Callers: how often a simulated caller broke a rule of callers; the agent is judged by none of it."""

from typing import ClassVar

from metrics.caller_lines import CallerKnows, CallerLine, caller_of, lines_of
from metrics.caller_rules import ALIKE, RULES, SAID_TIMES, faults_by
from metrics.card import card, rate
from simulator.events import PARTIES
from simulator.score import Definition, Evidence, Score, share, undefined
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session

_SOURCE = (
    "this project; after EVA's validation of simulated users, tau2-bench's checker of user hallucinations, and what "
    "langwatch/scenario and tolokaforge fixed in theirs"
)
_UNDEFINED = "Undefined where no party is a caller, or it said nothing."
_WHAT = {
    "assistant": ("Turns as an assistant", "that offer help, as a model's own role does (of callers who are users)."),
    "swapped": (
        "Turns in the other's role",
        "that speak for the one who is called, or ask for what the caller alone knows (of callers who are users).",
    ),
    "leaked": (
        "Turns that leak instructions",
        "that speak of instructions, scenario, stages or the model, or read eight words of the persona out.",
    ),
    "restated": (
        "Questions said back",
        f"that are the other's last question again (token Jaccard over {ALIKE}, ours).",
    ),
    "unasked": (
        "Facts told unasked",
        """that tell a fact before the other named it or asked for anything. An offer of help asks for nothing; what the
            goal says is no secret.""",
    ),
    "contradicted": ("Facts contradicted", "that state another value for a fact: other digits, or no word in common."),
    "repeated": (
        "Turns said again",
        f"""that say for the {SAID_TIMES}rd time and more what nobody asked to hear again, while the other spoke (token
            Jaccard over {ALIKE}, ours).""",
    ),
    "after_goodbye": ("Turns after the goodbye", "after the caller's own goodbye that are no farewell and no answer."),
}

CARDS = tuple(
    rate(
        f"caller.{rule}_rate",
        title,
        "lower",
        card(
            f"The share of the caller's turns {what}",
            """A caller is a party of the kind caller, or a remote model with a persona. Its words are those that it
                told; what it heard is what it understood, else what the other told or a recogniser hears.""",
            "What was reached is never looked at. A session with any such turn is invalid (validity.invalid_rate).",
            _UNDEFINED + " Pooled: turns over turns.",
        ),
        _SOURCE,
    )
    for rule, (title, what) in _WHAT.items()
)


class CallerScorerSpec(ScorerSpec, frozen=True, kw_only=True, tag="caller"):
    """Judge the caller: `simulate score SESSION --as caller`."""

    cards: ClassVar[tuple[Definition, ...]] = CARDS
    needs_words: ClassVar[bool] = True

    def build(self) -> "CallerScorer":
        """Make the scorer."""
        return CallerScorer()


class CallerScorer:
    """Looks for turns that break a rule."""

    def __init__(self) -> None:
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        callers = callers_of(session)
        turns = sum(len(lines) for lines, _ in callers)
        if not callers:
            return [undefined(definition, "no party is a caller") for definition in CARDS]
        found = {
            rule: _once([item for lines, knows in callers for item in faults_by(rule, lines, knows)]) for rule in RULES
        }
        return [
            share(definition, len(found[rule]), turns, found[rule], reason="the caller said nothing")
            for definition, rule in zip(CARDS, RULES, strict=True)
        ]


def callers_of(session: Session) -> list[tuple[list[CallerLine], CallerKnows]]:
    """Give every caller's turns and what it was told."""
    told = [(party, caller_of(session, party)) for party in PARTIES]
    return [(lines_of(session, party), knows) for party, knows in told if knows is not None]


def caller_faults(session: Session) -> list[Evidence]:
    """Give what makes a session invalid by its callers."""
    return [item for lines, knows in callers_of(session) for rule in RULES for item in faults_by(rule, lines, knows)]


def _once(found: list[Evidence]) -> list[Evidence]:
    """A turn counts once, however many facts it tells."""
    return list({(item.party, item.start): item for item in reversed(found)}.values())[::-1]
