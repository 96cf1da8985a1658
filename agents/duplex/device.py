"""Devices: what torch must be told before a model runs, and whether the slots asked for fit."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from simulator.errors import ScenarioError

GIB = 2**30


@contextmanager
def torch_scope(threads: int) -> Iterator[None]:
    """Run torch without gradients and with so many threads; both are put back at the end.

    Grad mode belongs to a thread: whoever calls a model stays in this scope for as long as the model lives.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def need_torch(model: str) -> None:
    """Refuse a model whose torch is not installed: ScenarioError with the install line."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise ScenarioError(f"{model} needs torch; install it with: pip install 'torch>=2.6,<2.14' 'silero-vad>=6.2'")


def torch_device(name: str) -> Any:
    """Give the torch device of this name; ScenarioError when there is none."""
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ScenarioError(f"{name!r} is no torch device; use cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ScenarioError(f"device {name} is not available: torch {torch.__version__} sees no GPU; use device: cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ScenarioError(f"device {name} is not there: torch sees {torch.cuda.device_count()} GPU(s)")
    return device


@contextmanager
def made_up(device: Any) -> Iterator[None]:
    """Make random weights: the same ones every time, without touching anybody else's random numbers."""
    import torch

    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes on its device, in bytes: its weights once, the rest per slot."""

    weights: int
    per_slot_cache: int = 0
    per_slot_codec: int = 0

    @property
    def per_slot(self) -> int:
        """The bytes that one more slot takes."""
        return self.per_slot_cache + self.per_slot_codec

    def total(self, slots: int) -> int:
        """The bytes that the model takes with so many slots."""
        return self.weights + slots * self.per_slot

    def fitting(self, available: int) -> int:
        """How many slots fit into `available` bytes."""
        return max(0, (available - self.weights) // max(1, self.per_slot))

    def sentence(self, slots: int, available: int, where: str) -> str:
        """Say what was asked for, what there is and how many slots fit."""
        parts = f"{self.per_slot_cache / GIB:.3f} cache + {self.per_slot_codec / GIB:.3f} codec"
        return (
            f"{slots} slots need {self.total(slots) / GIB:.1f} GiB "
            f"(weights {self.weights / GIB:.2f} GiB + {slots} x ({parts})) and {where} has "
            f"{available / GIB:.1f} GiB; at most {self.fitting(available)} slots fit"
        )


@contextmanager
def fitting(memory: Memory, slots: int, device: Any) -> Iterator[None]:
    """Load a model inside: ScenarioError says how many slots fit, before loading or when it runs out."""
    import torch

    available = memory_of(device)
    if memory.total(slots) > available:
        raise ScenarioError(memory.sentence(slots, available, str(device)))
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ScenarioError(memory.sentence(slots, available, str(device))) from error


def memory_of(device: Any) -> int:
    """The bytes of memory a device has in all (a GPU's own; else the machine's)."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def peak_bytes(name: str) -> int | None:
    """The most memory torch has held on the device so far; None on a CPU."""
    if not name.startswith("cuda"):
        return None
    import torch

    return int(torch.cuda.max_memory_allocated(name))
