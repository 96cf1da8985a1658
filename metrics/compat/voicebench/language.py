"""The language of a text as langdetect finds it, its chance taken out: the same text has the same language."""

from functools import cache, lru_cache
from typing import Any

from simulator.errors import ScenarioError

_SEED = 0


def is_language(text: str, code: str) -> bool:
    """Whether a text is in a language (ISO 639-1); a text in which none can be found counts as being in it.

    ScenarioError without the package.
    """
    return _language_of(text) in (code, None)


@lru_cache(maxsize=4096)
def _language_of(text: str) -> str | None:
    langdetect = _langdetect()
    try:
        return str(langdetect.detect(text))
    except langdetect.LangDetectException:
        return None


@cache
def _langdetect() -> Any:
    try:
        import langdetect
    except ImportError:
        raise ScenarioError('finding a language needs langdetect: pip install "duplex-simulator[data]"') from None
    langdetect.DetectorFactory.seed = _SEED
    return langdetect
