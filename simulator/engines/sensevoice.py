"""Recognition by a SenseVoice server (FunAudioLLM/SenseVoice): Chinese, English, Cantonese, Japanese, Korean.

    recognizer: {kind: sensevoice, base_url: "http://127.0.0.1:50000", language: zh}

Its answers carry tags (`<|en|><|NEUTRAL|><|Speech|><|woitn|>`), and what the server makes of them without tags loses
the words between two of them: so the tags are cut out of the raw text here.
"""

import re
from typing import Literal

import msgspec

from simulator.engines import Recognition
from simulator.engines.far_ears import FarRecognizer
from simulator.engines.far_probe import FarRecognizerSpec
from simulator.engines.multipart import form
from simulator.engines.openai_speech import check_far
from simulator.engines.openai_transcriptions import read_json_answer
from simulator.errors import RemoteError
from simulator.remote.http_exchange import HttpRequest
from simulator.remote.server import RemoteServer
from simulator.spec import Duration
from simulator.traits import PartyTraits

_TAG = re.compile(r"<\|([^|<>]*)\|>")
_LANGUAGES = ("zh", "en", "yue", "ja", "ko")


class SenseVoiceSpec(FarRecognizerSpec, frozen=True, kw_only=True, tag="sensevoice", omit_defaults=True):
    """A SenseVoice server: `{kind: sensevoice, base_url: "http://127.0.0.1:50000"}`.

    language: zh, en, yue, ja or ko; auto lets the server tell. key: `${NAME}`, sent as a Bearer header. base_url: the
    server's address. timeout: for a piece.
    """

    base_url: str
    language: Literal["auto", "zh", "en", "yue", "ja", "ko"] = "auto"
    key: str | None = None
    timeout: Duration = Duration(60.0)

    @property
    def label(self) -> str:
        """What it is called."""
        return f"sensevoice {self.language}"

    @classmethod
    def languages(cls, detail: str) -> tuple[str, ...]:
        """The one that was set, else all five."""
        return (detail,) if detail in _LANGUAGES else _LANGUAGES

    def traits(self) -> PartyTraits:
        """It is a far end, whose price goes by the kind's name."""
        return PartyTraits(deterministic=False, billed_as=("sensevoice",))

    def check(self) -> None:
        """Refuse a base URL that is none, and a key that is written out."""
        check_far(self.base_url, self.key)

    def build(self) -> FarRecognizer:
        """Make the recogniser."""
        return FarRecognizer(self, _SenseVoice(self))


class _Result(msgspec.Struct, frozen=True):
    """What it heard in one file."""

    raw_text: str


class _Answer(msgspec.Struct, frozen=True):
    """What it heard in all of them."""

    result: list[_Result]


class _SenseVoice:
    """Requests of `/api/v1/asr`."""

    def __init__(self, spec: SenseVoiceSpec) -> None:
        self._spec = spec
        self.server = RemoteServer("sensevoice", spec.base_url, spec.key)

    def request(self, wav: bytes) -> HttpRequest:
        """Ask what is said."""
        content_type, body = form({"keys": "speech", "lang": self._spec.language}, "files", wav)
        return HttpRequest(
            url=self.server.url("/api/v1/asr"),
            body=body,
            content_type=content_type,
            headers=self.server.headers(),
            timeout_s=self._spec.timeout,
        )

    def read(self, body: bytes) -> Recognition:
        """Read an answer: the first tag that is a language's tells it."""
        answer: _Answer = read_json_answer(body, _Answer)
        if not answer.result:
            raise RemoteError("sent a result without a text")
        raw = answer.result[0].raw_text
        told = next((tag for tag in _TAG.findall(raw) if tag in _LANGUAGES), "")
        return Recognition(text=" ".join(_TAG.sub(" ", raw).split()), language=told)
