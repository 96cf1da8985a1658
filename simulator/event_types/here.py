"""What is told of speech, hearing and models in this process, of lines, and of a session's own clock."""

from collections.abc import Mapping

from simulator.event_types.event_type import EventType, Field, maybe

_HEARD = {
    "heard_since": Field("heard", "where what was heard begins"),
    "heard_until": Field("heard", "where it ends"),
}
_DIRECTION = {"direction": Field("text", "the line: user_to_agent or agent_to_user")}
_FRAME = {"frame": maybe("number", "of the microphone's own counter: where sound is missing or left out")}

SPEECH: Mapping[str, EventType] = {
    "speech_start": EventType(
        "An utterance begins; told is what is planned, its end tells what became of it.",
        ("actor", "injector"),
        {
            "id": Field("id", "of the utterance"),
            "role": Field("text", "turn, interruption, backchannel, aside or recording"),
            "text": Field("text"),
            "planned_samples": Field("samples"),
            "words": Field("words", "none where onsets are not known"),
            "pauses": maybe("stretches", "silences that belong to it"),
            "meant": maybe("text", "the text without its disfluencies, where it was told of some"),
            "disfluent": maybe("data", "words of the text that are not meant: [first, one past the last, what it is]"),
        },
        utterance="begins",
        shown="elsewhere",  # bars and words of the lanes
    ),
    "speech_end": EventType(
        "An utterance is over, said whole or cut; words planned for later were not said.",
        ("actor", "injector"),
        {"id": Field("id", "of the utterance"), "said_samples": Field("samples"), "cut": Field("flag")},
        utterance="ends",
        shown="elsewhere",
    ),
    "cue_missed": EventType(
        "Something to say fell due and was not said: its own party was speaking for too long.",
        ("actor", "injector"),
        {"turn": maybe("number", "of a script, from 0"), "role": maybe("text", "of an injector")},
    ),
    "cue_unfired": EventType(
        "The session ended, and the cue of an injector had not once fallen due.",
        ("injector",),
        {"role": Field("text", "of the injector"), "cue": Field("text", "its condition, as a scenario writes it")},
        shown="elsewhere",
    ),
    "turn_heard": EventType(
        "What was heard was taken for a turn, which is over and gets an answer.",
        ("actor",),
        _HEARD,
        shown="elsewhere",  # the line of what was understood
    ),
    "recognised": EventType(
        "The turn that was heard, as text.", ("actor",), {"text": Field("text"), **_HEARD}, shown="elsewhere"
    ),
    "no_reply": EventType(
        "The turn that was heard gets no reply, and nothing failed.",
        ("actor",),
        {
            "text": Field("text", "what it was understood as"),
            "reason": Field("text", "no rule fits, or nothing was understood"),
            **_HEARD,
        },
    ),
    "yielded": EventType(
        "The party stopped speaking because the other had begun.",
        ("actor",),
        {
            "heard_since": maybe("heard", "where the other begins"),
            "said_text": Field("text", "what had been said of the utterance"),
        },
        shown="elsewhere",  # part of the barge-in it belongs to
    ),
    "decided": EventType(
        "A caller decided what to do; when, was drawn from its manner.",
        ("actor",),
        {
            "choice": Field("text", "say, wait, barge_in, prepare (words to cut in with), backchannel, hang_up"),
            "reason": Field("text"),
            "id": maybe("id", "of the utterance that says it"),
            "say": maybe("data", "the words with their pauses, as a script writes them"),
            "text": maybe("text", "words that are prepared"),
            "heard": maybe("text", "what the other was understood to have said since the caller last spoke"),
            "cue": maybe("data", "the cue of a script's turn that comes at the same moment"),
        },
        shown="elsewhere",  # a mark with its reason, and a line at what it led to
    ),
    "manner": EventType(
        "A caller begins: what it talks and hears with, and the bias of all its times in this session.",
        ("actor",),
        {
            "preset": Field("text"),
            "bias": Field("data", "times are drawn this much longer than people's are in the middle"),
            "voice": Field("data", "as a scenario names it"),
            "words_per_minute": Field("number"),
            "ears": Field("text", "level or silero"),
            "recognizer": Field("data", "as a scenario names it"),
        },
        shown="elsewhere",
    ),
    "diverged": EventType(
        "A script's turn was said to something else than it was written for; found when the session is over.",
        ("actor",),
        {
            "turn": Field("number", "of the script, from 0"),
            "expected": Field("text", "what it was to hear"),
            "heard": Field("text", "what the other was understood to have said"),
            "since": Field("said", "when the turn began"),
        },
        account=True,
        shown="trouble",
    ),
    "keys_pressed": EventType(
        "The party presses keys of its telephone.",
        ("actor", "injector", "client"),
        {
            "digits": Field("text", "of 0 to 9, *, #, A to D"),
            "band": Field("text", "`in`: as tones in its sound; `out`: beside it, where the protocol can"),
            "id": maybe("id", "of the utterance whose sound the tones are"),
        },
    ),
    "hung_up": EventType("The party has hung up: the session ends a second later.", ("actor",)),
}

