"""Voices of a CosyVoice server (FunAudioLLM/CosyVoice, runtime/python/fastapi), which streams headerless sound.

    voice: {kind: cosyvoice, base_url: "http://127.0.0.1:50000", speaker: 英文女, sample_rate: 22050}
    voice: {kind: cosyvoice, base_url: ..., prompt: me.wav, prompt_text: "What I say in it.", sample_rate: 24000}

The rate stands nowhere in its answers: CosyVoice-300M makes 22,050 Hz, CosyVoice2 and later 24,000.
"""

from pathlib import Path
from urllib.parse import urlencode

from simulator.engines.far_probe import FarVoiceSpec
from simulator.engines.far_voice import FarVoice
from simulator.engines.multipart import form
from simulator.engines.openai_speech import Rate, check_far
from simulator.errors import ScenarioError
from simulator.remote.http_exchange import HttpRequest
from simulator.remote.server import RemoteServer
from simulator.spec import Duration
from simulator.traits import PartyTraits


class CosyVoiceSpec(FarVoiceSpec, frozen=True, kw_only=True, tag="cosyvoice", omit_defaults=True):
    """A CosyVoice server: a built-in `speaker`, or a `prompt` recording whose voice it takes.

    sample_rate: of its sound, which only its model tells. prompt_text: what is said in the prompt; without it the
    prompt's language need not be the text's. instruct: how to speak. It has no speed: words_per_minute is not followed.
    base_url: the server's address. speaker: a built-in one. prompt: a recording whose voice it takes. language: what it
    speaks, for the scorers. key: `${NAME}`, sent as a Bearer header. timeout: for a text. self_test: whether a first
    text proves the rate.
    """

    base_url: str
    sample_rate: Rate
    speaker: str = ""
    prompt: Path | None = None
    prompt_text: str = ""
    instruct: str = ""
    language: str = ""
    key: str | None = None
    timeout: Duration = Duration(60.0)
    self_test: bool = True

    def __post_init__(self) -> None:
        if bool(self.speaker) == (self.prompt is not None):
            raise ValueError("a voice of cosyvoice has exactly one of speaker and prompt")
        if self.prompt_text and (self.prompt is None or self.instruct):
            raise ValueError("prompt_text goes with prompt, and not with instruct")

    @property
    def label(self) -> str:
        """What it is called."""
        return f"cosyvoice {self.speaker or (self.prompt.stem if self.prompt else '')}"

    def traits(self) -> PartyTraits:
        """A server samples; its price goes by the kind's name."""
        return PartyTraits(deterministic=False, billed_as=("cosyvoice",))

    def check(self) -> None:
        """Refuse a base URL that is none, a key that is written out, a prompt that is not there."""
        check_far(self.base_url, self.key)
        if self.prompt is not None and not self.prompt.is_file():
            raise ScenarioError(f"the prompt {self.prompt} does not exist")

    def speaks(self) -> str:
        """What was said of it."""
        return self.language

    def build(self) -> FarVoice:
        """Make the voice."""
        return FarVoice(self, _CosyVoice(self), asked="pcm", sample_rate=self.sample_rate, prove=self.self_test)


class _CosyVoice:
    """Requests of `/inference_...`, one path for each way to name a voice."""

    def __init__(self, spec: CosyVoiceSpec) -> None:
        self._spec = spec
        self.server = RemoteServer("cosyvoice", spec.base_url, spec.key)

    def request(self, text: str, pace: float) -> HttpRequest:
        """Ask for a text."""
        spec = self._spec
        fields = {"tts_text": text}
        if spec.prompt is None:
            way = "instruct" if spec.instruct else "sft"
            fields["spk_id"] = spec.speaker
        else:
            way = "instruct2" if spec.instruct else "zero_shot" if spec.prompt_text else "cross_lingual"
        fields |= {name: value for name, value in (("prompt_text", spec.prompt_text), ("instruct_text", spec.instruct))
                   if value}  # fmt: skip
        if spec.prompt is None:
            content_type, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        else:
            content_type, body = form(fields, "prompt_wav", spec.prompt.read_bytes())
        return HttpRequest(
            url=self.server.url(f"/inference_{way}"),
            body=body,
            content_type=content_type,
            headers=self.server.headers(),
            timeout_s=spec.timeout,
        )
