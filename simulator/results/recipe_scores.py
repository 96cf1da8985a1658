"""Scores of a recipe's sessions: what a scorer made of an agent's answers to a set, kept as a file and made once.

A file says which sessions it rests on and how they were scored; where both are what they were, it is taken as it is.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import SessionError
from simulator.files import read_json, write_json
from simulator.recipe import RecipeJudge
from simulator.results.models import OTHER, ModelRow, ModelTable, model_row
from simulator.scenario import kind_of
from simulator.score import Score
from simulator.scoring.corpus import CorpusResult, CorpusScorer, UnusableResult
from simulator.scoring.rescoring import Rescoring
from simulator.scoring.scorer import ScorerSpec, definition_of, wants_words
from simulator.spec import decode, encode


class KeptScores(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a file of scores. sessions: their ids and sounds; spec: how they were scored; judge: by whom."""

    agent: str
    dataset: str
    scorer: str
    sessions: list[str]
    spec: Any
    judge: RecipeJudge | None = None
    metrics: dict[str, Score] = {}

    def stands_for(self, other: "KeptScores") -> bool:
        """Say whether these are what scoring as `other` says would give; judged scores stand for unjudged ones."""
        same = (self.sessions, self.spec) == (other.sessions, other.spec)
        return same and (other.judge is None or self.judge == other.judge)


def takes_judge(spec: ScorerSpec) -> bool:
    """Say whether a scorer can ask a judge that a recipe names."""
    return isinstance(spec, CorpusScorer) and bool({"judge", "judge_model"} & set(spec.__struct_fields__))


def with_recipe_judge(spec: ScorerSpec, judge: RecipeJudge) -> ScorerSpec:
    """Give a scorer that asks a recipe's judge."""
    if "judge_model" in spec.__struct_fields__:
        told = {"judge_model": judge.model, "judge_url": judge.base_url}
        more = {"prompt_suffix": judge.prompt_suffix, "judge_key_env": judge.key_env}
        told |= {name: value for name, value in more.items() if name in spec.__struct_fields__}
        return msgspec.structs.replace(spec, **told)
    field = next(field for field in msgspec.structs.fields(spec) if field.name == "judge")
    named: Any = decode(encode(judge), field.type, source="recipe", folder=Path(), where="$.judge")
    return msgspec.structs.replace(spec, judge=named)


def score_set(spec: ScorerSpec, folders: Sequence[Path], write: Path) -> CorpusResult:
    """Score sessions. write: where the original's own files go. SessionError, ScenarioError: none can be used."""
    if isinstance(spec, CorpusScorer):
        return msgspec.structs.replace(spec, write=write).score_corpus(folders)
    return Rescoring(words=wants_words(spec), pool="all").score(folders, {kind_of(spec): spec.build()})


def kept(path: Path) -> KeptScores | None:
    """Read a file of scores; None where there is none that can be read: it is made anew."""
    try:
        return read_json(path, KeptScores)
    except (FileNotFoundError, SessionError):
        return None


def keep(path: Path, scores: KeptScores) -> None:
    """Write a file of scores. OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, scores)


def plain(spec: ScorerSpec) -> Any:
    """Give a scorer's spec as plain data, as a file gives it back."""
    return msgspec.json.decode(msgspec.json.encode(encode(spec)))


def unusable(result: CorpusResult) -> str | None:
    """Say why a result has nothing to stand on; None where it has."""
    return result.sentence() if isinstance(result, UnusableResult) else None


def table_of(found: Sequence[KeptScores], agents: Sequence[str], sessions: Sequence[int]) -> ModelTable:
    """Give the table over agents: a row per set, scorer and metric, in the groups of a comparison."""
    rows: list[ModelRow] = []
    for dataset, scorer in dict.fromkeys((item.dataset, item.scorer) for item in found):
        mine = {item.agent: item for item in found if (item.dataset, item.scorer) == (dataset, scorer)}
        for metric in dict.fromkeys(metric for item in mine.values() for metric in item.metrics):
            name = metric if metric.startswith(f"{scorer}.") or definition_of(metric) else f"{scorer}.{metric}"
            lacking = Score(id=name, value=None, unit="", n=0, reason="not scored")
            scores = tuple(mine[agent].metrics.get(metric, lacking) if agent in mine else lacking for agent in agents)
            if any(score.value is not None for score in scores):
                rows.append(model_row(name, dataset, scores))
    order = list(dict.fromkeys([*(row.group for row in rows if row.group != OTHER), OTHER]))
    return ModelTable(tuple(agents), tuple(sessions), tuple(sorted(rows, key=lambda row: order.index(row.group))))
