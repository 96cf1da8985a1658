"""Replies of a model that plays a caller: what it is asked, which form its answer has, and how it is read. No I/O.

The answer is one JSON object, `{"action": "say", "say": "A table for two.", "reason": "...", "stage_reached": false}`.
Fences, thoughts in tags and words around it are let pass; anything else is a complaint, with which it is asked again.
"""

import re
from typing import Any, Literal

import msgspec

from agents.caller.mind import Occurred, Situation
from agents.remote.foreign_json import decode_foreign
from simulator.speaking.hearing import words_of
from simulator.texts import quoted

Json = dict[str, Any]
Action = Literal["say", "wait", "barge_in", "hang_up"]

ACTIONS: dict[Occurred, tuple[Action, ...]] = {
    "opening": ("say",),
    "turn": ("say", "wait", "hang_up"),
    "silence": ("say", "wait", "hang_up"),
    "cut_in": ("barge_in", "wait"),
    "answered": ("say", "wait", "hang_up"),
}
NOTES: dict[Occurred, str] = {
    "opening": "The line is open and nobody has spoken. You speak first.",
    "turn": "They have fallen silent. Answer, or `wait` if they only paused or asked you to wait.",
    "silence": "Nobody has said anything for a while. Say something, `wait`, or `hang_up` if it is no use.",
    "cut_in": "They are still talking; this is what was heard so far. If there is something worth interrupting for, "
    "`barge_in` with a few words; else `wait`.",
    "answered": "What you did took its time and is done now; you are told above what came of it. Say what follows.",
}
FORM = (
    'Answer with one JSON object and nothing else: {"action": one of %s, "say": the words you speak (empty to wait), '
    '"reason": a few words why, "stage_reached": true once what you want right now is settled}.'
)
HANG_UP = "When you have what you want, or it is plain that you will not get it, say goodbye with the action hang_up."
LONGEST = 600
"""Characters of a turn: what is longer is no turn of a phone call."""

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)


class CallerReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered."""

    action: Action
    say: str = ""
    reason: str = ""
    stage_reached: bool = False


def schema(*, may_hang_up: bool, occurred: Occurred) -> Json:
    """Give the JSON Schema of an answer at a moment."""
    return {
        "type": "object",
        "properties": {
            "action": {"type": "string", "enum": list(allowed(occurred, may_hang_up=may_hang_up))},
            "say": {"type": "string"},
            "reason": {"type": "string"},
            "stage_reached": {"type": "boolean"},
        },
        "required": ["action", "say", "reason", "stage_reached"],
        "additionalProperties": False,
    }


def allowed(occurred: Occurred, *, may_hang_up: bool) -> tuple[Action, ...]:
    """Give the actions that there are at a moment."""
    return tuple(action for action in ACTIONS[occurred] if may_hang_up or action != "hang_up")


def messages_of(system: str, situation: Situation, *, may_hang_up: bool) -> list[Json]:
    """Give the messages of a chat request. The other's come first, whoever spoke first: services want that."""
    told = [
        system,
        HANG_UP if may_hang_up else "",
        FORM % ", ".join(allowed(situation.occurred, may_hang_up=may_hang_up)),
    ]
    messages: list[Json] = [{"role": "system", "content": "\n".join(filter(None, told))}]
    if situation.history and situation.history[0].role != "user":
        messages.append({"role": "user", "content": "(the line is open)"})
    for message in situation.history:
        said = msgspec.json.encode({"action": "say", "say": message.text}).decode()
        messages.append({"role": message.role, "content": said if message.role == "assistant" else message.text})
    messages.append(
        {"role": "user", "content": "\n".join(filter(None, (situation.heard, f"[{NOTES[situation.occurred]}]")))}
    )
    return messages


def read_reply(text: str, occurred: Occurred, *, may_hang_up: bool) -> CallerReply:
    """Read an answer. ValueError: a predicate that says what is wrong with it."""
    plain = _THOUGHT.sub("", text).strip()
    start, end = plain.find("{"), plain.rfind("}")
    if start < 0 or end < start:
        raise ValueError(f"answered no JSON object: {quoted(plain)}")
    try:
        reply = msgspec.convert(decode_foreign(plain[start : end + 1]), CallerReply)
    except (ValueError, msgspec.ValidationError) as error:
        raise ValueError(
            f"answered no JSON object of the form that was asked for ({error}): {quoted(plain)}"
        ) from error
    if reply.action == "say" and occurred == "cut_in":
        return _with_words(msgspec.structs.replace(reply, action="barge_in"))  # the same, said then
    if reply.action not in allowed(occurred, may_hang_up=may_hang_up):
        known = ", ".join(allowed(occurred, may_hang_up=may_hang_up))
        raise ValueError(f"answered with the action {reply.action}; allowed here are {known}")
    return _with_words(reply)


def _with_words(reply: CallerReply) -> CallerReply:
    if reply.action != "wait" and not words_of(reply.say):
        raise ValueError(f"answered {reply.action} without words to say")
    if len(reply.say) > LONGEST:
        raise ValueError(f"answered with {len(reply.say)} characters to say; allowed are {LONGEST}")
    return reply
