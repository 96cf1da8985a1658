"""The client's side of the Gemini Live protocol, without I/O.

    state       what happens                               what is done                             next
    connecting  the client opened and configured it
                setup_complete                                                                      open
    open        a frame is heard                           realtime_input.audio                     open
                own ears (vad: none): a turn began, ended  activity_start, activity_end               open
                server_content.model_turn with sound       the sound waits to be said               open
                server_content.interrupted                 what waits is dropped                    open
                server_content.generation_complete         the turn's sound is complete             open
                server_content.turn_complete               the turn is over, or failed with a       open
                                                           reason; its usage can be told
                transcriptions of either side              told, piece by piece                     open
                tool_call                                  tool_response when the answer is due     open
                tool_call_cancellation                     the call is forgotten                    open
                session_resumption_update                  its handle is kept                       open
                go_away                                    another connection, with the handle:     connecting
                                                           between turns, or a second before the end
                connection lost                            another connection, with the handle;     connecting
                                                           RemoteError without one

This protocol has no way to say how much of a turn was heard: the service assumes real time. What is said here
stops at the frame in which `interrupted` is acted on. Sound heard while another connection is opened waits
and is sent.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.gemini.turn import DOWN, UP, GeminiSettings, Link, ModelTurn
from agents.remote.foreign_json import inner, listed, number
from agents.remote.own_turns import OwnTurns
from agents.remote.peer_core import Actions, Message
from agents.remote.tools import HANG_UP, ToolDesk
from agents.remote.usage import UsageTally, gemini_counts
from agents.remote.wire_audio import WirePieces
from simulator.errors import RemoteError
from simulator.events import Party, other_party
from simulator.frame import Samples
from simulator.speaking.ears import make_ears
from simulator.traits import AudioFormat
from simulator.world.world import World

USAGE_AFTER_S = 2.0
"""A turn's usage may be told after the turn, and more than once: the last word in this time counts."""


