"""Definition cards of the response latency."""

from metrics.card import card, rate, seconds
from simulator.score import Definition

_SOURCE = "floor transfer offset (Stivers et al. 2009); early: FD-Bench (arXiv 2507.19040); late: EVA 0.2"

_FROM_TO = """From the last audible sample of a user turn to the first audible sample of the agent's answer, both
    at the mouth (conversation.wav): a delay of the lines is not in it. Measurement origin: said audio."""
_TURN = """A user turn: utterances that events told (role turn or interruption), else ipus; those less than 1 s
    apart are one turn unless the agent took the floor in between. Backchannels and asides are no turns."""
_ANSWER = """The answer: the first thing the agent newly begins no earlier than `early` (0.5 s) before the user's
    end, before the next user turn, and not within 0.2 s of the user's own start (a collision). So a short
    overlap is a negative latency, an earlier start is early and never a fast answer, and what the agent was
    saying already is no answer; where its utterances were not told, 0.5 s of its silence make a new beginning."""
_CENSORED = """A last turn with no answer and less than `late` (2.75 s) of session after it is censored: it
    counts neither way."""
_OTHERS = """Others: Full-Duplex-Bench clips negative values to 0; tau-voice drops turns answered in overlap and
    counts in 200 ms; EVA makes a curve of it; vendors start at their detector's end of turn, plus its wait."""


def _latency(name: str, title: str) -> Definition:
    undefined = """Undefined when the user took no turn or none was answered: read unanswered_rate beside it.
        Pooled over the single latencies of all sessions."""
    text = card(_FROM_TO, _TURN, _ANSWER, undefined, _OTHERS)
    return seconds(f"latency.response_{name}_s", f"Response latency, {title}", "lower", text, _SOURCE)


def _rate(name: str, title: str, meaning: str, undefined: str) -> Definition:
    text = card(meaning, _TURN, _ANSWER, _CENSORED, f"Undefined when {undefined}. Pooled: cases over cases.", _OTHERS)
    return rate(f"latency.{name}_rate", title, "lower", text, _SOURCE)


_NO_TURN = "the user took no turn, or only a censored one"

MEAN = _latency("mean", "mean")
P50 = _latency("p50", "median")
P95 = _latency("p95", "95th percentile")
EARLY = _rate(
    "early",
    "Early starts",
    """The share of user turns in which the agent began to speak more than 0.5 s before their end, in a pause or
        over speech.""",
    _NO_TURN,
)
LATE = _rate(
    "late",
    "Late answers",
    "The share of answers that came 2.75 s (`late`) or more after the user's end.",
    "no turn was answered",
)
UNANSWERED = _rate(
    "unanswered",
    "Unanswered turns",
    """The share of user turns after which the agent began nothing before the next user turn or the end of the
        session, and over whose end it was not speaking since an early start.""",
    _NO_TURN,
)

CARDS = (MEAN, P50, P95, EARLY, LATE, UNANSWERED)
