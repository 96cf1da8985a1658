"""Ipus: one party's speech between its own silences, and the lengths that every notion of the floor is made of.

Constants of other projects' definitions stay with those projects (`metrics/compat/`): they may have the same size
today, and mean something else.
"""

from simulator.timeline import Stretch, Timeline

IPU_S = 0.2
"""Silence from which speech falls into two ipus: shorter ones are stops inside words (dGSLM, and the field since)."""

TURN_PAUSE_S = 1.0
"""Silence up to which a party's speech goes on as one turn, unless the other begins to speak in it.

Also the own silence on both sides that speech which nobody told needs to be a backchannel (VAP's events).
"""

WAITED_OUT_S = 3.0
"""Silence up to which speech that nobody told goes on as one turn when nobody at all spoke in it.

An agent that waits out a long pause of the user has left no turn unanswered. More than three seconds nobody waits for.
"""

BACKCHANNEL_S = 1.0
"""Length under which speech that nobody told can be a backchannel (dGSLM's interaction metrics, VAP)."""

BREATH_S = 0.5
"""Silence under which a party whose utterances nobody told keeps the floor: after more it begins anew."""

REACTION_S = 0.2
"""Nobody reacts faster to what is heard: what happens sooner was under way already (minimal human reaction times)."""

COINCIDENT_S = 0.12
"""Nobody falls silent faster than this because of what is heard: simple reactions to sound take 120 ms and more."""

AT_END_S = 0.03
"""What ends this close to the session's end was cut off by it: a tick of 20 ms and an audible frame of 10 ms."""


def ipus_of(speech: Timeline, sample_rate: int) -> Timeline:
    """Give the ipus of a party's speech: silences of less than 200 ms are inside one, of 200 ms they part two."""
    return speech.bridge(round(IPU_S * sample_rate))


def pauses_in(ipus: Timeline, start: int, end: int) -> list[Stretch]:
    """Give the silences between a party's ipus inside [start, end): those with its speech on both sides."""
    silences = ipus.complement(start, end)
    return [pause for pause in silences if start < pause.start and pause.end < end]


def mostly_inside(stretch: Stretch, timeline: Timeline) -> bool:
    """Whether at least half of a stretch lies inside a timeline."""
    return bool(timeline) and 2 * timeline.covered(stretch.start, stretch.end) >= stretch.length