class GeminiCore:
    """One session, over one connection or several."""

    protocol = "gemini_live"
    version = 1
    ended = True
    """There is no goodbye in this protocol: the connection is just closed."""

    def __init__(self, settings: GeminiSettings) -> None:
        self.format = AudioFormat(input_rate=UP.rate, output_rate=DOWN.rate)
        self.actions = Actions()
        self.settings = settings
        self.ready = False
        self.party: Party = "agent"
        self.turn = ModelTurn(settings, self.actions)
        self.tools = ToolDesk(settings.tools, DOWN.rate)
        self.link = Link(self.actions)
        self.usage = UsageTally(self.actions, settings.model, UP.rate, DOWN.rate)
        self._pieces = WirePieces(DOWN)
        self._turns: OwnTurns | None = None
        self._greeted = not settings.greeting

    @property
    def done(self) -> bool:
        """Whether the model has hung up and all it said before was said."""
        return self.turn.gone

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays; make ears where the service is told not to detect turns."""
        self.tools.enter(world, party)
        self.party = party
        settings = self.settings
        if not settings.detects_turns:
            ears = make_ears(settings.own_ears, UP.rate, noisy=noisy)
            self._turns = OwnTurns(ears, UP.rate, settings.end_silence_s)

    def opening(self) -> list[Message]:
        """Nothing: the client's `setup` comes first."""
        return []

    def receive(self, message: Message, at: int) -> None:
        """Act on every part of a message."""
        if "setup_complete" in message:
            self.ready = True
            self.link.connected(at)
        for name, handler in _HANDLERS.items():
            part = message.get(name)
            if part is not None:
                handler(self, inner(message, name), at)

    def lost(self, reason: str, at: int) -> None:
        """Open another connection where there is a handle to go on with."""
        if not self.ready:
            raise RemoteError(reason)
        self.link.lost(reason, at)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard; give answers that are due; see to the connection."""
        sent = self._listen(samples, at)
        self.usage.heard(len(samples), sent, at)
        if not self._greeted:
            self._greeted = True
            self.actions.send({"realtime_input": {"text": self.settings.greeting}})
        for answer in self.tools.due(self.actions, at):
            told = answer.answer if isinstance(answer.answer, dict) else {"result": answer.answer}
            response = {"id": answer.call, "name": answer.name, "response": told}
            self.actions.send({"tool_response": {"function_responses": [response]}})
            self.turn.expect(at)
        self.turn.look(at)
        self._tell_usage(at, at - USAGE_AFTER_S * DOWN.rate)
        self.link.look(at, between_turns=not self.turn.open)

    def say(self, count: int, at: int) -> Samples:
        """Say what is due."""
        return self.turn.say(count, at)

    def close(self, at: int) -> None:
        """Account for what is still being said, for the last turn and the last seconds."""
        self.turn.cut(at)
        self._tell_usage(at, at)
        self.usage.tell(at)

    def content(self, content: Mapping[str, Any], at: int) -> None:
        """Act on a part of the model's turn."""
        for part in listed(inner(content, "model_turn"), "parts"):
            sound = inner(part, "inline_data")
            if str(sound.get("mime_type") or "").startswith("audio/"):
                self._sound(sound, at)
        self._transcript(inner(content, "input_transcription"), other_party(self.party), at)
        self._transcript(inner(content, "output_transcription"), self.party, at)
        if content.get("interrupted"):
            self.turn.interrupted(at)
        if content.get("generation_complete"):
            self.turn.generated(at)
        if content.get("turn_complete"):
            self.turn.over(content.get("turn_complete_reason"), at)

    def call(self, call: Mapping[str, Any], at: int) -> None:
        """The model calls a function."""
        name, arguments = str(call.get("name", "")), inner(call, "args")
        if name == HANG_UP:
            self.turn.leaving = True
            self.actions.note(at, "hang_up", reason=arguments.get("reason"))
            return
        if self.tools.called(self.actions, str(call.get("id") or name), name, arguments, at):
            self.turn.expect(None)

    def _listen(self, samples: Samples, at: int) -> int:
        """Send the frame, or what our own ears make of it; give the samples sent."""
        if self._turns is None:
            self._send_sound(samples)
            return len(samples)
        heard = self._turns.hear(samples)
        if heard.change == "start":
            self.actions.note(at, "heard_speech_start", heard_since=self._turns.since)
            self.actions.send({"realtime_input": {"activity_start": {}}})
        for sound in heard.sound:
            self._send_sound(sound)
        if heard.change == "end":
            self.actions.note(at, "heard_speech_end")
            self.actions.send({"realtime_input": {"activity_end": {}}})
            self.turn.expect(at)
        return sum(map(len, heard.sound))

    def _send_sound(self, samples: Samples) -> None:
        sound = {"data": UP.encode(samples), "mime_type": f"audio/pcm;rate={UP.rate}"}
        self.actions.send({"realtime_input": {"audio": sound}}, heard=True)

    def _sound(self, sound: Mapping[str, Any], at: int) -> None:
        kind = str(sound.get("mime_type"))
        if f"rate={DOWN.rate}" not in kind and "rate=" in kind:
            raise RemoteError(f"sent sound as {kind!r}; {DOWN.rate} Hz are expected")
        samples = self._pieces.decode(sound.get("data"))
        self.usage.received(len(samples))
        self.link.alive()
        if not self.turn.open:
            self._tell_usage(at, at)
        self.turn.sound(samples, at)

    def _transcript(self, transcription: Mapping[str, Any], of: Party, at: int) -> None:
        text = str(transcription.get("text") or "")
        if text:
            self.actions.note(at, "transcript", of=of, text=text, fragment=True)

    def _tell_usage(self, at: int, before: float) -> None:
        counts = self.turn.used_before(before)
        if counts:
            self.usage.tokens(counts, at)


def _seconds(duration: object) -> float:
    """Read a protobuf duration (`"9.5s"`); 0 for anything else."""
    return number({"seconds": str(duration).removesuffix("s")}, "seconds")


def _on_tool_call(core: GeminiCore, part: Mapping[str, Any], at: int) -> None:
    for call in listed(part, "function_calls"):
        core.call(call, at)


def _on_cancellation(core: GeminiCore, part: Mapping[str, Any], at: int) -> None:
    ids = part.get("ids")
    for call in ids if isinstance(ids, list) else ():
        core.tools.cancel(str(call))
        core.actions.note(at, "tool_call_cancelled", id=str(call))


_HANDLERS: Mapping[str, Callable[[GeminiCore, Mapping[str, Any], int], None]] = {
    "session_resumption_update": lambda core, part, at: core.link.resumable(part),
    "usage_metadata": lambda core, part, at: core.turn.used(gemini_counts(part), at),
    "server_content": GeminiCore.content,
    "tool_call": _on_tool_call,
    "tool_call_cancellation": _on_cancellation,
    "go_away": lambda core, part, at: core.link.going(_seconds(part.get("time_left")), at),
}
