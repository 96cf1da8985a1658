"""Inputs: what a PATH on the command line holds, found by looking, never by asking.

A PATH is a session, a run folder, a Full-Duplex-Bench sample folder or dataset root, a stereo sound file or a
folder of them, a NeMo results folder, a tau experiment, or a file of raw judge replies. A scorer names the
kinds it takes; what else lies there is passed over. Finding reads nothing but folder listings.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from simulator.errors import ScenarioError
from simulator.session import ASIDE, Session, read_session
from simulator.sound.recordings import SOUND_SUFFIXES

InputKind = Literal["session", "fdb", "wav", "nemo", "tau", "fdb_v2", "predictions", "result"]

TOLD = {
    "session": "sessions or run folders",
    "fdb": "Full-Duplex-Bench sample folders or dataset roots",
    "wav": "sound files (wav, flac, ogg, opus, mp3, aiff, ...)",
    "nemo": "a NeMo results folder (output.jsonl)",
    "tau": "a tau experiment (results.json and simulations/)",
    "fdb_v2": "raw judge replies (<Family>/<name>.json)",
    "predictions": "prediction files (.jsonl, an answer a line)",
    "result": "results of a validator (.json)",
}

_OTHER_SOUND = tuple("raw pcm wma aac amr gsm webm mp4 mka ac3 wv ape spx vox sph ulaw alaw".split())  # noqa: SIM905
"""Sound that is not read: told where it is passed over."""
_FDB_FILES = frozenset(
    {
        "input.wav",
        "output.wav",
        "clean_input.wav",
        "clean_output.wav",
        "context.wav",
        "interrupt.wav",
        "pause.json",
        "turn_taking.json",
        "interrupt.json",
        "metadata.json",
        "transcription.json",
        "rating.json",
        "input.json",
        "clean_input.json",
        "content_tag.json",
        "general_split.json",
        "latency_intervals.json",
    }
)
_BY_ENDING: dict[InputKind, str] = {"predictions": ".jsonl", "result": ".json"}
_PROCESSED = "_processed"
_DEEPEST = 6


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to score. path: its folder or file; root: the PATH above it; files: names in its folder."""

    kind: InputKind
    id: str
    path: Path
    root: Path
    files: frozenset[str] = frozenset()


def find_inputs(paths: Sequence[Path], kinds: Collection[InputKind], *, scorer: str) -> list[Input]:
    """Give what the paths hold of these kinds, in order (numbers by value), each with an id of its own.

    ScenarioError: a path that does not exist, or nothing of these kinds anywhere.
    """
    found: list[Input] = []
    for path in paths:
        if not path.exists():
            raise ScenarioError(f"{path} does not exist")
        found += _inside(path, path, frozenset(kinds), 0) if path.is_dir() else _file(path, path, frozenset(kinds))
    if not found:
        takes = ", ".join(TOLD[kind] for kind in TOLD if kind in kinds)
        raise ScenarioError(f"{', '.join(map(str, paths))}: nothing there that {scorer} scores; it takes {takes}")
    names = sample_ids([(item.root, item.path, item.id) for item in found], by_folder=_several_datasets(found))
    return [msgspec.structs.replace(item, id=name) for item, name in zip(found, names, strict=True)]


def passed_over(paths: Sequence[Path]) -> list[str]:
    """Say which files of a folder hold sound of a kind that is not read, a sentence each."""
    reads = ", ".join(SOUND_SUFFIXES)
    return [
        f"{file}: passed over; the sound files that are read are {reads}"
        for path in paths
        if path.is_dir()
        for file in sorted(path.rglob("*"), key=natural)
        if file.suffix.lower().removeprefix(".") in _OTHER_SOUND and ASIDE not in str(file)
    ]


def open_session(item: Input, user_channel: int | None = None, agent_channel: int | None = None) -> Session:
    """Open a session folder, or a sound file as a session without events; SessionError when it cannot be read.

    The channels are those of a file, 0 and 1 unless named; of a file with more than two both have to be.
    """
    if item.kind == "session":
        return read_session(item.path)
    return Session.of_recording(item.path, user_channel=user_channel, agent_channel=agent_channel)


def sample_ids(places: Sequence[tuple[Path, Path, str]], *, by_folder: bool = False) -> list[str]:
    """Give every sample an id of its own: its name, or where names repeat the path relative to its PATH.

    places: (the PATH it was found under, its folder or file, its name). by_folder: use paths although names
    differ. Samples of several PATHs that are still alike get the PATH's own name in front, then the whole
    path.
    """
    schemes: list[Callable[[Path, Path, str], str]] = [
        lambda _root, _place, name: name,
        _relative,
        lambda root, place, name: f"{root.name}/{_relative(root, place, name)}",
        lambda _root, place, _name: str(place),
    ]
    for scheme in schemes[1 if by_folder else 0 :]:
        names = [scheme(*place) for place in places]
        if len(set(names)) == len(names):
            return names
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        seen[name] += 1
        names[index] = name if seen[name] == 1 else f"{name}#{seen[name]}"
    return names


