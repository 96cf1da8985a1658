"""Answers of far recognisers on disk: the same sound, asked in the same way, is sent and paid for once.

They are kept under a hash of what was asked with, in the user's cache folder; a folder that cannot be written is no
error. What voices said is kept by cache.py.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress

import msgspec

from simulator.cassettes.recording import kept_calls
from simulator.engines.cache import cache_folder
from simulator.engines.kinds import RecognizerSpec
from simulator.files import write_whole
from simulator.frame import Samples
from simulator.spec import encode_struct


def kept(spec: RecognizerSpec, samples: Samples, sample_rate: int, ask: Callable[[], bytes]) -> bytes:
    """Give the answer to a sound, float32 (n,): from disk, else from `ask`, whose errors are passed on.

    Where a run records its paid calls, they are kept by that alone: a call that this folder holds would be missing
    from what is recorded.
    """
    if kept_calls() is not None:
        return ask()
    asked = msgspec.json.encode([encode_struct(spec), sample_rate], order="sorted")
    digest = hashlib.sha256(asked + samples.tobytes()).hexdigest()
    folder = cache_folder()
    path = folder / "heard" / digest[:2] / f"{digest}.answer" if folder else None
    if path is not None:
        with suppress(OSError):
            return path.read_bytes()
    answer = ask()
    if path is not None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, answer)
    return answer
