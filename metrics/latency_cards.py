"""Definition cards of the response latency."""

from simulator.score import Definition, Statistic

_SOURCE = "floor transfer offset: Stivers et al. 2009; early and late: FD-Bench (arXiv 2507.19040), EVA 0.2"

_FROM_TO = """\
From the last audible sample of a user turn to the first audible sample of the agent's answer, on the said
tracks: what the user waits for, measured at the mouths (a delay of the line is not in it). Measurement
origin: said audio."""
_TURN = """\
A user turn: utterances told by events (role turn or interruption), else ipus; those less than 1 s apart are
one turn unless the agent began to speak in between. Backchannels and asides are no turns."""
_ANSWER = """\
The answer: the first thing the agent newly begins, no earlier than `early` (0.5 s) before the user's end and
before the next user turn; not what it began less than 0.2 s after the user began (a collision). So a short
overlap is a negative latency; an earlier start is `early`, never a fast answer. What the agent was saying
already is no answer; where its utterances are not told, it must pause for 0.5 s to begin anew over the
user."""
_OTHERS = """\
Others: Full-Duplex-Bench clips negative values to 0 and measures from the end of the file; tau-voice drops
turns answered in overlap and counts in 200 ms; EVA scores a curve; vendors start at their detector's end of
turn (plus its wait)."""


def _latency(name: str, statistic: Statistic, title: str) -> Definition:
    return Definition(
        id=f"latency.response_{name}_s",
        unit="s",
        statistic=statistic,
        title=title,
        better="lower",
        source=_SOURCE,
        card="\n".join(
            [
                _FROM_TO,
                _TURN,
                _ANSWER,
                "Undefined when the user took no turn or none was answered: see unanswered_rate beside it.",
                "Pooled over the single latencies of all sessions.",
                _OTHERS,
            ]
        ),
    )


def _rate(name: str, title: str, meaning: str, undefined: str) -> Definition:
    return Definition(
        id=f"latency.{name}_rate",
        unit="ratio",
        statistic="ratio",
        title=title,
        better="lower",
        source=_SOURCE,
        card="\n".join(
            [meaning, _TURN, _ANSWER, f"Undefined when {undefined}.", "Pooled: cases over cases.", _OTHERS]
        ),
    )


_CENSORED = """\
A last turn with no answer and less than `late` (2.75 s) of session after it is censored: it counts neither
way."""

MEAN = _latency("mean", "mean", "Response latency, mean")
P50 = _latency("p50", "p50", "Response latency, median")
P95 = _latency("p95", "p95", "Response latency, 95th percentile")
EARLY = _rate(
    "early",
    "Early starts",
    "The share of user turns in which the agent began to speak more than 0.5 s before their end (in a pause "
    "or over "
    "speech).\n" + _CENSORED,
    "the user took no turn, or only a censored one",
)
LATE = _rate(
    "late",
    "Late answers",
    "The share of answers that came `late` (2.75 s) or more after the user's end.",
    "no turn was answered",
)
UNANSWERED = _rate(
    "unanswered",
    "Unanswered turns",
    "The share of user turns after which the agent began nothing before the next user turn or the end of "
    "the session, and "
    "over whose end it was not speaking since an early start.\n" + _CENSORED,
    "the user took no turn, or only a censored one",
)

CARDS = (MEAN, P50, P95, EARLY, LATE, UNANSWERED)
