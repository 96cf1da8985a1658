"""Silero's voice activity model, run by onnxruntime on one thread; torch is never imported.

The model hears 16 kHz in chunks of 512 samples (32 ms), each behind the last 64 samples of the chunk before
it, and carries a state from chunk to chunk; context and state begin at zero. A whole recording is heard as
a live stream is, so they give the same numbers; a batch of recordings gives them to within 1e-6: its sums are
ordered otherwise.
"""

import hashlib
import threading
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from simulator.engines.silero_model import open_model, open_parts
from simulator.engines.silero_parts import CHUNK, SileroParts
from simulator.frame import Samples

SAMPLE_RATE = 16000
_CONTEXT = 64
_FEATURES = _STATE = 128
_REMEMBERED = 8192
"""Stretches a process keeps, 1.5 kB each: half an hour or more of what calls hear."""
_LONGEST_KEPT = 64
"""Chunks of a stretch that is kept, two seconds: blocks of a call are shorter."""


class Silero:
    """Voice activity detection by Silero's model: speech probabilities of 32 ms chunks at 16 kHz."""

    def probabilities(self, samples: Samples) -> Samples:
        """Give the speech probability of every chunk, the last one zero-filled.

        samples: float32 (n,) at 16 kHz -> float32 (ceil(n / 512),).
        """
        rest = np.zeros(-len(samples) % CHUNK, np.float32)
        return np.array(SileroStream(self._parts).feed(np.concatenate([samples, rest])), np.float32)

    def probabilities_batch(self, recordings: list[Samples]) -> list[Samples]:
        """Give what `probabilities` gives of several recordings, to within 1e-6, in less time.

        recordings: float32 (n,) at 16 kHz each, of any lengths; each leaves the batch when it ends.
        """
        order = sorted(range(len(recordings)), key=lambda index: -len(recordings[index]))
        counts = [-(-len(recordings[index]) // CHUNK) for index in order]
        tracks = DetectorStates(self._session, len(order))
        found = np.empty((len(order), max(counts, default=0)), np.float32)
        heard = np.zeros((len(order), CHUNK), np.float32)
        active = len(order)
        for step in range(found.shape[1]):
            while counts[active - 1] <= step:
                active -= 1
            for row in range(active):
                part = recordings[order[row]][step * CHUNK : (step + 1) * CHUNK]
                heard[row, : len(part)] = part
                heard[row, len(part) :] = 0
            found[:active, step] = tracks.step(heard[:active])
        rows = {index: found[row, : counts[row]].copy() for row, index in enumerate(order)}
        return [rows[index] for index in range(len(recordings))]

    def stream(self) -> "SileroStream":
        """Open a live stream; the same numbers as `probabilities`, chunk by chunk."""
        return SileroStream(self._parts, self._known)

    def tracks(self, count: int) -> "DetectorStates":
        """Open `count` live streams that are heard side by side, several times as fast as one by one."""
        return DetectorStates(self._session, count)

    # Loaded on first use; they hold no state and may be run from several threads.

    @cached_property
    def _session(self) -> Any:
        return open_model()

    @cached_property
    def _parts(self) -> SileroParts:
        return open_parts()

    @cached_property
    def _known(self) -> "KnownStretches":
        return KnownStretches()


class HeardStretch(NamedTuple):
    """What came of a stretch: the probabilities of its chunks, and the model's state behind it, float32 (2, 1, 128)."""

    found: list[float]
    state: Samples


class KnownStretches:
    """What was heard at the end of which past: trials that repeat a call need not be listened to again.

    A stretch goes by the sha256 of all chunks up to its end, in the portions in which they came. Half of what a
    repeated call took was its ears.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, HeardStretch] = {}
        self._alone = threading.Lock()

    def get(self, past: bytes) -> HeardStretch | None:
        """Give what came of the last stretch of a past, if it is known."""
        return self._known.get(past)

    def put(self, past: bytes, found: list[float], state: Samples) -> None:
        """Keep what came of a stretch, unless it is long; what was kept first goes first."""
        if len(found) > _LONGEST_KEPT:
            return
        with self._alone:
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[past] = HeardStretch(found, state.copy())


class SileroStream:
    """Activity detection on one live stream. The model's memory reads and writes arrays that stay where they are.

    known: stretches that were heard before, if they are to be remembered.
    """

    def __init__(self, parts: SileroParts, known: KnownStretches | None = None) -> None:
        self._parts = parts
        self._known = known
        self._past = b""
        self._memory = parts.memory
        self._features = np.zeros(_FEATURES, np.float32)
        self._found = np.zeros((1, 1), np.float32)
        # The state is read from one array and written to the other, in turns.
        self._states = np.zeros((2, 2, 1, _STATE), np.float32)
        self._read = 0
        self._turns = (self._bound(0, 1), self._bound(1, 0))
        # The context of the next chunk, and as much of it as there is.
        self._waiting: Samples = np.zeros(_CONTEXT, np.float32)

    def feed(self, samples: Samples) -> list[float]:
        """Take float32 (n,) at 16 kHz, any n; give the probability of each chunk completed by it."""
        waiting = np.concatenate([self._waiting, samples])
        count = (len(waiting) - _CONTEXT) // CHUNK
        if not count:
            self._waiting = waiting
            return []
        self._waiting = waiting[count * CHUNK :].copy()
        return self._heard(waiting[: _CONTEXT + count * CHUNK], count)

    def _heard(self, stretch: Samples, count: int) -> list[float]:
        """Give the probabilities of the chunks of a stretch, float32 (64 + 512 count,): known, or asked for now."""
        if self._known is None:
            return self._ask(stretch, count)
        self._past = hashlib.sha256(self._past + stretch[_CONTEXT:].tobytes()).digest()
        if (known := self._known.get(self._past)) is not None:
            self._states[self._read] = known.state
            return known.found
        found = self._ask(stretch, count)
        self._known.put(self._past, found, self._states[self._read])
        return found

    def _ask(self, stretch: Samples, count: int) -> list[float]:
        found: list[float] = []
        together = self._parts.together
        for first in range(0, count, together):
            for features in self._parts.features(stretch[first * CHUNK :], min(together, count - first)):
                self._features[:] = features
                self._memory.run_with_iobinding(self._turns[self._read])
                self._read = 1 - self._read
                found.append(float(self._found[0, 0]))
        return found

    def _bound(self, before: int, after: int) -> Any:
        binding = self._memory.io_binding()
        features = self._features.reshape(1, _FEATURES, 1)
        for name, array in (("features", features), ("state", self._states[before])):
            binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        for output, array in zip(self._memory.get_outputs(), (self._found, self._states[after]), strict=True):
            binding.bind_output(output.name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return binding


class DetectorStates:
    """The model's memory of one or more recordings that are heard side by side."""

    def __init__(self, session: Any, count: int) -> None:
        self._session = session
        self._input = np.zeros((count, _CONTEXT + CHUNK), np.float32)
        self._state = np.zeros((2, count, _STATE), np.float32)
        self._rate = np.array(SAMPLE_RATE, np.int64)

    def step(self, chunks: Samples) -> Samples:
        """Hear the next chunk of the first rows, float32 (rows, 512); give their probabilities (rows,).

        Rows beyond those have ended and are forgotten.
        """
        rows = len(chunks)
        self._input = self._input[:rows]
        self._input[:, :_CONTEXT] = self._input[:, CHUNK:]
        self._input[:, _CONTEXT:] = chunks
        feeds = {"input": self._input, "state": self._state[:, :rows], "sr": self._rate}
        found, state = self._session.run(None, feeds)
        self._state = cast(NDArray[np.float32], state)
        return cast(Samples, found[:, 0])
