"""The model's turns in a duplex session: what it decided, what it says, what became of that.

    decision   response.listen, response.speak (the model), overlap.decision (the server's policy): told as `decision`
               where it is another than the last one of the same voice, as models repeat theirs every unit
    response   created or its first sound ──> response_start ──> done: response_end, or response_failed
    sound      waits to be said (playback.py); barge_in, cancelled, cleared: what waits is dropped, and so is what still
               comes of that response. A model that listens sends no more sound of what is being said, which plays out.

A decision and what is heard of it are two moments: a model that decides to listen falls silent when the sound that it
has sent before was said. Nobody waits for response.done: some models' sessions go without.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.remote.failure import FAILED, failed_fields
from agents.remote.foreign_json import inner
from agents.remote.peer_core import Actions, Message
from agents.remote.wire_audio import WirePieces, wire_format
from agents.vllm.playback import DuplexPlayback
from simulator.errors import RemoteError
from simulator.events import Party

PCM16 = (None, "pcm16", "pcm_s16le", "s16le")


class ModelTurns:
    """What the model decided and says; `rate`: Hz of what it says."""

    def __init__(self, rate: int, jitter_s: float, actions: Actions) -> None:
        self.party: Party = "agent"
        self.actions = actions
        self.rate = rate
        self.pieces = WirePieces(wire_format("pcm16", rate))
        self.playback = DuplexPlayback(rate, jitter_s, actions)
        self.texts: dict[str, str] = {}
        """What was written of items that are not over yet."""
        self.dropped: set[str] = set()
        """Responses that were cut."""
        self._decided: dict[str, tuple[str, ...]] = {}
        self._active = ""

    def receive(self, message: Message, at: int) -> bool:
        """Act on a message; False for one that is about something else. RemoteError: sound that cannot be said."""
        handler = _HANDLERS.get(str(message.get("type")))
        if handler is not None:
            handler(self, message, at)
        return handler is not None

    def decide(self, by: str, choice: str, at: int, **fields: Any) -> None:
        """Tell a decision, unless it is the one told last."""
        told = (choice, *(str(value) for value in fields.values()))
        if self._decided.get(by) != told:
            self._decided[by] = told
            self.actions.note(at, "decision", by=by, choice=choice, **fields)
        if by == "model":
            self._decided.pop("overlap", None)

    def begin(self, response: str, at: int) -> None:
        """A response is being generated; told once, whichever message speaks of it first."""
        if response and response != self._active:
            self._active = response
            self.actions.note(at, "response_start", id=response)

    def cut(self, at: int, response: str = "") -> None:
        """Say no more of a response (by default the latest), nor of what waits."""
        self.dropped |= (self.playback.cut(at) | {response or self._active}) - {""}
        self.tell_texts(at)

    def tell_texts(self, at: int) -> None:
        """Tell what the model wrote of items that end without saying so."""
        for item, text in self.texts.items():
            self.tell_text(item, text, at)
        self.texts.clear()

    def tell_text(self, item: str, text: str, at: int) -> None:
        """Tell what the model wrote of an item."""
        if text.strip():
            self.actions.note(at, "transcript", of=self.party, id=item, text=text.strip())


def _on_listen(turns: ModelTurns, message: Message, at: int) -> None:
    """The model's own decision, unless its server says that it only waits for more sound or has reached a limit."""
    metadata = inner(inner(message, "response"), "metadata")
    if metadata.get("model_listen") is not False:
        turns.decide("model", "listen", at, reason=str(metadata.get("reason") or "model_listen"))
    elif not _response(message):
        return
    turns.playback.finish(whole=False)
    turns.tell_texts(at)


def _on_speak(turns: ModelTurns, message: Message, at: int) -> None:
    turns.begin(_response(message), at)
    turns.decide("model", "speak", at, id=_response(message))


def _on_overlap(turns: ModelTurns, message: Message, at: int) -> None:
    action = str(message.get("action") or "none")
    turns.decide("overlap", action, at, reason=str(message.get("reason") or ""))
    if action == "barge_in":
        turns.cut(at)


def _on_response_created(turns: ModelTurns, message: Message, at: int) -> None:
    turns.begin(_response(message), at)


def _on_audio(turns: ModelTurns, message: Message, at: int) -> None:
    rate, form = message.get("sample_rate_hz"), message.get("format")
    if rate is not None and rate != turns.rate:
        raise RemoteError(f"speaks at {rate} Hz and not at {turns.rate}; write `output_rate: {rate}`")
    if form not in PCM16:
        raise RemoteError(f"sent audio as {str(form)[:40]!r}; pcm16 was asked for")
    response, item = _response(message), str(message.get("item_id") or "item")
    samples = turns.pieces.decode(message.get("delta"), item)
    if response not in turns.dropped:
        turns.begin(response, at)
        turns.playback.push(item, response, samples)
        if inner(message, "metadata").get("end_of_turn") is True:
            turns.playback.over(item)


def _on_audio_done(turns: ModelTurns, message: Message, _at: int) -> None:
    turns.playback.over(str(message.get("item_id", "")))


def _on_response_done(turns: ModelTurns, message: Message, at: int) -> None:
    response = inner(message, "response")
    name, status, details = _response(message), response.get("status"), inner(response, "status_details")
    if status in ("failed", "incomplete"):
        error = inner(details, "error")
        reason = error.get("message") or error.get("code") or details.get("reason")
        turns.actions.note(at, FAILED, **failed_fields("vllm_duplex", reason, id=name or None, status=status))
    else:
        turns.actions.note(at, "response_end", id=name or None, status=status, reason=details.get("reason"))
    if status == "cancelled" and name not in turns.dropped:
        turns.cut(at, name)
    turns.playback.finish(whole=status == "completed")


def _on_cleared(turns: ModelTurns, message: Message, at: int) -> None:
    turns.cut(at, _response(message))


def _on_text(turns: ModelTurns, message: Message, _at: int) -> None:
    item = str(message.get("item_id") or "item")
    if _response(message) not in turns.dropped:
        turns.texts[item] = turns.texts.get(item, "") + str(message.get("delta") or "")


def _on_text_done(turns: ModelTurns, message: Message, at: int) -> None:
    item = str(message.get("item_id") or "item")
    so_far = turns.texts.pop(item, "")
    turns.tell_text(item, str(message.get("transcript") or so_far), at)


def _response(message: Message) -> str:
    return str(message.get("response_id") or inner(message, "response").get("id") or "")


_HANDLERS: Mapping[str, Callable[[ModelTurns, Message, int], None]] = {
    "response.listen": _on_listen,
    "response.speak": _on_speak,
    "overlap.decision": _on_overlap,
    "response.created": _on_response_created,
    "response.output_audio.delta": _on_audio,
    "response.output_audio.done": _on_audio_done,
    "response.output_audio_transcript.delta": _on_text,
    "response.output_audio_transcript.done": _on_text_done,
    # The names before general availability, which earlier releases use.
    "response.audio.delta": _on_audio,
    "response.audio.done": _on_audio_done,
    "response.audio_transcript.delta": _on_text,
    "response.audio_transcript.done": _on_text_done,
    "response.done": _on_response_done,
    "output_audio_buffer.cleared": _on_cleared,
}
