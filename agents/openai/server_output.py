"""The agent's side of a served Realtime session: what it says becomes responses of sound and text.

    state     what happens                                  what the client gets                      next
    quiet     the agent begins to sound                     response.created, output_item.added ...   talking
              response.create                               response.created                          asked
    asked     the agent begins to sound                     output_item.added, content_part.added     talking
              `patience` is over                            response.done (completed, nothing in it)  quiet
    talking   every frame                                   output_audio.delta, transcript deltas     talking
              the agent was silent for 400 ms               ... done, response.done (completed)       quiet
              the client's speech, or response.cancel       ... done, response.done (cancelled)       muted
    muted     the agent goes on                             nothing: to the client it was cut off     muted
              the agent falls silent                                                                  quiet

An agent that goes on talking after it was cut off is not heard by the client until it pauses; the session's
folder keeps what it said. Where the client detects no turns (`manual`), sound that nobody asked for is not
sent either.
"""

from typing import Any

from agents.openai.server_words import ClientEventError, Outgoing
from agents.remote.own_turns import OwnTurns
from agents.remote.wire_audio import WireFormat
from simulator.frame import Samples
from simulator.speaking.ears import LevelEars

GAP_S = 0.4


class Responses:
    """Turns the agent's track into response events."""

    def __init__(self, out: Outgoing, patience_s: float) -> None:
        self._out = out
        self.format = WireFormat()
        self.manual = False
        self._patience_s = patience_s
        self._turns: OwnTurns | None = None
        self._response = ""
        self._item = ""
        self._text = ""
        self._sent: dict[str, int] = {}
        self._muted = False
        self._ahead = ""
        self._left = 0

    @property
    def open(self) -> bool:
        """Whether a response is being given."""
        return bool(self._response)

    def create(self, waiting_s: float) -> None:
        """The client asks for a response; waiting_s: how much of its sound the agent has yet to hear."""
        if self.open:
            raise ClientEventError(
                "conversation_already_has_active_response",
                f"response {self._response} is still being given; wait for response.done",
            )
        self._open()
        self._left = round((waiting_s + self._patience_s) * self.format.rate)

    def cancel(self, reason: str) -> None:
        """Cut the response off: `turn_detected` or `client_cancelled`."""
        if self.open:
            self._muted = bool(self._item)
            self._close("cancelled", reason)

    def truncate(self, item: str, audio_end_ms: int) -> None:
        """The client heard only so much of an item. ClientEventError when the item holds less."""
        if item not in self._sent:
            raise ClientEventError(
                "item_truncate_invalid_item_id", f"there is no item {item!r} of the assistant", "item_id"
            )
        held = self._sent[item] * 1000 // self.format.rate
        if audio_end_ms > held:
            raise ClientEventError(
                "invalid_value",
                f"audio_end_ms is {audio_end_ms}; item {item!r} holds {held} ms",
                "audio_end_ms",
            )
        self._sent[item] = audio_end_ms * self.format.rate // 1000
        self._out.send("conversation.item.truncated", item_id=item, content_index=0, audio_end_ms=audio_end_ms)

    def say(self, samples: Samples) -> None:
        """Take the agent's next frame."""
        told = self._ears().hear(samples)
        if told.change == "start" and not self._muted and (self.open or not self.manual):
            self._begin()
        if self._item:
            for sound in told.sound:
                self._send(sound)
        if told.change == "end":
            self._muted, self._ahead = False, ""
            if self._item:
                self._close("completed", None)
        elif self.open and not self._item:
            self._left -= len(samples)
            if self._left <= 0:
                self._close("completed", None)

    def text(self, piece: str) -> None:
        """The agent tells a piece of what it says, about when it says it."""
        if self._item:
            self._text += piece
            self._out.send("response.output_audio_transcript.delta", delta=piece, **self._place())
        elif not self._muted:
            self._ahead += piece  # of sound that is still in the resampler

    def _ears(self) -> OwnTurns:
        if self._turns is None:
            self._turns = OwnTurns(LevelEars(self.format.rate), self.format.rate, GAP_S)
        return self._turns

    def _open(self) -> None:
        self._response = self._out.name("resp")
        self._item = ""
        self._text = ""
        self._out.send("response.created", response=self._state("in_progress", []))

    def _begin(self) -> None:
        if not self.open:
            self._open()
        self._item = self._out.name("item")
        self._sent[self._item] = 0
        item = self._as_item("in_progress", [])
        self._out.send("response.output_item.added", response_id=self._response, output_index=0, item=item)
        self._out.send("conversation.item.added", item=item, previous_item_id=None)
        self._out.send("response.content_part.added", part={"type": "audio", "transcript": ""}, **self._place())
        if self._ahead:
            piece, self._ahead = self._ahead, ""
            self.text(piece)

    def _send(self, samples: Samples) -> None:
        sound = self.format.encode(samples)
        self._sent[self._item] += len(samples)
        self._out.send("response.output_audio.delta", delta=sound, **self._place())

    def _close(self, status: str, reason: str | None) -> None:
        output: list[dict[str, Any]] = []
        if self._item:
            text = self._text.strip()
            whole = "completed" if status == "completed" else "incomplete"
            item = self._as_item(whole, [{"type": "output_audio", "transcript": text}])
            self._out.send("response.output_audio.done", **self._place())
            self._out.send("response.output_audio_transcript.done", transcript=text, **self._place())
            self._out.send("response.content_part.done", part={"type": "audio", "transcript": text}, **self._place())
            self._out.send("response.output_item.done", response_id=self._response, output_index=0, item=item)
            self._out.send("conversation.item.done", item=item, previous_item_id=None)
            output.append(item)
        details = {"type": status, "reason": reason} if reason else None
        self._out.send("response.done", response=self._state(status, output) | {"status_details": details})
        self._response = self._item = ""

    def _state(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._response,
            "object": "realtime.response",
            "status": status,
            "output": output,
            "output_modalities": ["audio"],
            "usage": None,
        }

    def _as_item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._item,
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _place(self) -> dict[str, Any]:
        return {"response_id": self._response, "item_id": self._item, "output_index": 0, "content_index": 0}
