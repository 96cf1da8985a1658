"""Definition cards of the takeovers in a pause."""

from simulator.score import Definition

_SOURCE = "Full-Duplex-Bench v1.0 pause handling (takeover rate); FLEXI"

_PAUSE = """\
A pause: silence of 0.4 s or more inside one utterance that events tell (its planned pauses and its own), so
that nobody has to guess that the turn goes on. Inside a played recording, which reacts to nobody, silences of
0.4 to 1.5 s count."""
_TAKEN = """\
Taken: the agent claims the floor inside the pause, or less than 200 ms after it (before anybody could hear
that the user goes on): one of its utterances begins there, or, where nobody told them, an ipu that is no
backchannel (isolated, under 1 s, half of it over the user's speech). Pauses into which the agent was speaking
already when they began are left out: there was nothing to take."""
_OTHERS = """\
Others: Full-Duplex-Bench calls any speech of 1 s or more than 3 words anywhere in the file a takeover, an
answer after the user's real end included; FLEXI and MTR-DuplexBench extend the pause window by up to the
model's latency."""

IN_PAUSE = Definition(
    id="takeover.in_pause_rate",
    unit="ratio",
    statistic="ratio",
    better="lower",
    title="Floor taken in a pause",
    source=_SOURCE,
    card="\n".join(
        [
            "The share of the user's pauses in which the agent took the floor.",
            _PAUSE,
            _TAKEN,
            "Undefined when the user made no such pause, or the agent spoke into all of them already.",
            "Pooled: pauses over pauses.",
            _OTHERS,
        ]
    ),
)
PER_TURN = Definition(
    id="takeover.turn_rate",
    unit="ratio",
    statistic="ratio",
    better="lower",
    title="Turns lost in a pause",
    source=_SOURCE,
    card="\n".join(
        [
            "The share of the user's turns with such pauses in which the agent took the floor in at least "
            "one.",
            _PAUSE,
            _TAKEN,
            "Undefined like in_pause_rate.",
            "Pooled: turns over turns.",
            _OTHERS,
        ]
    ),
)

CARDS = (IN_PAUSE, PER_TURN)
