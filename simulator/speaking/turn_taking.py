"""Turn-taking of an actor that answers turn by turn: when the other's turn is over, and when to yield.

States, judged once per frame on what the ears say:

    listening --other speaks--> hearing --silent for `endpoint`--> turn over (give the turn, back to listening)
    hearing   --silent for as long as endpointing looks after--> the pause is judged: how much silence ends it
    speaking  --other speaks for `yield_after`--> yield (stop, and what was heard begins the next turn)
    speaking  --other falls silent earlier, for `endpoint`--> nothing: a backchannel (a turn if those are not ignored)
"""

from typing import Literal

import msgspec
import numpy as np

from simulator.frame import Samples
from simulator.speaking.cues import NEVER
from simulator.speaking.ears import Activity
from simulator.speaking.endpointing import Judge
from simulator.spec import Duration, ms

PRE_ROLL_S = 0.3
"""Sound kept from before the ears noticed: detectors notice late, recognisers need the first consonant."""

LONGEST_TURN_S = 120.0
"""More of a single turn is not kept: a recogniser would not take it either."""


class TurnPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a turn is over, when to yield: defaults of a decent voice agent."""

    endpoint: Duration = ms(600)
    yield_after: Duration = ms(500)
    barge_in: Literal["yield", "ignore"] = "yield"
    ignore_backchannels: bool = True


class TurnTaker:
    """Follows the other party's activity and keeps the sound of its turn. Times: samples of the heard stream."""

    def __init__(
        self,
        policy: TurnPolicy,
        sample_rate: int,
        activity: Activity,
        *,
        looks_after: Duration | None = None,
        judge: Judge | None = None,
    ) -> None:
        """looks_after, judge: when a pause is judged and by whom, where `endpoint` is not the same for all."""
        self._rate = sample_rate
        self._judge = judge
        self._looks_after = looks_after.samples(sample_rate) if looks_after is not None else 0
        self._judged_at: int | None = None
        """Where the pause began that was judged last, or is being judged."""
        self._needed: int | None = None
        """How much silence ends the turn in that pause; None until it is known."""
        self._endpoint = policy.endpoint.samples(sample_rate)
        self._yield_after = policy.yield_after.samples(sample_rate)
        self._yields = policy.barge_in == "yield"
        self._forgets = policy.ignore_backchannels
        self._activity = activity
        self._pre_roll = round(PRE_ROLL_S * sample_rate)
        self._longest = round(LONGEST_TURN_S * sample_rate)
        self._frames: list[Samples] = []
        self._first = 0
        self._kept = 0
        self._since: int | None = None
        self._stretches = activity.stretches
        self._over_speech = False

    @property
    def hearing(self) -> bool:
        """Whether a turn of the other party is going on."""
        return self._since is not None

    def hear(self, start: int, samples: Samples, *, speaking: bool) -> Literal["turn", "yield"] | None:
        """Take a frame after the ears have taken it. speaking: whether the actor itself speaks.

        `turn`: the other's turn is over, `take` gives it. `yield`: the other has barged in.
        """
        self._keep(start, samples)
        heard = self._activity
        now = start + len(samples)
        if heard.stretches != self._stretches:
            self._stretches = heard.stretches
            if self._since is None:
                self._since = heard.since
                self._over_speech = speaking
        if self._since is None:
            return None
        # Counted from the beginning of what the other says, its pauses included: "Sorry, ... how much is it?"
        if speaking and self._yields and heard.speaking and heard.last_end - self._since >= self._yield_after:
            self._over_speech = False
            return "yield"
        if heard.speaking or not self._silent_enough(now, speaking=speaking):
            return None
        if self._over_speech and self._forgets and heard.last_end - self._since < self._yield_after:
            self._since = None
            return None
        return None if speaking and not self._yields else "turn"

    def settled(self, now: int, *, speaking: bool) -> int:
        """Give a sample before which `hear` says nothing more, whatever comes; speaking: as it stays until then."""
        heard = self._activity
        if self._since is None:
            # What has not begun yet begins where nothing was judged.
            endpoint = min(self._endpoint, self._looks_after) if self._judge else self._endpoint
            return heard.until + (min(endpoint, self._yield_after) if self._yields else endpoint)
        silent_at = heard.last_end + self._awaited(speaking=speaking)
        if speaking and not self._yields and silent_at <= now:
            return NEVER  # it goes on speaking over a turn that is over; whoever says when it stops bounds that
        bound = min(silent_at, self._since + self._yield_after) if speaking and self._yields else silent_at
        return max(bound, now + 1)

    def _silent_enough(self, now: int, *, speaking: bool) -> bool:
        """Say whether the pause ends the turn, and have it judged when it is time."""
        silent = now - self._activity.last_end
        if self._judge is None or speaking or self._over_speech:
            return silent >= self._endpoint
        if silent < self._looks_after:
            return False
        if self._judged_at != self._activity.last_end:
            self._ask(self._activity.last_end)
        return self._needed is not None and silent >= self._needed

    def _ask(self, pause: int) -> None:
        """Have the pause judged that begins here; an answer that comes when another has begun is too late."""
        self._judged_at, self._needed = pause, None

        def know(needed: Duration) -> None:
            if self._judged_at == pause:
                self._needed = max(self._looks_after, needed.samples(self._rate))

        if self._judge is not None:
            self._judge(self._sound(), know)

    def _awaited(self, *, speaking: bool) -> int:
        """Give how much silence there must be before anything follows from it."""
        if self._judge is None or speaking or self._over_speech:
            return self._endpoint
        judged = self._needed if self._judged_at == self._activity.last_end else None
        return judged if judged is not None else min(self._looks_after, self._endpoint)

    def _sound(self) -> Samples:
        """Give the turn's sound up to now, with pre-roll."""
        since = self._since if self._since is not None else self._activity.since
        return np.concatenate(self._frames)[max(self._first, since - self._pre_roll) - self._first :]

    def take(self) -> tuple[Samples, int, int]:
        """Give the turn that is over: its sound with pre-roll, first and one past last sample; and listen anew."""
        since = self._since if self._since is not None else self._activity.since
        until = self._activity.last_end
        sound = self._sound()
        self._since = None
        return sound, since, until

    def _keep(self, start: int, samples: Samples) -> None:
        if not self._frames:
            self._first = start
        self._frames.append(samples)
        self._kept += len(samples)
        limit = self._longest if self._since is not None else self._pre_roll + 2 * self._yield_after
        while self._kept - len(self._frames[0]) > limit:
            gone = self._frames.pop(0)
            self._first += len(gone)
            self._kept -= len(gone)
