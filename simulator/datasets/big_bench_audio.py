"""`dataset: {kind: big_bench_audio, path: ...}`: spoken reasoning questions with an official answer."""

from collections.abc import Iterator

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited, text_of
from simulator.datasets.source import SampleSource
from simulator.datasets.tables import read_pieces, table_files


class BigBenchAudioDatasetSpec(ContentDatasetSpec, frozen=True, kw_only=True, tag="big_bench_audio"):
    """Big Bench Audio: its parquet files or metadata.jsonl with sounds. The official answer is the sample's reference.

    categories: formal_fallacies, navigate, object_counting, web_of_lies; without them all.
    """

    categories: list[str] = []

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Read the rows of the wanted categories."""
        found = read_pieces(table_files(source))
        rows = (row for row in found if self._is_wanted(row.fields.get("category"), row.problem))
        for row in limited(rows, self.limit):
            if row.problem:
                yield f"{row.place}: {row.problem}"
                continue
            name = str(row.fields.get("id", row.number))
            fields = {**row.fields, "dataset": "big_bench_audio", "subset": "big_bench_audio", "split": "test"}
            says = [text_of(row.fields, "transcript", "text", "prompt")]
            reference = text_of(row.fields, "official_answer", "answer")
            yield AskedRow(name, row, fields, says=says, reference=reference)

    def _is_wanted(self, category: object, problem: str) -> bool:
        return bool(problem) or not self.categories or category in self.categories
