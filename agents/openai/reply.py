"""The reply of a Realtime session: generated at the far end, said here, cut at the sample really said.

    item:      sound comes in ──> waits, is said ──> said whole          audio_start .. audio_end {cut: false}
                                        └─ interrupted ──> truncated     audio_end {cut: true, said_samples}
    response:  created ──> done (response_end), or failed, incomplete (response_failed);
               function calls in it are answered when due, then the next is asked for

What counts as said is what left the playout: no padding, no share of a frame that was silence.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.remote.failure import FAILED, failed_fields
from agents.remote.foreign_json import inner, listed, number
from agents.remote.peer_core import Actions, Message
from agents.remote.playout import Playout, tell, tell_cut
from agents.remote.tools import HANG_UP, ToolDesk, read_arguments
from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.speaking.ears import AnyEars
from simulator.texts import written
from simulator.world.tool import Tool


class RealtimeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is made of: the object of session.update, and what our side does about it.

    interrupts: speech cuts what is being said. cancels: the far end does not cancel its response by itself
    then. own_ears: what detects turns when the far end does not; end_silence_s: what ends one then.
    """

    session: Mapping[str, Any]
    model: str
    recogniser: str | None
    audio: WireFormat
    tools: tuple[Tool, ...] = ()
    speaks_first: bool = False
    interrupts: bool = True
    cancels: bool = False
    detects_turns: bool = True
    own_ears: AnyEars | None = None
    end_silence_s: float = 0.6
    jitter_s: float = 0.1
    stall_s: float = 30.0


class RealtimeReply:
    """What the far end answers: generated there, said here, cut at the sample really said."""

    def __init__(self, settings: RealtimeSettings, actions: Actions) -> None:
        self._settings = settings
        self._actions = actions
        rate = settings.audio.rate
        self.playout = Playout(rate, settings.jitter_s)
        self.tools = ToolDesk(settings.tools, rate)
        self.active = ""
        """The id of the response being generated."""
        self.gone = False
        """The model has hung up, and what it said before was said."""
        self._leaving = False
        self._cut: set[str] = set()
        self._parts: dict[str, int] = {}
        self._owed = False
        self._due: int | None = None
        self._stall = round(settings.stall_s * rate)

    def created(self, response: str, at: int) -> None:
        """A response is being generated."""
        self.active = response or "response"
        self._owed = False
        self._due = at
        self._actions.note(at, "response_start", id=self.active)

    def audio(self, message: Message, samples: Samples, at: int) -> None:
        """Keep sound to be said, unless it belongs to what was interrupted."""
        item = str(message.get("item_id", ""))
        self._due = at
        if self.gone or item in self._cut or str(message.get("response_id", "")) in self._cut:
            return
        self._parts[item] = int(number(message, "content_index"))
        self.playout.push(item, samples)

    def over(self, response: Mapping[str, Any], at: int) -> None:
        """The response is over: generated, cancelled, or not to be had (whole)."""
        self.active = ""
        self._due = None
        status, details = response.get("status"), inner(response, "status_details")
        error = inner(details, "error")
        if status in ("failed", "incomplete"):
            reason = error.get("message") or error.get("code") or details.get("reason")
            told = failed_fields("openai_realtime", reason, id=response.get("id"), status=status)
            self._actions.note(at, FAILED, **told)
        else:
            self._actions.note(at, "response_end", id=response.get("id"), status=status, reason=details.get("reason"))
        for item in listed(response, "output"):
            self.playout.finish(str(item.get("id", "")))

    def expect(self, at: int | None) -> None:
        """The far end owes an answer from now on, or none (None) while it listens."""
        self._due = at

    def owe(self, at: int) -> None:
        """We have to ask for an answer as soon as none is being given."""
        self._owed = True
        self._due = at

    def call(self, call: str, name: str, arguments: object, at: int) -> None:
        """The model calls a function."""
        if name == HANG_UP:
            if not self._leaving:
                self._leaving = True
                self._actions.note(at, "hang_up", **_as_fields(read_arguments(arguments)))
            return
        self.tools.called(self._actions, call, name, arguments, at)

    def look(self, at: int) -> None:
        """Give the answers that are due, ask for what is owed, see whether the far end has stalled."""
        for answer in self.tools.due(self._actions, at):
            item = {"type": "function_call_output", "call_id": answer.call, "output": written(answer.answer)}
            self._actions.send({"type": "conversation.item.create", "item": item})
            self._owed = True
        if self._owed and not self.active and not self.tools.waiting:
            self._owed = False
            self._actions.send({"type": "response.create"})
        if self._due is not None and at - self._due > self._stall:
            raise RemoteError(f"sent nothing for {self._settings.stall_s:g} s while an answer was due")

    def say(self, count: int, at: int) -> Samples:
        """Say what waits, and tell what became of items."""
        samples, moments = self.playout.take(count, at)
        for moment in moments:
            tell(self._actions, moment)
            if moment.what == "end":
                self._parts.pop(moment.item.name, None)
        self.gone = self.gone or (self._leaving and not self.active and not self.playout.waiting)
        return samples

    def interrupt(self, at: int) -> None:
        """Stop: drop what waits, tell the far end what was heard of it."""
        if self.active and self._settings.cancels:
            self._actions.send({"type": "response.cancel"})
        if self.active:
            self._cut.add(self.active)
        rate = self._settings.audio.rate
        for item in self.playout.cut():
            self._cut.add(item.name)
            part = self._parts.pop(item.name, 0)
            # Rounded down: a truncation beyond what the item holds is an error.
            heard_ms = item.said * 1000 // rate
            if heard_ms:
                cut = {"type": "conversation.item.truncate", "content_index": part, "audio_end_ms": heard_ms}
            else:  # some servers take no truncation to nothing; an item of which nothing was heard never was
                cut = {"type": "conversation.item.delete"}
            self._actions.send({**cut, "item_id": item.name})
            tell_cut(self._actions, item, at)

    def cut_off(self, at: int) -> None:
        """The session ends: say what of the items was said."""
        for item in self.playout.cut():
            tell_cut(self._actions, item, at)


def _as_fields(arguments: Any) -> dict[str, Any]:
    return {"reason": arguments["reason"]} if isinstance(arguments, dict) and "reason" in arguments else {}
