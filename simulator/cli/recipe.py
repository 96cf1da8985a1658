"""`simulate RECIPE.yaml [--only generate|score|judge]`: a comparison in one file, in stages that go on where they were.

Everything lies in one folder: `runs/AGENT/` the sessions, `scores/` what the scorers made of them, with the originals'
own files under `written/AGENT/`, `models.md` the table over agents, and the report.
"""

import argparse
import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from simulator.cli import INCOMPLETE, INTERRUPTED, OK
from simulator.cli.compare_models import as_markdown, save
from simulator.doctor.addresses import unreachable
from simulator.errors import ScenarioError, SessionError
from simulator.planning.plan import Plan, plan_of
from simulator.plugins import load
from simulator.reading.secrets import mask_url
from simulator.recipe import MODELS, OpenRecipe, RecipeJudge, read_recipe
from simulator.results.recipe_scores import (
    KeptScores,
    keep,
    kept,
    plain,
    score_set,
    table_of,
    takes_judge,
    unusable,
    with_recipe_judge,
)
from simulator.results.row import Row
from simulator.results.run import Run, load_run
from simulator.results.run_info import INFO
from simulator.scenario import check, kind_of, slug
from simulator.scoring.comparing import ComparesFolders
from simulator.scoring.scorer import ScorerSpec

CarryOut = Callable[[Plan, argparse.Namespace], int]
STAGES = ("generate", "score", "judge")
DEMO = "nemo_s2s"
"""Its results are compared as one folder a set; those of all others as one folder an agent."""


def run_recipe(path: Path, args: argparse.Namespace, carry_out: CarryOut) -> int:
    """Carry out a recipe, or one stage of it; gives the exit code: the highest of its stages.

    carry_out: plays a plan as the arguments say.
    """
    recipe = read_recipe(path, args.overrides)
    _comparer(recipe)
    for name in ("repeat", "seed", "shard"):
        if getattr(args, name) is not None:
            raise ScenarioError(f"--{name}: is for a scenario; a recipe says so itself, under `common`")
    if isinstance(args.out, str):
        raise ScenarioError(f"--out {mask_url(args.out)}: a recipe is carried out in a folder of this machine")
    home: Path = args.out or Path("runs") / slug(recipe.name)
    stages = STAGES if args.only is None else (args.only,)
    code = OK
    if "generate" in stages:
        code = _generate(recipe, home, args, carry_out)
        if code == INTERRUPTED or args.dry_run:
            return code
    for stage in stages:
        if stage != "generate":
            code = max(code, _score(recipe, home, judged=stage == "judge", only=args.only is not None))
    _report(recipe, home)
    return code


def _generate(recipe: OpenRecipe, home: Path, args: argparse.Namespace, carry_out: CarryOut) -> int:
    """Play what has not been played yet, agent by agent."""
    code = OK
    for agent in recipe.written.agents:
        mine = copy.copy(args)
        mine.out = home / "runs" / slug(agent)
        mine.resume = (mine.out / INFO).is_file()
        plan = _plan(recipe, agent)
        # One that is not there costs its own sessions: the others are played, and what was played before is scored.
        mine.no_probe = True
        for line in [] if args.no_probe or args.dry_run else list(unreachable(plan.scenarios).values())[:1]:
            _told(line)
        code = max(code, carry_out(plan, mine))
        if code == INTERRUPTED:
            break
    return code


def _plan(recipe: OpenRecipe, agent: str) -> Plan:
    """Give an agent's sessions, a scenario per set. ScenarioError."""
    plan = plan_of(recipe.scenarios(agent))
    # A set's own user is what an agent may need, so what is checked is a session.
    for job in {job.group: job for job in reversed(plan.jobs)}.values():
        check(job.scenario, f"{recipe.name}: {job.group}")
    return plan


def _score(recipe: OpenRecipe, home: Path, *, judged: bool, only: bool) -> int:
    """Score every agent's answers to every set; those that can ask a judge once more with it."""
    if judged and recipe.written.judge is None:
        if only:
            raise ScenarioError(f"{recipe.name}: $.judge: is missing; --only judge needs to know who is asked")
        return OK
    wanted = [
        (dataset, spec)
        for dataset in recipe.written.datasets
        for spec in recipe.scorers_of(dataset)
        if not judged or takes_judge(spec)
    ]
    code = OK
    for agent in recipe.written.agents if wanted else ():
        run = _run_of(home, agent)
        for dataset, spec in wanted:
            code = max(code, _score_one(recipe, home, agent, dataset, spec, run=run, judged=judged))
    return code


def _run_of(home: Path, agent: str) -> Run:
    return load_run(home / "runs" / slug(agent))


