"""Slots: who is in which slot of a batch, and when a step is due."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.duplex.slots import Rhythm, Slots, Stage

FRAME = np.ones(4, np.float32)


def talking(slots: Slots, slot: int) -> None:
    """Take a slot all the way to its first frame."""
    slots.opened(slot, 0)
    slots.submit(slot, FRAME)


def test_slots_are_taken_all_or_none() -> None:
    """A session that needs more than is free gets nothing, and nothing is held for it."""
    slots = Slots(3)
    assert slots.take(2) == [0, 1]
    assert slots.take(2) is None
    assert slots.free == 1
    assert slots.take(1) == [2]


def test_only_talking_slots_are_waited_for() -> None:
    """Slots that open, lead in, or are ready and have heard nothing do not hold up a step."""
    slots = Slots(4)
    slots.take(4)
    slots.opened(1, 5)
    slots.opened(2, 0)
    talking(slots, 3)
    assert [slots.stage(slot) for slot in range(4)] == [
        Stage.OPENING,
        Stage.LEAD_IN,
        Stage.READY,
        Stage.TALKING,
    ]
    assert slots.due()
    _, active = slots.begin(4)
    assert active.tolist() == [False, True, False, True]


def test_a_talking_slot_holds_up_the_step_until_it_leaves() -> None:
    """The step is due the moment the last one who has not submitted leaves."""
    slots = Slots(2)
    slots.take(2)
    talking(slots, 0)
    talking(slots, 1)
    slots.begin(4)
    slots.finish()
    slots.submit(0, FRAME)
    assert not slots.due()
    slots.leave(1)
    assert slots.due()


def test_lead_in_runs_by_itself_and_ends_after_its_steps() -> None:
    """Nobody talks: lead-in steps are due all the same; the slot is ready after exactly its number."""
    slots = Slots(1)
    slots.take(1)
    slots.opened(0, 2)
    for expected in ([], [0]):
        assert slots.due()
        slots.begin(4)
        assert slots.finish() == ([], expected)
    assert not slots.due()
    assert slots.stage(0) is Stage.READY


def test_the_result_of_a_step_is_dropped_for_who_left_during_it() -> None:
    """Leaving during a step: no answer, and the slot is free only after the model has closed it."""
    slots = Slots(1)
    slots.take(1)
    talking(slots, 0)
    slots.begin(4)
    slots.leave(0)
    assert slots.finish() == ([], [])
    assert slots.take(1) is None
    slots.freed(0)
    assert slots.take(1) == [0]


RHYTHM = Rhythm(step_s=1.0, grace_s=0.25)


def on_the_clock(*starts: float) -> Slots:
    """Slots on the wall clock whose first frames came at these times, and were stepped."""
    slots = Slots(len(starts), RHYTHM)
    slots.take(len(starts))
    for slot, start in enumerate(starts):
        slots.opened(slot, 0)
        slots.submit(slot, FRAME, start)
        slots.begin(4, start)
        slots.finish()
    return slots


def test_a_frame_that_missed_its_step_is_not_heard() -> None:
    """Later than the grace, a slot is stepped with silence and owes a frame; that is turned away, the next
    heard.
    """
    slots = on_the_clock(0.0, 0.0)
    assert slots.submit(0, FRAME, 1.0)
    assert not slots.due(1.0)
    pcm, active = slots.begin(4, 1.3)
    assert active.all()
    assert not pcm[1].any()
    talked, _ = slots.finish()
    assert [(row.slot, row.frame, row.submitted) for row in talked] == [(0, 1, True), (1, 1, False)]
    assert not slots.submit(1, FRAME, 1.4)
    assert slots.submit(1, FRAME, 2.0)


def test_sessions_out_of_step_with_each_other_do_not_make_each_other_late() -> None:
    """A slot that is not expected yet is neither waited for nor stepped with silence."""
    slots = on_the_clock(0.0, 0.5)
    for step in range(1, 20):
        for slot, now_s in ((0, float(step)), (1, step + 0.5)):
            assert slots.submit(slot, FRAME, now_s)
            assert slots.due(now_s)
            _, active = slots.begin(4, now_s)
            assert active.tolist() == [slot == 0, slot == 1]
            slots.finish()


def test_on_the_wall_clock_a_lead_in_rides_along_and_takes_no_forward_of_its_own() -> None:
    """Between the frames of who talks nothing is stepped; when nobody talks it runs by itself."""
    slots = Slots(2, RHYTHM)
    slots.take(2)
    slots.opened(0, 0)
    slots.submit(0, FRAME, 0.0)
    slots.begin(4, 0.0)
    slots.finish()
    slots.opened(1, 2)
    assert not slots.due(0.5)
    assert slots.submit(0, FRAME, 1.0)
    assert slots.begin(4, 1.0)[1].all()
    assert slots.finish()[1] == []
    assert not slots.due(1.1)
    slots.leave(0)
    assert slots.due(1.1)


def test_frames_that_pile_up_are_not_caught_up() -> None:
    """After a stall the frames more than a step late are turned away one by one, until the slot is in its
    rhythm.
    """
    slots = on_the_clock(0.0)
    heard = [slots.submit(0, FRAME, 3.5) for _ in range(3)]
    assert heard == [False, False, True]


@given(st.lists(st.tuples(st.sampled_from(["take", "open", "submit", "step", "leave", "free"]), st.integers(0, 3))))
def test_nobody_is_lost_and_nobody_waits_for_ever(moves: list[tuple[str, int]]) -> None:
    """Whatever happens, slots add up, and once all who talk have submitted, a step is due."""
    slots = Slots(4)
    for move, slot in moves:
        stage = slots.stage(slot)
        if move == "take":
            slots.take(1)
        elif move == "open" and stage is Stage.OPENING:
            slots.opened(slot, slot)
        elif move == "submit" and stage in (Stage.READY, Stage.TALKING) and not slots.has_submitted(slot):
            slots.submit(slot, FRAME)
        elif move == "step" and slots.due():
            slots.begin(4)
            slots.finish()
        elif move == "leave":
            slots.leave(slot)
        elif move == "free" and stage is Stage.LEAVING:
            slots.freed(slot)
    stages = [slots.stage(slot) for slot in range(4)]
    assert stages.count(None) == slots.free
    for slot in range(4):
        if slots.stage(slot) is Stage.TALKING and not slots.has_submitted(slot):
            slots.submit(slot, FRAME)
    assert slots.due() == bool(slots.submitted or Stage.LEAD_IN in stages)
