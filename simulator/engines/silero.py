"""Silero's voice activity model, run by onnxruntime on one thread; torch is never imported.

The model hears 16 kHz in chunks of 512 samples (32 ms), each behind the last 64 samples of the chunk before
it, and carries a state from chunk to chunk; context and state begin at zero. A live stream, a whole recording
and a batch of recordings go through the same step, so they give the same numbers (a batch to within 1e-6: its
sums are ordered otherwise).
"""

from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.engines.silero_file import silero_file
from simulator.frame import Samples

SAMPLE_RATE = 16000
CHUNK = 512
_CONTEXT = 64
_STATE = 128


class Silero:
    """Voice activity detection by Silero's model: speech probabilities of 32 ms chunks at 16 kHz."""

    def probabilities(self, samples: Samples) -> Samples:
        """Give the speech probability of every chunk, the last one zero-filled.

        samples: float32 (n,) at 16 kHz -> float32 (ceil(n / 512),).
        """
        return self.probabilities_batch([samples])[0]

    def probabilities_batch(self, recordings: list[Samples]) -> list[Samples]:
        """Give what `probabilities` gives of several recordings, in up to half the time.

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
        return SileroStream(self._session)

    def tracks(self, count: int) -> "DetectorStates":
        """Open `count` live streams that are heard side by side, several times as fast as one by one."""
        return DetectorStates(self._session, count)

    @cached_property
    def _session(self) -> Any:
        """The model, loaded on first use; it holds no state and may be run from several threads."""
        path = silero_file()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class SileroStream:
    """Activity detection on one live stream."""

    def __init__(self, session: Any) -> None:
        self._tracks = DetectorStates(session, 1)
        self._chunk = np.zeros((1, CHUNK), np.float32)
        self._filled = 0

    def feed(self, samples: Samples) -> list[float]:
        """Take float32 (n,) at 16 kHz, any n; give the probability of each chunk completed by it."""
        found: list[float] = []
        taken = 0
        while taken < len(samples):
            part = samples[taken : taken + CHUNK - self._filled]
            self._chunk[0, self._filled : self._filled + len(part)] = part
            self._filled = (self._filled + len(part)) % CHUNK
            taken += len(part)
            if self._filled == 0:
                found.append(float(self._tracks.step(self._chunk)[0]))
        return found


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
