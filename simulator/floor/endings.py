"""Whether speech that nobody told of was cut or over, by the sound of its end beside the speaker's own other ends.

    gone at once, as none of its undisturbed ends was  ->  cut
    pitch fallen, as at most of its undisturbed ends   ->  over
    both, neither, or fewer than five of such ends     ->  nobody knows

Undisturbed is an end near which the other said nothing: nobody can have cut it. There is no rule without them: some
synthetic voices end every phrase as abruptly as a cut, and the pitch of most people falls at too few ends. That a sound
dies away says nothing: who stops by itself, as people and models do, dies away too. Words say too little: a recogniser
makes sentences of fragments, and finds one that ends with `and` or `I` at one real end in eleven
(`python -m tests.benchmarks.phrase_ends` measures all of them).
"""

from collections.abc import Sequence

from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, Side
from simulator.speech import PhraseEnd

LEAST_ENDS = 5
"""Undisturbed ends that tell how a speaker ends: of fewer, the steepest is too often passed by the next."""

ABRUPT_DB, STEEPER_DB = 35.0, 8.0
"""A cut falls by this within 10 ms, and by so much more than any undisturbed end of its speaker.

No finished word of people fell by more than 31 dB.
"""

LOW_ST = -2.5
"""So far under the speaker's median, in semitones, lie the last 60 ms of a statement that is over."""

MOST_ENDS = 0.8
"""Of a speaker's undisturbed ends so many must lie low for another low one to mean anything.

With half of them a neural voice passes, of which one cut in seven lies low, too.
"""

UNDISTURBED_S = (2.0, 0.2)
"""How long before and after an end the other must have been silent: as long as a yield may take, and a reaction."""


class OwnEnds:
    """How one side ends its phrases when nobody disturbs it, and what another end is beside that."""

    def __init__(self, floor: Floor, side: Side) -> None:
        self.side = side
        self._endings = {item.end: item.ending for item in side.speech.segments if item.ending is not None}
        self._own = [heard for over in side.holds if (heard := self._endings.get(over.end)) and _alone(floor, over)]

    def sounds_cut(self, over: Contribution) -> bool | None:
        """Whether a hold of this side was cut, by its sound; None where that does not tell."""
        heard = self._endings.get(over.end)
        return None if heard is None else sounds_cut(heard, self._own)


def sounds_cut(heard: PhraseEnd, own: Sequence[PhraseEnd]) -> bool | None:
    """Whether speech that ended so was cut, beside its speaker's undisturbed ends; None where that does not tell."""
    if len(own) < LEAST_ENDS:
        return None
    gone = heard.fall_db >= max(ABRUPT_DB, STEEPER_DB + max(end.fall_db for end in own))
    over = _is_low(heard) and sum(map(_is_low, own)) >= MOST_ENDS * len(own)
    return None if gone == over else gone


def _is_low(heard: PhraseEnd) -> bool:
    return heard.pitch_st is not None and heard.pitch_st <= LOW_ST


def _alone(floor: Floor, over: Contribution) -> bool:
    before, after = map(floor.samples, UNDISTURBED_S)
    other = floor.side(over.party).other
    said = other.ipus | other.told
    return not floor.cut_off(over.end) and not said.covered(max(0, over.end - before), over.end + after)
