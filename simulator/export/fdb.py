"""A Full-Duplex-Bench sample folder of a session: what the benchmark's own scripts read.

input.wav and output.wav are mono PCM16 at 16 kHz (a rate that all of its scripts hear right), start together and have
the same length. The label file is that of one task, because the word file depends on it: for an interruption it holds
the words after the interruption alone. Times are seconds of the session.
"""

import json
from pathlib import Path
from typing import Any

from simulator.errors import SessionError
from simulator.export.fdb_labels import (
    LABEL_FILES,
    given_labels,
    interrupt_label,
    pause_labels,
    turn_label,
    turns,
    utterances,
)
from simulator.floor.contributions import INJECTED_ROLES, TURN_ROLES
from simulator.frame import to_pcm16
from simulator.session import Session
from simulator.sound.recordings import resample
from simulator.speech import SpokenWord

RATE_HZ = 16000
TASKS = tuple(LABEL_FILES)


def write(session: Session, folder: Path, task: str | None = None) -> str:
    """Write the sample into `folder`, which is made, and give the task it is for.

    task: one of TASKS; None takes what the session holds: the labels it was made with, else an interruption, another
    overlap, a pause, the end of a turn, and if none of these, backchannel. SessionError when it lacks the task's event.
    """
    chosen = task or _task_of(session)
    labels = _labels(session, chosen)
    folder.mkdir(parents=True, exist_ok=True)
    for name, party in (("input.wav", "user"), ("output.wav", "agent")):
        _write_sound(folder / name, session, party)
    after = labels["interrupt.json"][0]["timestamp"][1] if chosen == "user_interruption" else 0.0
    words = session.speech
    _write_json(folder / "output.json", _word_file(session, words.agent.words, after))
    _write_json(folder / "input.json", _word_file(session, words.user.words))
    _write_json(folder / "transcription.json", _transcription(session))
    for name, content in labels.items():
        _write_json(folder / name, content)
    return chosen


def _task_of(session: Session) -> str:
    if given_labels(session) is not None:
        return str(session.meta.sample["task"])
    if utterances(session, ("interruption",)):
        return "user_interruption"
    if utterances(session, INJECTED_ROLES):
        return "overlap"
    if any(pause_labels(session, turn) for turn in utterances(session, TURN_ROLES)):
        return "pause_handling"
    return "smooth_turn_taking" if turns(session) else "backchannel"


def _labels(session: Session, task: str) -> dict[str, Any]:
    """Give the label file of a task by name: the sample's own, or made from the session's first event of that sort."""
    name = LABEL_FILES[task]
    if not name:
        return {}
    given = given_labels(session) or {}
    content = given.get(name) or _made(session, task)
    if not content:
        raise SessionError(f"{session.id}: holds nothing to make {name} of; name another task")
    return {name: content}


def _made(session: Session, task: str) -> Any:
    if task == "pause_handling":
        return [pause for turn in utterances(session, TURN_ROLES) for pause in pause_labels(session, turn)]
    if task == "smooth_turn_taking":
        return [
            turn_label(
                session, end, min((start for start, _ in turns(session) if start > end), default=session.duration)
            )
            for _, end in turns(session)[:1]
        ]
    if task == "user_interruption":
        return [interrupt_label(session, item) for item in utterances(session, ("interruption",))[:1]]
    for item in utterances(session, INJECTED_ROLES):
        label = interrupt_label(session, item)
        return {
            "context_text": label["context"],
            "current_turn_text": label["interrupt"],
            "timestamps": label["timestamp"],
        }
    return None


def _write_sound(path: Path, session: Session, party: Any) -> None:
    import soundfile

    samples = resample(session.said(party), session.sample_rate, RATE_HZ)
    soundfile.write(path, to_pcm16(samples), RATE_HZ, subtype="PCM_16")


def _word_file(session: Session, words: tuple[SpokenWord, ...], after_s: float = 0.0) -> dict[str, Any]:
    chunks = [
        {"text": word.text, "timestamp": [session.seconds(word.start), session.seconds(word.end)]}
        for word in words
        if session.seconds(word.start) >= after_s
    ]
    return {"text": " ".join(str(chunk["text"]) for chunk in chunks), "chunks": chunks}


def _transcription(session: Session) -> list[dict[str, Any]]:
    return [
        {"speaker": speaker, "item": _word_file(session, words)["chunks"]}
        for speaker, words in ((0, session.speech.agent.words), (1, session.speech.user.words))
    ]


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
