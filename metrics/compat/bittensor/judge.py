"""The validator's judge: three calls an answer, in the order of the answers, and what a failed call means."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from metrics.compat.judging import JudgeAddress
from simulator.errors import RemoteError, ScenarioError
from simulator.scoring.judge import Messages
from simulator.scoring.judge_endpoint import EndpointJudge, reply_folder

MODEL, FALLBACK_MODEL = "Qwen/Qwen3-235B-A22B-Instruct-2507", "gpt-4o-mini"
REQUEST = {"temperature": 0.1, "max_tokens": 64}
CALLS = 3
WORST = 1.0
FAILED = "RAISE"


class JudgeCalls(Protocol):
    """What is called for a judge's text."""

    def call(self, messages: Messages, attempt: int) -> str:
        """Give the text of one call; RemoteError when it fails."""
        ...


class ReadyCalls:
    """Texts of calls from a file, a JSON list in the order of the calls; `RAISE` stands for a call that failed."""

    def __init__(self, texts: Sequence[str], source: str) -> None:
        self._texts = texts
        self._source = source
        self._made = 0

    @classmethod
    def read(cls, path: Path) -> "ReadyCalls":
        """Read a file of texts; ScenarioError when it is no list of texts."""
        try:
            texts = json.loads(path.read_bytes())
        except OSError as error:
            raise ScenarioError(f"judge_replies={path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ScenarioError(f"judge_replies={path}: is not JSON: {error}") from error
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ScenarioError(f"judge_replies={path}: expected a list of texts in the order of the calls")
        return cls(texts, str(path))

    def call(self, _messages: Messages, _attempt: int) -> str:
        """Give the next text; ScenarioError when there is none left."""
        if self._made >= len(self._texts):
            raise ScenarioError(f"judge_replies={self._source}: holds {self._made} texts, and one call more is made")
        self._made += 1
        text = self._texts[self._made - 1].strip()
        if text in ("", FAILED):
            raise RemoteError("the judge's call failed")
        return text


class EndpointCalls:
    """Calls of an endpoint, and of a second one where the first fails."""

    def __init__(self, address: JudgeAddress, fallback: JudgeAddress | None) -> None:
        places = [(address, MODEL), *([(fallback, FALLBACK_MODEL)] if fallback else [])]
        self._judges = [EndpointJudge(place.settings(model, REQUEST), reply_folder()) for place, model in places]

    def call(self, messages: Messages, attempt: int) -> str:
        """Give the text of the first endpoint that answers; RemoteError when none does."""
        problems: list[str] = []
        for judge in self._judges:
            try:
                text = judge.ask("", messages, attempt).strip()
            except RemoteError as error:
                problems.append(str(error))
                continue
            if text:
                return text
            problems.append(f"the judge {judge.settings.model} said nothing")
        raise RemoteError("; ".join(problems))


def ratings(caller: JudgeCalls, messages: Messages) -> list[float]:
    """Give the ratings of three calls; one that failed ends them, and leaves the worst rating alone."""
    found: list[float] = []
    for attempt in range(CALLS):
        try:
            found.append(rating(caller.call(messages, attempt)))
        except RemoteError:
            return [WORST]
    return found


def rating(text: Any) -> float:
    """Read a rating; a text that is no number is the worst."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return WORST
    return value if not math.isnan(value) else WORST
