"""Accents and languages of voices, as a party's spec asks about them."""

from collections.abc import Sequence

from simulator.engines.kinds import VoiceSpec
from simulator.errors import ScenarioError
from simulator.languages.lookup import plain
from simulator.speaking.voice import check_voice


def check_accent(voices: Sequence[VoiceSpec], voice: VoiceSpec | None, where: str) -> None:
    """Refuse voices that cannot speak here, and a voice beside an accent. ScenarioError."""
    if voices and voice is not None:
        raise ScenarioError(f"{where}.accent: it names voices, and there is `voice` beside it; give one of them")
    for index, one in enumerate(voices):
        check_voice(one, f"{where}.accent[{index}]")


def spoken_by(voice: VoiceSpec | None) -> str:
    """Give the code of what a voice speaks; empty where there is none, or nobody says."""
    try:
        return plain(voice.speaks()) if voice is not None else ""
    except ScenarioError:
        return ""
