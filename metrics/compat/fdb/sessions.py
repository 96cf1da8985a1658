"""Our sessions as Full-Duplex-Bench samples: the same files, answered from events, annotation and audio.

A session made from a benchmark sample carries that sample's label and is that sample. Any other session is
cut into one sample per thing the task asks about (a turn with a pause, the end of a turn, an interruption);
all times stay those of the session.
"""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from metrics.compat.fdb.samples import FdbSample, Span, Words, as_words
from simulator.errors import SessionError
from simulator.events import Party
from simulator.export.fdb_labels import (
    given_labels,
    interrupt_label,
    pause_labels,
    turn_label,
    turns,
    utterances,
)
from simulator.floor.contributions import INJECTED_ROLES, TURN_ROLES
from simulator.frame import Samples
from simulator.session import Session

T = TypeVar("T")

_SOUNDS: dict[str, Party] = {"input.wav": "user", "output.wav": "agent"}
_WORDS: dict[str, Party] = {"input.json": "user", "output.json": "agent"}


class SessionSample(FdbSample):
    """A session, or a stretch of one, answering for a sample folder."""

    def __init__(self, session: Session, labels: dict[str, Any], window: tuple[int, int] | None = None) -> None:
        """labels: label files by name. window: only words that start in [start, end) samples; None: all."""
        super().__init__(Path(session.id), frozenset(labels) | {*_SOUNDS, *_WORDS})
        self._session = session
        self._labels = labels
        self._window = window

    def words(self, name: str = "output.json") -> Words:
        """Give a party's annotated words in seconds."""
        if name not in _WORDS:
            raise SessionError(f"{name}: missing")
        start, end = self._window or (0, self._session.duration + 1)
        second = self._session.seconds
        speech = self._session.speech.of(_WORDS[name])
        # All that was recognised, credible or not: the original filters nothing.
        unbelieved = [word for item in speech.discarded for word in item.words]
        spoken = sorted([*speech.words, *unbelieved], key=lambda word: (word.start, word.end, word.id))
        return as_words(
            [(word.text, second(word.start), second(word.end)) for word in spoken if start <= word.start < end]
        )

    def read(self, name: str, kind: type[T]) -> T:
        """Give a label file from what the session's events and annotation say."""
        if name not in self._labels:
            raise SessionError(f"{name}: missing")
        return msgspec.convert(self._labels[name], kind)

    def sound(self, name: str) -> tuple[Samples, int]:
        """Give what a party said: float32 (n, 1), and the session's rate. SessionError where nothing was recorded."""
        if name not in _SOUNDS:
            raise SessionError(f"{name}: missing")
        if not self._session.duration:
            raise SessionError(f"{name}: is empty")
        return np.reshape(self._session.said(_SOUNDS[name]), (-1, 1)), self._session.sample_rate

    @property
    def overlaps(self) -> list[Span]:
        """When the user spoke over the agent on purpose: interruptions, backchannels and asides."""
        if "metadata.json" in self._labels:
            return [tuple(self._labels["metadata.json"]["timestamps"])]
        second = self._session.seconds
        said = utterances(self._session, INJECTED_ROLES)
        return [(second(item.start), second(item.end)) for item in said]

    def agent_speaks_at(self, moment_s: float) -> bool | None:
        """Say whether the agent speaks at the moment, by its annotated segments."""
        return self._session.speech.agent.timeline().at(round(moment_s * self._session.sample_rate)) is not None


def whole(session: Session) -> list[SessionSample]:
    """Give the session as one sample."""
    return [SessionSample(session, given_labels(session) or {})]


def with_pauses(session: Session) -> list[SessionSample]:
    """Give one sample per turn of the user that holds a pause; words are those that start inside the turn."""
    if (labels := given_labels(session)) is not None:
        return [SessionSample(session, labels)]
    found = [(turn, pause_labels(session, turn)) for turn in utterances(session, TURN_ROLES)]
    return [SessionSample(session, {"pause.json": pauses}, (turn.start, turn.end)) for turn, pauses in found if pauses]


def with_turn_ends(session: Session) -> list[SessionSample]:
    """Give one sample per turn of the user; words are those before the user's next turn."""
    if (labels := given_labels(session)) is not None:
        return [SessionSample(session, labels)]
    taken = turns(session)
    ends = [*(start for start, _ in taken[1:]), session.duration + 1]
    return [
        SessionSample(
            session, {"turn_taking.json": [turn_label(session, end, min(until, session.duration))]}, (start, until)
        )
        for (start, end), until in zip(taken, ends, strict=True)
    ]


def with_interruptions(session: Session) -> list[SessionSample]:
    """Give one sample per interruption by the user; words are those from its end to the user's next."""
    if (labels := given_labels(session)) is not None:
        return [SessionSample(session, labels, _after_interruption(session, labels))]
    said = session.speech.user.utterances
    samples: list[SessionSample] = []
    for item in utterances(session, ("interruption",)):
        until = min((other.start for other in said if other.start >= item.end), default=session.duration + 1)
        label = interrupt_label(session, item)
        samples.append(SessionSample(session, {"interrupt.json": [label]}, (item.end, until)))
    return samples


def _after_interruption(session: Session, labels: dict[str, Any]) -> tuple[int, int] | None:
    """Give the rest of the session after a labelled interruption: the benchmark hears no words before."""
    try:
        end = float(labels["interrupt.json"][0]["timestamp"][1])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return round(end * session.sample_rate), session.duration + 1
