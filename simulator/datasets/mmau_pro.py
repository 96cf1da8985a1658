"""`dataset: {kind: mmau_pro, path: ...}`: questions about sounds: the sounds are heard, then our voice asks."""

from collections.abc import Iterator

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited, text_of
from simulator.datasets.source import SampleSource
from simulator.datasets.tables import TableRow, read_pieces, table_files

KINDS = ("closed", "open", "instruction_following")


class MmauProDatasetSpec(ContentDatasetSpec, frozen=True, kw_only=True, tag="mmau_pro"):
    """MMAU-Pro's test set: its parquet file or JSON lines with `audio_path`, in a folder or named itself.

    categories: of the questions, or `closed`, `open`, `instruction_following`; without them all. Choices of a closed
    question are read out with their letters.
    """

    categories: list[str] = []

    def scorers(self) -> list[str]:
        """Its own evaluation; open questions need a judge besides."""
        return ["mmau_pro"]

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Read the rows of the wanted categories."""
        wanted = {name.replace(" ", "_") for name in self.categories}
        rows = self._of(read_pieces(table_files(source)), wanted)
        for row in limited(rows, self.limit):
            yield f"{row.place}: {row.problem}" if row.problem else self._question(row)

    def _of(self, rows: Iterator[TableRow], wanted: set[str]) -> Iterator[TableRow]:
        for row in rows:
            category = str(row.fields.get("category", "")).strip().replace(" ", "_")
            kind = category if category in KINDS else "closed"
            if row.problem or not wanted or wanted & {category, kind}:
                yield row

    def _question(self, row: TableRow) -> AskedRow | str:
        asked = text_of(row.fields, "question", "prompt", "problem")
        if not asked:
            return f"{row.place}: has no question"
        choices = row.fields.get("choices")
        if isinstance(choices, list) and len(choices) > 1:
            asked += " " + " ".join(f"{chr(ord('A') + place)}: {choice}." for place, choice in enumerate(choices))
        name = str(row.fields.get("id", row.number))
        fields = {**row.fields, "dataset": "mmau_pro", "subset": "mmau_pro", "split": "test"}
        return AskedRow(name, row, fields, asks=asked, reference=text_of(row.fields, "answer"))
