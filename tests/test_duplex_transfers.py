"""What a step of Moshi copies between host and device: once there, once back, and never in between."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.duplex.model import Placement, Weights
from agents.duplex.moshi import MoshiModel, MoshiModelSpec, MoshiPrompt
from tests import tiny_moshi

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("moshi", reason="needs Kyutai's moshi package")
from torch.overrides import TorchFunctionMode  # noqa: E402 - only where torch is

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]

READS = {"cpu", "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "nonzero", "masked_select"}
"""Calls after which the host has numbers of the device, so has waited for it, also where both are the same."""
MADE_HERE = {"tensor", "as_tensor", "from_numpy", "zeros", "ones", "empty", "full"}
"""Calls whose result lies on the host."""


class Watch(TorchFunctionMode):
    """Counts reads from a device and copies to it; what was computed while it looks on lies on the device already."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []
        self._there: list[Any] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note the call and make it."""
        name = getattr(function, "__name__", "")
        if name == "to" and isinstance(args[1] if len(args) > 1 else None, torch.device):
            if not any(tensor is args[0] for tensor in self._there):
                self.order.append("to device")
        elif name in READS:
            self.order.append(name)
        found = function(*args, **(kwargs or {}))
        if name not in MADE_HERE | READS:
            self._there.extend(found if isinstance(found, tuple) else [found])
        return found


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sizes of a tiny Moshi."""
    return tiny_moshi.make(tmp_path_factory.mktemp("moshi")) / "config.json"


@pytest.mark.parametrize("slots", [1, 5])
def test_a_step_copies_once_to_the_device_and_once_back(config: Path, slots: int) -> None:
    """However many rows talk or lead in, sound, numbers and masks go in one copy; tokens, sound, marks come in one."""
    spec = MoshiModelSpec(dtype="fp32", config=config)
    placement = Placement(slots=slots, weights=Weights("random"))
    with spec.scope(placement):
        model: MoshiModel = spec.load(placement)
        for slot in range(slots):
            model.open(slot, MoshiPrompt(), slot)
        pcm, active = np.zeros((slots, 1920), np.float32), np.ones(slots, bool)
        for _ in range(3):
            model.step(pcm, active)
        model.close(0)
        model.open(0, MoshiPrompt(), 9)
        steps = []
        for _ in range(4):  # the first begins slot 0 anew, the second resets what was forced
            with Watch() as watch:
                output = model.step(pcm, active)
            steps.append(watch.order)
    assert steps[2:] == [["to device", "cpu"]] * 2
    assert all(order.count("cpu") == 1 and set(order) == {"to device", "cpu"} for order in steps)
    assert np.isfinite(output.pcm).all() and len(output.pieces) == slots


def test_the_watch_sees_what_a_step_must_not_do() -> None:
    """Every way to read a number from a device is counted, and so is a copy to it."""
    tensor = torch.ones(1)
    with Watch() as watch:
        tensor.cpu()
        tensor.item()
        bool(tensor[0] > 0)
        tensor.tolist()
        tensor.nonzero()
        tensor.to(torch.device("cpu"))
    assert watch.order == ["cpu", "item", "__bool__", "tolist", "nonzero", "to device"]
