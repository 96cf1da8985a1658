"""Secrets: `${NAME}` in a scenario becomes the environment's value only at use, and never comes back out.

A scenario, a session folder and a trace hold `${NAME}` as it was written. An actor that needs the value asks
its own `Secrets`, which remembers what it gave out: `scrub` puts `${NAME}` back wherever a value turns up in
a text (an error of a library, a server's message, a URL in a log) and masks what only looks like a secret.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from simulator.errors import ScenarioError
from simulator.reading.secret_forms import forms_of

MASK = "***"

OPENAI_HOST = "api.openai.com"

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_QUOTED_PARAMETER = re.compile(r"([?&])([\w.-]+)=([^\s&#;,'\"<>]+)")
_USERINFO = re.compile(r"(?<=://)[^/?#]*(?=@)")
_PARAMETER = re.compile(r"([?&#;])([^=&#;]+)=([^&#;]*)")
_SECRET_NAME = re.compile(r"token|secret|passw|auth|signature|credential|api.?key|(^|[_-])(key|sig|pwd)($|[_-])", re.I)
_IN_MAPPING = re.compile(r"([{,]\s*['\"]?[\w.-]+['\"]?\s*:\s*)(?!\$\{|[\d.]+\s*[,}])([^,}]+)")
_IN_LINE = re.compile(r"([\w.-]+['\"]?\s*:\s+)(?!['\"]?\$\{)([^\s,}#][^,}]*)")
_NUMBER = re.compile(r"[\d.]+")
_BEARER = re.compile(r"\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_HEADER = re.compile(r"(\b(?:x-goog-|x-|xi-)?api-key['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+", re.I)

# A value this long cannot turn up by chance inside a word or a base64 stretch; a shorter one is replaced only
# where it stands alone, so that a port number does not punch holes into a trace.
_UNMISTAKABLE = 12
_SHORTEST = 4


class Secrets:
    """The environment's values that an actor (or a run) uses, and how they stay out of what is written."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Take values from `environment` (default: the process's own)."""
        self._environment = os.environ if environment is None else environment
        self._known: dict[str, str] = {}
        self._hidden: dict[str, None] = {}
        self._forms: tuple[tuple[str, str], ...] | None = None

    def __bool__(self) -> bool:
        """Whether any secret is known."""
        return bool(self._known or self._hidden)

    @classmethod
    def of(cls, data: object, environment: Mapping[str, str] | None = None) -> "Secrets":
        """Know every secret of plain scenario data: variables named by `${NAME}` or in a key that ends in `_env`, what
        stands in a key named like one (`token`), and what opens doors inside URLs.

        Variables that are not set are passed over: whoever needs one will say so.
        """
        secrets = cls(environment)
        for name in names(data):
            if secrets._environment.get(name):
                secrets.variable(name)
        for key, text in _texts(data):
            shown = _REFERENCE.sub(lambda match: secrets._known.get(match[1], match[0]), text)
            secrets.learn(shown)
            if _SECRET_NAME.search(key) and not key.endswith("_env") and not references(text):
                secrets.hide(text)
        return secrets

    def variable(self, name: str) -> str:
        """Give the value of an environment variable; ScenarioError when it is not set or empty."""
        value = self._environment.get(name, "")
        if not value:
            raise ScenarioError(f"the environment variable {name} is not set")
        self._known[name] = value
        self._forms = None
        return value

    def hide(self, value: str) -> None:
        """Know a secret that has no name: it is masked. One with `${NAME}` in it is known by that."""
        if value and value not in self._known.values() and not references(value):
            self._hidden[value] = None
            self._forms = None

    def learn(self, text: str) -> None:
        """Know what opens doors inside the URLs of a text: userinfo, and parameters named like a key."""
        for url in _URL.findall(text):
            for userinfo in filter(None, _USERINFO.findall(url)[:1]):
                user, _, password = userinfo.partition(":")
                self.hide(unquote(userinfo) if password else "")
                for part in (password or user, userinfo if password else ""):
                    self.hide(part)
                    self.hide(unquote(part))
            for _, name, value in _PARAMETER.findall(url):
                if _SECRET_NAME.search(name):
                    self.hide(value)
                    self.hide(unquote_plus(value))

    def expand(self, text: str) -> str:
        """Give the text with every `${NAME}` replaced by its value; ScenarioError when one is not set."""
        if _BASE64.fullmatch(text):  # sound, fifty times a second
            return text
        expanded = _REFERENCE.sub(lambda match: self.variable(match[1]), text)
        self.learn(expanded)
        return expanded

    def expand_all(self, value: Any) -> Any:
        """Expand every string inside plain data (dicts, lists); keys are kept."""
        return _map_strings(value, self.expand)

    def scrub(self, text: str) -> str:
        """Give the text with known values back as `${NAME}`; URLs, bearer tokens, key headers masked."""
        for form, reference in self._all_forms():
            text = _replace(text, form, reference)
        return mask_text(text)

    def scrub_bytes(self, data: bytes) -> bytes:
        """Give a message with known values back as `${NAME}`; those that sound might hold by chance are left."""
        for form, reference in self._all_forms():
            if len(form) >= _UNMISTAKABLE:
                data = data.replace(form.encode(), reference.encode())
        return data

    def _all_forms(self) -> tuple[tuple[str, str], ...]:
        """Give every form of every secret, the longest first, with what stands for it."""
        if self._forms is None:
            shown = [(value, "${" + name + "}") for name, value in self._known.items()]
            shown += [(value, MASK) for value in self._hidden]
            found = {form: reference for value, reference in reversed(shown) for form in forms_of(value)}
            self._forms = tuple(sorted(found.items(), key=lambda item: -len(item[0])))
        return self._forms

    def scrub_all(self, value: Any) -> Any:
        """Scrub every string inside plain data (dicts, lists); keys are kept."""
        return _map_strings(value, self.scrub)


def mask_command(words: Sequence[str]) -> list[str]:
    """Mask a command line: what follows `--token` and its like, `path.token=value`, `{token: value}`, and all texts."""
    masked: list[str] = []
    hide = False
    for word in words:
        name, equals, value = word.partition("=")
        secret = bool(_SECRET_NAME.search(name.rpartition(".")[2])) and not name.endswith("_env")
        shown = mask_text(_IN_MAPPING.sub(lambda match: match[1] + MASK if _hides(match[1]) else match[0], word))
        hidden = equals and secret and not _NUMBER.fullmatch(value)
        masked.append(MASK if hide else f"{name}={MASK}" if hidden else shown)
        hide = secret and not equals and word.startswith("--")
    return masked


def mask_line(line: str) -> str:
    """Mask a line of YAML that is shown: the values of keys named like a secret, numbers apart, and all texts."""

    def masked(match: re.Match[str]) -> str:
        return match[1] + MASK if _hides(match[1]) and not _NUMBER.fullmatch(match[2].strip()) else match[0]

    return mask_text(_IN_LINE.sub(masked, line))


def _hides(key: str) -> bool:
    name = key.strip("{, \"':")
    return bool(_SECRET_NAME.search(name)) and not name.endswith("_env")


def key_variable(base_url: str | None) -> str | None:
    """Give the variable whose key a base URL may be sent unasked: OpenAI's for OpenAI's address, none elsewhere."""
    host = urlsplit(base_url).hostname if base_url else OPENAI_HOST
    return "OPENAI_API_KEY" if host == OPENAI_HOST else None


def _replace(text: str, value: str, name: str) -> str:
    if len(value) < _SHORTEST or value not in text:
        return text
    if len(value) >= _UNMISTAKABLE:
        return text.replace(value, name)
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", lambda _: name, text)


def names(data: object) -> list[str]:
    """Give the environment variables that plain data names: `${NAME}` in texts, values of keys `..._env`."""
    found: dict[str, None] = {}
    for key, text in _texts(data):
        found |= dict.fromkeys([*references(text), *([text] if key.endswith("_env") else [])])
    return list(found)


def references(text: str) -> list[str]:
    """Give the environment variables that a text refers to as `${NAME}`."""
    return [match[1] for match in _REFERENCE.finditer(text)]


def _texts(data: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Give every text of plain data with the key it stands under."""
    if isinstance(data, str):
        yield key, data
    elif isinstance(data, Mapping):
        for name, item in data.items():
            yield from _texts(item, str(name))
    elif isinstance(data, list | tuple):
        for item in data:
            yield from _texts(item, key)


