"""`dataset: {kind: nemo, path: ...}`: a NeMo-Skills test set, test.jsonl with messages and sounds."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited, text_of
from simulator.datasets.kept_sound import spoken
from simulator.datasets.source import SampleSource
from simulator.datasets.tables import SampleTable, TableRow, read_table
from simulator.errors import ScenarioError, SessionError

_FILE = "test.jsonl"
_APART = ("messages", "audio_path", "audio")


class NemoDatasetSpec(ContentDatasetSpec, frozen=True, kw_only=True, tag="nemo"):
    """Rows with messages: every user message is a turn, by its sound or, with `speak: true`, by its text.

    path: test.jsonl, or a folder that holds it. A sound's path may begin with the set's own name, as NeMo-Skills writes
    it; `audio_path` is the sound of a row whose messages name none. What the agent is told before, the sample's prompt,
    is the system message and what stands beside sounds.
    """

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Read the rows in order."""
        file = source.files()[0] if source.alone else PurePosixPath(_FILE)
        if file not in source.files():
            raise ScenarioError(f"{source}: holds no {_FILE}")
        for row in limited(read_table(SampleTable(source, file)), self.limit):
            try:
                yield f"{row.place}: {row.problem}" if row.problem else self._question(row, SampleTable(source, file))
            except SessionError as error:
                yield f"{row.place}: {error}"

    def _question(self, row: TableRow, file: SampleTable) -> AskedRow:
        messages = row.fields.get("messages") or []
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise SessionError("messages are no list of messages")
        turns = [turn for message in messages if message.get("role") == "user" for turn in _turns(message)]
        if not any(turn.sound for turn in turns):
            texts = [turn.text for turn in turns] or [text_of(row.fields, "problem", "text")]
            turns = [MessageTurn(path, "") for path in row.sounds()] or [
                MessageTurn(None, text) for text in texts if text
            ]
        if any(turn.sound for turn in turns) and not all(turn.sound for turn in turns):
            turns = [turn if turn.sound else self._aloud(turn) for turn in turns]
        told = [_content(message) for message in messages if _is_told(message)]
        fields = {name: value for name, value in row.fields.items() if name not in _APART}
        sounds = [turn.sound for turn in turns if turn.sound]
        place = PurePath(str(file.source))
        subset = fields.get("subset_for_metrics") or (place.parent.name if file.source.alone else place.name)
        return AskedRow(
            str(fields.get("id") or (PurePath(sounds[0]).stem if sounds else row.number)),
            row._replace(sounds=lambda: [_found(file, sound) for sound in sounds]),
            {**fields, "dataset": "nemo", "subset": subset, "split": "test", "system": " ".join(told)},
            says=[turn.text for turn in turns],
            prompt=" ".join(told),
            reference=text_of(row.fields, "expected_answer", "reference", "answer"),
        )

    def _aloud(self, turn: "MessageTurn") -> "MessageTurn":
        if not self.speak:
            raise SessionError("a message has no sound; speak: true has a voice of ours say its text")
        return MessageTurn(spoken(turn.text, self.voice), turn.text)


class MessageTurn(NamedTuple):
    """What a user message says: its sound, as the row names it or our voice made it, else its text."""

    sound: str | Path | None
    text: str


def _turns(message: Mapping[str, Any]) -> list[MessageTurn]:
    sounds = _sounds(message)
    return [MessageTurn(sound, "") for sound in sounds] or [MessageTurn(None, _content(message))]


def _is_told(message: Mapping[str, Any]) -> bool:
    """Whether a message's text is told to the agent: the system's, and what stands beside a sound."""
    beside = message.get("role") == "user" and (message.get("audio") or message.get("audios"))
    return bool(_content(message)) and (message.get("role") == "system" or bool(beside))


def _sounds(message: Mapping[str, Any]) -> list[str]:
    found = message.get("audio") or message.get("audios") or []
    items = found if isinstance(found, list) else [found]
    names = [item.get("path") if isinstance(item, dict) else item for item in items]
    if not all(isinstance(name, str) and name for name in names):
        raise SessionError("audio of a message: expected {path: ...}")
    return [str(name) for name in names]


def _found(file: SampleTable, sound: str | Path) -> Path:
    """Give a sound: below the set's folder, or with the set's own name in front of its path."""
    return sound if isinstance(sound, Path) else file.source.sound(file.name, sound)


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict)).strip()
    return content if isinstance(content, str) else ""
