"""What a model host measured over a run: cost per step, how full the batch was, who held it up."""

from array import array
from collections import defaultdict

import msgspec
import numpy as np

from agents.duplex.model import Placement, StepAudio

SLOWEST = 3


class HostReport(msgspec.Struct, frozen=True, kw_only=True):
    """A host's run in numbers; None where nothing was stepped.

    frames: frames of conversation answered, over all slots. batch_fill: mean share of the slots that took
    part in a step. realtime_per_stream: a step's length over its cost; realtime_total: conversation seconds
    per second inside the model. late_share: steps that cost more than they last, so would have missed a
    real-time deadline. barrier_wait_s: from the first frame of a batch to the last. slowest_sessions: seconds
    the others waited for them.
    """

    model: str
    device: str
    slots: int
    threads: int
    load_s: float
    steps: int
    frames: int
    underruns: int
    batch_fill: float | None = None
    step_ms_p50: float | None = None
    step_ms_p99: float | None = None
    realtime_per_stream: float | None = None
    realtime_total: float | None = None
    late_share: float | None = None
    barrier_wait_s: float = 0.0
    slowest_sessions: dict[str, float] = {}
    peak_device_bytes: int | None = None


class StepMeter:
    """Collects a host's figures; times are seconds of the real clock."""

    def __init__(self) -> None:
        self.load_s = 0.0
        self.underruns = 0
        self.frames = 0
        self._costs_s = array("d")
        self._rows = 0
        self._wait_s = 0.0
        self._first_s = 0.0
        self._last = (0.0, "")
        self._waited_for: defaultdict[str, float] = defaultdict(float)

    @property
    def steps(self) -> int:
        """How many steps have run."""
        return len(self._costs_s)

    @property
    def cost_s(self) -> float:
        """Seconds spent in steps."""
        return float(sum(self._costs_s))

    def submitted(self, session: str, now_s: float) -> None:
        """A session has handed in its frame for the coming step."""
        self._first_s = self._first_s or now_s
        self._last = (now_s, session)

    def began(self, rows: int) -> None:
        """A step starts with so many rows."""
        self._rows += rows
        if self._first_s:
            last_s, session = self._last
            self._wait_s += last_s - self._first_s
            self._waited_for[session] += last_s - self._first_s
        self._first_s = 0.0

    def ended(self, cost_s: float, frames: int) -> None:
        """The step took `cost_s` and answered so many frames."""
        self._costs_s.append(cost_s)
        self.frames += frames

    def report(self, model: str, placement: Placement, audio: StepAudio, peak_bytes: int | None) -> HostReport:
        """Sum up."""
        base = HostReport(
            model=model,
            device=placement.device,
            slots=placement.slots,
            threads=placement.threads,
            load_s=round(self.load_s, 3),
            steps=self.steps,
            frames=self.frames,
            underruns=self.underruns,
            peak_device_bytes=peak_bytes,
        )
        if not self._costs_s:
            return base
        costs = np.array(self._costs_s)
        slowest = sorted(self._waited_for.items(), key=lambda item: (-item[1], item[0]))[:SLOWEST]
        return msgspec.structs.replace(
            base,
            batch_fill=self._rows / (len(costs) * placement.slots),
            step_ms_p50=1000 * float(np.percentile(costs, 50)),
            step_ms_p99=1000 * float(np.percentile(costs, 99)),
            realtime_per_stream=audio.step_s / float(costs.mean()),
            realtime_total=self.frames * audio.step_s / float(costs.sum()),
            late_share=float((costs > audio.step_s).mean()),
            barrier_wait_s=self._wait_s,
            slowest_sessions=dict(slowest),
        )
