"""Rules of sound that waits as it came over the wire."""

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.remote.wire_audio import WireFormat
from agents.remote.wire_queue import CRUMB, WireQueue

FORM = WireFormat()


@settings(deadline=None)
@given(st.lists(st.integers(0, 3 * CRUMB), max_size=6), st.lists(st.integers(1, 2 * CRUMB), min_size=1, max_size=6))
def test_what_goes_in_in_pieces_comes_out_in_frames(sizes: list[int], counts: list[int]) -> None:
    """Every byte once and in order, wherever the pieces were cut; silence where there are none."""
    data = np.random.default_rng(1).bytes(sum(sizes))
    queue, start, heard = WireQueue(), 0, []
    for size in sizes:
        queue.push(data[start : start + size])
        start += size
    for count in counts:
        samples, found = queue.take(count, FORM)
        assert len(samples) == count and not samples[found:].any()
        heard.append(samples[:found])
    joined = np.concatenate(heard)
    assert np.array_equal(joined, FORM.unpack(data[: 2 * len(joined)]))
    assert len(joined) == min(sum(counts), len(data) // 2)
    assert queue.bytes == len(data) - 2 * len(joined)


def test_a_million_crumbs_cost_what_they_hold() -> None:
    """A client chooses how many pieces it sends: their number costs nothing."""
    tracemalloc.start()
    queue = WireQueue()
    for _ in range(200_000):
        queue.push(b"\0")
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert queue.bytes == 200_000 and held < 2**20
