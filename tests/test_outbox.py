"""The outbox: sound goes in in pieces of any size and comes out in frames, uncopied where a piece is a frame."""

import numpy as np
import pytest

from simulator.frame import silence
from simulator.sound.streams import Outbox


def test_a_piece_as_long_as_a_frame_comes_out_as_it_is() -> None:
    """No copy is made, what comes out is read-only, and silence stays the array that asks for no work."""
    box, piece = Outbox(), np.arange(4, dtype=np.float32)
    box.push(piece)
    box.push(silence(4))
    taken = box.take(4)
    assert np.shares_memory(taken, piece) and taken.tolist() == [0, 1, 2, 3]
    assert not taken.flags.writeable and piece.flags.writeable
    assert box.take(4) is silence(4)
    assert (box.buffered, box.taken) == (0, 8)


def test_frames_cross_pieces() -> None:
    """Pieces of 3, 5 and 2 samples come out in frames of 4, the rest filled up with silence."""
    box = Outbox()
    for first, count in ((0, 3), (3, 5), (8, 2)):
        box.push(np.arange(first, first + count, dtype=np.float32))
    assert [box.take(4).tolist() for _ in range(3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]]


@pytest.mark.parametrize("length", [4, 3])
def test_a_box_that_ran_dry_fills_its_jitter_buffer_again(length: int) -> None:
    """Emptied by a whole piece or by a part of one, it waits until six samples are there."""
    box = Outbox(prebuffer=6)
    for _ in range(2):
        box.push(np.ones(length, np.float32))
    said = sum(int(box.take(4).sum()) for _ in range(2))
    assert said == 2 * length
    box.push(np.ones(4, np.float32))
    assert box.take(4) is silence(4)
    box.push(np.ones(2, np.float32))
    assert box.take(4).tolist() == [1, 1, 1, 1]
