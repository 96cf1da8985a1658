"""Full-Duplex-Bench v2's judge replies: the events and scores that can be read out of one.

The judge is asked for something that looks like JSON and is none: a list of `[[start, end]: fluency,
following]`. Real replies are that, proper JSON, fenced or not, with times as numbers, "m:ss" or {start_time,
end_time}. What is read:
1. Fenced blocks that name the events, each on its own; without one the whole text.
2. {a, b} and {start_time: a, end_time: b} become [a, b].
3. A block that is now JSON with a known key: every item's last two values are scores, the pairs before them
intervals.
4. Any other block: bracket by bracket after the events' key, each followed by a colon and two scores. Several
intervals in one item get its scores each; the last task score of a reply counts.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

EVENTS_KEY = "Turn-taking event and score"
TASK_KEY = "Task-specific score"

Score = float | None
Event = tuple[tuple[float, float], Score, Score]

_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL | re.IGNORECASE)
_VALUE = r"""([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|"[^"]+")"""
_START = r"""['"](?:start_time|start|startTime)['"]\s*:\s*"""
_END = r"""['"](?:end_time|end|endTime)['"]\s*:\s*"""
_START_END = re.compile(rf"\{{\s*{_START}{_VALUE}\s*,\s*{_END}{_VALUE}\s*\}}")
_END_START = re.compile(rf"\{{\s*{_END}{_VALUE}\s*,\s*{_START}{_VALUE}\s*\}}")
_INNERMOST_BRACES = re.compile(r"\{\s*([^{}]+?)\s*\}")
_LONE_NUMBER = re.compile(r"\{\s*(\d+(?:\.\d+)?|\d+:\d+(?:\.\d+)?)\s*\}")
_BARE_CLOCK = re.compile(r"""(?<=[\[,\s])(\d+:\d{2}(?:\.\d+)?)(?=\s*[,\]])""")
_SCORE_ENDS = ",[]{}:\n\r\t "
_SEPARATORS = " \t\r\n,"


class TimedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply says: events ((start, end) in seconds, fluency, following), and the task's score."""

    events: tuple[Event, ...] = ()
    task_score: Any = None


class ReplyReader(msgspec.Struct, frozen=True, kw_only=True):
    """How replies are read. lenient: also bare m:ss times and {8.1} around a number; scores keep decimals."""

    lenient: bool = False

    def read(self, text: str) -> TimedReply:
        """Read a reply; what cannot be read is left out."""
        blocks = [block for block in _FENCE.findall(text) if EVENTS_KEY in block] or [text]
        events: list[Event] = []
        task_score: Any = None
        for block in blocks:
            found = self._read_json(block) or self._read_colons(self._bracketed(block) if self.lenient else block)
            events += found.events
            task_score = task_score if found.task_score is None else found.task_score
        return TimedReply(events=tuple(events), task_score=task_score)

    def _read_json(self, block: str) -> TimedReply | None:
        try:
            found = json.loads(self._bracketed(block))
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or not {EVENTS_KEY, TASK_KEY} & set(found):
            return None
        items = found.get(EVENTS_KEY)
        events = [event for item in items for event in self._item(item)] if isinstance(items, list) else []
        task_score = found.get(TASK_KEY)
        return TimedReply(events=tuple(events), task_score=self._score(task_score) if self.lenient else task_score)

    def _item(self, item: Any) -> list[Event]:
        if not isinstance(item, list) or len(item) < 3:
            return []
        fluency, following = self._score(item[-2]), self._score(item[-1])
        return [(span, fluency, following) for span in _spans(item[:-2])]

    def _read_colons(self, block: str) -> TimedReply:
        place = next((block.find(quoted) for quoted in _quoted(EVENTS_KEY) if _opens_list(block, quoted)), -1)
        if place == -1:
            return TimedReply()
        first = block.index("[", place + len(EVENTS_KEY) + 2)
        last = _closing(block, first)
        task_score = self._task_score(block[last:]) or self._task_score(block)
        return TimedReply(events=tuple(self._walk(block[first + 1 : last])), task_score=task_score)

    def _walk(self, text: str) -> Iterator[Event]:
        """Give the events of `[interval] : score, score` in order; a bracket without colon is passed over."""
        place = text.find("[")
        while place != -1:
            end = _closing(text, place)
            if end == -1:
                return
            after = _skip(text, end + 1)
            if after < len(text) and text[after] == ":":
                fluency, after = _token(text, after + 1)
                following, after = _token(text, after)
                scores = self._score(fluency), self._score(following)
                yield from ((span, *scores) for span in self._intervals(text[place : end + 1]))
            place = text.find("[", after)

    def _intervals(self, text: str) -> list[tuple[float, float]]:
        bracketed = self._bracketed(text)
        for candidate in (bracketed, re.sub(r",\s*]", "]", bracketed)):
            try:
                return _spans(json.loads(candidate))
            except (ValueError, RecursionError):
                continue
        return []

    def _bracketed(self, text: str) -> str:
        text = _START_END.sub(r"[\1, \2]", text)
        text = _END_START.sub(r"[\2, \1]", text)
        if not self.lenient:
            return _INNERMOST_BRACES.sub(_as_list, text)
        text = _INNERMOST_BRACES.sub(_as_list, _LONE_NUMBER.sub(r"\1", text))
        return _BARE_CLOCK.sub(r'"\1"', text)

    def _score(self, value: Any) -> Score:
        try:
            number = float(value)
            return number if self.lenient and number != int(number) else int(number)
        except (TypeError, ValueError, OverflowError):
            return None

    def _task_score(self, text: str) -> Score:
        for quote in "\"'":
            name = re.escape(f"{quote}{TASK_KEY}{quote}")
            found = re.search(rf"{name}\s*:\s*({quote}[^{quote}]+{quote}|[^\s,}}\]]+)", text)
            if found:
                return self._score(_unquoted(found[1]))
        return None


def _unquoted(text: str) -> str:
    return text[1:-1] if text[0] == text[-1] and text[0] in "\"'" else text


def _quoted(key: str) -> tuple[str, str]:
    return f'"{key}"', f"'{key}'"


def _opens_list(block: str, quoted: str) -> bool:
    place = block.find(quoted)
    first = block.find("[", place + len(quoted)) if place != -1 else -1
    return first != -1 and _closing(block, first) != -1


def _closing(text: str, place: int) -> int:
    """Find the bracket that closes the one at `place`, passing over quoted stretches; -1 without one."""
    depth = 0
    quote = ""
    index = place
    while index < len(text):
        letter = text[index]
        if quote:
            if letter == "\\":
                index += 1
            elif letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    return -1


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SEPARATORS:
        place += 1
    return place


def _token(text: str, place: int) -> tuple[str | None, int]:
    """Give the next word of text from `place` on, unquoted, and where it ends."""
    place = _skip(text, place)
    if place < len(text) and text[place] == '"':
        found = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(text, place)
        return (found[1], found.end()) if found else (None, place)
    end = place
    while end < len(text) and text[end] not in _SCORE_ENDS:
        end += 1
    return text[place:end] or None, end


def _as_list(found: re.Match[str]) -> str:
    """Turn {a, b} of two times into [a, b]; anything else stays."""
    parts = [part.strip() for part in found[1].split(",")]
    return f"[{parts[0]}, {parts[1]}]" if len(parts) == 2 and all(map(_is_time, parts)) else found[0]


def _is_time(text: str) -> bool:
    try:
        _time(text)
    except ValueError:
        return False
    return True


def _spans(value: Any) -> list[tuple[float, float]]:
    """Give every pair of times inside nested lists, in order."""
    if not isinstance(value, list):
        return []
    if len(value) == 2 and all(isinstance(part, int | float | str) for part in value):
        try:
            return [(_time(value[0]), _time(value[1]))]
        except ValueError:
            return []
    return [span for part in value for span in _spans(part)]


def _time(value: float | str) -> float:
    """Give seconds: a number, or text such as 65.5, 1:05.5 or 0:01:05; ValueError for anything else."""
    if not isinstance(value, str):
        return float(value)
    seconds = 0.0
    for part in value.strip().strip("\"'").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def is_number(value: object) -> bool:
    """Say whether a score is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
