"""Runs of ours as entrants: every session is one answer, to its data set's sample, or to what its scenario asks."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.arena.answer import ArenaAnswer, ArenaClip, ArenaQuestion, Entrant
from simulator.errors import SessionError
from simulator.results.row import Row
from simulator.results.run import load_run
from simulator.session import Session, read_session

_DOMAIN = ("domain", "category", "task", "subset")
TARGET = ("target", "evaluation_target", "reference")
TRANSCRIPT = ("transcript", "text")


def read_run(folder: Path, name: str, questions: dict[str, ArenaQuestion]) -> list[Entrant]:
    """Read a run: one entrant, or one per agent where it has several. questions: gets what it asks and is not known."""
    run = load_run(folder)
    agents = dict.fromkeys(row.agent for row in run.rows)
    entrants = {agent: Entrant(f"{name}/{agent}" if len(agents) > 1 else name, {}, []) for agent in agents}
    first = next(iter(entrants.values()), Entrant(name, {}, []))
    first.notes.extend(run.notes)
    for row in run.rows:
        entrant = entrants[row.agent]
        key = _key(row)
        try:
            if row.status != "completed" or row.invalid:
                raise SessionError(row.problem or row.invalid or f"its status is {row.status}")
            session = read_session(folder / row.id)
        except SessionError as error:
            entrant.notes.append(f"{entrant.system}: {row.id}: left out: {error}")
            continue
        path, (user, agent) = session.audio_source
        asked = questions.setdefault(key, _question(key, session, ArenaClip(path=path, channel=user, trimmed=True)))
        sound = ArenaClip(path=path, channel=agent, trimmed=True)
        entrant.answers[asked.id] = ArenaAnswer(
            system=entrant.system, question=asked.id, sound=sound, session=session.folder
        )
    return list(entrants.values())


def _key(row: Row) -> str:
    return f"{row.sample or row.scenario}{f'#{row.trial}' if row.trial else ''}"


def _question(key: str, session: Session, sound: ArenaClip) -> ArenaQuestion:
    sample = session.meta.sample
    said = " ".join(str(event.data.get("text", "")) for event in session.by_type.get("speech_start", ())
                    if event.party == "user")  # fmt: skip
    return ArenaQuestion(
        id=key,
        domain=told(sample, _DOMAIN),
        transcript=told(sample, TRANSCRIPT) or said.strip(),
        target=told(sample, TARGET),
        sound=sound,
    )


def told(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Give the first of some fields that says anything."""
    return next((str(fields[name]).strip() for name in names if fields.get(name)), "")


def repeated(entrants: list[Entrant]) -> list[str]:
    """Give the names that several entrants have."""
    return [name for name, count in Counter(entrant.system for entrant in entrants).items() if count > 1]
