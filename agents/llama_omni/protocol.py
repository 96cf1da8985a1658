"""The protocol of LLaMA-Omni's controller and workers (omni_speech/serve), without I/O.

    controller   POST /refresh_all_workers
                 POST /list_models -> {models}
                 POST /get_worker_address {model} -> {address}, "" for none
    worker       POST /worker_generate_stream {model, prompt, temperature, top_p, max_new_tokens, stop, audio}
                 where audio is a list of floats from -1 to 1 at 16 kHz, and stop a text

A worker's answer is a stream of JSON messages, a byte of zero behind each: `{text, unit, error_code}`. Both are
cumulative: text begins with the whole prompt, unit is a text of whole numbers. The status is 200 in any case;
error_code 1 is the worker's failure (no `unit`), 2 and 3 the controller's: there is no worker, or none that answers.

Source: ictnlp/LLaMA-Omni@c63fd72, omni_speech/serve.
"""

from typing import Any

import msgspec
import numpy as np

from agents.remote.far_end import answered_object, refused_path
from agents.remote.foreign_json import decode_object
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.texts import quoted

GENERATE = "/worker_generate_stream"
REFRESH, MODELS, WORKER = "/refresh_all_workers", "/list_models", "/get_worker_address"
WIRE_HZ = 16_000
UNIT_HZ = 16_000
"""What the units' vocoder gives, where it does not say otherwise."""
STOP = "<|eot_id|>"
USER_TEXT = "<speech>\nPlease directly answer the questions in the user's speech."
MOST_TOKENS = 1024
CODES = {1: "failed", 2: "has no worker for the model", 3: "has a worker that it cannot reach"}

_ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n"


class LlamaOmniAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker answered: its text without the prompt, and the units of its speech."""

    text: str
    units: list[int]


class UnitStream:
    """Cuts a worker's stream into messages. What has no zero behind it yet waits for more."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take what came and give the messages that are whole. RemoteError: one is no JSON object."""
        *whole, self.rest = (self.rest + data).split(b"\0")
        return [_message(part) for part in whole if part.strip()]


def _message(part: bytes) -> dict[str, Any]:
    try:
        return decode_object(part)
    except ValueError as error:
        found = quoted(part.decode("utf-8", "replace"))
        raise RemoteError(f"streamed a message that is no JSON object: {found}") from error


class LlamaOmniCore:
    """One model behind a controller or at a worker. system: what the prompt begins with."""

    def __init__(self, system: str, *, model: str = "", sampling: dict[str, Any] | None = None) -> None:
        self.model = model
        self._sampling = sampling or {}
        self.prompt = (
            f"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{system}{STOP}"
            f"<|start_header_id|>user<|end_header_id|>\n\n{USER_TEXT}{STOP}{_ASSISTANT}"
        )

    def ask(self, samples: Samples) -> dict[str, Any]:
        """Give the body that asks for an answer to a turn, float32 (n,) at WIRE_HZ."""
        audio = np.round(np.clip(samples, -1.0, 1.0).astype(np.float64), 6).tolist()
        return {"model": self.model, "prompt": self.prompt, **self._sampling, "stop": STOP, "audio": audio}

    def choose(self, status: int, body: bytes) -> str:
        """Read the controller's list of models and give the one to ask for. RemoteError: it, or any, is not there."""
        listed = _field(MODELS, status, body, "models")
        models = [str(name) for name in listed] if isinstance(listed, list) else []
        if not models or (self.model and self.model not in models):
            asked = f"no worker for {self.model!r}" if self.model else "no worker"
            raise RemoteError(f"has {asked}; its models: {', '.join(models) or 'none'}")
        self.model = self.model or models[0]
        return self.model

    def worker(self, status: int, body: bytes) -> str:
        """Read where the model's worker is. RemoteError: nowhere."""
        address = _field(WORKER, status, body, "address")
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            raise RemoteError(f"has no worker for {self.model!r}" if not address else f"gave {address!r} as an address")
        return address

    def receive(self, status: int, body: bytes) -> LlamaOmniAnswer:
        """Read a worker's whole stream. RemoteError, a predicate: it refused, failed or broke off, or sent nonsense."""
        if status != 200:
            raise RemoteError(refused_path(GENERATE, status, body))
        stream = UnitStream()
        messages = stream.feed(body)
        for message in messages:
            code = message.get("error_code", 0)
            if code:
                what = CODES.get(code) if isinstance(code, int) else None
                raise RemoteError(f"{what or f'told error code {code!r}'}: {quoted(str(message.get('text') or ''))}")
        if stream.rest.strip() or not messages:
            raise RemoteError("broke off its answer" if messages or stream.rest else "answered with nothing")
        last = messages[-1]
        return LlamaOmniAnswer(text=self._said(str(last.get("text") or "")), units=_units(last.get("unit")))

    def _said(self, text: str) -> str:
        """The text without the prompt; one that a tokenizer wrote otherwise ends where the assistant's turn begins."""
        begins = text.startswith(self.prompt)
        said = text.removeprefix(self.prompt) if begins else text.rpartition(_ASSISTANT)[2]
        return said.removesuffix(STOP).strip()


def _units(unit: object) -> list[int]:
    if unit is None or unit == "":
        return []
    try:
        units = [int(word) for word in str(unit).split()]
    except ValueError:
        raise RemoteError(f"streamed units that are no whole numbers: {quoted(str(unit))}") from None
    if min(units, default=0) < 0:
        raise RemoteError(f"streamed a unit of {min(units)}; whole numbers from 0 on are units")
    return units


def _field(path: str, status: int, body: bytes, name: str) -> object:
    if status != 200:
        raise RemoteError(refused_path(path, status, body))
    return answered_object(path, body).get(name)
