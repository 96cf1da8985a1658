"""Definition cards of the selectivity."""

from metrics.card import card, rate
from simulator.score import Definition

_SOURCE = "tau-voice's selectivity; Full-Duplex-Bench v1.5 (talking to other, background speech)"

_SPEAKING = """If the agent holds the floor when the sound begins: ignored when it speaks on for 1 s; stopped when
    it falls silent sooner (cut, where its plan is known); an utterance that ended by itself makes it an agent
    that was silent from there on. Undecided when it stopped and the user spoke as well."""
_SILENT = """If it is silent: answered when it begins to speak before 2 s after the end of the sound; else ignored.
    The watch ends where the user takes a turn. Undecided when a user turn that ended less than 2.75 s before still
    waits for its answer, or when a user turn or the end of the session leaves too little to watch. In any case
    answered when the agent tells that it took the sound for a turn (`turn_heard`) and then speaks. Undecided ones are
    not counted."""
_OTHERS = """Others: tau-voice punishes an agent that answers a real turn with a cough in it, and never credits one
    that talks on through a sound in the background; Full-Duplex-Bench v1.5 lets a language model judge the words."""


def _rate(name: str, title: str, sounds: str, none: str) -> Definition:
    text = card(
        f"The share of {sounds} that the agent let pass.",
        _SPEAKING,
        _SILENT,
        f"Undefined when {none}, or none was decided. Pooled: cases over cases.",
        _OTHERS,
    )
    return rate(f"selectivity.{name}_ignored_rate", title, "higher", text, _SOURCE)


ASIDE = _rate(
    "aside",
    "Asides ignored",
    "asides (the user's words to somebody else, role told by events)",
    "no aside was said",
)
TALKER = _rate(
    "talker",
    "Background talk ignored",
    "stretches of background talk on the line to the agent (`talker` events)",
    "nobody talked in the background",
)
NOISE = _rate(
    "noise",
    "Noise bursts ignored",
    "bursts of noise on the line to the agent (`noise_burst` events; steady noise has no moment to react to)",
    "there was no burst",
)

CARDS = (ASIDE, TALKER, NOISE)
