"""Models side by side: one table of what every model's sessions come to, in the groups that readers ask for.

A model is an agent of a run: a run with one agent is called by its folder, of a sweep over agents every agent is one.
Values are pooled over all of a model's sessions, whatever their scenarios: only models that met the same ones compare.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simulator.datasets.voicebench import SUBSETS
from simulator.results.pooling import pooled
from simulator.results.row import Row
from simulator.results.run import Run
from simulator.score import Better, Score
from simulator.scoring.scorer import definition_of

OTHER = "Other"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Turn-taking": (
        "latency.", "takeover.", "turns.", "nemo_s2s.turn_taking.", "fdb:smooth_turn_taking.", "fdb:pause_handling.",
        "eva.turn_taking", "fdb:v2.turn_taking",
    ),
    "Barge-in": ("barge_in.", "agent_interruption.", "nemo_s2s.barge_in.", "fdb:user_interruption."),
    "Backchannel": ("backchannel.", "nemo_s2s.backchanneling.", "fdb:backchannel."),
    "User ASR": ("content.user_", "content.unheard_", "content.phantom_", "nemo_s2s.user_speech.", "asr_wer."),
    "Agent speech": ("content.agent_", "content.recogniser_", "nemo_s2s.agent_speech."),
    "Judge": ("judge.", "nemo_s2s.llm_judge."),
    "VoiceBench": ("voicebench.", "voicebench:"),
}  # fmt: skip
"""What the ids of a group's metrics begin with; the rest is `Other`, and shown where it is asked for."""
BESIDE = ("turns.fto_p50_s",)
"""Shown although neither side of it is the good one."""


class ModelRow(NamedTuple):
    """A metric over models: pooled scores, and the places of the best; empty where there is none."""

    group: str
    metric: str
    subset: str
    better: Better
    scores: tuple[Score, ...]
    best: frozenset[int]

    @property
    def label(self) -> str:
        """The metric as a table names it: of VoiceBench's evaluators with the set."""
        return f"{self.metric} ({self.subset})" if self.subset else self.metric

    @property
    def unit(self) -> str:
        """The unit of its values; empty where it has none."""
        return next((score.unit for score in self.scores if score.unit), "")


class ModelTable(NamedTuple):
    """Models, how many sessions each has, and their metrics."""

    names: tuple[str, ...]
    sessions: tuple[int, ...]
    rows: tuple[ModelRow, ...]


def models_of(runs: Sequence[Run]) -> dict[str, list[Row]]:
    """Give the models of runs by name, with their sessions; controls count for nothing."""
    names = [run.name for run in runs]
    models: dict[str, list[Row]] = {}
    for run in runs:
        own = run.name if names.count(run.name) == 1 else str(run.folder)
        rows = [row for row in run.rows if not row.control_of]
        agents = dict.fromkeys(row.agent for row in rows)
        for row in rows:
            models.setdefault(own if len(agents) < 2 else f"{own} · {row.agent}", []).append(row)
    return models


def models_table(
    models: Mapping[str, Sequence[Row]], *, metrics: Sequence[str] = (), everything: bool = False
) -> ModelTable:
    """Make the table. metrics: only these, if any; everything: those that have no good side and no group, too."""
    measured = dict.fromkeys(metric for rows in models.values() for row in rows for metric in row.scores)
    wanted = [metric for metric in measured if (metric in metrics if metrics else everything or _leads(metric))]
    found = [
        row
        for group in (*GROUPS, OTHER)
        for metric in wanted
        if group_of(metric) == group
        for row in _rows(metric, models)
    ]
    rows = tuple(row for row in found if any(score.value is not None for score in row.scores))
    return ModelTable(tuple(models), tuple(map(len, models.values())), rows)


def group_of(metric: str) -> str:
    """Give the group of a metric."""
    return next((group for group, begins in GROUPS.items() if metric.startswith(begins)), OTHER)


def _leads(metric: str) -> bool:
    definition = definition_of(metric)
    good = metric in BESIDE or (definition is not None and definition.better != "neither")
    return good and group_of(metric) != OTHER


def _rows(metric: str, models: Mapping[str, Sequence[Row]]) -> list[ModelRow]:
    """Give a metric's row; of VoiceBench's evaluators one for every set they scored."""
    every = [row for rows in models.values() for row in rows if metric in row.scores]
    subsets = dict.fromkeys(_subset(row) for row in every) if metric.startswith("voicebench:") else {"": None}
    found: list[ModelRow] = []
    for subset in subsets:
        scores = tuple(
            pooled([row for row in rows if not subset or _subset(row) == subset], metric) for rows in models.values()
        )
        found.append(model_row(metric, subset, scores))
    return found


def _subset(row: Row) -> str:
    """The set of VoiceBench that a session's sample is of, by its id: SUBSET-SPLIT-NAME."""
    fitting = [name for name in SUBSETS if row.sample == name or row.sample.startswith(f"{name}-")]
    return max(fitting, key=len, default="")


def model_row(metric: str, subset: str, scores: tuple[Score, ...]) -> ModelRow:
    """Give a metric's row; which way is good its definition says."""
    definition = definition_of(metric)
    better: Better = definition.better if definition is not None else "neither"
    return ModelRow(group_of(metric), metric, subset, better, scores, _best_of(scores, better))


def _best_of(scores: Sequence[Score], better: Better) -> frozenset[int]:
    """Give the places of the best value of two or more, of equal ones all; none where all are equal."""
    values = {place: score.value for place, score in enumerate(scores) if score.value is not None}
    if better == "neither" or len(set(values.values())) < 2:
        return frozenset()
    best = (max if better == "higher" else min)(values.values())
    return frozenset(place for place, value in values.items() if value == best)
