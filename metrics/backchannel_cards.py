"""Definition cards of the backchannels."""

from metrics.card import card, per_minute, rate
from simulator.score import Better, Definition

_SOURCE = "tau-voice S_BC; Full-Duplex-Bench; dGSLM (arXiv 2203.16502); VAP (Ekstedt and Skantze 2022)"

_CASE = """A case: a backchannel of the user that begins while the agent holds the floor. Its role is told by
    events; where nobody told, an ipu under 1 s with 1 s of own silence on both sides, at least half of it inside
    the agent's speech."""
_OUTCOMES = """Kept the floor: the agent speaks on for 1 s after the onset (0.5 s after the end of a longer one).
    Else it stopped. Resumed: it speaks again within 2 s and did not take the backchannel for a turn (its
    `turn_heard` events tell). Derailed: the rest. Not counted: an utterance that is known to have ended by itself
    in that time, and one with less session after it. kept_floor + resumed + derailed = 1."""
_OTHERS = """Others: tau-voice counts an agent's natural end as an error; Full-Duplex-Bench v1.5 lets a language
    model judge the words; LiveKit calls a resumed one a false interruption."""


def _share(name: str, title: str, better: Better, meaning: str) -> Definition:
    undefined = "Undefined when there was no case, or none was decided. Pooled: cases over cases."
    text = card(meaning, _CASE, _OUTCOMES, undefined, _OTHERS)
    return rate(f"backchannel.{name}_rate", title, better, text, _SOURCE)


KEPT = _share(
    "kept_floor",
    "Backchannels let pass",
    "higher",
    "The share of the user's backchannels through which the agent kept the floor.",
)
RESUMED = _share(
    "resumed",
    "Stopped at a backchannel and went on",
    "lower",
    "The share of the user's backchannels at which the agent stopped and then went on.",
)
DERAILED = _share(
    "derailed",
    "Derailed by a backchannel",
    "lower",
    "The share of the user's backchannels at which the agent stopped for good, or which it answered.",
)

_OWN = """The agent's own backchannels: role told by events; else ipus under 1 s with 1 s of own silence on both
    sides, at least half of each inside the user's turns, their pauses under 1 s included."""

AGENT_PER_MIN = per_minute(
    "backchannel.agent_per_min",
    "Backchannels of the agent",
    "neither",
    card(
        "How often the agent acknowledges: its backchannels per minute of user turns.",
        _OWN,
        "Undefined when the user took no turn. Pooled: all of them over all minutes.",
        """Others: Full-Duplex-Bench counts segments under 3 s with at most 2 words, per second of file; dGSLM
            units under 1 s with half of their length in the other's, per minute of session.""",
    ),
    _SOURCE,
)
AGENT_AT_PHRASE_END = rate(
    "backchannel.agent_at_phrase_end_rate",
    "Agent's backchannels at phrase ends",
    "higher",
    card(
        """Where the agent acknowledges: the share of its backchannels that begin in a silence of the user (200 ms
            or more) or less than 0.5 s before one, which is where people place them.""",
        _OWN,
        "Undefined when the agent gave none. Pooled: cases over cases.",
        """Others: Full-Duplex-Bench compares the distribution over time with human timings of the same
            recordings (jsd).""",
    ),
    _SOURCE,
)

CARDS = (KEPT, RESUMED, DERAILED, AGENT_PER_MIN, AGENT_AT_PHRASE_END)
