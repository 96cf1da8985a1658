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

Where responses have to be asked for (no turn detection, or `create_response` false), what the agent says waits for
response.create: what it began after the client's turn was heard to its end. What it began before (an opening) is no
answer and is not sent. The session's folder keeps all that it said.
"""

from collections.abc import Callable

import msgspec

from agents.openai.server_items import ConversationItems
from agents.openai.server_response import AskedResponse, ServedResponse
from agents.openai.server_settings import ServedSettings
from agents.openai.server_words import ClientEventError, Outgoing
from agents.remote.own_turns import OwnTurns
from simulator.frame import Samples
from simulator.speaking.ears import LevelEars

GAP_S = 0.4
MOST_KEPT_S = 60.0
"""So much of an answer may wait to be asked for."""


class KeptAnswer(msgspec.Struct, kw_only=True):
    """An answer nobody has asked for yet: its sound and words, whether more of it is coming."""

    sound: list[Samples] = []
    samples: int = 0
    text: str = ""
    going_on: bool = True


class Responses:
    """Turns the agent's track into response events."""

    def __init__(self, out: Outgoing, items: ConversationItems, patience_s: float) -> None:
        self._out = out
        self._items = items
        self.settings = ServedSettings()
        self._patience_s = patience_s
        self._turns: OwnTurns | None = None
        self._response: ServedResponse | None = None
        self._sent: dict[str, int] = {}
        self._muted = False
        self._ahead = ""
        self._left = 0
        self._kept: KeptAnswer | None = None

    @property
    def open(self) -> bool:
        """Whether a response is being given."""
        return self._response is not None

    @property
    def name(self) -> str | None:
        """The id of the response that is being given."""
        return None if self._response is None else self._response.name

    @property
    def asked_for(self) -> bool:
        """Whether a response has to be asked for."""
        return self.settings.detection.manual or not self.settings.detection.create

    def create(self, asked: AskedResponse, waiting_s: float) -> None:
        """The client asks for a response; waiting_s: how much of its sound the agent has yet to hear."""
        if self._response is not None:
            raise ClientEventError(
                "conversation_already_has_active_response",
                f"response {self._response.name} is still being given; wait for response.done",
            )
        response = self._response = self._open(asked)
        self._left = round((waiting_s + self._patience_s) * self.settings.said.rate)
        kept, self._kept = self._kept, None
        if kept is not None:
            self._begin(response)
            for sound in kept.sound:
                self._send(response, sound)
            self.text(kept.text)
            if not kept.going_on:
                self._close("completed", None)

    def forget(self) -> None:
        """A turn of the client's begins: what was kept answers an earlier one."""
        self._kept = None

    def cancel(self, reason: str) -> None:
        """Cut the response off: `turn_detected` or `client_cancelled`."""
        if self._response is not None:
            self._muted = bool(self._response.item)
            self._close("cancelled", reason)

    def truncate(self, item: str, audio_end_ms: int) -> None:
        """The client heard only so much of an item. ClientEventError when the item holds less."""
        if item not in self._sent:
            told = f"there is no item {item[:200]!r} of the assistant's speech"
            raise ClientEventError("item_truncate_invalid_item_id", told, "item_id")
        rate = self.settings.said.rate
        held_ms = -(-self._sent[item] * 1000 // rate)
        if audio_end_ms > held_ms:
            told = f"audio_end_ms is {audio_end_ms}; item {item!r} holds {held_ms} ms"
            raise ClientEventError("invalid_value", told, "audio_end_ms")
        if audio_end_ms * rate // 1000 < self._sent[item]:
            self._items.truncated(item)
        self._sent[item] = min(self._sent[item], audio_end_ms * rate // 1000)
        self._out.send("conversation.item.truncated", item_id=item, content_index=0, audio_end_ms=audio_end_ms)

    def deleted(self, item: str) -> None:
        """An item is gone from the conversation."""
        self._sent.pop(item, None)

    def say(self, samples: Samples, is_pending: Callable[[], bool]) -> None:
        """Take the agent's next frame. is_pending, asked when it begins to speak: the client's turn is not over."""
        told = self._ears().hear(samples)
        if told.change == "start" and not self._muted:
            self._started(is_pending())
        for sound in told.sound:
            self._go_on(sound)
        if told.change == "end":
            self._muted, self._ahead = False, ""
            if self._kept is not None:
                self._kept.going_on = False
            if self._response is not None and self._response.item:
                self._close("completed", None)
        elif self._response is not None and not self._response.item:
            self._left -= len(samples)
            if self._left <= 0:
                self._close("completed", None)

    def text(self, piece: str) -> None:
        """The agent tells a piece of what it says, about when it says it."""
        if self._response is not None and self._response.item:
            self._response.text(piece)
        elif self._kept is not None and self._kept.going_on:
            self._kept.text += piece
        elif not self._muted:
            self._ahead += piece  # of sound that is still in the resampler

    def _started(self, pending: bool) -> None:
        """The agent begins to speak: in the response that waits, in one of its own, or for later."""
        if self.asked_for and pending:
            return
        if self._response is not None:
            self._begin(self._response)
        elif not self.asked_for:
            self._response = self._open(AskedResponse(text_only=self.settings.text_only, voice=self.settings.voice))
            self._begin(self._response)
        else:
            self._kept = self._kept or KeptAnswer()
            self._kept.going_on = True
            piece, self._ahead = self._ahead, ""
            self.text(piece)

    def _go_on(self, sound: Samples) -> None:
        if self._response is not None and self._response.item:
            self._send(self._response, sound)
        elif self._kept is not None and self._kept.going_on:
            self._kept.sound.append(sound)
            self._kept.samples += len(sound)
            if self._kept.samples > MOST_KEPT_S * self.settings.said.rate:
                self._kept = None

    def _ears(self) -> OwnTurns:
        if self._turns is None:
            rate = self.settings.said.rate
            self._turns = OwnTurns(LevelEars(rate), rate, GAP_S)
        return self._turns

    def _open(self, asked: AskedResponse) -> ServedResponse:
        return ServedResponse(self._out, self._items, self.settings, asked)

    def _begin(self, response: ServedResponse) -> None:
        response.begin()
        self._sent[response.item] = 0
        piece, self._ahead = self._ahead, ""
        response.text(piece)

    def _send(self, response: ServedResponse, sound: Samples) -> None:
        response.sound(sound)
        self._sent[response.item] = response.sent

    def _close(self, status: str, reason: str | None) -> None:
        assert self._response is not None
        self._response.over(status, reason)
        self._response = None
