"""Output folders of other systems as entrants: each repository names its answers in a way of its own.

    TASK/CLIP.wav               Cascade, SpeechGPT, GLM-4-Voice, both FunAudioLLM: as the question is called
    TASK/CLIP_pred.wav          LLaMA-Omni; N_pred.wav is the Nth of its question.json, from 1
    TASK/CLIP/item_*.wav        GPT-4o realtime: a folder per question
    TASK/A1-A2/NN.wav           Mini-Omni: from 0, questions in the order of the first number in their names
    TASK/audio_N.wav            FunAudioLLM with GPT-4o: from 0, questions in the order of their names

Numbers are places in a list of questions, so they need `--inputs`, the folder of the questions. Mini-Omni skips a clip
that failed without skipping its number: where fewer answers than questions are there nobody knows whose they are.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.arena.answer import ArenaAnswer, ArenaClip, Entrant
from simulator.arena.texts_beside import text_beside
from simulator.errors import ScenarioError, SessionError
from simulator.scoring.inputs import natural
from simulator.sound.recordings import SOUND_SUFFIXES

_MINI_OMNI = re.compile(r"[AT]1-A2(-batch)?")
_PRED = "_pred"
_AUDIO_N = re.compile(r"audio_(\d+)")


class KnownQuestions:
    """The questions that are known. ids: in the order of their paths. folder: where they lie, None: nobody says."""

    def __init__(self, ids: Sequence[str], folder: Path | None = None) -> None:
        self.ids = frozenset(ids)
        self.folder = folder
        self._by_task: dict[str, list[str]] = {}
        self._by_last: dict[str, list[str]] = {}
        for name in ids:
            task, _, last = name.rpartition("/")
            self._by_task.setdefault(task, []).append(name)
            self._by_last.setdefault(last, []).append(name)

    def within(self, task: str) -> list[str]:
        """Give the questions of one folder."""
        return self._by_task.get(task, [])

    def named(self, name: str) -> str:
        """Give the question of this name, or the only one that ends with it; else the name as it is."""
        if name in self.ids:
            return name
        alike = self._by_last.get(name.rpartition("/")[2], [])
        ending = [known for known in alike if known.endswith(f"/{name}") or name.endswith(f"/{known}")]
        found = ending or alike
        return found[0] if len(found) == 1 else name


def read_folder(folder: Path, system: str, asked: KnownQuestions) -> Entrant:
    """Read a folder of answers. ScenarioError: it holds no sound."""
    files = [path for path in sorted(folder.rglob("*"), key=natural)
             if path.suffix.lower().removeprefix(".") in SOUND_SUFFIXES and path.is_file()]  # fmt: skip
    if not files:
        raise ScenarioError(f"{folder}: holds no session and no sound file; an entrant is a run or a folder of answers")
    entrant = Entrant(system, {}, [])
    for place, found in _by_folder(files):
        inside = place.relative_to(folder).as_posix().removeprefix(".").strip("/")
        try:
            named = list(_named(place, inside, found, asked))
        except SessionError as error:
            entrant.notes.append(f"{system}: {error}")
            continue
        if len(named) < len(found):
            entrant.notes.append(
                f"{system}: {inside}: of {len(found)} items {named[0][1].name} is taken for the answer"
            )
        for name, path in named:
            question = asked.named(name)
            if question in entrant.answers:
                entrant.notes.append(
                    f"{system}: {path.relative_to(folder)}: left out: {question} has an answer already"
                )
                continue
            told = text_beside(path, name)
            answer = ArenaAnswer(system=system, question=question, sound=ArenaClip(path=path), told=told)
            entrant.answers[question] = answer
    return entrant


def _by_folder(files: Sequence[Path]) -> Iterator[tuple[Path, list[Path]]]:
    found: dict[Path, list[Path]] = {}
    for file in files:
        found.setdefault(file.parent, []).append(file)
    yield from found.items()


def _named(place: Path, inside: str, files: Sequence[Path], asked: KnownQuestions) -> Iterator[tuple[str, Path]]:
    """Give every answer of one folder with the name of its question; SessionError where numbers say nothing."""
    task, _, last = inside.rpartition("/")
    if inside and all(file.name.startswith("item_") for file in files):
        yield inside, files[0]
    elif _MINI_OMNI.fullmatch(last):
        yield from _counted(task, files, sorted(asked.within(task), key=_first_number), "Mini-Omni")
    elif all(file.stem.endswith(_PRED) for file in files):
        yield from ((_joined(inside, name), file) for name, file in _predicted(place, inside, files, asked))
    elif _are_numbers(files, inside, asked):
        ordered = sorted(files, key=lambda file: int(file.stem.removeprefix("audio_")))
        yield from _counted(inside, ordered, sorted(asked.within(inside)), "FunAudioLLM")
    else:
        yield from ((_joined(inside, file.stem), file) for file in files)


def _counted(task: str, files: Sequence[Path], names: Sequence[str], whose: str) -> Iterator[tuple[str, Path]]:
    where = f"left out: {whose} numbers its answers in {task or 'the folder'}"
    if len(files) != len(names):
        known = f"{len(files)} answers, {len(names)} known questions"
        raise SessionError(f"{where}: {known}: nobody can tell whose they are (--inputs names the questions)")
    if whose == "Mini-Omni" and len({_first_number(name) for name in names}) < len(names):
        # where numbers are alike the file system decided
        raise SessionError(f"{where} in the order of the questions' first numbers, and these are not all different")
    yield from zip(names, files, strict=True)


def _predicted(place: Path, inside: str, files: Sequence[Path], asked: KnownQuestions) -> Iterator[tuple[str, Path]]:
    """Give LLaMA-Omni's answers by the ids of its question.json, which lies beside them or beside the questions."""
    listed = [path for folder in (place, asked.folder / inside if asked.folder else None)
              if folder and (path := folder / "question.json").is_file()]  # fmt: skip
    ids = _ids(listed[0]) if listed else []
    for file in files:
        name = file.stem.removesuffix(_PRED)
        known = _joined(inside, name) in asked.ids
        if name.isdigit() and not known and ids:
            if not 1 <= int(name) <= len(ids):
                raise SessionError(f"left out: {file.name}: question.json has {len(ids)} questions")
            name = ids[int(name) - 1]
        yield name, file


def _ids(path: Path) -> list[str]:
    try:
        rows = json.loads(path.read_bytes())
        return [str(row["id"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SessionError(f"{path}: no list of questions with ids: {type(error).__name__}") from error


def _are_numbers(files: Sequence[Path], inside: str, asked: KnownQuestions) -> bool:
    """Whether names are places in a list: of the form audio_N, and no question of the folder is called so."""
    known = set(asked.within(inside))
    return bool(known) and all(
        _AUDIO_N.fullmatch(file.stem) and _joined(inside, file.stem) not in known for file in files
    )


def _joined(inside: str, name: str) -> str:
    return f"{inside}/{name}" if inside else name


def _first_number(name: str) -> int:
    found = re.search(r"\d+", name.rpartition("/")[2])
    return int(found[0]) if found else 0
