"""Where the samples of a corpus come from when one input holds many: their names, what was unreadable."""

from collections import Counter
from pathlib import Path

import msgspec

from simulator.errors import SessionError
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import Input, sample_ids


class Places:
    """The samples of a run in their order; filled while inputs are measured."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._places: list[tuple[Path, Path, str]] = []
        self._seen: Counter[tuple[Path, str]] = Counter()
        self._unreadable: list[str] = []

    def add(self, item: Input, name: str) -> str:
        """Note a sample of an input; a name that the input already gave gets a number."""
        self._seen[item.path, name] += 1
        again = self._seen[item.path, name]
        name = name if again == 1 else f"{name}#{again}"
        self.names.append(name)
        self._places.append((item.root, item.path if name == item.id else item.path / name, name))
        return name

    def add_unreadable(self, item: Input, reason: str) -> str:
        """Note an input that holds no sample that can be read; it stands in the result under its own name."""
        self._unreadable.append(reason)
        return self.add(item, item.id)

    def named_apart(self, result: CorpusResult) -> CorpusResult:
        """Give samples with the same name names of their own; SessionError when no input held any sample."""
        if self._unreadable and len(self._unreadable) == len(self.names):
            raise SessionError(self._unreadable[0])
        names = sample_ids(self._places)
        samples = [msgspec.structs.replace(sample, id=name) for sample, name in zip(result.samples, names, strict=True)]
        return msgspec.structs.replace(result, samples=samples)