MODELS: Mapping[str, EventType] = {
    "token": EventType(
        "A token of a duplex model's text.",
        ("actor",),
        {
            "stream": Field("text", "which of the model's streams: said or heard"),
            "token": Field("number", "of the model's vocabulary"),
            "text": Field("text"),
            "frame": Field("number", "of the model, from 0"),
            "model_at": Field("said", "where the model itself places it"),
        },
    ),
    "reply_end": EventType("A model that answers turn by turn has ended its reply.", ("actor",)),
    "unheard": EventType(
        "A frame missed its step on the wall clock: the model never heard it, silence was said.",
        ("actor",),
        {"since": Field("said"), "size": Field("length")},
        shown="trouble",
    ),
}

_CHANNEL = {
    **_DIRECTION,
    "channel": Field("number", "its place on the line, from 0"),
    "kind": Field("text", "its kind"),
}

LINES: Mapping[str, EventType] = {
    "channel_on": EventType("A channel that is on for a time only begins to be heard.", ("line",), _CHANNEL),
    "channel_off": EventType("Its time is over; sound passes it by.", ("line",), _CHANNEL),
    "line_delay": EventType(
        "By how much a line whose delay varies delays sound from here on.",
        ("line",),
        {**_DIRECTION, "delay": Field("samples", "the delay, in session samples")},
        shown="elsewhere",
    ),
    "packets_lost": EventType(
        "Packets in a row were lost; told when the next one is there.",
        ("line",),
        {**_DIRECTION, "since": Field("session", "where the first is missing"), "packets": Field("number")},
    ),
    "buffer_underrun": EventType(
        "Packets in a row came too late to be played; told when the next one is there.",
        ("line",),
        {**_DIRECTION, "since": Field("session", "where the first was waited for"), "packets": Field("number")},
    ),
    "dropout": EventType(
        "The connection is gone.", ("line",), {**_DIRECTION, "until": Field("session", "where it is back")}
    ),
    "talker": EventType(
        "Somebody in the background begins to speak.",
        ("line",),
        {**_DIRECTION, "until": Field("session", "where the speech ends"), "text": Field("text")},
    ),
    "noise_burst": EventType(
        "A burst of noise begins.", ("line",), {**_DIRECTION, "until": Field("session", "where it ends")}
    ),
}

CLOCK: Mapping[str, EventType] = {
    "underrun": EventType(
        "Silence was said in place of sound that was not there in time; told when it is over.",
        ("runner", "actor"),
        {"since": Field("said"), "size": Field("length"), **_FRAME},
        shown="trouble",
    ),
    "late": EventType(
        "Of a line: the wall clock's tick came so much late. Of a party: so much captured sound was left out.",
        ("runner", "actor"),
        {"size": Field("length"), **_FRAME},
        shown="trouble",
    ),
    "button": EventType("Somebody pressed a key of a live session.", ("runner",), {"key": Field("text")}),
}

LIVE: Mapping[str, EventType] = {
    "microphone": EventType(
        "Every few seconds: where the session is on the microphone's own counter.",
        ("actor",),
        {
            "frame": Field("number", "the captured frame that is said at this moment"),
            "rate": Field("number", "of the counter, in Hz"),
            "offset": Field("number", "session time minus the counter since the first report, in session samples"),
            "resampled": Field("number", "how much of that came slowly, in session samples"),
            "lost": Field("number", "captured frames that never came"),
        },
    ),
    "mouth_to_ear": EventType(
        "At the start: the delay of a human's line.",
        ("actor",),
        {
            "round_trip_ms": maybe("ms", "as measured by the click test"),
            "parts": Field("data", "where sound spends how many ms"),
        },
    ),
    "playback_underrun": EventType(
        "The loudspeaker had nothing to play for so long.", ("actor",), {"size": Field("length")}
    ),
    "playback_late": EventType(
        "So much of what came was too late to be played.", ("actor",), {"size": Field("length")}
    ),
}
