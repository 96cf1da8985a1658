"""`dataset: {kind: voicebench, path: ..., subset: openbookqa}`: VoiceBench's spoken questions, one session each."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited, text_of
from simulator.datasets.source import SampleSource
from simulator.datasets.tables import NoTableError, SampleTable, TableRow, read_pieces, splits_in, table_files
from simulator.errors import ScenarioError

Subset = Literal[
    "alpacaeval", "alpacaeval_full", "alpacaeval_speaker", "commoneval", "wildvoice", "sd-qa", "openbookqa", "mmsu",
    "ifeval", "bbh", "advbench", "mtbench",
]  # fmt: skip
SUBSETS: tuple[str, ...] = get_args(Subset)
SPLITS: dict[str, tuple[str, ...]] = {
    "mmsu": (
        "law", "physics", "biology", "chemistry", "business", "economics", "engineering", "health", "history",
        "philosophy", "psychology", "other",
    ),
    "sd-qa": ("usa", "aus", "gbr", "ind_n", "ind_s", "irl", "kenya", "nga", "nzl", "phl", "zaf"),
}  # fmt: skip
_EVALUATORS = {
    "sd-qa": "qa",
    "openbookqa": "mcq",
    "mmsu": "mcq",
    "ifeval": "ifeval",
    "bbh": "bbh",
    "advbench": "harm",
}


class VoicebenchDatasetSpec(ContentDatasetSpec, frozen=True, kw_only=True, tag="voicebench"):
    """VoiceBench's subsets: a folder as the hub has it (SUBSET/SPLIT-....parquet), JSON lines with sounds, or one file.

    subset: one of twelve, a list, or `all` that the folder holds. split: a domain of mmsu, an accent of sd-qa, a voice
    of alpacaeval_speaker; without one every split that is there. mtbench's turns are said one after the other.
    """

    subset: Subset | Literal["all"] | list[Subset] = "all"
    split: str | None = None

    def subsets(self) -> list[str]:
        """The subsets that are wanted."""
        if self.subset == "all":
            file = self.path if self.path is not None and self.path.is_file() else None
            named = {file.parent.name, file.stem.partition("-0")[0]} if file else set()
            return [name for name in SUBSETS if not named or name in named]
        return list(self.subset) if isinstance(self.subset, list) else [self.subset]

    def scorers(self) -> list[str]:
        """The subset's evaluator; of several subsets what scores each by its own; mtbench has none."""
        wanted = self.subsets()
        if len(wanted) > 1:
            return ["voicebench"]
        return [] if wanted == ["mtbench"] else [f"voicebench:{_EVALUATORS.get(wanted[0], 'open')}"]

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Read every wanted subset; ScenarioError where the data set holds none of them."""
        if not self.subsets():
            raise ScenarioError(f"{source}: its name says no subset; name it: subset: {SUBSETS[0]}")
        missing: dict[str, NoTableError] = {}
        for subset in self.subsets():
            try:
                yield from self._of_subset(source, subset)
            except NoTableError as error:
                missing[subset] = error
        if len(missing) == len(self.subsets()):
            if len(missing) == 1:
                raise next(iter(missing.values()))
            raise ScenarioError(f"{source}: holds none of {', '.join(missing)}")

    def _of_subset(self, source: SampleSource, subset: str) -> Iterator[AskedRow | str]:
        known = SPLITS.get(subset, ())
        splits = [self.split] if self.split else splits_in(source, subset, known) if known else []
        for split in splits or [""]:
            pieces: dict[str, list[SampleTable]] = {}
            for file in table_files(source, subset, split):
                named = split or (known[0] if source.alone and known else _split_of(file.name.stem, subset))
                pieces.setdefault(named, []).append(file)
            for named, files in pieces.items():
                for row in limited(read_pieces(files), self.limit):
                    yield self._question(row, subset, named)

    def _question(self, row: TableRow, subset: str, split: str) -> AskedRow | str:
        if row.problem:
            return f"{row.place}: {row.problem}"
        turns = row.fields.get("turns")
        says = turns if isinstance(turns, list) else [text_of(row.fields, "prompt")]
        if not all(isinstance(text, str) for text in says):
            return f"{row.place}: turns are no texts"
        name = row.fields.get("id", row.fields.get("key", row.number))
        fields: dict[str, Any] = {"dataset": "voicebench", "subset": subset, "split": split, **row.fields}
        reference = text_of(row.fields, "reference")
        return AskedRow(f"{subset}-{split}-{name}", row, fields, says=says, reference=reference)


def _split_of(stem: str, subset: str) -> str:
    """Give the split that a file's name says; `test` where it says none."""
    name = stem.partition("-0")[0].removeprefix(subset).strip("-_")
    return name or "test"
