"""Who takes part: `RUN`, `RUN:NAME`, `FOLDER:NAME`, and what was asked of them.

Of a run of ours every session is one answer, to its data set's sample or to what its scenario asks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.arena.answer import ArenaAnswer, ArenaClip, ArenaQuestion, Entrant
from simulator.arena.layouts import KnownQuestions, read_folder
from simulator.datasets.s2s_arena import S2sArenaDatasetSpec
from simulator.datasets.source import Folder
from simulator.errors import ScenarioError, SessionError
from simulator.results.row import Row
from simulator.results.row_file import RESULTS
from simulator.results.run import load_run
from simulator.results.run_info import INFO
from simulator.session import Session, is_session, read_session

_DOMAIN = ("domain", "category", "task", "subset")
TARGET = ("target", "evaluation_target", "reference")
TRANSCRIPT = ("transcript", "text")


class ArenaField(NamedTuple):
    """Everybody who takes part, and what was asked. notes: what could not be used."""

    entrants: list[Entrant]
    questions: dict[str, ArenaQuestion]
    notes: list[str]

    def common(self, first: Entrant, second: Entrant) -> list[str]:
        """Give the questions that both answered, in the order of their names."""
        return sorted(first.answers.keys() & second.answers.keys())

    def answer(self, system: str, question: str) -> ArenaAnswer:
        """Give a system's answer."""
        return next(one.answers[question] for one in self.entrants if one.system == system)


class Source(NamedTuple):
    """A SOURCE of the command line: its folder, and what the system is called."""

    folder: Path
    name: str

    @classmethod
    def of(cls, word: str) -> "Source":
        """Read `PATH` or `PATH:NAME`. ScenarioError: it is no folder, or has no name."""
        path, colon, name = word.rpartition(":")
        if Path(word).exists() or not colon:
            path, name = word, Path(word).resolve().name
        if not Path(path).is_dir():
            raise ScenarioError(f"{word}: {path} is no folder; a source is a run, or FOLDER:NAME of a system's answers")
        if not name.strip():
            raise ScenarioError(f"{word}: has no name after the colon")
        return cls(Path(path), name.strip())

    @property
    def is_run(self) -> bool:
        """Whether it holds sessions of ours."""
        if any((self.folder / name).is_file() for name in (INFO, RESULTS)):
            return True
        return any(is_session(child) for child in self.folder.iterdir() if child.is_dir())


def read_field(words: Sequence[str], inputs: Path | None = None) -> ArenaField:
    """Read all sources; at least two systems must have answered the same question. ScenarioError, SessionError."""
    sources = [Source.of(word) for word in words]
    inputs = inputs or _beside(sources)
    questions = asked_in(inputs) if inputs is not None else {}
    entrants = [one for source in sources if source.is_run for one in read_run(source.folder, source.name, questions)]
    asked = KnownQuestions(sorted(questions), inputs)
    foreign = [read_folder(source.folder, source.name, asked) for source in sources if not source.is_run]
    for entrant in foreign:
        for name in entrant.answers:
            questions.setdefault(name, ArenaQuestion(id=name, domain=name.rpartition("/")[0].partition("/")[0]))
    entrants += foreign
    if again := repeated(entrants):
        raise ScenarioError(f"several sources are called {again[0]!r}; give each a name of its own: FOLDER:NAME")
    found = ArenaField(entrants, questions, [note for entrant in entrants for note in entrant.notes])
    pairs = [(one, other) for place, one in enumerate(entrants) for other in entrants[place + 1 :]]
    if not any(found.common(one, other) for one, other in pairs):
        told_of = "; ".join(f"{one.system} answers {_some(sorted(one.answers))}" for one in entrants)
        raise ScenarioError(f"no question was answered by two systems: {told_of}")
    return found


def asked_in(folder: Path) -> dict[str, ArenaQuestion]:
    """Read a folder of questions as S2S-Arena lays them out. ScenarioError: there are none."""
    if not folder.is_dir():
        raise ScenarioError(f"--inputs {folder} is no folder")
    found: dict[str, ArenaQuestion] = {}
    for row in S2sArenaDatasetSpec(path=folder).questions(Folder(folder)):
        if isinstance(row, str):
            continue
        fields, sounds = row.fields, row.row.sounds()
        found[row.id] = ArenaQuestion(
            id=row.id,
            domain=told(fields, ("domain", "category", "task")),
            transcript=told(fields, TRANSCRIPT),
            target=told(fields, TARGET),
            sound=ArenaClip(path=sounds[0]) if sounds else None,
        )
    if not found:
        raise ScenarioError(f"--inputs {folder} holds no sound files")
    return found


def _beside(sources: Sequence[Source]) -> Path | None:
    """Give where S2S-Arena has the questions: `input` beside `output/SYSTEM`; None where nothing lies there."""
    for source in sources:
        above = source.folder.resolve().parent
        if not source.is_run and above.name == "output" and (above.parent / "input").is_dir():
            return above.parent / "input"
    return None


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:2])
    return f"{shown or 'nothing'}{f' and {len(names) - 2} more' if len(names) > 2 else ''}"


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
