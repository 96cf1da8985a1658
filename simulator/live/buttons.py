"""Buttons: which keys of a live session fire which injector, as a page or a terminal shows them."""

import msgspec

from simulator.events import Party
from simulator.injector import SpeechInjectorSpec
from simulator.scenario import Scenario
from simulator.speaking.voice import Say

LONGEST_LABEL = 28


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """A key, whose mouth it speaks with, and what it says."""

    key: str
    party: Party
    label: str


def buttons_of(scenario: Scenario) -> list[Button]:
    """Give the buttons of a scenario: one per injector whose cue is a button, in the order of the file."""
    return [
        Button(key=injector.cue.button, party=injector.party, label=_label(injector))
        for injector in scenario.injectors
        if isinstance(injector, SpeechInjectorSpec) and injector.cue.button
    ]


def _label(injector: SpeechInjectorSpec) -> str:
    label = " / ".join(map(_plain, injector.texts()))
    if not label:
        label = injector.file.stem if injector.file else getattr(injector, "sound", "sound")
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"


def _plain(text: Say) -> str:
    return text if isinstance(text, str) else " ".join(part for part in text if isinstance(part, str))
