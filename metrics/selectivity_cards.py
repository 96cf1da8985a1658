"""Definition cards of the selectivity."""

from simulator.score import Definition

_SOURCE = "tau-voice selectivity; Full-Duplex-Bench v1.5 (talking to other, background speech)"

_OUTCOMES = """\
If the agent holds the floor when it begins: ignored when it speaks on for 1 s; stopped when it falls silent
sooner (cut, where its plan is known); undecided when its utterance ended by itself or the user spoke as well.
If it is silent: answered when it begins to speak before 2 s after the end; else ignored. The watch ends where
the user takes a turn. Undecided, and not counted, when a user turn that ended less than 2.75 s before still
waits for its answer, or a user turn leaves nothing to watch."""
_OTHERS = """\
Others: tau-voice punishes an agent that answers a real turn with a cough in it, and never credits one that
talks on through a sound in the background; Full-Duplex-Bench v1.5 lets a language model judge the words."""


def _rate(name: str, title: str, what: str, none: str) -> Definition:
    return Definition(
        id=f"selectivity.{name}_ignored_rate",
        unit="ratio",
        statistic="ratio",
        better="higher",
        title=title,
        source=_SOURCE,
        card="\n".join(
            [
                f"The share of {what} that the agent let pass.",
                _OUTCOMES,
                f"Undefined when {none} or none was decided. Pooled: cases over cases.",
                _OTHERS,
            ]
        ),
    )


ASIDE = _rate(
    "aside",
    "Asides ignored",
    "asides (the user's words to somebody else, role told by events)",
    "there was no aside",
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
