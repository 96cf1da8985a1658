"""What a duplex model sent to be said, and what its server is told of how much of that was really heard.

    item:  sound comes in ──> waits, is said ──> all was said     audio_start .. audio_end {cut: false}; a last ack
                 every 200 ms said: playback.ack       └─ cut ──> audio_end {cut: true}; an ack that truncates

Where nobody tells whether a turn was over or given up, `cut` is left out: where no more sound comes without a word, and
with models that only give way by themselves (`ends_told` false), which end both with the same words.

An ack is cumulative per response and counts what left the playout, rounded down: no padding, no jitter buffer. With
`playback_commit_policy: ack_only` the model's history holds what was acknowledged and no more.
"""

from agents.remote.peer_core import Actions
from agents.remote.playout import Item, Moment, Playout, tell, tell_cut
from simulator.frame import Samples

ACK_EVERY_MS = 200


class DuplexPlayback:
    """A playout that acknowledges; `rate`: Hz of what is said."""

    def __init__(self, rate: int, jitter_s: float, actions: Actions) -> None:
        self.playout = Playout(rate, jitter_s)
        self.truncates = True
        """Whether the model can be told that an item was cut (its capabilities say)."""
        self.ends_told = True
        """Whether a response that is completed was whole: where the server cuts the model off, it says so."""
        self._rate = rate
        self._actions = actions
        self._responses: dict[str, str] = {}
        self._acked_ms: dict[str, int] = {}
        self._over: set[str] = set()

    def push(self, item: str, response: str, samples: Samples) -> None:
        """Keep sound of an item to be said. RemoteError when absurdly much is waiting."""
        self._responses[item] = response
        self.playout.push(item, samples)

    def over(self, item: str) -> None:
        """The far end tells that an item is whole."""
        if item in self._responses:
            self._over.add(item)
            self.playout.finish(item)

    def finish(self, *, whole: bool) -> None:
        """No more sound will come of what waits. whole: the far end tells that it was over."""
        for item in list(self._responses):
            self.playout.finish(item)
        self._over |= set(self._responses) if whole else set()

    def say(self, count: int, at: int) -> Samples:
        """Give the next `count` samples, which lie at `at`; tell what became of items, and acknowledge."""
        samples, moments = self.playout.take(count, at)
        for moment in moments:
            if moment.what == "end":
                self._end(moment)
            else:
                tell(self._actions, moment)
        if self.playout.first is not None:
            self._ack(self.playout.first, least_ms=ACK_EVERY_MS)
        return samples

    def cut(self, at: int) -> set[str]:
        """Drop what waits, tell the far end what was heard of it; gives the responses that this cut."""
        cut = self.playout.cut()
        for item in cut:
            self._ack(item, least_ms=0, truncate=self.truncates)
            tell_cut(self._actions, item, at)
        responses = {self._responses[item.name] for item in cut}
        self._responses.clear()
        self._acked_ms.clear()
        self._over.clear()
        return responses

    def _ack(self, item: Item, *, least_ms: int, truncate: bool = False) -> None:
        """Acknowledge what was said of an item, if that is at least so much more than the last time."""
        played_ms = item.said * 1000 // self._rate
        if played_ms - self._acked_ms.get(item.name, 0) < least_ms:
            return
        self._acked_ms[item.name] = played_ms
        place = {"response_id": self._responses[item.name], "item_id": item.name}
        cut = {"truncate": True} if truncate else {}
        self._actions.send({"type": "playback.ack", **place, "played_ms": played_ms, "committed_ms": played_ms, **cut})

    def _end(self, moment: Moment) -> None:
        item = moment.item
        if item.name in self._over and self.ends_told:
            tell(self._actions, moment)
        else:
            self._actions.note(moment.at, "audio_end", id=item.name, said_samples=item.said)
        self._ack(item, least_ms=1)
        self._over.discard(item.name)
        self._responses.pop(item.name, None)
        self._acked_ms.pop(item.name, None)
