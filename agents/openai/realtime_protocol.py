"""The client's side of the OpenAI Realtime protocol, without I/O.

    state       what happens                             what is done                                next
    greeting    a connection opens                       session.update                              greeting
                session.updated                                                                      listening
                error                                    RemoteError: refused the session
    listening   a frame is heard                         input_audio_buffer.append                   listening
                own ears (vad: none): a turn ended       input_audio_buffer.commit, response.create  listening
                all answers of tools are given           response.create                             listening
                response.created                                                                     answering
    answering   response.output_audio.delta              the sound waits to be said                  answering
                a function call                          its answer when due                         answering
                response.done                            its usage is told, or its failure           listening
    either      speech that interrupts: the far end's    what waits is dropped, conversation.item.truncate at
                speech_started, or our own ears          the milliseconds really said; response.cancel where
                                                         the far end leaves that to us
                error                                    told as `remote_error`; session_expired is the end

What is said here is the reply's business (reply.py). Messages of unknown type are ignored,
and so are fields; sound of an interrupted response that still comes in is ignored too.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.openai.reply import RealtimeReply, RealtimeSettings
from agents.remote.foreign_json import error_in, inner, number
from agents.remote.own_turns import OwnTurns
from agents.remote.peer_core import Actions, Message
from agents.remote.usage import UsageTally, openai_counts
from agents.remote.wire_audio import WirePieces
from simulator.errors import RemoteError
from simulator.events import Party, other_party
from simulator.frame import Samples
from simulator.speaking.ears import make_ears
from simulator.traits import AudioFormat
from simulator.world.world import World


class RealtimeCore:
    """One session with a Realtime endpoint."""

    protocol = "openai_realtime"
    version = 1
    ended = True
    """There is no goodbye in this protocol: the connection is just closed."""

    def __init__(self, settings: RealtimeSettings) -> None:
        audio = settings.audio
        self.format = AudioFormat(input_rate=audio.rate, output_rate=audio.rate)
        self.actions = Actions()
        self.pieces = WirePieces(audio)
        self.ready = False
        self.settings = settings
        self.reply = RealtimeReply(settings, self.actions)
        self.usage = UsageTally(self.actions, settings.model, audio.rate, audio.rate)
        self.party: Party = "agent"
        self._turns: OwnTurns | None = None
        self._asked = not settings.speaks_first
        self._last_error = ""

    @property
    def done(self) -> bool:
        """Whether the model has hung up and all it said before was said."""
        return self.reply.gone

    def begin(self, party: Party, *, noisy: bool, world: World | None = None) -> None:
        """Learn which party it plays; make ears where the far end detects no turns."""
        self.reply.tools.enter(world, party)
        self.party = party
        settings = self.settings
        if not settings.detects_turns:
            ears = make_ears(settings.own_ears, settings.audio.rate, noisy=noisy)
            self._turns = OwnTurns(ears, settings.audio.rate, settings.end_silence_s)

    def opening(self) -> list[Message]:
        """Configure the session."""
        return [{"type": "session.update", "session": dict(self.settings.session)}]

    def receive(self, message: Message, at: int) -> None:
        """Act on a message, by its type."""
        handler = _HANDLERS.get(str(message.get("type")))
        if handler is not None:
            handler(self, message, at)

    def lost(self, reason: str, at: int) -> None:
        """Nothing brings a Realtime session back."""
        raise RemoteError(reason + (f"; its last error was: {self._last_error}" if self._last_error else ""))

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard; ask for what is owed."""
        sent = self._listen(samples, at)
        self.usage.heard(len(samples), sent, at)
        if not self._asked:
            self._asked = True
            self.actions.send({"type": "response.create"})
        self.reply.look(at)

    def say(self, count: int, at: int) -> Samples:
        """Say what is due."""
        return self.reply.say(count, at)

    def close(self, at: int) -> None:
        """Account for what is still being said and for the last seconds."""
        self.reply.cut_off(at)
        self.usage.tell(at)

    def failed(self, error: Mapping[str, Any], at: int) -> None:
        """The far end tells of an error; only before the session stands, or at its limit, is it the end."""
        code = str(error.get("code") or error.get("type") or "error")
        sentence = str(error.get("message") or "")
        self._last_error = f"{code}: {sentence}".rstrip(". ")
        if not self.ready:
            raise RemoteError(f"refused the session: {self._last_error}")
        self.actions.note(at, "remote_error", code=code, message=sentence)
        if code == "session_expired":
            raise RemoteError(f"reached its session limit: {sentence.rstrip('. ')}")

    def _listen(self, samples: Samples, at: int) -> int:
        """Send the frame, or what our own ears make of it; give the samples sent."""
        if self._turns is None:
            self._append(samples)
            return len(samples)
        heard = self._turns.hear(samples)
        for sound in heard.sound:
            self._append(sound)
        if heard.change == "start":
            self.actions.note(at, "heard_speech_start", heard_since=self._turns.since)
            if self.settings.interrupts:
                self.reply.interrupt(at)
        elif heard.change == "end":
            self.actions.note(at, "heard_speech_end")
            self.actions.send({"type": "input_audio_buffer.commit"})
            self.reply.owe(at)
        return sum(map(len, heard.sound))

    def _append(self, samples: Samples) -> None:
        audio = self.settings.audio.encode(samples)
        self.actions.send({"type": "input_audio_buffer.append", "audio": audio}, heard=True)


