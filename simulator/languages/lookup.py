"""Which languages are known here, by their codes (ISO 639), and who hears them."""

from functools import cache

from simulator.errors import ScenarioError
from simulator.languages.eastern import EASTERN
from simulator.languages.tongue import Tongue
from simulator.languages.western import WESTERN

ENGLISH = "en"
MULTILINGUAL = {"kind": "whisper", "model": "small"}
"""Who hears every other language here, once it was fetched."""


@cache
def tongues() -> dict[str, Tongue]:
    """Give all of them, by code."""
    return {one.code: one for one in (*WESTERN, *EASTERN)}


def tongue(code: str) -> Tongue:
    """Give a language. ScenarioError: it is not known; a region (`pt-BR`) is passed over."""
    known = tongues()
    found = known.get(plain(code))
    if found is None:
        raise ScenarioError(
            f"the language {code!r} is not known here; known are {', '.join(known)}; another one's voice, recognizer "
            "and replies can be named one by one"
        )
    return found


def known(code: str) -> Tongue:
    """Give a language, English where it is not known or none is named."""
    return tongues().get(plain(code), tongues()[ENGLISH])


def plain(code: str) -> str:
    """Give a code without its region: `pt-BR` is pt; Mandarin (cmn) goes as Chinese."""
    short = code.strip().lower().replace("_", "-").partition("-")[0]
    return "zh" if short == "cmn" else short
