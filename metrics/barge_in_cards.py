"""Definition cards of the barge-ins."""

from typing import Literal

from simulator.score import Definition, Statistic

_SOURCE = "tau-voice R_Y and L_Y; Full-Duplex-Bench v1.5 stop latency; hotato methodology (resume)"

_CASE = """\
A barge-in: a user turn, or an injected interruption, that begins while the agent holds the floor (inside one
of its told utterances, pauses included, or inside one of its ipus where nobody told), at least 200 ms after
the agent began; an injected interruption counts whenever the agent holds the floor. Backchannels and asides
are no barge-ins."""
_OUTCOMES = """\
Yielded: the agent falls silent for at least 200 ms within 2 s of the onset, and its utterance was cut (where
its plan is known). Talked through: it speaks on for 2 s, or its utterance ends uncut 1 s or more after the
onset. Undecided, and not counted: an utterance that ends uncut sooner (an untold one: within 200 ms), or that
the session's end cuts off."""
_OTHERS = """\
Others: tau-voice asks for one silent 200 ms tick within 2 s and counts a natural end as a yield;
Full-Duplex-Bench v1.0 asks only whether the agent speaks afterwards, v1.5 lists every overlap of the file as
a stop; FD-Bench joins silences up to 1.5 s first."""


def _card(meaning: str, undefined: str) -> str:
    return "\n".join([meaning, _CASE, _OUTCOMES, f"Undefined when {undefined}.", _OTHERS])


def _rate(name: str, title: str, better: Literal["higher", "lower", "neither"], card: str) -> Definition:
    return Definition(
        id=f"barge_in.{name}",
        unit="ratio",
        statistic="ratio",
        title=title,
        better=better,
        card=card,
        source=_SOURCE,
    )


def _latency(name: str, statistic: Statistic, title: str) -> Definition:
    return Definition(
        id=f"barge_in.yield_latency_{name}_s",
        unit="s",
        statistic=statistic,
        title=title,
        better="lower",
        source=_SOURCE,
        card=_card(
            "From the first audible sample of the barge-in to the last of the agent's yielded speech. An "
            "agent "
            "silent in a pause of its own when it was interrupted and cut counts as 0.",
            "the agent yielded to no barge-in",
        ),
    )


YIELD = _rate(
    "yield_rate",
    "Barge-ins yielded to",
    "higher",
    _card(
        "The share of decided barge-ins to which the agent yielded. yield_rate + talked_through_rate = 1.",
        "there was no barge-in, or none was decided",
    ),
)
LATENCY_P50 = _latency("p50", "p50", "Yield latency, median")
LATENCY_P95 = _latency("p95", "p95", "Yield latency, 95th percentile")
TALKED_THROUGH = _rate(
    "talked_through_rate",
    "Barge-ins talked through",
    "lower",
    _card(
        "The share of decided barge-ins through which the agent talked.",
        "there was no barge-in, or none was decided",
    ),
)
FALSE_START = _rate(
    "false_start_rate",
    "False starts after yielding",
    "lower",
    _card(
        "The share of yields after which the agent spoke again before the user's turn was over: it stopped, "
        "and started over "
        "the user.",
        "the agent yielded to no barge-in",
    ),
)
RESUME = _rate(
    "resume_rate",
    "Came back after yielding",
    "higher",
    _card(
        "The share of yields after which the agent spoke again within 4 s of the end of the user's turn (a "
        "false start counts): "
        "it did not fall dead. Timing does not tell an answer from going on with the old turn. Yields with "
        "less session than "
        "that after them and no speech are not counted.",
        "the agent yielded to no barge-in, or every session ended too soon",
    ),
)

CARDS = (YIELD, LATENCY_P50, LATENCY_P95, TALKED_THROUGH, FALSE_START, RESUME)
