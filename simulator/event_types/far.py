"""What is told of far ends: services, servers and other people's models that play a party, and clients of a server."""

from collections.abc import Mapping

from simulator.event_types.event_type import EventType, Field, Teller, maybe

_ACTOR: tuple[Teller] = ("actor",)
_OF_ITEM = {"id": Field("id", "of the item of sound")}
_OF_CALL = {"id": Field("id", "of the call")}
_OF_TOOL = {**_OF_CALL, "name": Field("text", "of the tool")}
_ORIGIN = {
    "heard_since": maybe("heard", "where the question begins, from which the answer counts"),
    "since": maybe("said", "the same, where it was computed before the session"),
}

TOKENS = (
    "input_text", "input_audio", "input_image", "cached_text", "cached_audio", "cached_image", "output_text",
    "output_audio",
)  # fmt: skip
"""Kinds of tokens, as prices name them."""

FAR_ENDS: Mapping[str, EventType] = {
    "remote_ready": EventType("The server's handshake is in.", _ACTOR, {"server": Field("text", "its dialect")}),
    "remote_error": EventType(
        "The far end tells of an error that does not end the session.",
        _ACTOR,
        {"code": maybe("text"), "message": Field("text")},
        shown="trouble",
    ),
    "remote_excess": EventType(
        "The far end, a client or a back end, told more than a session keeps; told when it is over.",
        ("actor", "client"),
        {
            "notes": Field("number", "of events that were left out"),
            "messages": Field("number", "of its trace, which breaks off before the first of them"),
            "bytes": Field("number", "of all of them, as JSON"),
        },
        account=True,
        shown="trouble",
    ),
    "remote_message": EventType(
        "The far end sent something beside its sound that the protocol leaves to its users.",
        _ACTOR,
        {"topic": maybe("text", "its own word for it"), "data": Field("data")},
    ),
    "remote_state": EventType("The far end tells what it is doing.", _ACTOR, {"state": Field("text")}),
    "text": EventType(
        "A piece of the text of what the far end says.",
        _ACTOR,
        {"text": Field("text"), "model_at": Field("said", "where the far end itself places it")},
    ),
    "transcript": EventType(
        "What the far end wrote down of one party's speech.",
        _ACTOR,
        {
            "of": Field("party", "who spoke"),
            "text": Field("text"),
            "id": maybe("id", "of the far end's item"),
            "fragment": maybe("flag", "a piece that brings its own spaces; pieces are joined as they are"),
            "start_ms": maybe("ms", "by the far end's clock"),
            "end_ms": maybe("ms", "by the far end's clock"),
        },
    ),
    "heard_speech_start": EventType(
        "The other's speech was noticed, by the far end or by our ears.", _ACTOR, {"heard_since": Field("heard")}
    ),
    "heard_speech_end": EventType("The other's speech was found to be over.", _ACTOR, {"heard_until": maybe("heard")}),
    "response_start": EventType("The far end begins to generate.", _ACTOR, {"id": Field("id", "of the response")}),
    "response_end": EventType(
        "The far end has generated all it will of a response.",
        _ACTOR,
        {"id": maybe("id", "of the response"), "status": maybe("text"), "reason": maybe("text")},
    ),
    "response_failed": EventType(
        "The far end answers a turn with an outcome instead of speech, or with half of an answer.",
        _ACTOR,
        {
            "id": maybe("id", "of the response"),
            "by": Field("text", "which kind of far end"),
            "reason": Field("text", "the service's own words where it has some"),
            "status": maybe("text"),
        },
        shown="trouble",
    ),
    "decision": EventType(
        "The far end tells what it decided to do next; told where it is another decision than before.",
        _ACTOR,
        {
            "by": Field("text", "`model`, or `overlap`: its server's rule for speech that comes while it speaks"),
            "choice": Field("text", "`listen`, `speak`; of an overlap `drop`, `listen`, `barge_in`"),
            "id": maybe("id", "of the response"),
            "reason": maybe("text"),
        },
    ),
    "unspoken": EventType(
        "What a chat model wrote and did not mean to be heard: thoughts, markup, stage directions.",
        _ACTOR,
        {"id": Field("id", "of the response"), "text": Field("text")},
    ),
    "interrupted": EventType(
        "The far end heard speech that cuts it off.", _ACTOR, {"id": Field("id", "of the response")}
    ),
    "audio_start": EventType("The first sound of an item is said.", _ACTOR, _OF_ITEM),
    "audio_starved": EventType("An item's sound did not come fast enough; silence is said.", _ACTOR, _OF_ITEM),
    "audio_end": EventType(
        "An item was said whole or cut.",
        _ACTOR,
        {
            **_OF_ITEM,
            "said_samples": Field("samples"),
            "cut": maybe("flag", "left out where no more came and nobody told whether it was over"),
            "dropped_samples": maybe("samples", "what had come and was not said"),
        },
        account=True,
    ),
    "sound_lost": EventType(
        "Packets of the far end's sound did not come; silence is said for them.",
        _ACTOR,
        {"lost_samples": Field("samples")},
    ),
    "starved": EventType(
        "Sound is there again after silence that nobody meant.",
        _ACTOR,
        {"since": Field("said", "where the silence begins")},
        shown="trouble",
    ),
    "tool_call_cancelled": EventType("The far end no longer waits for an answer.", _ACTOR, _OF_CALL),
    "delegation": EventType(
        "The model gives a task away.",
        _ACTOR,
        {"id": Field("id", "of the task"), "target": Field("text", "who is to do it")},
    ),
    "hang_up": EventType("The model hangs up; its last words are still said.", _ACTOR, {"reason": maybe("text")}),
    "usage": EventType(
        "What was used up since the event before; the sum is what the session used. Voices of injectors and of talkers "
        "on a line tell it too.",
        ("actor", "injector", "line"),
        {
            "direction": maybe("text", "the line whose talker it was"),
            "model": Field("text", "as prices name it"),
            "session_s": maybe("seconds", "of the session"),
            "input_s": maybe("seconds", "of sound sent"),
            "output_s": maybe("seconds", "of sound received"),
            **{f"{kind}_tokens": maybe("number") for kind in TOKENS},
        },
        account=True,
    ),
    "rate_limits": EventType("What the service will still take.", _ACTOR, {"limits": maybe("data")}),
    "go_away": EventType("The service will close this connection.", _ACTOR, {"time_left_s": Field("seconds")}),
    "connection_lost": EventType("The connection broke; another is opened.", _ACTOR, {"reason": Field("text")}),
    "resumed": EventType("The session goes on over another connection.", _ACTOR),
    "session_closed": EventType("The far end closed the session.", _ACTOR, {"reason": Field("text")}),
    "trace_diverged": EventType(
        "What a replayed party hears is no longer what its trace answers.",
        _ACTOR,
        {"agreed_s": Field("seconds", "how long it was")},
    ),
}

