"""Recognition behind `/v1/audio/transcriptions`: OpenAI's own, and whoever is compatible (speaches, vLLM, LocalAI).

recognizer: {kind: openai, model: gpt-4o-transcribe}
recognizer: {kind: openai, base_url: "http://127.0.0.1:8000/v1", model: whisper-large-v3, word_times: true}
"""

from typing import Any

import msgspec

from simulator.engines import Recognition, Word
from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.far_ears import FarRecognizer
from simulator.engines.far_probe import FarRecognizerSpec
from simulator.engines.multipart import form
from simulator.engines.openai_speech import OPENAI_URL, check_far, far_server
from simulator.errors import RemoteError
from simulator.remote.http_exchange import HttpRequest
from simulator.spec import Duration
from simulator.texts import quoted
from simulator.traits import PartyTraits


class OpenAITranscriptionsSpec(FarRecognizerSpec, frozen=True, kw_only=True, tag="openai", omit_defaults=True):
    """A recogniser of an OpenAI-compatible server: `{kind: openai, base_url: ..., model: whisper-1}`.

    language: its code; without one the server tells. word_times: ask for them (`verbose_json`, which not every model
    knows). key: `${NAME}`; without it OpenAI gets OPENAI_API_KEY, and nobody else gets a key. The model's name is what
    its price goes by. model: its name. base_url: the server's address, up to /v1. prompt: words to expect. timeout: for
    a piece.
    """

    model: str
    base_url: str = OPENAI_URL
    language: str = ""
    prompt: str = ""
    word_times: bool = False
    key: str | None = None
    timeout: Duration = Duration(60.0)

    @property
    def label(self) -> str:
        """What it is called."""
        return " ".join(filter(None, ("openai", self.model, self.language)))

    def traits(self) -> PartyTraits:
        """Its price goes by the model's name; the same sound need not get the same words."""
        return PartyTraits(deterministic=False, billed_as=(self.model,))

    def check(self) -> None:
        """Refuse a base URL that is none, and a key that is written out."""
        check_far(self.base_url, self.key)

    def build(self) -> FarRecognizer:
        """Make the recogniser."""
        return FarRecognizer(self, _Transcriptions(self))


class _Timed(msgspec.Struct, frozen=True):
    """A word of a verbose answer; seconds."""

    word: str
    start: float
    end: float


class _Answer(msgspec.Struct, frozen=True):
    """An answer, plain or verbose."""

    text: str
    words: list[_Timed] | None = None
    language: str | None = None


class _Transcriptions:
    """Requests of `/audio/transcriptions`."""

    def __init__(self, spec: OpenAITranscriptionsSpec) -> None:
        self._spec = spec
        self.server = far_server(spec.base_url, spec.key)

    def request(self, wav: bytes) -> HttpRequest:
        """Ask what is said."""
        spec = self._spec
        fields = {"model": spec.model, "response_format": "verbose_json" if spec.word_times else "json"}
        if spec.word_times:
            fields["timestamp_granularities[]"] = "word"
        fields |= {name: text for name, text in (("language", spec.language), ("prompt", spec.prompt)) if text}
        content_type, body = form(fields, "file", wav)
        return HttpRequest(
            url=self.server.url("/audio/transcriptions"),
            body=body,
            content_type=content_type,
            headers=self.server.headers(),
            timeout_s=spec.timeout,
        )

    def read(self, body: bytes) -> Recognition:
        """Read an answer; languages told by name ("english") are passed over but for English."""
        answer = read_json_answer(body, _Answer)
        words = tuple(
            Word(text=word.word.strip(), start=round(word.start * DETECTOR_HZ), end=round(word.end * DETECTOR_HZ))
            for word in answer.words or ()
        )
        told = (answer.language or self._spec.language).lower()
        language = "en" if told == "english" else told if len(told) in (2, 3) else ""
        return Recognition(text=answer.text.strip(), words=words, language=language)


def read_json_answer(body: bytes, kind: type[Any]) -> Any:
    """Read an answer of JSON as a type. RemoteError: it is another, or none."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        found = quoted(body[:200].decode("utf-8", "replace"))
        raise RemoteError(f"sent no transcription ({error}): {found}") from error
