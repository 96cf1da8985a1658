"""Definition cards of the backchannels."""

from typing import Literal

from simulator.score import Definition

_SOURCE = "tau-voice S_BC; Full-Duplex-Bench; dGSLM interaction metrics (arXiv 2203.16502); VAP (Ekstedt and Skantze 2022)"

_CASE = """\
A case: a backchannel of the user (role told by events; where nobody told, an isolated ipu under 1 s, half of
it inside the agent's speech) that begins while the agent holds the floor."""
_OUTCOMES = """\
Kept the floor: the agent speaks on for 1 s after the onset (0.5 s after the end of a longer one). Else it
stopped. Resumed: it speaks again within 2 s and did not take the backchannel for a turn (as its `turn_heard`
events tell). Derailed: the rest. An utterance that is known to have ended by itself in that time is not
counted, nor one with less session after it. kept + resumed + derailed = 1."""
_OTHERS = """\
Others: tau-voice counts an agent's natural end as an error; Full-Duplex-Bench v1.5 lets a language model
judge the words; LiveKit calls a resumed one a false interruption."""


def _share(name: str, title: str, meaning: str, better: Literal["higher", "lower"]) -> Definition:
    return Definition(
        id=f"backchannel.{name}_rate",
        unit="ratio",
        statistic="ratio",
        title=title,
        better=better,
        source=_SOURCE,
        card="\n".join([meaning, _CASE, _OUTCOMES, "Undefined when there was no case.", _OTHERS]),
    )


KEPT = _share(
    "kept_floor",
    "Backchannels let pass",
    "The share of the user's backchannels through which the agent kept the floor.",
    "higher",
)
RESUMED = _share(
    "resumed",
    "Stopped at a backchannel and went on",
    "The share of the user's backchannels at which the agent stopped and then went on.",
    "lower",
)
DERAILED = _share(
    "derailed",
    "Derailed by a backchannel",
    "The share of the user's backchannels at which the agent stopped for good or answered them.",
    "lower",
)

_OWN = """\
The agent's own backchannels: role told by events; else ipus under 1 s with 1 s of own silence on both sides,
at least half of each inside the user's turns (pauses under 1 s included)."""

AGENT_PER_MIN = Definition(
    id="backchannel.agent_per_min",
    unit="per min",
    statistic="ratio",
    title="Backchannels of the agent",
    source=_SOURCE,
    card="\n".join(
        [
            "How often the agent acknowledges: its backchannels per minute of user turns.",
            _OWN,
            "Undefined when the user took no turn. Pooled: all of them over all minutes.",
            "Others: Full-Duplex-Bench counts segments under 3 s with at most 2 words per second of file; "
            "dGSLM counts units "
            "under 1 s with half of their length in the other's, per minute of session.",
        ]
    ),
)
AGENT_AT_PAUSE = Definition(
    id="backchannel.agent_at_phrase_end_rate",
    unit="ratio",
    statistic="ratio",
    better="higher",
    title="Agent's backchannels at phrase ends",
    source=_SOURCE,
    card="\n".join(
        [
            "Where the agent acknowledges: the share of its backchannels that begin in a silence of the "
            "user or less than 0.5 s "
            "before one (200 ms or more), which is where people place them.",
            _OWN,
            "Undefined when the agent gave none. Pooled: cases over cases.",
            "Others: Full-Duplex-Bench compares the whole distribution in time with human timings of the "
            "same recordings (jsd).",
        ]
    ),
)

CARDS = (KEPT, RESUMED, DERAILED, AGENT_PER_MIN, AGENT_AT_PAUSE)
