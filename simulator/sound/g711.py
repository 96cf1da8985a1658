"""The exact 8-bit code of ITU-T G.711, mu-law with a bias of 132 and A-law with its even bits inverted, in tables.

Negative values are taken in one's complement, as ITU-T G.191 does: -1 lies in 0's step.
"""

from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Law = Literal["mulaw", "alaw"]

_BIAS = 132


@cache
def value_table(law: Law) -> NDArray[np.int16]:
    """The int16 value of each of the 256 codes."""
    code = np.arange(256, dtype=np.int32)
    if law == "mulaw":
        code = ~code & 0xFF
        magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)) - _BIAS
        return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    code ^= 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


@cache
def code_table(law: Law) -> NDArray[np.uint8]:
    """The code of each int16 value, from -32768 on."""
    value = np.arange(-32768, 32768, dtype=np.int32)
    code: NDArray[np.int32] = _mulaw_code(value) if law == "mulaw" else _alaw_code(value)
    return code.astype(np.uint8)


def _mulaw_code(value: NDArray[np.int32]) -> Any:
    magnitude = np.minimum(np.where(value < 0, ~value, value), 32635) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(np.where(value < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF


def _alaw_code(value: NDArray[np.int32]) -> Any:
    magnitude = np.where(value < 0, ~value, value) >> 3
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = np.where(exponent == 0, magnitude >> 1, magnitude >> exponent) & 0x0F
    return (np.where(value >= 0, 0x80, 0) | (exponent << 4) | mantissa) ^ 0x55
