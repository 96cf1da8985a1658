"""What the rooms of the served Realtime protocol share: messages on their way out, names of items, errors."""

from collections.abc import Collection, Mapping
from typing import Any, cast

Message = Mapping[str, Any]

RENAMED: Mapping[str, str] = {
    "input_audio_format": "session.audio.input.format",
    "output_audio_format": "session.audio.output.format",
    "turn_detection": "session.audio.input.turn_detection",
    "input_audio_transcription": "session.audio.input.transcription",
    "input_audio_noise_reduction": "session.audio.input.noise_reduction",
    "modalities": "output_modalities",
    "max_response_output_tokens": "max_output_tokens",
    "voice": "audio.output.voice",
    "speed": "audio.output.speed",
}
"""Names from before general availability, and where their settings are now."""


class ClientEventError(Exception):
    """A client's event that cannot be done: answered with an `error` event, the session goes on."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Outgoing:
    """Messages for the client in order, each with an id; ids count up, so no chance is involved."""

    def __init__(self) -> None:
        self._waiting: list[Message] = []
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, type_: str, **fields: Any) -> None:
        """Queue a message."""
        self._waiting.append({"type": type_, "event_id": self.name("event"), **fields})

    def take(self) -> list[Message]:
        """Give what waits and forget it."""
        taken, self._waiting = self._waiting, []
        return taken

    def name(self, what: str) -> str:
        """Give the next name of a kind: `item_1`, `resp_1` ..."""
        self._counts[what] = self._counts.get(what, 0) + 1
        return f"{what}_{self._counts[what]}"


def mapping(value: object, param: str) -> Message:
    """Give a JSON object of the client's, an empty one if it is left out. ClientEventError for others."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ClientEventError("invalid_type", f"{param} is {type(value).__name__}; an object is needed", param)
    return cast("Message", value)


def only_known(given: Message, known: Collection[str], where: str) -> None:
    """Refuse names that the protocol does not have (now, or at this place): ClientEventError, naming the first."""
    for name in given:
        if name not in known:
            place = f"{where}.{name}"
            hint = RENAMED.get(name)
            told = f"; since general availability it is {hint}" if hint and hint != place else ""
            raise ClientEventError("unknown_parameter", f"Unknown parameter: '{place[:200]}'{told}", place[:200])


def milliseconds(value: object, param: str, most: int = 24 * 3_600_000) -> int:
    """Give a count of milliseconds of the client's. ClientEventError when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ClientEventError("invalid_value", f"{param} is {value!r}; 0 to {most} milliseconds are allowed", param)
    return int(value)
