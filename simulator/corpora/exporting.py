"""A corpus is written: sessions chosen, split, read and encoded side by side, written one after the other."""

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import soundfile

from simulator.corpora.choosing import KeptSession, Rejected, choose, opened
from simulator.corpora.data_card import Corpus, data_card
from simulator.corpora.dialogue import CorpusDialogue, dialogue_of
from simulator.corpora.form import Channels, CorpusForm, Sounds
from simulator.corpora.huggingface import HuggingFaceForm
from simulator.corpora.lhotse import LhotseForm
from simulator.corpora.nemo import NemoForm
from simulator.corpora.splits import Bound, clusters, split
from simulator.corpora.statistics import PartCount
from simulator.errors import ScenarioError, SessionError, sentence
from simulator.events import PARTIES, Party
from simulator.frame import to_pcm16
from simulator.reading.keep import Keep
from simulator.results.run import Run
from simulator.session import Session

COMPRESSION = 0.0
"""Of FLAC, from 0 to 1: speech with its silences comes out 3 % larger than at best, in half of the time."""

FORMS = ("lhotse", "huggingface", "nemo")
_AHEAD = 4
"""Dialogues per worker that are read ahead of the one that is written."""


class CorpusWish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. shares: of the parts, 1 together; seed: of the split; keep: instead of the scenarios' own."""

    form: str
    folder: Path
    channels: Channels
    shares: Mapping[str, float]
    seed: int = 0
    keep: Keep | None = None


class Exported(NamedTuple):
    """What was written. problems: sessions that could not be read."""

    parts: dict[str, PartCount]
    rejected: list[Rejected]
    problems: list[str]
    leak: str


class _Around(NamedTuple):
    """Where a corpus comes from, how its sound lies in it, and what is to be said of its parts."""

    runs: list[str]
    channels: Channels
    leak: str


def export(runs: Sequence[Run], wanted: CorpusWish) -> Exported:
    """Write the corpus with its card and the list of rejected sessions. ScenarioError: nothing is left, or no place."""
    found = list(choose(runs, wanted.keep))
    chosen = [item for item in found if isinstance(item, KeptSession)]
    rejected = [item for item in found if isinstance(item, Rejected)]
    if not chosen:
        why = f"; the first: {rejected[0].session}: {rejected[0].reason}" if rejected else ""
        raise ScenarioError(f"{', '.join(run.name for run in runs)}: no session is left for a corpus{why}")
    bound = [
        Bound(item.id, (f"topic {item.topic}", *(f"voice {voice}" for voice in item.voices.values())))
        for item in chosen
    ]
    parts = split(bound, wanted.shares, wanted.seed)
    leak = _leak(len(clusters(bound)), len(wanted.shares))
    try:
        wanted.folder.mkdir(parents=True, exist_ok=True)
        form = _form(wanted)
        counts, lost = _write(chosen, parts, form)
        rejected += lost
        counts = {name: counts[name] for name in wanted.shares if name in counts}
        _tell(wanted, counts, chosen, rejected, _Around([run.name for run in runs], form.sounds, leak))
    except OSError as error:
        raise ScenarioError(f"--out {sentence(error)}") from error
    return Exported(counts, rejected, [f"{item.session}: {item.reason}" for item in rejected if item.damaged], leak)


def _leak(bound: int, parts: int) -> str:
    if bound >= parts:
        return ""
    shared = "All dialogues share" if bound == 1 else f"There are {bound} groups of dialogues that share"
    return f"{shared} a topic or a voice, so there are fewer parts than asked for."


def _write(
    chosen: Sequence[KeptSession], parts: Mapping[str, str], form: CorpusForm
) -> tuple[dict[str, PartCount], list[Rejected]]:
    counts: dict[str, PartCount] = {}
    lost: list[Rejected] = []
    try:
        for item, read in _read_ahead(chosen, form.sounds):
            try:
                dialogue, sounds = read.result()
            except SessionError as error:
                lost.append(Rejected(item.folder.parent.name, item.row.id, str(error), damaged=True))
                continue
            form.add(parts[item.id], dialogue, sounds)
            counts.setdefault(parts[item.id], PartCount()).add(dialogue)
    finally:
        form.close()
    return counts, lost


def _form(wanted: CorpusWish) -> CorpusForm:
    if wanted.form == "nemo":
        return NemoForm(wanted.folder)
    form = LhotseForm if wanted.form == "lhotse" else HuggingFaceForm
    return form(wanted.folder, wanted.channels)


def _read_ahead(
    chosen: Sequence[KeptSession], channels: Channels
) -> Iterator[tuple[KeptSession, "Future[tuple[CorpusDialogue, Sounds]]"]]:
    """Give dialogues in their order, some of them being read and encoded meanwhile: encoding lets other threads run."""
    count = os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[tuple[KeptSession, Future[tuple[CorpusDialogue, Sounds]]]] = deque()
        for item in chosen:
            waiting.append((item, pool.submit(_read, item, channels)))
            if len(waiting) > _AHEAD * count:
                yield waiting.popleft()
        yield from waiting


def _read(item: KeptSession, channels: Channels) -> tuple[CorpusDialogue, Sounds]:
    session = opened(item.folder)
    dialogue = dialogue_of(session, item.id, topic=item.topic, voices=item.voices)
    if channels == "stereo":
        return dialogue, {"both": flac_of(session)}
    return dialogue, {party: flac_of(session, (party,)) for party in PARTIES}


def _tell(
    wanted: CorpusWish,
    counts: dict[str, PartCount],
    chosen: Sequence[KeptSession],
    rejected: list[Rejected],
    around: _Around,
) -> None:
    corpus = Corpus(
        title=wanted.folder.resolve().name,
        form=wanted.form,
        channels=around.channels,
        keep="`, `".join(dict.fromkeys(item.keep for item in chosen if item.keep)),
        parts=counts,
        rows=[item.row for item in chosen],
        rejected=rejected,
        runs=around.runs,
        seed=wanted.seed,
        leak=around.leak,
    )
    (wanted.folder / "README.md").write_text(data_card(corpus), encoding="utf-8")
    lines = [json.dumps({"run": item.run, "session": item.session, "reason": item.reason}) + "\n" for item in rejected]
    (wanted.folder / "rejected.jsonl").write_text("".join(lines), encoding="utf-8")


def flac_of(session: Session, parties: tuple[Party, ...] = PARTIES) -> bytes:
    """Give the tracks of parties, a channel each, as the bytes of a FLAC file."""
    path, channels = session.audio_source
    if path.suffix == ".flac" and parties == PARTIES and channels == (0, 1) and not session.notes:
        return path.read_bytes()
    tracks = np.stack([session.said(party) for party in parties], axis=1)
    file = BytesIO()
    soundfile.write(
        file, to_pcm16(tracks), session.sample_rate, format="FLAC", subtype="PCM_16", compression_level=COMPRESSION
    )
    return file.getvalue()