ANSWERS: Mapping[str, EventType] = {
    "reply_received": EventType(
        "A chat_audio server's answer is in.",
        _ACTOR,
        {
            **_ORIGIN,
            "text": Field("text"),
            "session_id": maybe("text", "the server's"),
            "audio_id": maybe("text", "the server's"),
            "stamps": maybe("data", "[open or close, seconds] of the answer"),
        },
    ),
    "debug_info": EventType("What the server tells about itself.", _ACTOR, {**_ORIGIN, "info": Field("data")}),
    "frame_alignment": EventType(
        "Both token streams of the server, frame by frame.",
        _ACTOR,
        {**_ORIGIN, "frame_s": Field("seconds"), "frames": Field("data")},
    ),
    "early_reply_dropped": EventType(
        "The server answered while it was still being asked; that part cannot be said any more.",
        _ACTOR,
        {"dropped_s": Field("seconds")},
    ),
    "asked_whole": EventType(
        "The server was asked with the other's whole track before the session.", _ACTOR, {"asked_s": Field("seconds")}
    ),
    "track_diverged": EventType(
        "What is heard is not the track that the server was asked with.", _ACTOR, {"heard_since": Field("heard")}
    ),
}

CALLS: Mapping[str, EventType] = {
    "tool_call": EventType(
        "The party calls a tool of the session's world, or a function that the scenario answers.",
        ("actor", "client"),
        {**_OF_TOOL, "arguments": Field("data", "as they were given; a text where they are no JSON")},
    ),
    "tool_result": EventType(
        "What a call is answered, when the answer is given.",
        ("actor", "client"),
        {
            **_OF_TOOL,
            "answer": Field("data", "`{error: ...}` where there is a fault"),
            "fault": maybe("text", "`unknown`: no such tool; `arguments`: not as its schema says; `refused` by it"),
        },
    ),
}

CLIENTS: Mapping[str, EventType] = {
    "client_message": EventType(
        "What the client sent beside sound.",
        ("client",),
        {"text": maybe("text"), "system": maybe("text"), "settings": maybe("data")},
    ),
    "client_truncated": EventType(
        "The client says how much of an item it played.",
        ("client",),
        {"id": Field("id", "of the item of sound"), "audio_end_ms": Field("ms")},
    ),
    "fallback": EventType(
        "The agent said nothing; the client was given this instead.", ("client",), {"text": Field("text")}
    ),
}
