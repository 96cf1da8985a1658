"""Definition cards of the interruptions by the agent."""

from metrics.card import card, rate, seconds

_SOURCE = "tau-voice I_A; EVA's agent interruptions; FD-Bench EIR (0.5 s)"

_CASE = """An interruption: the agent newly claims the floor (one of its utterances begins; where nobody told them,
    an ipu that is no backchannel and no going on of what it was saying) while an ipu of the user's turn runs, at
    least 200 ms after that ipu began (sooner is a collision, or a takeover in the pause before it) and more than
    0.5 s before the turn ends. Closer to its end an overlap is a smooth turn change (latency < 0); a start in the
    user's silence is a takeover."""
_OTHERS = """Others: tau-voice divides the agent's overlapping starts by responses, so that its rate may exceed 1;
    EVA counts any start inside a user segment; FD-Bench uses the same 0.5 s after joining silences up to 1.5 s."""

RATE = rate(
    "agent_interruption.rate",
    "User turns interrupted by the agent",
    "lower",
    card(
        "The share of the user's turns that the agent interrupted at least once.",
        _CASE,
        "Undefined when the user took no turn. Pooled: turns over turns.",
        _OTHERS,
    ),
    _SOURCE,
)
OVERLAP = seconds(
    "agent_interruption.overlap_p50_s",
    "Overlap of the agent's interruptions, median",
    "lower",
    card(
        """For how long both spoke after the agent interrupted: from its first sound to the end of the overlap of
            the two ipus.""",
        _CASE,
        "Undefined when the agent interrupted nobody. Pooled over the single overlaps.",
        _OTHERS,
    ),
    _SOURCE,
)

CARDS = (RATE, OVERLAP)
