"""Recognition by speech servers: one request for a sound, its answer kept, silence never sent.

Answers are kept in a store (store.py) under a hash of what was asked with: the same sound, asked in the same way, is
paid for once. What voices said is kept by cache.py, what recognisers of this machine hear by remembered.py.
"""

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from simulator.cassettes.recording import kept_calls
from simulator.engines import Recognition
from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.espeak import Espeak
from simulator.engines.far_voice import TEST_SENTENCE, refuse_failure
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.pieces import speech_pieces
from simulator.engines.spending import spend
from simulator.engines.store import key_of, store_named
from simulator.frame import Samples, to_grid
from simulator.remote.http_exchange import HttpRequest
from simulator.remote.kept_exchange import exchange_kept
from simulator.remote.server import RemoteServer
from simulator.sound import recordings
from simulator.sound.wav import encode_wav
from simulator.spec import encode_struct
from simulator.texts import quoted

_LONGEST_PIECE_S = 28.0
"""Most of these servers run Whisper, which hears 30 s at once."""


class FarListener(Protocol):
    """What a kind of server has of its own. server: where it is."""

    server: RemoteServer

    def request(self, wav: bytes) -> HttpRequest:
        """Ask what is said in a WAV file."""
        ...

    def read(self, body: bytes) -> Recognition:
        """Read an answer, word times in samples at 16 kHz. RemoteError, a predicate: it is none."""
        ...


class FarRecognizer:
    """Speech to text by a server; each piece of speech is a request, sent at 16 kHz."""

    def __init__(self, spec: RecognizerSpec, far: FarListener) -> None:
        self._spec = spec
        self._far = far

    def warm(self) -> threading.Thread | None:
        """Nothing is loaded here."""
        return None

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give what the server hears in a recording, float32 (n,) at any rate; nothing is sent of silence.

        RemoteError names the server: it does not answer, refuses, or answers something that is no text.
        """
        heard = [
            _moved(self._piece(piece), first, sample_rate / DETECTOR_HZ, len(samples))
            for first, piece in speech_pieces(recordings.resample(samples, sample_rate, DETECTOR_HZ), _LONGEST_PIECE_S)
        ]
        return Recognition(
            text=" ".join(one.text for one in heard if one.text),
            words=tuple(word for one in heard for word in one.words),
            language=next((one.language for one in heard if one.language), ""),
        )

    def probe(self) -> str:
        """Have a test sentence recognised anew, and say what came. RemoteError names the server."""
        said = Espeak("en-us").synthesize(TEST_SENTENCE)
        sound = to_grid(recordings.resample(said.samples, said.sample_rate, DETECTOR_HZ))
        with self._far.server.at_fault():
            return f"hears {quoted(self._far.read(self._asked(sound)).text)} in a test sentence"

    def _piece(self, piece: Samples) -> Recognition:
        sound = to_grid(piece)
        with self._far.server.at_fault():
            return self._far.read(kept(self._spec, sound, DETECTOR_HZ, lambda: self._asked(sound)))

    def _asked(self, sound: Samples) -> bytes:
        server, asked = self._far.server, self._far.request(encode_wav(sound, DETECTOR_HZ))
        what = f"what {server.name} hears in {len(sound) / DETECTOR_HZ:.2f} s of sound"
        answer = exchange_kept(asked, server.secrets, kind="recogniser", what=what)
        refuse_failure(answer)
        self._far.read(answer.body)  # what is no answer is not kept
        spend(self._spec, input_s=len(sound) / DETECTOR_HZ)
        return answer.body


def _moved(heard: Recognition, first: int, scale: float, length: int) -> Recognition:
    """Give a piece that begins at sample `first` at 16 kHz its word times in the recording, inside it."""

    def place(at: int) -> int:
        return min(max(0, round((first + at) * scale)), length)

    words = tuple(
        msgspec.structs.replace(word, start=place(word.start), end=place(max(word.start, word.end or word.start)))
        for word in heard.words
    )
    return msgspec.structs.replace(heard, words=words)


def kept(spec: RecognizerSpec, samples: Samples, sample_rate: int, ask: Callable[[], bytes]) -> bytes:
    """Give the answer to a sound, float32 (n,): from disk, else from `ask`, whose errors are passed on.

    Where a run records its paid calls, they are kept by that alone: a call that this folder holds would be missing
    from what is recorded.
    """
    if kept_calls() is not None:
        return ask()
    store = store_named("heard", "answer")
    key = key_of([encode_struct(spec), sample_rate], samples.tobytes())
    answer = store.get(key)
    if answer is None:
        answer = ask()
        store.put(key, answer)
    return answer
