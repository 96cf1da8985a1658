"""`dataset: {kind: fdb_v2, path: CHECKOUT}`: the tasks of Full-Duplex-Bench v2, each a call of a caller with stages.

Nothing of the benchmark is shipped (CC BY-NC): titles, roles and goals come out of the checkout that `path` names.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simulator.datasets.sample import Dataset, DatasetSample, DatasetSpec, usable
from simulator.errors import ScenarioError
from simulator.reading.length import AfterParty, Length
from simulator.spec import Duration

TASKS = "prompts_staged_200.json"
LONGEST = Duration(120.0)
"""The original's length of a call; one that the caller ends is over sooner."""

_MANNERS: dict[str, dict[str, Any]] = {
    "slow": {"preset": "cooperative", "patience": "high"},
    "fast": {"preset": "impatient", "patience": "low"},
}
_ROLE = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
"""The first bold words of a task's prompt say who is to be played; the rest of it are goals, told stage by stage."""
_QUOTED = re.compile(r"[\"“”](.+)[\"“”]", re.DOTALL)
_STAGE_NAMES = re.compile(r"\s*\([^()]*\bT\d[^()]*\)")
"""`(T2 corrects T1)` behind a title is for whoever reads the file."""


class StagedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the benchmark: its family, and the goals that are revealed one after the other.

    title: what it is about. role: who is to be played, in the benchmark's words; both may be missing.
    """

    id: str
    family: str
    goals: dict[str, str]
    title: str = ""
    role: str = ""


class FdbV2DatasetSpec(DatasetSpec, frozen=True, kw_only=True, tag="fdb_v2"):
    """Tasks of a Full-Duplex-Bench v2 checkout: `{kind: fdb_v2, path: ~/Full-Duplex-Bench, families: [Safety]}`.

    path: the checkout. families: of Daily, Correction, EntityTracking, Safety; all if none is named. pacing: slow bears
    silences and stops when it is talked over; fast answers sooner, cuts in and insists. llm: what the caller thinks by
    (`kind: caller` says more), patterns unless a model is named; voice: its own. only: these ids. limit: so many of
    each family.
    """

    path: Path
    families: list[str] = []
    pacing: Literal["slow", "fast"] = "slow"
    llm: dict[str, Any] | str = "rules"
    voice: dict[str, Any] | str | None = None
    only: list[str] = []
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def user(self) -> dict[str, Any]:
        """A caller without a task, as good as any to be checked."""
        voice = {"voice": self.voice} if self.voice is not None else {}
        return {"kind": "caller", "goal": "Talk.", "llm": self.llm, "manner": _MANNERS[self.pacing], **voice}

    def length(self) -> Length:
        """Until the caller has hung up, the original's 120 s at most."""
        return Length(LONGEST, AfterParty(after="user", tail=Duration(2.0), at_most=LONGEST))

    def scorers(self) -> list[str]:
        """The benchmark's judge."""
        return ["fdb:v2"]

    def scorer_options(self) -> dict[str, Any]:
        """Where the judge finds its rubrics."""
        return {"checkout": self.path}

    def read(self) -> Dataset:
        """List the tasks in their own order, family by family."""
        found = read_tasks(folder_of(self.path) / TASKS)
        known = list(dict.fromkeys(task.family for task in found))
        wanted = {_plain(name): name for name in self.families}
        strange = [name for plain, name in wanted.items() if plain not in map(_plain, known)]
        if strange:
            raise ScenarioError(f"{self.path}: there is no family {strange[0]!r}; there are {', '.join(known)}")
        chosen = [task for task in found if not wanted or _plain(task.family) in wanted]
        chosen = [task for task in chosen if not self.only or task.id in self.only]
        counts: dict[str, int] = {}
        samples: list[DatasetSample] = []
        for task in chosen:
            counts[task.family] = counts.get(task.family, 0) + 1
            if self.limit is None or counts[task.family] <= self.limit:
                samples.append(self._sample(task))
        missing = [name for name in self.only if name not in {task.id for task in chosen}]
        return usable(samples, [f"{name}: is no task of the families chosen" for name in missing], self.path)

    @property
    def _by_patterns(self) -> bool:
        return (self.llm if isinstance(self.llm, str) else self.llm.get("kind")) == "rules"

    def _sample(self, task: StagedTask) -> DatasetSample:
        stages = [_stage(text) for text in task.goals.values()]
        told: dict[str, Any] = {"goal": task.title or stages[0]["goal"], "persona": task.role, "stages": stages}
        if self._by_patterns:  # it says its goal first, and nobody says a title
            told |= {"goal": stages[0]["goal"], "opening": stages[0].get("say", ""), "stages": stages[1:]}
        meta = {"family": task.family, "title": task.title, "stages": task.goals, "pacing": self.pacing}
        return DatasetSample(id=task.id, user={**self.user(), **told}, meta=meta)


def folder_of(checkout: Path) -> Path:
    """Give the folder of version 2: in a checkout, or the path itself."""
    return checkout / "v2" if (checkout / "v2").is_dir() else checkout


def read_tasks(path: Path) -> list[StagedTask]:
    """Read the file of tasks. ScenarioError: it cannot be read, or holds none."""
    tasks = list(_tasks(read_object(path)))
    if not tasks:
        raise ScenarioError(f"{path}: has no task with an id and a staged_reveal")
    return tasks


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object of a checkout. ScenarioError names the file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"checkout: {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"checkout: {path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ScenarioError(f"checkout: {path} is no JSON object")
    return found


def _tasks(staged: Mapping[str, Any]) -> Iterator[StagedTask]:
    splits = staged.get("splits")
    for family, split in splits.items() if isinstance(splits, dict) else ():
        listed = split.get("tasks") if isinstance(split, dict) else None
        for task in listed if isinstance(listed, list) else ():
            goals = task.get("staged_reveal") if isinstance(task, dict) else None
            if not isinstance(goals, dict) or not isinstance(task.get("id"), str):
                continue
            told = {name: text for name, text in goals.items() if isinstance(text, str) and re.search(r"\w", text)}
            role = _ROLE.search(str(task.get("examiner_task_prompt", "")))
            if told:
                yield StagedTask(
                    id=task["id"],
                    family=str(family),
                    goals=told,
                    title=_STAGE_NAMES.sub("", str(task.get("scenario_title", ""))),
                    role=role[1].strip().rstrip(".") + "." if role else "",
                )


def _stage(goal: str) -> dict[str, str]:
    """Give a stage as a caller has it: what stands in quotes is said as it stands."""
    quoted = _QUOTED.fullmatch(goal.strip())
    return {"goal": goal, "say": quoted[1]} if quoted else {"goal": goal}


def _plain(family: str) -> str:
    return re.sub(r"[\W_]", "", family.lower())
