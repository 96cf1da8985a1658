"""Opus by the library itself (libopus, through ctypes): bit rate, in-band FEC, DTX, and its own concealment.

The library is the system's, or the one that PyAV's wheel brings along. Its errors are exceptions here; its memory is
ours (`_get_size` and `_init`), so nothing is to be freed. Source of the constants: opus_defines.h; RFC 6716.
"""

import ctypes
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import ScenarioError
from simulator.frame import Samples

RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
VOIP = 2048
SET_BITRATE, SET_FEC, SET_LOSS_PERCENT, SET_DTX, GET_LOOKAHEAD = 4002, 4012, 4014, 4016, 4027
LARGEST_PACKET = 1500


@cache
def library() -> Any:
    """Load libopus. ScenarioError where there is none."""
    found = find_library("opus") or _of_pyav()
    if found is None:
        raise ScenarioError("the codec opus needs libopus, the system's (libopus0, opus) or PyAV's: pip install av")
    opus = ctypes.CDLL(found)
    # Of a request only what stands before the dots: some machines hand on what follows in another way.
    opus.opus_encoder_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int]
    opus.opus_encoder_init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    opus.opus_decoder_init.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int]
    opus.opus_encode_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int32]
    opus.opus_decode_float.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
    ]  # fmt: skip
    opus.opus_strerror.restype = opus.opus_get_version_string.restype = ctypes.c_char_p
    return opus


def _of_pyav() -> str | None:
    """The library inside PyAV's wheel, which lies beside the package or in it."""
    spec = find_spec("av")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        for file in sorted(folder.glob("*opus*")):
            return str(file)
    return None


class LibEncoder:
    """One direction's encoder, mono, for speech. rate: one of RATES. bit_rate: per second; None leaves it to Opus."""

    def __init__(self, rate: int, *, bit_rate: int | None, fec: bool, dtx: bool, loss_percent: int) -> None:
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_encoder_get_size(1))
        _checked(self._opus.opus_encoder_init(self._state, rate, 1, VOIP))
        settings = {SET_FEC: int(fec), SET_LOSS_PERCENT: loss_percent, SET_DTX: int(dtx)}
        if bit_rate is not None:
            settings[SET_BITRATE] = bit_rate
        for request, value in settings.items():
            _checked(self._opus.opus_encoder_ctl(self._state, request, ctypes.c_int(value)))
        lookahead = ctypes.c_int()
        _checked(self._opus.opus_encoder_ctl(self._state, GET_LOOKAHEAD, ctypes.byref(lookahead)))
        self.lookahead = lookahead.value
        """By how many samples its sound is late."""
        self._packet = ctypes.create_string_buffer(LARGEST_PACKET)

    def encode(self, samples: Samples) -> bytes:
        """Encode float32 (n,), n of 10, 20, 40 or 60 ms."""
        samples = np.ascontiguousarray(samples, np.float32)
        size = self._opus.opus_encode_float(
            self._state, samples.ctypes.data, len(samples), self._packet, LARGEST_PACKET
        )
        return self._packet.raw[: _checked(size)]


class LibDecoder:
    """One direction's decoder, mono."""

    def __init__(self, rate: int) -> None:
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        _checked(self._opus.opus_decoder_init(self._state, rate, 1))

    def decode(self, packet: bytes | None, count: int, *, fec: bool = False) -> Samples:
        """Decode a packet to float32 (count,); None conceals a lost one. fec: what it holds of the packet before it."""
        samples: NDArray[np.float32] = np.zeros(count, np.float32)
        size = len(packet) if packet is not None else 0
        _checked(self._opus.opus_decode_float(self._state, packet, size, samples.ctypes.data, count, int(fec)))
        return samples


def _checked(code: int) -> int:
    """Give what a function returned; RuntimeError with the library's words for an error."""
    if code < 0:
        raise RuntimeError(f"libopus: {library().opus_strerror(code).decode()}")
    return code
