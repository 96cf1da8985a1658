"""The ferry: what a step takes to its device and brings back, one copy each way.

Every copy that the host waits for leaves the device idle, so a step that asks three times for a few numbers
pays three times. Everything travels as float32, which holds tokens and marks exactly up to 2**24.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples


class Ferry:
    """Copies parts of one row per slot, side by side in one array; made once per model.

    On a GPU the way over goes through pinned memory and is not waited for. That memory is written again only after
    `back`, which is: each step calls `over` once and `back` once, in this order.
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self._pinned = device.type == "cuda"
        self._host: Any = None

    def over(self, *parts: NDArray[Any]) -> tuple[Any, ...]:
        """Take arrays (slots, n) of numbers or marks over: float32 tensors (slots, n), contiguous, on the device."""
        import torch

        slots, widths = len(parts[0]), [part.shape[1] for part in parts]
        if self._host is None or self._host.shape != (slots, sum(widths)):
            self._host = torch.zeros(slots, sum(widths), pin_memory=self._pinned)
        np.concatenate(parts, axis=1, out=self._host.numpy(), casting="same_kind")
        there = self._host.to(self._device, non_blocking=True)
        return tuple(part.contiguous() for part in there.split(widths, dim=1))

    def back(self, *parts: Any) -> tuple[Samples, ...]:
        """Bring tensors (slots, n) back: float32 (slots, n), the caller's own, once the device has made them."""
        import torch

        widths = [part.shape[1] for part in parts]
        here = torch.cat([part.float() for part in parts], dim=1).cpu().numpy()
        return tuple(np.array(part) for part in np.split(here, np.cumsum(widths)[:-1], axis=1))
