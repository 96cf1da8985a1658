"""A judge examined: its verdicts beside people's labels, criterion by criterion."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from simulator.judging.agreement import Confusion, Estimate, Kappa, Pair, corrected_rate, kappa, proportion
from simulator.judging.calibration import Calibration, Standing, identity, told_criterion
from simulator.judging.labels import Labels
from simulator.judging.rubric import Criterion
from simulator.judging.selftest import Reaction, reactions, verdict_of
from simulator.judging.sitting import Sitting
from simulator.judging.subjects import Subjects
from simulator.sound.recordings import sha256_of_session

Verdicts = dict[tuple[str, str], float | None]
"""By session and criterion: 1 met, 0 not, or points; None where the judge gave no verdict."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a criterion. table: counts of (people's label, the judge's verdict), in order.

    labelled: sessions with a label and a verdict. undefined: those without a verdict, which count nowhere. rate: what
    the judge finds met of all sessions of the run, corrected: what people would. Of a scale there are no rates.
    """

    name: str
    criterion: Criterion
    labelled: int
    undefined: int
    agreement: Estimate
    kappa: Kappa
    table: dict[Pair, int]
    confusion: Confusion | None = None
    rate: Estimate | None = None
    corrected: Estimate | None = None

    @property
    def given(self) -> int:
        """The sessions with a label."""
        return self.labelled + self.undefined

    @property
    def standing(self) -> Standing:
        """What a calibration keeps of it."""
        value = self.kappa.value
        return Standing(criterion=told_criterion(self.criterion), labelled=self.labelled, kappa=value)


def all_verdicts(subjects: Subjects) -> tuple[Verdicts, dict[str, str], list[str]]:
    """Judge every session by every criterion; gives the verdicts, why there is none (by session), and damages."""
    verdicts: Verdicts = {}
    problems: dict[str, str] = {}
    notes: dict[str, None] = {}
    for name, sitting in _sittings(subjects):
        for criterion_name, criterion in subjects.criteria.items():
            ballot = sitting.ballot(criterion)
            verdict = verdicts[name, criterion_name] = verdict_of(ballot)
            if verdict is None:
                problems.setdefault(name, ballot.problem or "no verdict")
        notes |= dict.fromkeys(sitting.notes)
    return verdicts, problems, list(notes)


def all_reactions(subjects: Subjects, tell: Callable[[str], None]) -> Iterator[tuple[str, str, Reaction]]:
    """Give how the judge reacts to every variant of every question: the session, the criterion, what came of it.

    tell: is told why a session cannot be shown.
    """
    for name, sitting in _sittings(subjects):
        if sitting.problem is not None:
            tell(f"{name}: {sitting.problem}")
        for criterion_name, criterion in subjects.criteria.items():
            yield from ((name, criterion_name, found) for found in reactions(sitting, criterion))


def _sittings(subjects: Subjects) -> Iterator[tuple[str, Sitting]]:
    judge = subjects.judge.open()
    for name, session in zip(subjects.folders, subjects.sessions(), strict=True):
        yield name, Sitting(subjects.judge, session, judge=judge)


def examined(subjects: Subjects, labels: Labels, verdicts: Verdicts) -> list[Examined]:
    """Hold verdicts against labels, for every criterion that has any; sessions that sound the same count once."""
    firsts = _firsts(subjects)
    once: Labels = {}
    for (session, name), label in labels.items():
        once.setdefault((firsts[session], name), label)
    kept = {(session, name): verdict for (session, name), verdict in verdicts.items() if firsts[session] == session}
    wanted = {name for _, name in once}
    return [_examined(name, criterion, once, kept) for name, criterion in subjects.criteria.items() if name in wanted]


def _firsts(subjects: Subjects) -> dict[str, str]:
    """Give for every session the first one that sounds the same, bit by bit: asked twice, nobody tells anything new."""
    sounds = {name: sha256_of_session(folder) for name, folder in subjects.folders.items()}
    firsts: dict[str, str] = {}
    for name, sound in sounds.items():
        firsts.setdefault(sound, name)
    return {name: firsts[sound] for name, sound in sounds.items()}


def _examined(name: str, criterion: Criterion, labels: Labels, verdicts: Verdicts) -> Examined:
    given = {session: label for (session, asked), label in labels.items() if asked == name}
    pairs = [(label, int(verdict)) for session, label in given.items()
             if (verdict := verdicts.get((session, name))) is not None]  # fmt: skip
    low, high = criterion.scale or (0, 1)
    found = Examined(
        name=name,
        criterion=criterion,
        labelled=len(pairs),
        undefined=len(given) - len(pairs),
        agreement=proportion(sum(first == second for first, second in pairs), len(pairs)),
        kappa=kappa(pairs, range(low, high + 1)),
        table={pair: pairs.count(pair) for pair in sorted(set(pairs), reverse=True)},
    )
    return found if criterion.scale else _with_rates(found, pairs, verdicts)


def _with_rates(found: Examined, pairs: list[Pair], verdicts: Mapping[tuple[str, str], float | None]) -> Examined:
    confusion = Confusion.of(pairs)
    judged = [verdict for (_, name), verdict in verdicts.items() if name == found.name and verdict is not None]
    met = int(sum(judged))
    return msgspec.structs.replace(
        found,
        confusion=confusion,
        rate=proportion(met, len(judged)),
        corrected=corrected_rate(met, len(judged), confusion),
    )


def calibration_of(subjects: Subjects, found: list[Examined], bar: float) -> Calibration:
    """Give what is kept of an examination."""
    return Calibration(judge=identity(subjects.judge), bar=bar, standings=[item.standing for item in found])
