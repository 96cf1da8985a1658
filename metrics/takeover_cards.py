"""Definition cards of the takeovers in a pause."""

from metrics.card import card, rate

_SOURCE = "Full-Duplex-Bench v1.0 pause handling (takeover rate); FLEXI (arXiv 2509.22243)"

_PAUSE = """A pause: silence of 0.4 s or more inside one utterance that events told (its planned pauses and its
    own), so that nobody has to guess that the turn goes on. Inside a played recording, which reacts to nobody,
    silences of 0.4 to 1.5 s count."""
_TAKEN = """Taken: the agent claims the floor in the pause or less than 200 ms after it, before anybody could hear
    that the user goes on: one of its utterances begins there, or where nobody told them, an ipu that is no
    backchannel (under 1 s, alone, half of it over the user's turn). Pauses into which the agent was speaking
    already are left out: there was nothing to take."""
_UNDEFINED = """Undefined when the user made no such pause, or the agent spoke into all of them already; for a
    foreign recording always, because nobody knows which silences were pauses."""
_OTHERS = """Others: Full-Duplex-Bench calls any speech of 1 s or more than 3 words anywhere in the file a takeover,
    an answer after the user's real end included; FLEXI and MTR-DuplexBench extend the pause by up to the model's
    latency."""

IN_PAUSE = rate(
    "takeover.in_pause_rate",
    "Floor taken in a pause",
    "lower",
    card(
        "The share of the user's pauses in which the agent took the floor.",
        _PAUSE,
        _TAKEN,
        _UNDEFINED,
        "Pooled: pauses over pauses.",
        _OTHERS,
    ),
    _SOURCE,
)
PER_TURN = rate(
    "takeover.turn_rate",
    "Turns lost in a pause",
    "lower",
    card(
        """The share of the user's turns with such pauses in which the agent took the floor in at least one of
            them.""",
        _PAUSE,
        _TAKEN,
        _UNDEFINED,
        "Pooled: turns over turns.",
        _OTHERS,
    ),
    _SOURCE,
)

CARDS = (IN_PAUSE, PER_TURN)
