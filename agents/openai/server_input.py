"""The client's side of a served Realtime session: what it appended, when it is heard, what is a turn.

    turn_detection    sound the client appends          a turn
    server, semantic  is heard at once, in real time    is cut by our ears as it is heard: speech_started,
                                                        speech_stopped, committed, an item; a commit ends it early
    null              waits until it is committed       is what is committed: committed, an item

Sound may come faster than real time: it waits. Where it comes late the agent hears silence, which the
client's own count of milliseconds (`audio_start_ms`) does not know. Where the agent answers sooner than our ears are
sure that the turn is over, the turn is over (`settle`): the question stands before its answer.
"""

from collections import deque
from typing import Any

from agents.openai.server_items import ConversationItems
from agents.openai.server_settings import ServedSettings
from agents.openai.server_words import ClientEventError, Outgoing
from agents.remote.own_turns import OwnTurns
from agents.remote.wire_audio import sound_bytes
from agents.remote.wire_queue import WireQueue
from simulator.errors import RemoteError
from simulator.frame import Samples, silence
from simulator.speaking.ears import AnyEars, make_ears

LARGEST_PIECE = 15 * 2**20
"""Bytes of sound in one event, as it is with the original."""
MOST_BYTES = 2 * LARGEST_PIECE
"""So much sound may wait to be heard: another piece beside one of the largest."""

SHORTEST_MS = 100
"""A commit of less is an error, as it is with the original."""


