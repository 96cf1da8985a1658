"""Answers of the chat completions protocol with audio, read without I/O: text, stamps, sound, debug_info, tokens."""

import base64
import binascii
import io
import re
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.errors import RemoteError
from simulator.frame import Samples

LONGEST_S = 1800.0
SAMPLES_PER_S = 96_000
"""What a second may hold: two channels at 48 kHz. A small FLAC may hold silence in eight of 192 kHz."""
AUDIBLE = 0.003
"""About -50 dBFS: below it sound at the edges of an answer is taken for silence."""
FADE_S = 0.05
"""Kept behind the last audible sample."""

_DEBUG = re.compile(r"\s*<debug_info>(.*?)</debug_info>\s*$", re.DOTALL)
_STAMP = re.compile(r"<([|$])\s*([0-9.]+)\s*[|$]>")
_TAG = re.compile(r"<[|$][^<>]*[|$]>|</?s>|<SPECIAL_\d+>")


class AnswerSound(msgspec.Struct, frozen=True, kw_only=True):
    """Sound of an answer: float32 (n, channels), full scale 1.0, at sample_rate Hz."""

    samples: NDArray[np.float32]
    sample_rate: int


class ChatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered. text: without stamps and tags; written: with them, and with its lines; stamps: (opens or
    not, seconds) in order. finish, refusal, calls: how it ended, as chat completions tell it.

    debug: debug_info without its frame_alignment; alignment: that. audio_id, session_id: how to refer to it later.
    """

    text: str
    written: str = ""
    finish: str = ""
    refusal: str = ""
    calls: tuple[str, ...] = ()
    sound: AnswerSound | None = None
    stamps: tuple[tuple[bool, float], ...] = ()
    debug: dict[str, Any] = {}
    alignment: dict[str, Any] = {}
    audio_id: str | None = None
    session_id: str | None = None
    usage: dict[str, int] = {}

    @property
    def understood(self) -> str:
        """What the server says it heard; empty when it does not say."""
        heard = self.debug.get("asr_text")
        return _TAG.sub("", heard).strip() if isinstance(heard, str) else ""

    @property
    def sound_s(self) -> float:
        """How long its sound is, in seconds."""
        return 0.0 if self.sound is None else len(self.sound.samples) / self.sound.sample_rate


def read_answer(body: object) -> ChatAnswer:
    """Read a chat.completion. RemoteError with a predicate for anything that is none."""
    message = _message(body)
    assert isinstance(body, dict)
    audio = _part(message, "audio")
    content, inner = split_debug(_content(message.get("content")))
    debug = _part(body, "debug_info") or inner
    alignment = debug.get("frame_alignment")
    raw = content or str(audio.get("transcript") or "")
    data = audio.get("data")
    return ChatAnswer(
        text=" ".join(_TAG.sub(" ", raw).split()),
        written=raw,
        finish=_word(_choice(body).get("finish_reason")) or "",
        refusal=_word(message.get("refusal")) or "",
        calls=_calls(message.get("tool_calls")),
        stamps=stamps_of(raw),
        sound=decode_sound(data) if data else None,
        debug={name: value for name, value in debug.items() if name != "frame_alignment"},
        alignment=alignment if isinstance(alignment, dict) else {},
        audio_id=_word(audio.get("id")),
        session_id=_word(body.get("session_id")),
        usage=counts(body.get("usage")),
    )


def _message(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RemoteError("answered with what is no JSON object")
    message = _choice(body).get("message")
    if not isinstance(message, dict):
        raise RemoteError("answered without choices[0].message")
    return message


def _choice(body: dict[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _calls(calls: object) -> tuple[str, ...]:
    """The names of the functions that were called."""
    parts = [_part(call, "function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return tuple(name for part in parts if (name := _word(part.get("name"))))


def _content(content: object) -> str:
    """The text of a content: a string, or the text parts of a list."""
    if isinstance(content, list):
        return " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def split_debug(content: str) -> tuple[str, dict[str, Any]]:
    """Split `<debug_info>JSON</debug_info>` off the end of a content; JSON that does not read is kept as `unread`."""
    found = _DEBUG.search(content)
    if found is None:
        return content.strip(), {}
    try:
        debug = msgspec.json.decode(found[1].encode())
    except msgspec.DecodeError:
        debug = None
    return content[: found.start()].strip(), debug if isinstance(debug, dict) else {"unread": found[1][:2000]}


def stamps_of(text: str) -> tuple[tuple[bool, float], ...]:
    """Give the stamps in a text: (True for an opening `<|t|>`, False for a closing `<$t$>`; seconds), in order."""
    stamps = []
    for mark, time in _STAMP.findall(text):
        try:
            stamps.append((mark == "|", float(time)))
        except ValueError:
            continue
    return tuple(stamps)


def decode_sound(data: object, longest_s: float = LONGEST_S) -> AnswerSound:
    """Read base64 of a sound file of any format that libsndfile knows. RemoteError with a predicate."""
    import soundfile

    if not isinstance(data, str):
        raise RemoteError(f"sent audio as {type(data).__name__}; base64 text is expected")
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
        with soundfile.SoundFile(io.BytesIO(raw)) as file:
            rate = file.samplerate
            if not 4_000 <= rate <= 192_000:
                raise RemoteError(f"sent audio at {rate} Hz; 4000 to 192000 Hz are allowed")
            if file.frames > longest_s * rate:
                raise RemoteError(f"sent {file.frames / rate:.0f} s of audio; {longest_s:g} s are allowed")
            if file.frames * file.channels > longest_s * SAMPLES_PER_S:
                raise RemoteError(f"sent {file.frames} samples in each of {file.channels} channels, which is too much")
            samples = file.read(dtype="float32", always_2d=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise RemoteError("sent audio that is not base64") from error
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise RemoteError("sent audio that is no sound file") from error
    return AnswerSound(samples=np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), sample_rate=rate)


def agent_channel(sound: AnswerSound) -> Samples:
    """Give the agent's channel: the right one of a stereo answer, else the only one: float32 (n,)."""
    return np.ascontiguousarray(sound.samples[:, min(1, sound.samples.shape[1] - 1)])


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an answer that follows its question: float32 (n,) at sample_rate Hz. early_s: sound before that."""

    samples: Samples
    sample_rate: int
    early_s: float = 0.0


def laid_after(answer: ChatAnswer, asked_s: float, aligned: bool | None = None) -> Laid | None:
    """Cut an answer that runs beside its question at the question's end; None when it holds no sound at all.

    aligned: whether it does; None: when it is stereo or comes with a frame alignment. Silence at its end is cut off.
    """
    if answer.sound is None:
        return None
    rate, samples = answer.sound.sample_rate, agent_channel(answer.sound)
    beside = answer.sound.samples.shape[1] > 1 or (bool(answer.alignment) if aligned is None else aligned)
    cut = round(asked_s * rate) if beside else 0
    early = int(np.count_nonzero(np.abs(samples[:cut]) > AUDIBLE))
    audible = np.flatnonzero(np.abs(samples[cut:]) > AUDIBLE)
    end = cut + int(audible[-1]) + 1 if len(audible) else cut
    if end == cut and not early:
        return None
    end = cut if end == cut else min(len(samples), end + round(FADE_S * rate))
    return Laid(samples=samples[cut:end], sample_rate=rate, early_s=_early_s(samples[:cut], rate) if early else 0.0)


def _early_s(samples: Samples, rate: int) -> float:
    """How much of a stretch is sound: the frames of 20 ms that hold any, in seconds."""
    frame = rate // 50
    whole = np.abs(samples[: len(samples) // frame * frame]).reshape(-1, frame)
    return float(np.count_nonzero(whole.max(axis=1, initial=0.0) > AUDIBLE) * 0.02) or len(samples) / rate


def counts(usage: object) -> dict[str, int]:
    """Give the tokens of an answer by kind; numbers that a server does not know (-1, null) are left out."""
    if not isinstance(usage, dict):
        return {}
    asked, said = _part(usage, "prompt_tokens_details"), _part(usage, "completion_tokens_details")
    found = {
        "input_audio": _count(asked, "audio_tokens"),
        "cached_text": _count(asked, "cached_tokens"),
        "output_audio": _count(said, "audio_tokens"),
    }
    found["input_text"] = max(0, _count(usage, "prompt_tokens") - found["input_audio"] - found["cached_text"])
    found["output_text"] = max(0, _count(usage, "completion_tokens") - found["output_audio"])
    return {kind: count for kind, count in found.items() if count}


def _part(usage: dict[str, Any], name: str) -> dict[str, Any]:
    part = usage.get(name)
    return part if isinstance(part, dict) else {}


def _count(usage: dict[str, Any], name: str) -> int:
    count = usage.get(name)
    return max(0, count) if isinstance(count, int) else 0


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
