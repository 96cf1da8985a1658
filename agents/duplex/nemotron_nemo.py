"""NVIDIA's own modules as the four parts: a NemotronVoiceChat of NeMo 3.0.0 (speechlm2).

None of them takes sessions of different age in one batch (no masks or positions in their interfaces), so each
is asked row by row; what a row remembers is kept here. The speaker's voice goes in all at once when a slot is
opened. Sampling of codes uses torch's generator: every row has a state of it of its own, put in place around
its call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agents.duplex.device import torch_device
from agents.duplex.model import Placement
from agents.duplex.nemotron_parts import NemotronParts, Rows
from agents.duplex.nemotron_rules import TokenMarks
from simulator.errors import ScenarioError

if TYPE_CHECKING:
    from agents.duplex.nemotron import NemotronSpec

INSTALL = "in an environment of its own: pip install 'torch<2.14' 'nemo_toolkit[asr]==3.0.0' peft accelerate"
CODE_WINDOW = 60


def load(spec: "NemotronSpec", placement: Placement) -> NemotronParts:
    """Load the model from a folder or the hub; ScenarioError with the install line where NeMo is missing."""
    if placement.weights is None or placement.weights.is_random:
        raise ScenarioError("nemotron needs weights: a folder or a hub id of a NemotronVoiceChat")
    try:
        from nemo.collections.speechlm2.models.nemotron_voicechat import NemotronVoiceChat
    except ImportError as error:
        raise ScenarioError(f"nemotron needs NeMo ({error}); install it {INSTALL}") from error
    try:
        model = NemotronVoiceChat.from_pretrained(str(placement.weights))
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ScenarioError(f"{placement.weights} is no NemotronVoiceChat: {str(error).splitlines()[0]}") from error
    return parts_of(model.to(torch_device(placement.device)).eval(), spec.history)


def parts_of(model: Any, history: str) -> NemotronParts:
    """Take a loaded NemotronVoiceChat apart. history: auto, cache or embeddings."""
    listener = model.stt_model
    cached = "Nemotron" not in str(listener.cfg.pretrained_llm) if history == "auto" else history == "cache"
    return NemotronParts(
        perceive=NemoPerceive(listener),
        think=NemoThink(listener, cached=cached),
        speak=NemoSpeak(model),
        decode=NemoDecode(model.tts_model),
        marks=marks_of(listener),
        vocabulary=Tokens(listener.tokenizer),
        device=next(model.parameters()).device,
    )


def marks_of(listener: Any) -> TokenMarks:
    """The special tokens; older checkpoints have marks of their own for the user's turns."""

    def legacy(key: str) -> tuple[int, ...]:
        text = listener.cfg.get(key, None)
        return (int(listener.tokenizer.text_to_ids(text)[0]),) if text else ()

    bos, eos = int(listener.text_bos_id), int(listener.text_eos_id)
    return TokenMarks(
        pad=int(listener.text_pad_id),
        bos=bos,
        eos=eos,
        user_bos=(bos, *legacy("user_bos_token")),
        user_eos=(eos, *legacy("user_eos_token")),
    )