class ClientInput:
    """Takes appended sound and gives it to the agent frame by frame."""

    def __init__(self, out: Outgoing, items: ConversationItems, ears: AnyEars) -> None:
        self._out = out
        self._items = items
        self._ears_kind = ears
        self._settings = ServedSettings()
        self._box = WireQueue()
        self._held = WireQueue()
        self._turns: OwnTurns | None = None
        self._item = ""
        self._last_item = ""
        self._uncommitted = 0
        self._understood: list[str] = []
        self._unwatched: deque[tuple[int, int]] = deque()
        self._commits: deque[tuple[int, str]] = deque()
        self._heard = 0

    def set(self, settings: ServedSettings) -> None:
        """Go by other settings from now on."""
        before, self._settings = self._settings.detection, settings
        if settings.detection != before:
            self._turns = None
        if before.manual and not settings.detection.manual:
            for piece in self._held.drain():
                self._box.push(piece)

    @property
    def waiting_s(self) -> float:
        """How much sound is still to be heard, in seconds."""
        return self._box.bytes / self._settings.heard.width / self._settings.heard.rate

    @property
    def pending(self) -> bool:
        """Whether a turn is not over, or not yet heard to its end: what the agent says now is no answer to it."""
        return bool(self._item or self._commits)

    def append(self, audio: object) -> None:
        """Take sound in the session's format, base64 or decoded. ClientEventError: it is none, or too much waits."""
        data = self._sound(audio, "audio")
        self._uncommitted += len(data)
        (self._held if self._settings.detection.manual else self._box).push(data)

    def take_item(self, audio: object, where: str) -> None:
        """Let the agent hear the sound of an item that the client made; it is no turn of its own."""
        data = self._sound(audio, where)
        self._unwatched.append((self._box.pushed, self._box.pushed + len(data)))
        self._box.push(data)
        self._commits.append((self._box.pushed, ""))

    def clear(self) -> None:
        """Forget what was appended and not heard (or, where the client commits, not committed)."""
        if self._settings.detection.manual:
            self._held.clear()
        else:
            self._box.clear()
            self._unwatched.clear()
            self._commits.clear()
        self._uncommitted = 0
        self._out.send("input_audio_buffer.cleared")

    def commit(self) -> None:
        """Let the agent hear what was appended, as one turn. ClientEventError if that is next to nothing."""
        milliseconds = self._uncommitted * 1000 / self._settings.heard.width / self._settings.heard.rate
        if milliseconds < SHORTEST_MS:
            raise ClientEventError(
                "input_audio_buffer_commit_empty",
                f"the buffer holds {milliseconds:.0f} ms of audio; a commit needs {SHORTEST_MS} ms or more",
            )
        self._items.check_room()
        for piece in self._held.drain():
            self._box.push(piece)
        self._turns = None
        self._unwatched.append((self._reached, self._box.pushed))
        self._item = self._item or self._items.name()
        self._commits.append((self._box.pushed, self._item))
        self._committed()

    def hear(self, count: int) -> tuple[Samples, str | None]:
        """Give the agent's next frame, and whether a turn was found to `start` or `end` in it."""
        settings = self._settings
        at = self._reached
        samples, found = self._box.take(count, settings.heard)
        self._heard += found
        while self._commits and self._commits[0][0] - settings.heard.width < self._reached:
            item = self._commits.popleft()[1]
            self._last_item = item or self._last_item
            self._tell_understood()
        if settings.detection.manual:
            return samples, None
        change = self._ears().hear(silence(count) if self._is_unwatched(at) else samples).change
        if change == "start":
            self._item = self._items.name()
            start = max(0, self._heard_ms() - settings.detection.prefix_ms)
            self._out.send("input_audio_buffer.speech_started", audio_start_ms=start, item_id=self._item)
        elif change == "end":
            self._stopped()
        return samples, change

    def settle(self) -> bool:
        """End the turn now if the client is silent; say whether that was so."""
        if self._turns is None or not self._item or not self._turns.end_if_silent():
            return False
        self._stopped()
        return True

    def recognised(self, text: str) -> None:
        """The agent told what it understood of the present turn, or else of the last one."""
        self._understood.append(text.strip())
        if not self.pending:
            self._tell_understood()

    @property
    def _reached(self) -> int:
        return self._box.pushed - self._box.bytes

    def _sound(self, audio: object, where: str) -> bytes:
        most = LARGEST_PIECE if isinstance(audio, bytes) else (LARGEST_PIECE + 2) // 3 * 4 + 4
        if isinstance(audio, str | bytes) and len(audio) > most:
            told = f"the audio of an event is at most {LARGEST_PIECE} bytes"
            raise ClientEventError("audio_too_large", told, where)
        try:
            data = audio if isinstance(audio, bytes) else sound_bytes(audio)
        except RemoteError as error:
            raise ClientEventError("invalid_value", f"the audio {error}", where) from error
        if self._box.bytes + self._held.bytes + len(data) > MOST_BYTES:
            told = f"more than {MOST_BYTES} bytes of audio wait to be heard"
            raise ClientEventError("input_audio_buffer_full", told, where)
        return data

    def _is_unwatched(self, at: int) -> bool:
        while self._unwatched and self._unwatched[0][1] <= at:
            self._unwatched.popleft()
        return bool(self._unwatched) and self._unwatched[0][0] <= at

    def _heard_ms(self) -> int:
        return round(self._heard * 1000 / self._settings.heard.rate)

    def _ears(self) -> OwnTurns:
        if self._turns is None:
            rate = self._settings.heard.rate
            ears = make_ears(self._ears_kind, rate, noisy=True)
            self._turns = OwnTurns(ears, rate, self._settings.detection.silence_s)
        return self._turns

    def _stopped(self) -> None:
        self._out.send("input_audio_buffer.speech_stopped", audio_end_ms=self._heard_ms(), item_id=self._item)
        self._last_item = self._item
        self._committed()
        self._tell_understood()

    def _committed(self) -> None:
        item: dict[str, Any] = {
            "id": self._item,
            "object": "realtime.item",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        self._item, self._uncommitted = "", 0
        self._out.send("input_audio_buffer.committed", item_id=item["id"], previous_item_id=self._items.last)
        self._items.add(item)
        self._items.done(item["id"])

    def _tell_understood(self) -> None:
        text, self._understood = " ".join(filter(None, self._understood)), []
        if not text or not self._last_item:
            return
        self._items.transcribed(self._last_item, text)
        if self._settings.transcription is not None:
            self._out.send(
                "conversation.item.input_audio_transcription.completed",
                item_id=self._last_item,
                content_index=0,
                transcript=text,
                usage={"type": "duration", "seconds": 0.0},
            )
