"""Lines that may be said: prepared before the session, or when one of them is drawn.

A turn that chooses among hundreds of texts says one. On the virtual clock nobody waits, so a voice of this machine
prepares what is drawn; on the wall clock all of them are ready beforehand, and a voice that is paid for is asked before
the session either way, so that what it costs does not hang on what is drawn.
"""

from collections.abc import Callable, Sequence
from typing import overload

from simulator.engines.kinds import VoiceSpec
from simulator.speaking.voice import PreparedSpeech, Say

Prepare = Callable[[Say], PreparedSpeech]


def lines_of(texts: Sequence[Say], voice: VoiceSpec, prepare: Prepare, *, realtime: bool) -> Sequence[PreparedSpeech]:
    """Give the lines of a turn, all prepared, or each when it is first asked for; the same lines both ways."""
    traits = voice.traits()
    if realtime or traits.billed_as or not traits.deterministic or len(texts) == 1:
        return tuple(map(prepare, texts))
    return DrawnLines(texts, prepare)


class DrawnLines(Sequence[PreparedSpeech]):
    """Lines that are prepared when they are asked for."""

    def __init__(self, texts: Sequence[Say], prepare: Prepare) -> None:
        self._texts = texts
        self._prepare = prepare

    def __len__(self) -> int:
        """How many there are."""
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> PreparedSpeech: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PreparedSpeech]: ...

    def __getitem__(self, index: int | slice) -> PreparedSpeech | Sequence[PreparedSpeech]:
        """Prepare one of them; several stay unprepared. The errors are the voice's."""
        if isinstance(index, slice):
            return DrawnLines(self._texts[index], self._prepare)
        return self._prepare(self._texts[index])