class Tokens:
    """NeMo's tokenizer as a vocabulary."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        """See Vocabulary."""
        return [int(token) for token in self._tokenizer.text_to_ids(text)]

    def decode(self, tokens: list[int]) -> str:
        """See Vocabulary."""
        return str(self._tokenizer.ids_to_text(tokens))


class NemoPerceive:
    """The speech encoder over the window as it is: padding would change its normalisation."""

    batched = False

    def __init__(self, listener: Any) -> None:
        self._listener = listener
        self._weight = float(listener.cfg.get("duplex_user_channel_weight", 1.0))

    def embed(self, rows: Rows, audio: Any, lengths: Any, frames: int) -> Any:
        """See nemotron_parts.Perceive; the encoder gives some rows more than there are frames, at the end."""
        length = int(lengths[0])
        encoded, counts, _ = self._listener.perception(
            input_signal=audio[:, :length], input_signal_length=lengths, return_encoder_emb=True
        )
        count = min(int(counts[0]), length // 1280)
        return encoded[:, count - frames : count] * self._weight


class NemoThink:
    """The language model, with a cache per slot or with all the embeddings of the slot so far."""

    batched = False

    def __init__(self, listener: Any, *, cached: bool) -> None:
        self._listener = listener
        self._cached = cached
        self._past: dict[int, Any] = {}
        self._weights = tuple(
            float(listener.cfg.get(key, 1.0))
            for key in ("duplex_user_channel_weight", "duplex_text_channel_weight", "duplex_asr_text_weight")
        )

    def begin(self, slot: int) -> None:
        """See nemotron_parts.Think."""
        self._past.pop(slot, None)

    def prompt(self, tokens: Any) -> Any:
        """See nemotron_parts.Think."""
        return self._listener.embed_tokens(tokens) * self._weights[0]

    def step(self, rows: Rows, inputs: Any, agent: Any, heard: Any) -> tuple[Any, Any]:
        """See nemotron_parts.Think."""
        listener, (_, text_weight, heard_weight) = self._listener, self._weights
        summed = inputs + listener.embed_tokens(agent) * text_weight
        if listener.predict_user_text:
            summed = summed + listener.embed_asr_tokens(heard) * heard_weight
        answer = self._asked(rows.slots[0], summed[:, None])
        said = answer["text_logits"][:, -1].argmax(dim=-1)
        noted = answer["asr_logits"][:, -1].argmax(dim=-1) if listener.predict_user_text else heard
        return said, noted

    def _asked(self, slot: int, new: Any) -> Any:
        import torch

        if self._cached:
            from transformers import DynamicCache

            answer = self._listener(new, cache=self._past.get(slot) or DynamicCache())
            self._past[slot] = answer["cache"]
            return answer
        past = self._past.get(slot)
        self._past[slot] = new if past is None else torch.cat([past, new], dim=1)
        return self._listener(self._past[slot], cache=None)


class NemoVoice(msgspec.Struct):
    """What the speech generator remembers of a slot: cache, last codes, first token, random state."""

    past: Any
    code: Any
    first_token: Any
    random: Any
    frames: int = 0


class NemoSpeak:
    """The speech generator, with classifier guidance; silence is fed back when the agent closes its turn.

    It says nothing in a slot's very first frame: its loop begins with the token before.
    """

    batched = False

    def __init__(self, model: Any) -> None:
        self._tts = model.tts_model
        self._default_name = model.cfg.get("inference_speaker_name", None)
        self._default_file = model.cfg.get("inference_speaker_reference", None)
        self.codebooks = int(self._tts.tts_model.config.num_quantizers)
        self._voices: dict[int, NemoVoice] = {}
        self._first_inputs: dict[str, Any] = {}

    def begin(self, slot: int, speaker: Any, seed: int) -> int:
        """See nemotron_parts.Speak; the voice needs no frames of lead-in."""
        import torch

        first = self._inputs(speaker)
        with self._seeded(seed):
            outputs = self._tts.tts_model(**first, use_cache=True, past_key_values=None, guidance_enabled=True)
            random = _random_state(self._tts.device)
        assert isinstance(first["code"], torch.Tensor)
        self._voices[slot] = NemoVoice(
            outputs.past_key_values, first["code"][:, -1:], first["subword_ids"][:, -1:], random
        )
        return 0

    def step(self, rows: Rows, agent: Any, previous: Any) -> Any:
        """See nemotron_parts.Speak."""
        import torch

        voice = self._voices[rows.slots[0]]
        voice.frames += 1
        if voice.frames == 1:
            return torch.full((1, self.codebooks), -1, device=agent.device)
        with self._resumed(voice):
            voice.code, voice.past = self._tts.infer_codes_one_step(
                current_subword_id=agent[:, None],
                prev_subword_id=voice.first_token if voice.frames == 2 else previous[:, None],
                current_subword_mask=torch.ones_like(agent[:, None], dtype=torch.bool),
                prev_audio_tokens=voice.code,
                past_key_values=voice.past,
                guidance_enabled=True,
                generation_config=self._tts._get_generation_config(True),
                ignore_eos_flag_stop=True,
            )
        return voice.code[:, 0]

    def _inputs(self, speaker: Path | None) -> dict[str, Any]:
        """The first inputs of a voice, worked out once per speaker."""
        import torch

        key = str(speaker or "")
        if key not in self._first_inputs:
            if speaker is None and self._default_name is not None:
                self._tts.set_init_inputs(speaker_name=self._default_name)
            else:
                sound = torch.from_numpy(self._reference(speaker)).to(self._tts.device)[None]
                lengths = torch.tensor([sound.shape[1]], device=self._tts.device)
                self._tts.set_init_inputs(speaker_audio=sound, speaker_audio_lens=lengths)
            self._first_inputs[key] = self._tts.get_init_inputs(B=1)
        first: dict[str, Any] = self._first_inputs[key]
        return first

    def _reference(self, speaker: Path | None) -> Any:
        from simulator.sound.recordings import load as load_sound

        path = speaker or (Path(self._default_file) if self._default_file else None)
        if path is None:
            raise ScenarioError("nemotron has no voice of its own; give prompt.speaker, a recording")
        return load_sound(path, int(self._tts.target_sample_rate), channel=0).copy()

    @contextmanager
    def _seeded(self, seed: int) -> Iterator[None]:
        import torch

        device = self._tts.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    @contextmanager
    def _resumed(self, voice: NemoVoice) -> Iterator[None]:
        with self._seeded(0):
            _set_random_state(self._tts.device, voice.random)
            yield
            voice.random = _random_state(self._tts.device)


def _random_state(device: Any) -> Any:
    import torch

    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(device: Any, state: Any) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


class NemoDecode:
    """The codec over the window of codes."""

    batched = False

    def __init__(self, tts: Any) -> None:
        self._tts = tts
        self._ratio = int(tts.audio_codec.config.wav_to_token_ratio)

    def sound(self, rows: Rows, codes: Any, lengths: Any, frames: int) -> Any:
        """See nemotron_parts.Decode; codes that mean no sound are decoded as silence."""
        import torch
        from nemo.collections.speechlm2.models.duplex_ear_tts import replace_control_speech_codes

        known = codes[:, : int(lengths[0])]
        known = replace_control_speech_codes(known, self._tts._control_codes, self._tts.codec_silence_tokens)
        counts = torch.tensor([known.shape[1]], device=codes.device)
        sound, _ = self._tts.audio_codec.decode(known, counts)
        return sound.squeeze(1)[:, -frames * self._ratio :]
