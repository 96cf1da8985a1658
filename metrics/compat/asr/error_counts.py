"""Word errors of one pair of texts: how many, of how many words of the reference."""

from typing import Any, NamedTuple


class WordErrors(NamedTuple):
    """So many errors of so many words."""

    wrong: int
    words: int

    @property
    def parts(self) -> dict[str, Any]:
        """The parts of an error rate."""
        return {"count": self.wrong, "of": self.words}


def word_errors(reference: str, found: str) -> WordErrors:
    """Count substitutions, insertions and deletions as jiwer does; the reference holds a word."""
    import jiwer

    counted = jiwer.process_words(reference, found)
    errors = counted.substitutions + counted.insertions + counted.deletions
    return WordErrors(errors, counted.hits + counted.substitutions + counted.deletions)


def errors_with_compounds(reference: str, found: str) -> WordErrors | None:
    """Count as kaldialign does where "white paper" is "whitepaper"; None where it is not installed."""
    try:
        import kaldialign
    except ImportError:
        return None
    counted = kaldialign.edit_distance(tuple(reference.split()), tuple(found.split()), merge_compounds=True)
    return WordErrors(int(counted["total"]), int(counted["ref_len"]))
