"""Voices of speech servers: one request for a text, its sound read for what it is, and a rate that is proven.

What a server says of its rate may be wrong (headerless sound says nothing, a header can say another model's), and
speech at a wrong rate is understood all the same, only faster and higher. So a test sentence is asked for first, once,
and how fast it is spoken tells: nobody says 15 syllables in one second, or in six. A rate that is off by a tenth
(22.05 kHz taken for 24) is within what voices differ by: that shows only where a header tells the rate.
"""

import threading
from typing import Protocol

from simulator.engines import NATURAL_WPM, Utterance
from simulator.engines.far_sound import read_sound, refuse_told_rate
from simulator.engines.kinds import VoiceSpec
from simulator.engines.spending import spend
from simulator.engines.trimmed import audible
from simulator.errors import RemoteError
from simulator.frame import Samples, freeze, silence
from simulator.remote.http_exchange import HttpAnswer, HttpRequest
from simulator.remote.kept_exchange import exchange_kept
from simulator.remote.server import RemoteServer
from simulator.texts import quoted

TEST_SENTENCE, SYLLABLES = "The quick brown fox jumps over the lazy dog, and then it sleeps.", 15
SLOWEST, FASTEST = 3.0, 5.7
"""Syllables a second of a voice at its own pace, its pauses included: espeak has 3.6, a neural voice 4.2. Half as fast
again, or two thirds as fast, is outside for voices between 3.8 and 4.5; a slow voice may pass at the wrong rate."""


class Far(Protocol):
    """What a kind of server has of its own. server: where it is."""

    server: RemoteServer

    def request(self, text: str, pace: float) -> HttpRequest:
        """Ask for a text; pace: 1 is the voice's own, 2 is twice as fast."""
        ...


class FarVoice:
    """Text to speech by a server. It tells no word times: alignment finds them. What was said once is kept on disk."""

    version = "1"
    far = True

    def __init__(self, spec: VoiceSpec, far: Far, *, asked: str, sample_rate: int, prove: bool) -> None:
        """asked: `wav` or `pcm`. sample_rate: of sound without a header, Hz. prove: whether to ask for a test first."""
        self._spec = spec
        self._far = far
        self._asked = asked
        self._rate = sample_rate
        self._proves = self._unproven = prove
        self._alone = threading.Lock()

    def synthesize(self, text: str, words_per_minute: int = NATURAL_WPM) -> Utterance:
        """Ask the server to say the text; trimmed at both ends. A text without a letter or digit gives no samples.

        RemoteError names the server: it does not answer, refuses, or sends something that is no such sound.
        """
        if not any(map(str.isalnum, text)):
            return Utterance(text=text, samples=silence(0), sample_rate=self._rate)
        with self._alone, self._far.server.at_fault():
            if self._unproven:
                samples, rate = self._said(TEST_SENTENCE, 1.0)
                _refuse_rate(len(samples), rate)
                self._unproven = False
            samples, rate = self._said(text, words_per_minute / NATURAL_WPM)
        return Utterance(text=text, samples=samples, sample_rate=rate)

    def _said(self, text: str, pace: float) -> tuple[Samples, int]:
        server = self._far.server
        what = f"what {server.name} says of {quoted(text)}"
        answer = exchange_kept(self._far.request(text, pace), server.secrets, kind="voice", what=what)
        refuse_failure(answer)
        samples, rate = read_sound(answer.body, asked=self._asked, sample_rate=self._rate)
        if self._proves:
            refuse_told_rate(answer.headers.get("content-type", ""), rate)
        spend(self._spec, output_s=len(samples) / rate)
        first, last = audible(samples, rate)
        if first == last:
            raise RemoteError(f"sent silence for {quoted(text)}")
        return freeze(samples[first:last].copy()), rate

    def probe(self) -> str:
        """Have the test sentence said anew, and say what came. RemoteError names the server."""
        with self._alone, self._far.server.at_fault():
            samples, rate = self._said(TEST_SENTENCE, 1.0)
            if self._proves:
                _refuse_rate(len(samples), rate)
        return f"says the test sentence in {len(samples) / rate:.1f} s at {rate} Hz"


def _refuse_rate(length: int, rate: int) -> None:
    """Refuse a server whose test sentence, of so many samples, is spoken faster or slower than anybody speaks."""
    a_second = SYLLABLES * rate / length
    if not SLOWEST <= a_second <= FASTEST:
        raise RemoteError(
            f"says the test sentence at {a_second:.1f} syllables a second if its sound is of {rate} Hz, and voices "
            f"have {SLOWEST:g} to {FASTEST:g}; state its rate in sample_rate, or say self_test: false"
        )


def refuse_failure(answer: HttpAnswer) -> None:
    """Refuse an answer that is none. RemoteError: a predicate with what the server says."""
    if not 200 <= answer.status < 300:
        told = answer.body[:500].decode("utf-8", "replace").strip()
        raise RemoteError(f"answered {answer.status}" + (f": {quoted(told)}" if told else ""))
