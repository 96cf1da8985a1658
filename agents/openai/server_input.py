"""The client's side of a served Realtime session: what it appended, when it is heard, what is a turn.

    turn_detection    sound the client appends          a turn
    server, semantic  is heard at once, in real time    is cut by our ears as it is heard: speech_started,
                                                        speech_stopped, committed, an item
    null              waits until it is committed       is what is committed: committed, an item

Sound may come faster than real time: it waits. Where it comes late the agent hears silence, which the
client's own count of milliseconds (`audio_start_ms`) does not know.
"""

from typing import Any

import msgspec

from agents.openai.server_words import ClientEventError, Outgoing
from agents.remote.own_turns import PREROLL_S, OwnTurns
from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.sound.streams import Outbox
from simulator.speaking.ears import EarsKind, make_ears

MOST_S = 120.0
"""So much sound may wait to be heard."""

SHORTEST_MS = 100
"""A commit of less is an error, as it is with the original."""


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """How turns are found. manual: the client commits. interrupt: speech cancels the response."""

    manual: bool = False
    interrupt: bool = True
    silence_s: float = 0.5
    prefix_ms: int = round(PREROLL_S * 1000)


class ClientInput:
    """Takes appended sound and gives it to the agent frame by frame."""

    def __init__(self, out: Outgoing, ears: EarsKind) -> None:
        self._out = out
        self._ears_kind = ears
        self.format = WireFormat()
        self.detection = Detection()
        self._box = Outbox()
        self._held = Outbox()
        self._turns: OwnTurns | None = None
        self._item = ""
        self._last_item: str | None = None
        self._heard_ms = 0.0

    def detect(self, detection: Detection) -> None:
        """Find turns in another way from now on."""
        self.detection = detection
        self._turns = None

    @property
    def waiting_s(self) -> float:
        """How much sound is still to be heard, in seconds."""
        return self._box.buffered / self.format.rate

    def append(self, audio: object) -> None:
        """Take sound, base64 in the session's format. ClientEventError when it is none, or too much waits."""
        try:
            samples = self.format.decode(audio)
        except RemoteError as error:
            raise ClientEventError("invalid_value", f"the audio {error}", "audio") from error
        if self._box.buffered + self._held.buffered + len(samples) > MOST_S * self.format.rate:
            raise ClientEventError(
                "input_audio_buffer_full", f"more than {MOST_S:g} s of audio wait to be heard", "audio"
            )
        (self._held if self.detection.manual else self._box).push(samples)

    def clear(self) -> None:
        """Forget what was appended and not heard (or, where the client commits, not committed)."""
        (self._held if self.detection.manual else self._box).clear()
        self._out.send("input_audio_buffer.cleared")

    def commit(self) -> None:
        """Let the agent hear what was appended, as one turn. ClientEventError if that is next to nothing."""
        length = self._held.buffered
        if length * 1000 < SHORTEST_MS * self.format.rate:
            milliseconds = length * 1000 / self.format.rate
            raise ClientEventError(
                "input_audio_buffer_commit_empty",
                f"the buffer holds {milliseconds:.0f} ms of audio; a commit needs {SHORTEST_MS} ms or more",
            )
        self._held.release()
        self._box.push(self._held.take(length))
        self._item = self._out.name("item")
        self._committed()

    def hear(self, count: int) -> tuple[Samples, str | None]:
        """Give the agent's next frame, and whether a turn was found to `start` or `end` in it."""
        before = self._box.taken
        samples = self._box.take(count)
        self._heard_ms += (self._box.taken - before) * 1000 / self.format.rate
        if self.detection.manual:
            return samples, None
        change = self._ears().hear(samples).change
        if change == "start":
            self._item = self._out.name("item")
            start = max(0, round(self._heard_ms) - self.detection.prefix_ms)
            self._out.send("input_audio_buffer.speech_started", audio_start_ms=start, item_id=self._item)
        elif change == "end":
            end = round(self._heard_ms)
            self._out.send("input_audio_buffer.speech_stopped", audio_end_ms=end, item_id=self._item)
            self._committed()
        return samples, change

    def recognised(self, text: str) -> None:
        """The agent told what it understood of the last turn."""
        if self._last_item is not None:
            self._out.send(
                "conversation.item.input_audio_transcription.completed",
                item_id=self._last_item,
                content_index=0,
                transcript=text,
                usage={"type": "duration", "seconds": 0.0},
            )

    def _ears(self) -> OwnTurns:
        if self._turns is None:
            ears = make_ears(self._ears_kind, self.format.rate, noisy=True)
            self._turns = OwnTurns(ears, self.format.rate, self.detection.silence_s)
        return self._turns

    def _committed(self) -> None:
        content = [{"type": "input_audio", "transcript": None}]
        item: dict[str, Any] = {
            "id": self._item,
            "object": "realtime.item",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": content,
        }
        previous, self._last_item = self._last_item, self._item
        self._out.send("input_audio_buffer.committed", item_id=self._item, previous_item_id=previous)
        self._out.send("conversation.item.added", item=item, previous_item_id=previous)
        self._out.send("conversation.item.done", item=item, previous_item_id=previous)
