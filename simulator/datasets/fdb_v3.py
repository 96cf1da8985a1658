"""`dataset: {kind: fdb_v3, path: CHECKOUT}`: the recordings of Full-Duplex-Bench v3, played to an agent with tools.

Nothing of the benchmark is shipped (CC BY-NC): recordings, scenarios and the tools' replies are those of the checkout.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from simulator.datasets.fdb_v2 import read_object
from simulator.datasets.sample import Dataset, DatasetSample, DatasetSpec, check_recording, usable
from simulator.errors import ScenarioError, SessionError
from simulator.world.fdb_v3 import FdbV3WorldSpec, Latency, folder_of

SCENARIOS, RECORDINGS = "benchmark_data_v2.json", "fdb_v3_data_released"
_RELEASED = re.compile(r"(.+)_([0-9a-f]{24})")
_KEPT = ("domain", "difficulty", "title", "state_rollback_test", "disfluency_features", "expected_tool_calls")


class FdbV3DatasetSpec(DatasetSpec, frozen=True, kw_only=True, tag="fdb_v3"):
    """Recordings of a Full-Duplex-Bench v3 checkout: `{kind: fdb_v3, path: ~/Full-Duplex-Bench, latency: normal}`.

    path: the checkout. Its folder v3 holds benchmark_data_v2.json, the `mock_apis` and the released recordings.
    latency: how long the tools take (instant, fast, normal, slow). only: these samples, or all recordings of these
    scenarios. limit: the first so many. A recording whose scenario is not known, or which cannot be read, is left out
    with a note.
    """

    path: Path
    latency: Latency = "instant"
    only: list[str] = []
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def world(self) -> FdbV3WorldSpec:
        """The benchmark's twelve tools."""
        return FdbV3WorldSpec(path=self.path, latency=self.latency)

    def scorers(self) -> list[str]:
        """The benchmark's own measures."""
        return ["fdb:v3"]

    def read(self) -> Dataset:
        """List the recordings in order of their names."""
        root = folder_of(self.path)
        scenarios = _scenarios(root / SCENARIOS)
        samples: list[DatasetSample] = []
        notes: list[str] = []
        for name, example, speaker, sound in _recordings(root / RECORDINGS):
            if self.only and not {name, example} & set(self.only):
                continue
            try:
                samples.append(_sample(name, sound, scenarios.get(example), {"example": example, "speaker": speaker}))
            except SessionError as error:
                notes.append(f"{name}: {error}")
            if len(samples) == self.limit:
                break
        return usable(samples, notes, root / RECORDINGS)


def _sample(name: str, sound: Path, scenario: dict[str, Any] | None, whose: dict[str, str]) -> DatasetSample:
    if scenario is None:
        raise SessionError(f"{whose['example']!r} is no scenario of {SCENARIOS}")
    calls = scenario.get("expected_tool_calls")
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        raise SessionError("its scenario has no list of expected_tool_calls with a function and args each")
    known = {key: scenario[key] for key in _KEPT if key in scenario}
    dialogue = scenario.get("dialogue")
    if isinstance(dialogue, list) and dialogue and isinstance(dialogue[-1], dict):
        known["expected_response"] = str(dialogue[-1].get("ai", ""))
    return DatasetSample(id=name, user_audio=sound, channel=check_recording(sound, None), meta={**whose, **known})


def _is_call(call: Any) -> bool:
    return isinstance(call, dict) and bool(call.get("function")) and isinstance(call.get("args") or {}, dict)


def _scenarios(path: Path) -> dict[str, dict[str, Any]]:
    """Read the scenarios by id. ScenarioError: there are none."""
    listed = read_object(path).get("scenarios")
    found = {str(item["id"]): item for item in listed if isinstance(item, dict) and "id" in item} if isinstance(
        listed, list) else {}  # fmt: skip
    if not found:
        raise ScenarioError(f"{path}: has no scenarios with an id")
    return found


def _recordings(folder: Path) -> Iterator[tuple[str, str, str, Path]]:
    """Give name, scenario, speaker and file of every recording: EXAMPLE_SPEAKER/, or SPEAKER/example_EXAMPLE/."""
    if not folder.is_dir():
        raise ScenarioError(f"{folder} is missing: the released recordings lie there, a folder each")
    for inside in sorted(folder.iterdir()):
        released = _RELEASED.fullmatch(inside.name)
        if released is not None:
            yield inside.name, released[1], released[2], inside / "input.wav"
        for nested in sorted(inside.glob("example_*")) if released is None else ():
            example = nested.name.removeprefix("example_")
            yield f"{example}_{inside.name}", example, inside.name, nested / "input.wav"
