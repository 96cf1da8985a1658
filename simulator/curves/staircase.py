"""Weighted up-down staircases: where to ask next, so that trials lie where the curve bends.

    answer   rising curve          falling curve
    yes      down by 2 step (1-p)  up by 2 step (1-p)
    no       up by 2 step p        down by 2 step p
    none     back to the level that last had an answer, with half the step; stays where none had

Up and down balance where a yes has probability p (Kaernbach 1991, Perception & Psychophysics 49, 227-229). The step
begins at a quarter of the levels, is halved at every reversal, and ends at one level: large steps find the bend, small
ones stay there.
"""


class Staircase:
    """Goes over levels 0 to levels - 1. target: the share of yes it hovers at; start: its first place."""

    def __init__(self, levels: int, target: float, start: float, *, rising: bool = True) -> None:
        self._last = levels - 1
        self._target = target
        self._rising = rising
        self._place = start
        self._step = max(1.0, levels / 4)
        self._before: bool | None = None
        self._answered: float | None = None

    @property
    def level(self) -> int:
        """Where to ask next."""
        return round(self._place)

    def answered(self, *, yes: bool | None) -> None:
        """Take the answer; None where there was none: some levels may have none at all."""
        if yes is None:
            if self._answered not in (None, self._place):
                self._place, self._step = self._answered or 0.0, max(1.0, self._step / 2)
            return
        self._answered = self._place
        if self._before is not None and yes != self._before:
            self._step = max(1.0, self._step / 2)
        self._before = yes
        away = 2 * self._step * ((1 - self._target) if yes else self._target)
        down = yes == self._rising
        self._place = min(float(self._last), max(0.0, self._place - away if down else self._place + away))
