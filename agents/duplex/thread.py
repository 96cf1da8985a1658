"""The one thread that calls a model: loading, opening, stepping and closing happen there and nowhere else.

Grad mode is a thread's own, and a CUDA graph is replayed where it was captured. Calls run in the order they
were asked for, so a slot closed during a step is closed after it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from agents.duplex.model import BeginsTurns, DuplexModel, Mask, ModelSpec, Placement, StepOutput
from simulator.clock import seconds
from simulator.frame import Samples

T = TypeVar("T")


class ModelThread:
    """A loaded model and its thread; every method gives a future of the running event loop."""

    def __init__(self, spec: ModelSpec, placement: Placement) -> None:
        self._spec = spec
        self._placement = placement
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"model-{spec.name}")
        self._scope = ExitStack()
        self._model: DuplexModel | None = None

    def load(self) -> asyncio.Future[float]:
        """Load the model, or load it again; the seconds it took."""
        return self._run(self._load)

    def open(self, slot: int, prompt: Any, seed: int) -> asyncio.Future[int]:
        """Prepare a slot; the lead-in steps it needs."""
        return self._run(lambda: self._loaded.open(slot, prompt, seed))

    def step(self, pcm: Samples, active: Mask) -> asyncio.Future[tuple[StepOutput, float]]:
        """Advance the active rows; what they said, and the seconds it took."""

        def timed() -> tuple[StepOutput, float]:
            began_s = seconds()
            output = self._loaded.step(pcm, active)
            return output, seconds() - began_s

        return self._run(timed)

    def begin_turn(self, slot: int) -> asyncio.Future[None]:
        """Begin a slot's voice anew, in a model that can."""

        def begun() -> None:
            if isinstance(self._loaded, BeginsTurns):
                self._loaded.begin_turn(slot)

        return self._run(begun)

    def close(self, slot: int) -> asyncio.Future[None]:
        """Give a slot back."""
        return self._run(lambda: self._loaded.close(slot))

    def stop(self) -> None:
        """Let go of the model, after whatever it is doing, and end the thread; waits for it."""
        self._pool.submit(self._unload).result()
        self._pool.shutdown()

    @property
    def _loaded(self) -> DuplexModel:
        assert self._model is not None
        return self._model

    def _load(self) -> float:
        began_s = seconds()
        self._unload()
        self._scope.enter_context(self._spec.scope(self._placement))
        self._model = self._spec.load(self._placement)
        return seconds() - began_s

    def _unload(self) -> None:
        self._model = None
        self._scope.close()

    def _run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, call)
