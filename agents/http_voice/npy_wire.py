"""Sound as a numpy file in base64: what Bittensor-style voice servers and their clients exchange.

The bytes are those of `numpy.save`: magic, version, a header that is a Python dict, then the samples. Nothing is
unpickled: only the header's three fields are read, and a dtype must be a plain number. Written is format 1.0,
float32.
"""

import ast
import io
import math
import re
import struct
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from agents.remote.base64_bytes import base64_bytes, base64_text
from agents.remote.long_text import LongText
from simulator.frame import Samples, freeze

MAGIC = b"\x93NUMPY"
HEADER_BYTES = 10_000
BLOCK = 2**16
_DTYPE = re.compile(r"[<>|=]?[iuf]\d{1,2}")


class NpyError(ValueError):
    """What came is no sound in a numpy file; the message is a predicate, such as `holds no sample`."""


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    descr: str
    fortran_order: bool
    shape: tuple[int, ...]


def encode_npy(samples: NDArray[Any]) -> str:
    """Write an array of any shape as base64 of a numpy file (standard alphabet, no line breaks)."""
    return base64_text(npy_bytes(samples))


def npy_bytes(samples: NDArray[Any]) -> bytes:
    """Write an array of any shape as a numpy file."""
    file = io.BytesIO()
    np.save(file, samples, allow_pickle=False)
    return file.getvalue()


def decode_npy(text: object, *, longest: int, one_channel: bool = False) -> Samples:
    """Read base64 of a numpy file as mono sound: float32 (n,), clipped to full scale 1.0.

    Any integer or float dtype (integers are scaled by their range, unsigned ones around its middle) and the shapes
    (n,), (1, n), (n, 1), (n, 2) and (2, n), channels averaged. longest: how many samples are allowed. one_channel:
    only (n,) and (1, n) are.
    NpyError: anything else, object and structured dtypes, values that are not finite, a shape beyond the bytes.
    """
    if not isinstance(text, str | LongText):
        raise NpyError(f"is {type(text).__name__}; base64 text is expected")
    try:
        data = base64_bytes(text)
    except ValueError as error:
        raise NpyError(f"is not base64: {error}") from error
    array = _array(data, longest)
    if one_channel and array.ndim == 2 and len(array) != 1:
        raise NpyError(f"has the shape {array.shape}; (n,) and (1, n) are allowed")
    return freeze(_mono(array))


def _array(data: bytes, longest: int) -> NDArray[Any]:
    """Read the numpy file itself, every length checked before anything is made of it."""
    header, start = _header(data)
    dtype = _dtype(header.descr)
    shape = header.shape
    fits = len(shape) == 1 or (len(shape) == 2 and min(shape) in (1, 2))
    if not fits or min(shape, default=0) < 0:
        raise NpyError(f"has the shape {shape}; (n,), (1, n), (n, 2) and (2, n) are allowed")
    count = math.prod(shape)
    if count == 0:
        raise NpyError("holds no sample")
    if max(shape) > longest:
        raise NpyError(f"holds {max(shape)} samples; at most {longest} are allowed")
    if count * dtype.itemsize > len(data) - start:
        raise NpyError(f"holds {len(data) - start} bytes of samples; its shape {shape} needs {count * dtype.itemsize}")
    flat = np.frombuffer(data, dtype, count, start)
    return flat.reshape(shape, order="F" if header.fortran_order else "C")


def _header(data: bytes) -> tuple[_Header, int]:
    """Read the header; gives it and where the samples start."""
    if not data.startswith(MAGIC):
        raise NpyError("is no numpy file (it must begin with the bytes 93 4e 55 4d 50 59)")
    wide = data[6:7] in (b"\x02", b"\x03")
    start = 12 if wide else 10
    if len(data) < start or (not wide and data[6:7] != b"\x01"):
        raise NpyError("has a numpy header of an unknown version, or none")
    (length,) = struct.unpack_from("<I" if wide else "<H", data, 8)
    if length > HEADER_BYTES or start + length > len(data):
        raise NpyError(f"has a numpy header of {length} bytes, which is too long or not all there")
    try:
        fields = ast.literal_eval(data[start : start + length].decode("latin-1").strip())
        return msgspec.convert(fields, _Header), start + length
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise NpyError("has a numpy header that is none: descr, fortran_order and shape are expected") from error


def _dtype(descr: str) -> "np.dtype[Any]":
    try:
        if _DTYPE.fullmatch(descr):
            return np.dtype(descr)
    except TypeError:
        pass
    raise NpyError(f"has the dtype {descr!r}; integers and floats are allowed")


def _mono(array: NDArray[Any]) -> Samples:
    """Average the channels, a block at a time: what comes out is all that is held beside the file."""
    # (n, 2) and (2, n) tell themselves apart by which side is long; of (2, 2) the rows are samples.
    wide = array.reshape(-1, 1) if array.ndim == 1 else array
    if wide.shape[1] > 2 or wide.shape[0] == 1:
        wide = wide.T
    mono = np.empty(len(wide), np.float32)
    for start in range(0, len(wide), BLOCK):
        block = _scaled(wide[start : start + BLOCK])
        mono[start : start + BLOCK] = block[:, 0] if block.shape[1] == 1 else np.mean(block, 1, dtype=np.float32)
    return mono


def _scaled(array: NDArray[Any]) -> Samples:
    """Integers over their range, so that full scale is 1.0; floats as they are, clipped there."""
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise NpyError("holds values that are not finite")
        clipped: Samples = np.clip(array, -1.0, 1.0).astype(np.float32)
        return clipped
    half = float(2 ** (8 * array.dtype.itemsize - 1))
    middle = half if array.dtype.kind == "u" else 0.0
    return ((array.astype(np.float64) - middle) / half).astype(np.float32)
