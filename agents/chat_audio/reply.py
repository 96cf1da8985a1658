"""What an answer of a chat_audio server becomes in the session: what is said, and the events that tell of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from agents.chat_audio.answer import ChatAnswer, laid_after
from agents.chat_audio.frame_loop import FRAME_S
from agents.remote.failure import ChatOutcome, response_events
from agents.speakable.stream import Speakable, speakable
from simulator.events import Party
from simulator.speaking.dialogue import Reply

Event = tuple[str, dict[str, Any]]


class ReplyMoment(msgspec.Struct, frozen=True, kw_only=True):
    """When an answer is known (`at`, on the stream that is said), to what `other` said, and where that begins.

    begun: on the stream that is heard; since: on the stream that is said, where it was computed beforehand.
    """

    at: int
    other: Party
    begun: int | None = None
    since: int | None = None
    number: int = 1
    """Of the session's answers, from 1 on."""

    @property
    def name(self) -> str:
        """How events call the answer."""
        return f"response-{self.number}"

    def origin(self) -> dict[str, int]:
        """Give the fields that say where an answer's stamps and frames count from."""
        places = {"heard_since": self.begun, "since": self.since}
        return {name: place for name, place in places.items() if place is not None}


def reply_of(answer: ChatAnswer, asked_s: float, aligned: bool | None, moment: ReplyMoment) -> Reply:
    """Give what is said of an answer to a question of asked_s seconds, and what is told of it."""
    laid = laid_after(answer, asked_s, aligned)
    events = events_of(answer, moment)
    if laid is not None and laid.early_s:
        events.append(("early_reply_dropped", {"at": moment.at, "dropped_s": round(laid.early_s, 3)}))
    # A server that sent silence said nothing; one that sent no sound leaves its text to be spoken.
    if laid is None or not len(laid.samples):
        return Reply(events=events) if answer.sound else _to_be_spoken(answer, events, moment)
    return Reply(text=answer.text, samples=laid.samples, sample_rate=laid.sample_rate, events=events)


def _to_be_spoken(answer: ChatAnswer, events: list[Event], moment: ReplyMoment) -> Reply:
    """Text that our voice says: without thoughts and markup, as a chat model's."""
    said, left_out = speakable(answer.written)
    if left_out:
        events.append(("unspoken", {"at": moment.at, "id": moment.name, "text": " ".join(left_out)}))
    return Reply(text=said, written=answer.text, events=events)


def _outcome(answer: ChatAnswer) -> ChatOutcome:
    heard = Speakable()
    heard.feed(answer.written)
    heard.finish()
    thought = heard.thinks and bool(answer.written.strip())
    return ChatOutcome(wrote=answer.sound is not None or not heard.thinks, thought=thought, finish=answer.finish,
                       calls=answer.calls, refusal=answer.refusal)  # fmt: skip


def events_of(answer: ChatAnswer, moment: ReplyMoment) -> list[Event]:
    """Give what a server told beside its reply: stamps, what it understood, debug_info, both token streams."""
    at, origin = moment.at, moment.origin()
    ids = {"session_id": answer.session_id, "audio_id": answer.audio_id}
    known = {name: value for name, value in ids.items() if value}
    stamps = {"stamps": [["open" if opens else "close", time] for opens, time in answer.stamps]}
    fields = {"at": at, **origin, "text": answer.text, **known, **(stamps if answer.stamps else {})}
    failure = _outcome(answer).failure
    events: list[Event] = [*response_events("chat_audio", moment.name, failure, at), ("reply_received", fields)]
    if answer.understood:
        events.append(("transcript", {"at": at, "of": moment.other, "text": answer.understood}))
    if answer.debug:
        events.append(("debug_info", {"at": at, **origin, "info": answer.debug}))
    if answer.alignment:
        events.append(("frame_alignment", {"at": at, **origin, "frame_s": FRAME_S, "frames": answer.alignment}))
    return events


def told_of(body: Mapping[str, Any], asked_s: float) -> dict[str, Any]:
    """Give a request for the trace: its sound is the session's own, so its place is enough."""
    return {"asked_s": asked_s, "body": _without_sound(body)}


def _without_sound(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: f"<{len(item)} characters>" if name in ("data", "url") and isinstance(item, str)
                else _without_sound(item) for name, item in value.items()}  # fmt: skip
    return [_without_sound(item) for item in value] if isinstance(value, list | tuple) else value