def mask_url(url: str) -> str:
    """Give a URL fit to be shown: userinfo and parameters named like a key become ***, `${NAME}` stays."""

    return _PARAMETER.sub(_masked_parameter, _USERINFO.sub(lambda match: _shown(match[0]), url, count=1))


def mask_text(text: str) -> str:
    """Give a text fit to be shown: every URL in it masked, bearer tokens and API key headers too."""
    if _BASE64.fullmatch(text):  # sound, fifty times a second: no `:`, `?`, `-` or space, of which all below need one
        return text
    if "://" in text:
        text = _URL.sub(lambda match: mask_url(match[0]), text)
    text = _QUOTED_PARAMETER.sub(_masked_parameter, text)  # of a URL without its host: `GET /v1/models?key=...`
    text = _BEARER.sub(lambda match: f"{match[1]}{match[2]}{MASK}", text)
    return _HEADER.sub(lambda match: f"{match[1]}{MASK}", text)


def mask(data: Any) -> Any:
    """Mask every string inside plain data (dicts, lists): for specs and scenarios that are written down."""
    return _map_strings(data, _masked)


_masked = lru_cache(maxsize=8192)(mask_text)  # of a run's sessions nearly all texts are those of the one before


def _masked_parameter(match: re.Match[str]) -> str:
    value = _shown(match[3]) if _SECRET_NAME.search(match[2]) else match[3]
    return f"{match[1]}{match[2]}={value}"


def _shown(value: str) -> str:
    """A value made of `${NAME}` and separators gives nothing away; anything else is masked."""
    return value if not value or not _REFERENCE.sub("", value).strip(":") else MASK


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _map_strings(item, change) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_map_strings(item, change) for item in value]
    return value
