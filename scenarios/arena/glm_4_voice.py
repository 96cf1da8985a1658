"""GLM-4-Voice answers a turn: its server gives tokens, your checkout makes them of sound and sound of them.

    GLM_4_VOICE_URL   where model_server.py answers, like http://127.0.0.1:10000
    GLM_4_VOICE       your checkout of THUDM/GLM-4-Voice, its decoder's weights in ./glm-4-voice-decoder

POST /generate_stream gives a JSON line per token: `{"token_id", "error_code": 0}`. A failure is a line
`{"text", "error_code": 1}` without a token, and the status is 200 all the same. Tokens from that of `<|audio_0|>` on
are sound, the others text; `<|user|>` ends. The history is every prompt and every completion so far, in front of the
next.

`codec` is what needs the checkout and a GPU: whatever has its four members will do.
"""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from simulator.speaking.dialogue import HeardTurn, Message, Reply

SYSTEM = "The user speaks to you. Answer in speech: thirteen tokens of text, then twenty-six of sound, and so on."
HEARD_HZ, SAID_HZ = 16_000, 22_050
SETTINGS = {"temperature": 0.2, "top_p": 0.8, "max_new_tokens": 2000}


class GlmCheckout:
    """The checkout's own tokenizers and decoder, loaded with the first turn."""

    def __init__(self, folder: Path) -> None:
        sys.path[:0] = [str(folder), str(folder / "cosyvoice"), str(folder / "third_party" / "Matcha-TTS")]
        from flow_inference import AudioDecoder
        from speech_tokenizer.modeling_whisper import WhisperVQEncoder
        from transformers import AutoTokenizer, WhisperFeatureExtractor

        decoder = folder / "glm-4-voice-decoder"
        self._text = AutoTokenizer.from_pretrained("THUDM/glm-4-voice-9b", trust_remote_code=True)
        self._whisper = WhisperVQEncoder.from_pretrained("THUDM/glm-4-voice-tokenizer").eval().to("cuda")
        self._features = WhisperFeatureExtractor.from_pretrained("THUDM/glm-4-voice-tokenizer")
        self._decoder = AudioDecoder(
            config_path=str(decoder / "config.yaml"), flow_ckpt_path=str(decoder / "flow.pt"),
            hift_ckpt_path=str(decoder / "hift.pt"), device="cuda",
        )  # fmt: skip
        self.audio_0 = int(self._text.convert_tokens_to_ids("<|audio_0|>"))
        self.end = int(self._text.convert_tokens_to_ids("<|user|>"))

    def tokens(self, samples: Any) -> list[int]:
        """Give the speech tokens of float32 (n,) at 16 kHz."""
        import torch
        from speech_tokenizer.utils import extract_speech_token

        found: list[int] = extract_speech_token(
            self._whisper, self._features, [(torch.from_numpy(samples)[None], HEARD_HZ)]
        )[0]
        return found

    def sound(self, tokens: Sequence[int]) -> Any:
        """Give the sound of speech tokens: float32 (n,) at 22,050 Hz."""
        import torch

        return self._decoder.offline_inference(torch.tensor([tokens], device="cuda")).cpu().numpy().ravel()

    def text(self, tokens: Sequence[int]) -> str:
        """Give the words of text tokens."""
        return str(self._text.decode(tokens, spaces_between_special_tokens=False))


@cache
def codec() -> Any:
    """Give the codec: once in a process."""
    return GlmCheckout(Path(os.environ["GLM_4_VOICE"]))


def answer(turn: HeardTurn, history: Sequence[Message]) -> Reply:
    """Answer a turn, with the ones before it told again."""
    made = codec()
    prompt = f"<|system|>\n{SYSTEM}"
    for message in history:
        if message.role == "user":
            spoken = message.samples is not None
            prompt += _asked(made, message.samples, message.sample_rate) if spoken else f"<|user|>\n{message.text}"
        else:
            prompt += f"<|assistant|>streaming_transcription\n{message.text}"
    prompt += f"{_asked(made, turn.samples, turn.sample_rate)}<|assistant|>streaming_transcription\n"
    try:
        tokens = list(completion(os.environ["GLM_4_VOICE_URL"], prompt, end=made.end))
    except (OSError, ValueError, RuntimeError) as error:
        return Reply(events=[("response_failed", {"reason": f"the model server: {error}"})])
    sound = [token - made.audio_0 for token in tokens if token >= made.audio_0]
    text = made.text([token for token in tokens if token < made.audio_0]).strip()
    if not sound:
        return Reply(text=text)
    return Reply(text=text, samples=np.asarray(made.sound(sound), np.float32), sample_rate=SAID_HZ)


def completion(url: str, prompt: str, *, end: int) -> Iterator[int]:
    """Give the tokens that the server streams, up to the mark that ends. RuntimeError: it failed, with its text."""
    body = json.dumps({"prompt": prompt, **SETTINGS}).encode()
    request = urllib.request.Request(f"{url}/generate_stream", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as lines:
        for line in filter(None, map(bytes.strip, lines)):
            told = json.loads(line)
            if told.get("error_code"):
                raise RuntimeError(str(told.get("text") or "failed"))
            if told["token_id"] == end:
                return
            yield int(told["token_id"])


def _asked(made: Any, samples: Any, rate: int) -> str:
    heard = np.asarray(soxr.resample(samples, rate, HEARD_HZ), np.float32)
    units = "".join(f"<|audio_{token}|>" for token in made.tokens(heard))
    return f"<|user|>\n<|begin_of_audio|>{units}<|end_of_audio|>"
