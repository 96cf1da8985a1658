"""Answers of far recognisers on disk: the same sound, asked in the same way, is sent and paid for once.

They are kept in a store (store.py) under a hash of what was asked with. What voices said is kept by cache.py, what
recognisers of this machine hear by remembered.py.
"""

from collections.abc import Callable

from simulator.cassettes.recording import kept_calls
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.store import key_of, store_named
from simulator.frame import Samples
from simulator.spec import encode_struct


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
