"""Recipes: a whole comparison in one file, data sets by agents, with scorers, a judge and a report.

    recipe: november against december
    datasets: {openbookqa: {kind: voicebench, path: ~/data/voicebench, subset: openbookqa}}
    agents: {november: {kind: ...}, december: {kind: ...}}
    scorers: [voicebench:mcq]                 of all sets, or by set; without it those of each set
    judge: {model: gpt-4o-mini}               asked by the scorers that can ask one
    report: {as: nemo_s2s, out: report.md}    beside our own table
    common: {lines: ..., duration: ...}       keys of every session's scenario

An agent's sessions are one run, a scenario per set. They are generated without scores; scoring and judging read them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.actor import AnyActor
from simulator.datasets.sample import AnyDataset, own_scorers
from simulator.errors import ScenarioError
from simulator.reading.overrides import override_value
from simulator.reading.yaml_file import read_yaml
from simulator.scenario import Scenario, slug
from simulator.scoring.scorer import AnyScorer, ScorerSpec
from simulator.spec import decode

KEY = "recipe"
MODELS = "models.md"
"""The table over agents, in the recipe's folder."""
_OWN = ("name", "dataset", "agent", "user", "scorers", "sweep", "expect")
"""Keys of a scenario that a recipe says itself, or that have no place in it."""


class RecipeJudge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who is asked. base_url: None for OpenAI's own. key_env: the variable with the key.

    prompt_suffix: what every question ends with. model: its name.
    """

    model: str
    base_url: str | None = None
    key_env: str | None = None
    prompt_suffix: str = ""


class RecipeReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"kind": "as"}):
    """What is written at the end, inside the recipe's folder: another project's comparison, or our table alone.

    as: the project whose comparison it is. out: the file's name.
    """

    kind: str | None = None
    out: str = "report.md"

    def __post_init__(self) -> None:
        if Path(self.out).name != self.out or self.out in ("", "..", MODELS):
            raise ValueError(f"out is {self.out!r}; allowed is the name of a file other than {MODELS}, our own table")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"name": KEY}):
    """What a recipe's file says.

    recipe: its name. datasets: sets by name. agents: who answers, by name. scorers: what is measured, for all sets or
    by set. judge: who is asked. report: what is written at the end. common: keys of every scenario.
    """

    name: str
    datasets: dict[str, AnyDataset]
    agents: dict[str, AnyActor]
    scorers: list[AnyScorer] | dict[str, list[AnyScorer]] | None = None
    judge: RecipeJudge | None = None
    report: RecipeReport = RecipeReport()
    common: dict[str, Any] = {}

    def __post_init__(self) -> None:
        for what, names in (("datasets", self.datasets), ("agents", self.agents)):
            if not names:
                raise ValueError(f"{what} is empty; name at least one")
            slugs = [slug(name) for name in names]
            if "" in slugs or len(set(slugs)) < len(slugs):
                raise ValueError(f"{what} need names that folders can have and that differ; found {', '.join(names)}")
        if isinstance(self.scorers, dict) and (unknown := self.scorers.keys() - self.datasets.keys()):
            raise ValueError(f"scorers: there is no data set {sorted(unknown)[0]!r}")
        if wrong := self.common.keys() & set(_OWN):
            raise ValueError(f"common: {sorted(wrong)[0]} is none of its keys: the recipe says it, or it has no place")


class OpenRecipe:
    """A recipe that was read. base: what `common` says, as a scenario without parties."""

    def __init__(self, written: Recipe, base: Scenario) -> None:
        self.written = written
        self.base = base

    @property
    def name(self) -> str:
        """What it is called."""
        return self.written.name

    def scorers_of(self, dataset: str) -> Sequence[ScorerSpec]:
        """Give the scorers of a set: those that are named, else its own."""
        named = self.written.scorers
        named = named.get(dataset) if isinstance(named, dict) else named
        if named is not None:
            return named
        return own_scorers(self.written.datasets[dataset])

    def scenarios(self, agent: str) -> dict[str, Scenario]:
        """Give an agent's scenarios by set, by where each is told."""
        spec = self.written.agents[agent]
        return {
            f"{self.name}: {name}": msgspec.structs.replace(self.base, name=name, agent=spec, dataset=dataset)
            for name, dataset in self.written.datasets.items()
        }


def is_recipe(path: Path) -> bool:
    """Say whether a file holds a recipe; one that cannot be read holds none, and whoever reads it says why."""
    try:
        return KEY in read_yaml(path)
    except ScenarioError:
        return False


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> OpenRecipe:
    """Read a recipe. overrides: `path=value` as given to --set. ScenarioError says what is wrong, and where."""
    data = read_yaml(path)
    for override in overrides:
        override_value(data, override)
    recipe: Recipe = decode(data, Recipe, source=path.name, folder=path.parent)
    bare = {"report": "none", **recipe.common, "name": recipe.name, "user": "silent", "agent": "silent", "scorers": []}
    base: Scenario = decode(bare, Scenario, source=path.name, folder=path.parent, where="$.common")
    return OpenRecipe(recipe, base)
