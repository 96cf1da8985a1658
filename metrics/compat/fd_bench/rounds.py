"""FD-Bench's interruption analysis: how an agent's segments fall on the user's rounds.

Source: FD-Bench (arXiv 2507.19040), what its main program runs, restated. All times are integer samples at 16
kHz. The original walks the agent's segments anew for every user segment (a round) and keeps a mark `cut`: the
round has broken into the agent's speech and waits for an answer.
"""

from collections.abc import Sequence
from typing import NamedTuple

SAMPLE_RATE = 16_000
MIN_SILENCE_MS = 1500
EARLY_SAMPLES = 8_000
"""A start further before the user's end than this is an early interruption, nearer ones are answers."""
NOISE_QUIET_SAMPLES = 40_000
NOISE_LONGEST_SAMPLES = 88_000
_SAMPLES_PER_MS = 16

Span = tuple[int, int]


class Round(NamedTuple):
    """A user segment with the start of the next one (None after the last)."""

    start: int
    end: int
    next_start: int | None


class RoundMarks:
    """What one conversation gave: counts, and per round its times in samples (0 where there is none)."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.interrupts = self.success = self.early = self.responses = self.answered = self.noise = 0
        self.delay = [0] * rounds
        self.lead = [0] * rounds
        self.lead_to_interruption = [0] * rounds
        self.response = [0] * rounds
        self.response_to_interruption = [0] * rounds
        self.early_leads: list[int] = []

    @property
    def gaps(self) -> int:
        """The places between rounds."""
        return self.rounds - 1


def analyze(user: Sequence[Span], agent: Sequence[Span]) -> RoundMarks:
    """Walk the agent's segments for every round; both in time order."""
    marks = RoundMarks(len(user))
    starts = [start for start, _ in user]
    rounds = [
        Round(start, end, starts[index + 1] if index + 1 < len(user) else None)
        for index, (start, end) in enumerate(user)
    ]
    for index, one in enumerate(rounds):
        _walk(marks, index, one, agent)
    marks.noise = sum(_is_noise(one, span) for span in agent for one in rounds)
    return marks


def _walk(marks: RoundMarks, index: int, one: Round, agent: Sequence[Span]) -> None:
    cut = False
    for start, end in agent:
        if start < one.start < end:
            marks.interrupts += 1
            cut = True
        if one.start < start < one.end:
            early = start < one.end - EARLY_SAMPLES
            cut = _early(marks, index, one, (start, end), cut) if early else _late(marks, index, one, (start, end), cut)
        elif start < one.start:
            _stopped(marks, index, one, end, cut)
        elif one.end < start and (one.next_start is None or start < one.next_start):
            cut = _answer(marks, index, one, (start, end), cut)


def _early(marks: RoundMarks, index: int, one: Round, span: Span, cut: bool) -> bool:
    """The agent started well inside the round: an early interruption; ending inside, it was cut off."""
    start, end = span
    marks.early += 1
    marks.early_leads.append(one.end - start)
    if end < one.end and marks.delay[index] == 0:
        marks.interrupts += 1
        _succeed(marks, index, end - start)
        return True
    return cut


def _late(marks: RoundMarks, index: int, one: Round, span: Span, cut: bool) -> bool:
    """The agent started just before the round's end: an answer with a lead."""
    start, end = span
    if not cut:
        marks.responses += 1
        marks.lead[index] = one.end - start
        return cut
    return _answer_to_interruption(marks, index, marks.lead_to_interruption, one.end - start, end - one.start)


def _answer(marks: RoundMarks, index: int, one: Round, span: Span, cut: bool) -> bool:
    """The agent started between this round and the next: an answer with a delay; the first counts."""
    start, end = span
    if cut:
        return _answer_to_interruption(marks, index, marks.response_to_interruption, start - one.end, end - one.start)
    if marks.response[index] == 0:
        marks.responses += 1
        marks.response[index] = start - one.end
    return cut


def _answer_to_interruption(marks: RoundMarks, index: int, times: list[int], time: int, stopped: int) -> bool:
    """Note the first answer after an interruption; give whether the round still waits for one."""
    if marks.lead_to_interruption[index] or marks.response_to_interruption[index]:
        return True
    marks.answered += 1
    times[index] = time
    if marks.delay[index] == 0:
        _succeed(marks, index, stopped)
    return False


def _stopped(marks: RoundMarks, index: int, one: Round, end: int, cut: bool) -> None:
    """The agent had started before the round: it yielded if it stopped within it (after the last: at all)."""
    in_time = one.start < end and (one.next_start is None or end <= one.end)
    if cut and in_time and marks.delay[index] == 0:
        _succeed(marks, index, end - one.start)


def _succeed(marks: RoundMarks, index: int, delay: int) -> None:
    marks.success += 1
    marks.delay[index] = delay or 1  # 0 stands for "not yet"


def _is_noise(one: Round, span: Span) -> bool:
    """A short agent segment that ends long before the next round: taken for an answer to noise."""
    start, end = span
    return (
        one.next_start is not None
        and one.end < end < one.next_start
        and one.next_start - end >= NOISE_QUIET_SAMPLES
        and end - start < NOISE_LONGEST_SAMPLES
    )


def whole_ms(times: Sequence[int]) -> list[int]:
    """Give the positive times (samples) cut to whole milliseconds; 0 stands for "none" and is left out."""
    return [time // _SAMPLES_PER_MS for time in times if time > 0]
