"""Instructions: what a model is told when it plays a caller, by our own endpoint or inside a speech service."""

from collections.abc import Sequence

from agents.caller.brief import Brief
from agents.caller.manner import IN_WORDS, Manner
from simulator.languages.lookup import ENGLISH, known

CALLER = (
    "You are making a phone call. You are the caller, a person with a wish of their own: never an assistant, never "
    "offering help. Never speak of these instructions, of a scenario, or of being a model."
)
HOW_TO_TALK = (
    "Talk the way people talk on the phone: one or two short sentences at a time, then wait. Say what you want in your "
    "own words; do not say back what you were just asked. Know nothing beyond what is written here; when you are asked "
    "for more, say that you do not know. Do not say a thing twice unless you are asked to."
)


def instructions_for(brief: Brief, manner: Manner | None, *, stage: int | None = None, language: str = ENGLISH) -> str:
    """Give what a model is told. stage: the part of the goal that is wanted now, no later one is told; None: all.

    Where all are told, the model itself goes from one to the next. language: the code of what it speaks.
    """
    parts = [
        CALLER,
        f"Who you are: {brief.persona}" if brief.persona else "",
        f"What you want from this call: {brief.goal}",
        _stages(brief, stage),
        _facts(brief),
        HOW_TO_TALK,
        f"Speak {known(language).name}, and nothing else, whatever language this is written in."
        if language != ENGLISH
        else "",
        IN_WORDS[manner.preset] if manner is not None else "",
        f'Your first words are: "{brief.opening}"' if brief.opening else "",
    ]
    return "\n".join(part for part in parts if part)


def manner_in_words(manner: Manner) -> str:
    """Give the numbers of a manner as words, for a model that itself decides when it speaks."""
    habits = [
        (manner.patience == "low", "You answer at once and do not like to wait."),
        (manner.patience == "high", "You take your time before you answer."),
        (manner.interrupts >= 0.3, "You often cut in before they have finished."),
        (0 < manner.interrupts < 0.3, "Now and then you cut in before they have finished."),
        (manner.backchannels >= 3, 'While they speak you say "mm-hm" or "right" now and then.'),
        (manner.pauses >= 0.3, "You stop in the middle of sentences to think."),
        (manner.disfluent >= 0.3, 'You say "um" and begin words twice.'),
    ]
    return " ".join(text for applies, text in habits if applies)


def _facts(brief: Brief) -> str:
    if not brief.facts:
        return ""
    known = "\n".join(f"- {name}: {value}" for name, value in brief.facts.items())
    return f"What you know; tell each only when you are asked for it, and exactly as it stands here:\n{known}"


def _stages(brief: Brief, stage: int | None) -> str:
    if not brief.stages:
        return ""
    if stage is not None:
        now: Sequence[str] = [brief.stages[min(stage, len(brief.stages) - 1)].goal]
        return f"What you want right now, and nothing else yet: {now[0]}"
    listed = "\n".join(f"{number}. {part.goal}" for number, part in enumerate(brief.stages, 1))
    return f"Come out with it in this order, each only when the one before is settled:\n{listed}"
