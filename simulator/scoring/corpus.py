"""Corpora: what `simulate score` reads and gives, for our sessions and for other projects' recordings alike.

A corpus scorer takes inputs (sessions, FDB sample folders, stereo files, a NeMo results folder, a tau experiment) and
gives one result: every metric over the corpus, and per sample what was measured and what was wrong with it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from simulator.score import Score
from simulator.spec import Spec

Mode = Literal["strict", "compat"]

_TOLD = ("value", "unit", "n", "ci95", "ci95_reason", "reason")


class SampleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on one sample: any JSON values by metric id, and one sentence per thing that was wrong."""

    id: str
    metrics: dict[str, Any] = {}
    notes: list[str] = []


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Of a corpus what may be pooled. told: what its intervals speak for, and what counted only once."""

    n: int = 0
    metrics: dict[str, Score] = {}
    told: list[str] = []


class CorpusResult(msgspec.Struct, frozen=True, kw_only=True):
    """A corpus scored: full precision, samples in input order, skipped ones with nulls and a note.

    unusable: how many of the samples could not be read.
    groups: by name, where it holds what differs (scenarios, agents) and is not pooled: then `metrics` is empty.
    """

    scorer: str
    mode: Mode
    n: int
    metrics: dict[str, Score]
    samples: list[SampleResult]
    versions: dict[str, str] = {}
    told: list[str] = []
    groups: dict[str, Group] = {}
    unusable: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give what `simulate score --json` writes: of a corpus value the number and how far to trust it."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for group in (plain, *plain["groups"].values()):
            group["metrics"] = {name: {key: score[key] for key in _TOLD} for name, score in group["metrics"].items()}
        del plain["unusable"]  # the samples' own notes say which
        for name in ("told", "groups"):  # of our own scorers alone
            if not plain[name]:
                del plain[name]
        return plain


class UnusableResult(CorpusResult, frozen=True, kw_only=True):
    """A result without anything to stand on: not one of the samples could be read."""

    def sentence(self) -> str:
        """Say so, with what is wrong with the first one."""
        first = self.samples[0]
        return f"{self.scorer}: none of {len(self.samples)} samples can be used; {first.id}: {first.notes[0]}"


class CorpusScorer(Spec, frozen=True, kw_only=True):
    """A scorer with a definition of its own over whole corpora; `--set k=v` sets its fields.

    mode: `compat` reproduces the original's numbers with its quirks, as its name promises; `strict` repairs them; the
    card names both.
    force: score sessions and stereo files whose sound makes scores meaningless (see trust.py) all the same.
    write: a folder that gets the original's own files. Input folders are never written to.
    """

    mode: Mode = "compat"
    write: Path | None = None
    force: bool = False

    card: ClassVar[str] = ""

    def score_corpus(self, paths: Sequence[Path], tell: Callable[[str], None] = lambda line: None) -> CorpusResult:
        """Score what the paths hold; ScenarioError or SessionError when nothing of it can be used.

        tell: takes the lines of `--show`: per event, what was measured between which two instants.
        """
        raise NotImplementedError
