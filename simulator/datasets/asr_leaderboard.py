"""`dataset: {kind: asr_leaderboard, path: ..., sets: [ami]}`: speech to be transcribed, one session each."""

from collections.abc import Iterator

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited, text_of
from simulator.datasets.source import SampleSource
from simulator.datasets.tables import NoTableError, read_pieces, table_files
from simulator.errors import ScenarioError

SETS: dict[str, tuple[str, str]] = {
    "librispeech_clean": ("librispeech", "test.clean"),
    "librispeech_other": ("librispeech", "test.other"),
    "voxpopuli": ("voxpopuli", "test"),
    "tedlium": ("tedlium", "test"),
    "gigaspeech": ("gigaspeech", "test"),
    "spgispeech": ("spgispeech", "test"),
    "earnings22": ("earnings22", "test"),
    "ami": ("ami", "test"),
}
"""By name the folder and the split of the leaderboard's English sets."""
_TEXTS = ("text", "sentence", "normalized_text", "transcript", "transcription", "expected_answer")
IGNORED = "ignore time segment in scoring"
"""What stands where a stretch of sound is not to be transcribed."""
_SHORTEST_S = 0.1


class AsrLeaderboardDatasetSpec(ContentDatasetSpec, frozen=True, kw_only=True, tag="asr_leaderboard"):
    """The English sets of the Open ASR Leaderboard: a folder with a folder (or file) per set, or one set's file.

    sets: their names; without them all that the folder holds. Rows without a text, and clips under 0.1 s where the row
    tells its duration, are left out.
    """

    sets: list[str] = []

    def scorers(self) -> list[str]:
        """Word error rates."""
        return ["asr_wer"]

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Read every wanted set; ScenarioError where there is none, or a name is no set."""
        if source.alone:
            yield from self._of_set(source, self.sets[0] if self.sets else source.files()[0].stem, "", "")
            return
        unknown = [name for name in self.sets if name not in SETS]
        if unknown:
            raise ScenarioError(f"{unknown[0]!r} is no set of the leaderboard; choose from {', '.join(SETS)}")
        found = False
        for name in self.sets or SETS:
            for folder, split in (SETS[name], (name, "")):
                try:
                    rows = list(self._of_set(source, name, folder, split))
                except NoTableError:
                    continue
                found = True
                yield from rows
                break
        if not found:
            raise ScenarioError(f"{source}: holds none of {', '.join(self.sets or SETS)}")

    def _of_set(self, source: SampleSource, name: str, folder: str, split: str) -> Iterator[AskedRow | str]:
        for row in limited(read_pieces(table_files(source, folder, split)), self.limit):
            text = text_of(row.fields, *_TEXTS)
            duration = row.fields.get("duration", row.fields.get("audio_length_s", 1.0))
            if row.problem:
                yield f"{row.place}: {row.problem}"
            elif not text or text.strip().lower() == IGNORED:
                yield f"{row.place}: has no text to be scored"
            elif isinstance(duration, int | float) and duration < _SHORTEST_S:
                yield f"{row.place}: is {duration:g} s long; shorter than {_SHORTEST_S:g} s is not scored"
            else:
                own = row.fields.get("id", row.number)
                fields = {**row.fields, "dataset": name, "subset": name, "split": split or "test"}
                yield AskedRow(f"{name}-{own}", row, fields, says=[text])
