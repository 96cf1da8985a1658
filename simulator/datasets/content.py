"""Data sets of questions, what their kinds share: rows chosen, sounds found or spoken, an answer at the end."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec

from simulator.datasets.hub import RepositoryId, Revision, repository
from simulator.datasets.kept_sound import VOICE, joined, spoken
from simulator.datasets.sample import Dataset, DatasetSample, DatasetSpec, SampleTurn, check_recording, usable
from simulator.datasets.source import Folder, SampleSource
from simulator.datasets.tables import TableRow
from simulator.errors import SessionError

Count = Annotated[int, msgspec.Meta(ge=1)]


class Stratified(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{n: 40, by: category, seed: 0}`: so many samples, shared out over the values of a field; without `by` of all.

    n: how many samples. by: the field whose values share them. seed: of the draw.
    """

    n: Count
    by: str = ""
    seed: int = 0


class AskedRow(NamedTuple):
    """A row as its kind reads it. fields: the row's own, with where it belongs.

    says: what is said in its sounds, in their order, for whoever compares words; what no sound holds our voice says.
    asks: what our voice asks about the sounds, in the same turn.
    """

    id: str
    row: TableRow
    fields: Mapping[str, Any]
    says: Sequence[str] = ()
    asks: str = ""
    prompt: str = ""
    reference: str = ""


class ContentDatasetSpec(DatasetSpec, frozen=True, kw_only=True):
    """A data set whose rows are questions: each is played, answered, and over when the agent has fallen silent.

    limit: so many rows of each subset and split, before anything is drawn. sample: a drawn part of the rest. only:
    these ids. speak: texts without a sound are said by our voice, too. no_audio: no sound is used, our voice says them.
    answer: what is scored, the text that the agent told or what was heard of it. path: the data set's file or folder.
    hub: instead of a path its repository on the Hugging Face hub, like `hlt-lab/voicebench`. revision: of the
    repository a commit, a tag or a branch. voice: who says the texts.
    """

    path: Path | None = None
    hub: RepositoryId | None = None
    revision: Revision | None = None
    limit: Count | None = None
    sample: Stratified | None = None
    only: list[str] = []
    speak: bool = False
    no_audio: bool = False
    voice: str = VOICE
    answer: Literal["said", "heard"] = "said"

    asks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if (self.path is None) == (self.hub is None):
            raise ValueError("a data set has exactly one of path and hub")
        if self.revision is not None and self.hub is None:
            raise ValueError("revision is of a repository; name it with hub")

    def source(self) -> SampleSource:
        """Give where the data set lies. ScenarioError: the hub cannot be asked, or has no such repository."""
        if self.path is not None:
            return Folder(self.path)
        return repository(self.hub or "", self.revision)

    def probe(self) -> str | None:
        """Ask the hub which commit it is at."""
        if self.hub is None:
            return None
        found = repository(self.hub, self.revision)
        return "; ".join([f"{found} is at commit {found.origin.revision}", *found.remarks])

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Give the rows in order, or a sentence where a row is none; ScenarioError where there is no data set."""
        raise NotImplementedError

    def scorer_options(self) -> dict[str, Any]:
        """The options of its scorers."""
        return {"answer": self.answer}

    def read(self) -> Dataset:
        """List the samples that are chosen; what cannot be used is left out with a note."""
        source = self.source()
        rows = list(self.questions(source))
        notes = [item for item in rows if isinstance(item, str)]
        samples: list[DatasetSample] = []
        for question in self._chosen([item for item in rows if isinstance(item, AskedRow)]):
            try:
                samples.append(self._sample(question))
            except SessionError as error:
                notes.append(f"{question.id}: {error}")
        found = usable(samples, notes, source)
        return msgspec.structs.replace(found, origin=source.origin, remarks=list(source.remarks))

    def _chosen(self, questions: Sequence[AskedRow]) -> Sequence[AskedRow]:
        if self.only:
            wanted = frozenset(self.only)
            questions = [question for question in questions if wanted & {question.id, str(question.fields.get("id"))}]
        return questions if self.sample is None else drawn(questions, self.sample)

    def _sample(self, question: AskedRow) -> DatasetSample:
        """Find the sounds of a question, or have it spoken; SessionError where neither can be."""
        turns = self._asked(question) if question.asks else self._said(question)
        if not turns:
            raise SessionError("has no sound; speak: true has a voice of ours say its text")
        return DatasetSample(
            id=question.id,
            user_audio=turns[0].audio,
            channel=turns[0].channel,
            text=" ".join(turn.text for turn in turns if turn.text),
            prompt=question.prompt,
            reference=question.reference,
            meta=plain(question.fields),
            turns=tuple(turns) if len(turns) > 1 else (),
        )

    def _said(self, question: AskedRow) -> list[SampleTurn]:
        """Give the turns of a question: its sounds with their texts, then the texts that no sound holds."""
        sounds = self._sounds(question)
        texts = [*question.says, *[""] * len(sounds)]
        turns = [
            SampleTurn(audio=path, channel=check_recording(path, None), text=text)
            for path, text in zip(sounds, texts, strict=False)
        ]
        if not turns and not (self.speak or self.no_audio):
            return []
        return [*turns, *(self._spoken(text) for text in question.says[len(sounds) :] if text)]

    def _asked(self, question: AskedRow) -> list[SampleTurn]:
        """Give the one turn in which the sounds are heard and then our voice asks about them."""
        asked = self._spoken(question.asks)
        sounds = self._sounds(question)
        for path in sounds:
            check_recording(path, None)
        return [SampleTurn(audio=joined([*sounds, asked.audio]), text=question.asks) if sounds else asked]

    def _sounds(self, question: AskedRow) -> list[Path]:
        return [] if self.no_audio else question.row.sounds()

    def _spoken(self, text: str) -> SampleTurn:
        return SampleTurn(audio=spoken(text, self.voice), text=text)


def limited(rows: Iterator[TableRow], limit: int | None) -> Iterator[TableRow]:
    """Give the first rows of a table; behind them nothing is read."""
    return islice(rows, limit)


def drawn(questions: Sequence[AskedRow], wish: Stratified) -> list[AskedRow]:
    """Draw questions by a seed, in their order: as many of each value of `by` as its share, the largest rests first."""
    groups: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        groups.setdefault(str(question.fields.get(wish.by)) if wish.by else "", []).append(place)
    count = min(wish.n, len(questions))
    exact = {name: count * len(places) / len(questions) for name, places in groups.items()}
    shares = {name: int(share) for name, share in exact.items()}
    rest = sorted(groups, key=lambda name: (shares[name] - exact[name], name))
    for name in rest[: count - sum(shares.values())]:
        shares[name] += 1
    # Python's own generator, seeded by texts: the same whatever the order of the groups is.
    chosen = [
        place
        for name, places in groups.items()
        for place in random.Random(f"{wish.seed}:{name}").sample(places, shares[name])
    ]
    return [questions[place] for place in sorted(chosen)]


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give fields as JSON keeps them: what is no JSON (dates, bytes) as text."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


def text_of(fields: Mapping[str, Any], *names: str) -> str:
    """Give the first of these fields that is a text with something in it; empty without one."""
    return next((value for name in names if isinstance(value := fields.get(name), str) and value.strip()), "")