def _on_updated(core: RealtimeCore, _message: Message, _at: int) -> None:
    core.ready = True


def _on_error(core: RealtimeCore, message: Message, at: int) -> None:
    core.failed(error_in(message), at)


def _on_speech_started(core: RealtimeCore, message: Message, at: int) -> None:
    since = int(number(message, "audio_start_ms")) * core.settings.audio.rate // 1000
    core.actions.note(at, "heard_speech_start", heard_since=since)
    core.reply.expect(None)
    if core.settings.interrupts:
        core.reply.interrupt(at)


def _on_speech_stopped(core: RealtimeCore, message: Message, at: int) -> None:
    until = int(number(message, "audio_end_ms")) * core.settings.audio.rate // 1000
    core.actions.note(at, "heard_speech_end", heard_until=until)
    core.reply.expect(at)


def _on_response_created(core: RealtimeCore, message: Message, at: int) -> None:
    core.reply.created(str(inner(message, "response").get("id") or ""), at)


def _on_audio(core: RealtimeCore, message: Message, at: int) -> None:
    samples = core.pieces.decode(message.get("delta"), str(message.get("item_id")))
    core.usage.received(len(samples))
    core.reply.audio(message, samples, at)


def _on_audio_done(core: RealtimeCore, message: Message, _at: int) -> None:
    core.reply.playout.finish(str(message.get("item_id", "")))


def _on_response_done(core: RealtimeCore, message: Message, at: int) -> None:
    response = inner(message, "response")
    core.reply.over(response, at)
    core.usage.tokens(openai_counts(inner(response, "usage")), at)


def _on_said_text(core: RealtimeCore, message: Message, at: int) -> None:
    _tell_transcript(core, message, at, core.party)


def _on_heard_text(core: RealtimeCore, message: Message, at: int) -> None:
    _tell_transcript(core, message, at, other_party(core.party))
    usage, recogniser = inner(message, "usage"), core.settings.recogniser or "recogniser"
    if usage.get("type") == "duration":
        core.usage.seconds(at, model=recogniser, input_s=number(usage, "seconds"))
    else:
        core.usage.tokens(openai_counts(usage), at, recogniser)


def _tell_transcript(core: RealtimeCore, message: Message, at: int, of: Party) -> None:
    text = str(message.get("transcript") or "").strip()
    core.actions.note(at, "transcript", of=of, id=message.get("item_id"), text=text)


def _on_heard_text_failed(core: RealtimeCore, message: Message, at: int) -> None:
    error = inner(message, "error")
    core.actions.note(
        at,
        "remote_error",
        code=str(error.get("code") or "transcription_failed"),
        message=str(error.get("message") or ""),
    )


def _on_call(core: RealtimeCore, message: Message, at: int) -> None:
    """A call is announced twice, by its arguments (older servers: without the name) and as an item."""
    item = inner(message, "item")
    if item.get("type") == "function_call":
        core.reply.call(str(item.get("call_id", "")), str(item.get("name", "")), item.get("arguments"), at)


def _on_rate_limits(core: RealtimeCore, message: Message, at: int) -> None:
    core.actions.note(at, "rate_limits", limits=message.get("rate_limits"))


_HANDLERS: Mapping[str, Callable[[RealtimeCore, Message, int], None]] = {
    "session.updated": _on_updated,
    "error": _on_error,
    "input_audio_buffer.speech_started": _on_speech_started,
    "input_audio_buffer.speech_stopped": _on_speech_stopped,
    "response.created": _on_response_created,
    "response.output_audio.delta": _on_audio,
    "response.output_audio.done": _on_audio_done,
    "response.output_audio_transcript.done": _on_said_text,
    # The names before general availability, which other people's servers still use.
    "response.audio.delta": _on_audio,
    "response.audio.done": _on_audio_done,
    "response.audio_transcript.done": _on_said_text,
    "response.output_item.done": _on_call,
    "response.done": _on_response_done,
    "conversation.item.input_audio_transcription.completed": _on_heard_text,
    "conversation.item.input_audio_transcription.failed": _on_heard_text_failed,
    "rate_limits.updated": _on_rate_limits,
}
