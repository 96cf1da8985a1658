"""Rules of sound as a numpy file in base64: every numeric dtype and shape is read, everything else refused."""

import base64
import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.http_voice.npy_wire import NpyError, decode_npy, encode_npy

DTYPES = ["<f4", ">f4", "<f8", ">f8", "<f2", "|i1", "|u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", "<u8"]


def coded(array: Any, **settings: Any) -> str:
    """What numpy.save writes, in base64."""
    file = io.BytesIO()
    np.save(file, array, **settings)
    return base64.b64encode(file.getvalue()).decode()


def raw(header: str | bytes, data: bytes = b"", version: bytes = b"\x01\x00") -> str:
    """A numpy file with a header of one's own."""
    text = header.encode("latin-1") if isinstance(header, str) else header
    return base64.b64encode(b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + data).decode()


@given(st.sampled_from(DTYPES), st.integers(3, 40), st.sampled_from(["n", "1n", "n1", "n2", "2n"]), st.booleans())
@settings(deadline=None)
def test_any_dtype_and_shape_is_the_same_sound(dtype: str, count: int, shape: str, fortran: bool) -> None:
    """Integers are scaled by their range, channels averaged, byte and memory order make no difference."""
    wave = 0.5 * np.sin(np.arange(count))
    kind, bits = np.dtype(dtype).kind, 8 * np.dtype(dtype).itemsize
    half = 2.0 ** (bits - 1)
    array = wave if kind == "f" else np.rint(wave * (half - 1)) + (half if kind == "u" else 0)
    mono = array.astype(dtype)
    shaped = {"n": mono, "1n": mono[None], "n1": mono[:, None], "n2": np.stack([mono, mono], 1),
              "2n": np.stack([mono, mono])}[shape]  # fmt: skip
    read = decode_npy(coded(np.asfortranarray(shaped) if fortran else shaped), longest=100)
    assert read.dtype == np.float32
    assert read.shape == (count,)
    assert np.allclose(read, wave, atol=2.5 / half if kind != "f" else 1e-3)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50))
def test_what_is_written_is_read(values: list[float]) -> None:
    """float32 comes back bit by bit, and numpy itself reads it without pickles."""
    samples = np.array(values, np.float32)
    text = encode_npy(samples)
    assert np.array_equal(decode_npy(text, longest=50), samples)
    assert np.array_equal(np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False), samples)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    """With or without the magic in front: an NpyError, nothing else."""
    for start in (b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00"):
        with pytest.raises(NpyError):
            decode_npy(base64.b64encode(start + data).decode(), longest=100)


@given(st.data())
@settings(deadline=None)
def test_a_spoiled_file_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever bytes are changed or cut off: finite sound within full scale, or an NpyError."""
    whole = bytearray(base64.b64decode(coded(np.linspace(-1, 1, 40).astype(data.draw(st.sampled_from(["f4", "f8"]))))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        read = decode_npy(base64.b64encode(cut).decode(), longest=100)
    except NpyError:
        return
    assert np.isfinite(read).all() and np.abs(read).max() <= 1


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "is NoneType; base64 text is expected"),
        ("not base64!", "is not base64"),
        ("ünicode", "is not base64"),
        ("", "is no numpy file"),
        (base64.b64encode(np.zeros(100, "f4").tobytes()).decode(), "is no numpy file"),
        (base64.b64encode(pickle.dumps([1.0])).decode(), "is no numpy file"),
        (coded(np.array([1.0, None], object), allow_pickle=True), "dtype '|O'"),
        (coded(np.zeros(3, [("a", "f4")])), "has a numpy header that is none"),
        (coded(np.array(["text"])), "dtype '<U4'"),
        (coded(np.zeros(3, "c8")), "dtype '<c8'"),
        (coded(np.zeros(3, bool)), "dtype '|b1'"),
        (coded(np.zeros(3, "M8[s]")), "dtype '<M8"),
        (coded(np.float32(1)), r"has the shape \(\)"),
        (coded(np.zeros((3, 3), "f4")), r"has the shape \(3, 3\)"),
        (coded(np.zeros((1, 1, 5), "f4")), "has the shape"),
        (coded(np.zeros(0, "f4")), "holds no sample"),
        (coded(np.zeros((1, 0), "f4")), r"has the shape|holds no sample"),
        (coded(np.array([1.0, np.nan])), "values that are not finite"),
        (coded(np.array([1.0, np.inf], "f4")), "values that are not finite"),
        (coded(np.zeros(101, "f4")), "holds 101 samples; at most 100"),
        (coded(np.zeros((101, 2), "i2")), "holds 101 samples; at most 100"),
        (raw(HEADER % ("<f4", "(50,)"), bytes(100)), "holds 100 bytes of samples; its shape .* needs 200"),
        (raw(HEADER % ("<f4", "(9999999999999999999999,)")), "at most 100"),
        (raw(HEADER % ("<f4", "(-1,)")), "has the shape"),
        (raw(HEADER % ("<f4", "(2.0,)")), "header that is none"),
        (raw(HEADER % ("<f3", "(1,)"), bytes(9)), "dtype '<f3'"),
        (raw("__import__('os').getcwd()"), "header that is none"),
        (raw("(" * 5000), "header that is none"),
        (raw(b""), "header that is none"),
        (raw("{}", version=b"\x07\x00"), "unknown version"),
    ],
)  # fmt: skip
def test_what_is_no_sound_is_refused_with_a_reason(text: Any, complaint: str) -> None:
    """Pickles, objects, structures, texts, odd shapes, lies about the length, values that are no numbers."""
    with pytest.raises(NpyError, match=complaint):
        decode_npy(text, longest=100)


def test_floats_beyond_full_scale_are_clipped() -> None:
    """A float64 of 1e300 is no overflow."""
    assert decode_npy(coded(np.array([1e300, -1e300, 0.25])), longest=3).tolist() == [1.0, -1.0, 0.25]