def _score_one(
    recipe: OpenRecipe, home: Path, agent: str, dataset: str, spec: ScorerSpec, *, run: Run, judged: bool
) -> int:
    scores = _scores_of(run, agent, dataset, spec, recipe.written.judge if judged else None)
    what = f"{agent}, {dataset}, {kind_of(spec)}"
    rows = _rows_of(run, dataset)
    if not rows:
        return _told(f"{what}: no session was completed")
    path = _kept_at(home, agent, dataset, spec)
    found = kept(path)
    if found is not None and found.stands_for(scores):
        print(f"{what}: kept")
        return OK
    asking = with_recipe_judge(spec, recipe.written.judge) if judged and recipe.written.judge is not None else spec
    try:
        result = score_set(asking, [run.folder / row.id for row in rows], _written(home, agent, dataset, spec))
        problem = unusable(result)
    except SessionError as error:
        problem = str(error)
    if problem is not None:
        waits = not judged and takes_judge(spec) and recipe.written.judge is not None
        return _told(f"{what}: waits for the judge", OK) if waits else _told(f"{what}: {problem}")
    keep(path, msgspec.structs.replace(scores, metrics=result.metrics))
    print(f"{what}: {'judged' if judged else 'scored'} ({result.n} of {len(rows)} sessions)")
    for line in result.told:
        print(f"  {line}")
    return INCOMPLETE if result.unusable else OK


def _rows_of(run: Run, dataset: str) -> list[Row]:
    return [row for row in run.rows if row.scenario == slug(dataset) and row.status == "completed"]


def _scores_of(run: Run, agent: str, dataset: str, spec: ScorerSpec, judge: RecipeJudge | None) -> KeptScores:
    """What scores of an agent's answers to a set rest on now; without the scores."""
    sessions = [f"{row.id} {row.sound}" for row in _rows_of(run, dataset)]
    return KeptScores(
        agent=agent, dataset=dataset, scorer=kind_of(spec), sessions=sessions, spec=plain(spec), judge=judge
    )


def _kept_at(home: Path, agent: str, dataset: str, spec: ScorerSpec) -> Path:
    return home / "scores" / slug(agent) / f"{slug(dataset)}.{slug(kind_of(spec))}.json"


def _standing(recipe: OpenRecipe, home: Path, runs: Mapping[str, Run]) -> Iterator[KeptScores]:
    """Give the kept scores that still rest on the sessions and options there are; others would tell what was."""
    for agent, run in runs.items():
        for dataset in recipe.written.datasets:
            for spec in recipe.scorers_of(dataset):
                found = kept(_kept_at(home, agent, dataset, spec))
                judges = (None, recipe.written.judge)
                if found and found.judge in judges and found.stands_for(_scores_of(run, agent, dataset, spec, None)):
                    yield found


def _told(line: str, code: int = INCOMPLETE) -> int:
    print(f"simulate: {line}", file=sys.stderr)
    return code


def _written(home: Path, agent: str, dataset: str, spec: ScorerSpec) -> Path:
    """Where a scorer's originals go: of the demo a folder per set, of all others one per agent."""
    folder = home / "written" / slug(agent)
    return folder / slug(dataset) if kind_of(spec) == DEMO else folder / "answers"


def _report(recipe: OpenRecipe, home: Path) -> None:
    """Write the table over agents and, where it is asked for, another project's report."""
    runs = {agent: _run_of(home, agent) for agent in recipe.written.agents}
    found = list(_standing(recipe, home, runs))
    if not found:
        return
    sessions = [len(run.rows) for run in runs.values()]
    save(home / MODELS, as_markdown(table_of(found, list(runs), sessions)))
    print(home / MODELS)
    comparer = _comparer(recipe)
    if comparer is None:
        return
    compared = comparer.compare_folders([f"{folder.resolve()}:{agent}" for agent, folder in _results(recipe, home)])
    for problem in compared.problems:
        print(f"simulate: {problem}", file=sys.stderr)
    if compared.text is not None:
        save(home / recipe.written.report.out, compared.text)
        print(home / recipe.written.report.out)


def _comparer(recipe: OpenRecipe) -> ComparesFolders | None:
    """Give whose comparison is wanted, if any. ScenarioError: a scorer that has none."""
    kind = recipe.written.report.kind
    if kind is None:
        return None
    spec = load("scorers", kind)()
    if not isinstance(spec, ComparesFolders):
        raise ScenarioError(f"{recipe.name}: $.report.as: {kind} has no comparison of result folders; nemo_s2s has one")
    return spec


def _results(recipe: OpenRecipe, home: Path) -> Iterator[tuple[str, Path]]:
    for agent in recipe.written.agents:
        for folder in sorted((home / "written" / slug(agent)).glob("*/eval-results")):
            yield agent, folder.parent


def check_recipe(path: Path, overrides: list[str]) -> str:
    """Read a recipe and build all that it names, but for its data; gives a line. SimulatorError."""
    recipe = read_recipe(path, overrides)
    _comparer(recipe)
    for dataset in recipe.written.datasets:
        for spec in recipe.scorers_of(dataset):
            if recipe.written.judge is not None and takes_judge(spec):
                with_recipe_judge(spec, recipe.written.judge)
    return f"{recipe.name}: fine, {len(recipe.written.agents)} agents on {len(recipe.written.datasets)} data sets"