def _relative(root: Path, place: Path, name: str) -> str:
    return name if place == root else (place.relative_to(root).parent / name).as_posix()


def _several_datasets(found: Sequence[Input]) -> bool:
    return len({item.path.parent for item in found if item.kind == "fdb" and item.path != item.root}) > 1


def _inside(folder: Path, root: Path, kinds: frozenset[str], depth: int) -> list[Input]:
    """Look into a folder: what it is itself, else what its files and sub-folders are."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".") and ASIDE not in entry.name]
    names = frozenset(entry.name for entry in entries)
    kind = _folder_kind(names, kinds)
    if kind is not None:
        return [Input(kind=kind, id=_folder_name(folder), path=folder, root=root, files=names)]
    if depth == _DEEPEST:
        return []
    found: list[Input] = []
    bare: list[Path] = []
    for entry in sorted(entries, key=natural):
        if entry.is_dir():
            inside = _inside(entry, root, kinds, depth + 1)
            found += inside
            if not inside and "fdb" in kinds and not any(child.is_dir() for child in entry.iterdir()):
                bare.append(entry)
        elif not (entry.suffix == ".jsonl" and "run.json" in names):  # a run's own rows are no predictions
            found += _file(entry, root, kinds)
    found = _without_strays(found + _bare_samples(bare, found, folder, root), folder, root)
    return sorted(found, key=lambda item: natural(item.path))


def _without_strays(found: Sequence[Input], folder: Path, root: Path) -> list[Input]:
    """Leave out files that lie loose in a dataset root: sound beside samples, JSON beside families of replies."""
    loose: set[InputKind] = set()
    if any(item.kind == "fdb" for item in found):
        loose.add("wav")
    if folder == root and any(item.kind == "fdb_v2" and item.path.parent != root for item in found):
        loose.add("fdb_v2")
    return [item for item in found if item.kind not in loose or item.path.parent != folder]


def _bare_samples(bare: Sequence[Path], found: Sequence[Input], folder: Path, root: Path) -> list[Input]:
    """Give the folders without a known file that are samples all the same: beside samples, or named 7."""
    beside = any(item.kind == "fdb" and item.path.parent == folder for item in found)
    return [
        Input(
            kind="fdb",
            id=path.name,
            path=path,
            root=root,
            files=frozenset(child.name for child in path.iterdir()),
        )
        for path in bare
        if beside or path.name.isdigit()
    ]


def _folder_kind(names: frozenset[str], kinds: frozenset[str]) -> InputKind | None:
    if "session" in kinds and "session.json" in names:
        return "session"
    if "tau" in kinds and {"results.json", "simulations"} <= names:
        return "tau"
    if "nemo" in kinds and names & {"output.jsonl", "output_with_eval.jsonl"}:
        return "nemo"
    is_fdb = not _FDB_FILES.isdisjoint(names) or any(name.endswith("output.json") for name in names)
    return "fdb" if "fdb" in kinds and is_fdb and "session.json" not in names else None


def _file(path: Path, root: Path, kinds: frozenset[str]) -> list[Input]:
    suffix = path.suffix.lower().removeprefix(".")
    # A file that was named is opened whatever it is called: who opens it says what is wrong with it.
    if "wav" in kinds and (suffix in SOUND_SUFFIXES or (path == root and suffix in _OTHER_SOUND)):
        return [Input(kind="wav", id=path.stem, path=path, root=root)]
    for kind, ending in _BY_ENDING.items():
        if kind in kinds and (path.suffix == ending or path == root):
            return [Input(kind=kind, id=path.stem, path=path, root=root)]
    if "fdb_v2" in kinds and path.suffix == ".json" and not path.name.endswith(".raw_api.json"):
        name = path.stem.removesuffix(_PROCESSED)
        has_raw = name != path.stem and path != root and path.with_name(f"{name}.json").is_file()
        return [] if has_raw else [Input(kind="fdb_v2", id=name, path=path, root=root)]
    return []


def _folder_name(folder: Path) -> str:
    return folder.name or folder.resolve().name


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Order names with numbers by value: 2 before 10."""
    return [
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for name in path.parts
        for part in re.findall(r"[0-9]+|[^0-9]+", name)
    ]
