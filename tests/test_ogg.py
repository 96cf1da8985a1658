"""Rules of Ogg pages: cutting, measuring and making them."""

import sys
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import RemoteError, ScenarioError
from simulator.frame import Samples
from simulator.sound.ogg import OggError, PageReader, PageWriter, checksum, packet_duration
from simulator.sound.opus import LONGEST_MESSAGE_S, RATE_HZ, OpusDecoder, OpusEncoder, header_packets

packets = st.lists(st.lists(st.binary(max_size=600), min_size=1, max_size=4), min_size=1, max_size=5)

SILK_20_MS, SILK_60_MS, CELT_5_MS = 1 << 3, 3 << 3, 17 << 3


def tone(seconds: float) -> Samples:
    """A quiet tone."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut bytes at the given places."""
    places = [0, *sorted(place % (len(data) + 1) for place in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@given(packets, st.lists(st.integers(0, 10_000), max_size=12))
def test_pages_cut_anywhere_are_the_same_pages(contents: list[list[bytes]], cuts: list[int]) -> None:
    """What is read does not depend on how the bytes were cut or joined, and every packet comes out again."""
    writer = PageWriter()
    stream = b"".join(writer.page(content) for content in contents)
    reader = PageReader()
    pages = [page for part in cut(stream, cuts) for page in reader.feed(part)]
    assert [list(page.pieces) for page in pages] == contents
    assert b"".join(page.raw for page in pages) == stream
    assert [page.sequence for page in pages] == list(range(len(contents)))


@given(st.binary(min_size=1, max_size=3000), st.lists(st.integers(0, 3000), max_size=5))
def test_random_bytes_are_pages_or_an_error(data: bytes, cuts: list[int]) -> None:
    """Whatever comes in, the reader gives pages, waits for more, or says that this is no Ogg."""
    reader = PageReader()
    with suppress(OggError):
        for part in cut(data, cuts):
            assert all(page.raw.startswith(b"OggS") for page in reader.feed(part))


def test_garbage_between_pages_is_refused() -> None:
    """Where a page must begin, OggS must stand."""
    page = PageWriter().page([b"a"])
    with pytest.raises(OggError, match="68 65 6c 6c"):
        PageReader().feed(page + b"hello")


def test_checksums_are_those_that_other_writers_make() -> None:
    """Every page of the codec library's own writer carries the checksum that we compute."""
    pages = PageReader().feed(OpusEncoder().encode(tone(0.4)))
    assert len(pages) == 2 + 10
    for page in pages:
        assert checksum(page.raw) == int.from_bytes(page.raw[22:26], "little")


def test_written_pages_carry_number_flags_and_checksum() -> None:
    """The first page is marked as first, pages are numbered, checksums are right."""
    writer = PageWriter(serial=7)
    first, second = writer.page([b"OpusHead"]), writer.page([b"x" * 300, b"y"], granule=960)
    assert (first[5], second[5]) == (2, 0)
    assert int.from_bytes(second[18:22], "little") == 1
    assert second[27:30] == bytes([255, 45, 1])
    assert all(checksum(page) == int.from_bytes(page[22:26], "little") for page in (first, second))


def test_a_page_holds_at_most_255_segments() -> None:
    """More than fits is refused, not cut."""
    with pytest.raises(ValueError, match="255 segments"):
        PageWriter().page([b"x" * 255 * 255])


@pytest.mark.parametrize(
    ("packet", "milliseconds"),
    [
        (bytes([SILK_20_MS]), 20),
        (bytes([SILK_60_MS]), 60),
        (bytes([CELT_5_MS | 1]), 10),
        (bytes([SILK_20_MS | 2]), 40),
        (bytes([SILK_20_MS | 3, 3]), 60),
        (bytes([SILK_20_MS | 3]), 0),
        (bytes([SILK_60_MS | 3, 63]), 120),
        (b"", 0),
        (b"OpusHead", 0),
        (b"OpusTags", 0),
    ],
)
def test_a_packet_tells_its_duration(packet: bytes, milliseconds: int) -> None:
    """The first two bytes say how long a packet is, never more than 120 ms; headers have no duration."""
    assert packet_duration(packet) == 48 * milliseconds


def test_a_packet_that_goes_on_on_the_next_page_counts_once() -> None:
    """A page that continues a packet does not count its first piece again."""
    page = PageReader().feed(PageWriter().page([bytes([SILK_20_MS]), bytes([SILK_20_MS])]))[0]
    continued = page.raw[:5] + b"\x01" + page.raw[6:]
    assert page.duration() == 1920
    assert PageReader().feed(continued)[0].duration() == 960


@pytest.mark.parametrize("chunk", [1, 97, 480, 1920, 5000])
def test_encoding_and_decoding_keep_the_sample_count(chunk: int) -> None:
    """However it is fed, decoding gives every sample that was encoded, 6.5 ms later, at about the same level."""
    sound, encoder, decoder = tone(0.8), OpusEncoder(), OpusDecoder()
    coded = b"".join(encoder.encode(sound[start : start + chunk]) for start in range(0, len(sound), chunk))
    decoded = np.concatenate([decoder.decode(part) for part in cut(coded, [10, 47, 100, 101, 900])])
    assert len(decoded) == len(sound)
    assert np.abs(decoded[4800:]).max() == pytest.approx(0.3, abs=0.02)


def test_granules_and_page_numbers_are_not_trusted() -> None:
    """Positions in another unit, numbers that jump and a wrong checksum change nothing about what is decoded."""
    coded = OpusEncoder().encode(tone(0.4))
    spoiled = b"".join(
        page.raw[:6]
        + (page.granule // 2 + 7).to_bytes(8, "little")
        + page.raw[14:18]
        + (5 * page.sequence + 3).to_bytes(4, "little")
        + b"\0\0\0\0"
        + page.raw[26:]
        for page in PageReader().feed(coded)
    )
    assert np.array_equal(OpusDecoder().decode(spoiled), OpusDecoder().decode(coded))


def test_packets_of_any_length_are_read() -> None:
    """20 ms packets, 50 to a page with 48 kHz granules, as other encoders write them."""
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, tone(1.0), RATE_HZ, format="OGG", subtype="OPUS")
    decoded = OpusDecoder().decode(file.getvalue())
    assert len(decoded) >= RATE_HZ
    assert np.abs(decoded[4800:20_000]).max() == pytest.approx(0.3, abs=0.02)


def test_hours_of_sound_in_one_message_are_refused_before_they_are_decoded() -> None:
    """A message says how long it is; more than the limit is an error, not gigabytes of samples."""
    writer = PageWriter()
    bomb = b"".join(writer.page([bytes([SILK_60_MS | 3, 2])] * 100) for _ in range(20))
    assert LONGEST_MESSAGE_S < 2000 * 0.12
    with pytest.raises(RemoteError, match="240 s of sound"):
        OpusDecoder().decode(bomb)


def test_a_packet_of_no_bytes_is_refused() -> None:
    """The codec would conceal it with seconds of sound."""
    writer = PageWriter()
    decoder = OpusDecoder()
    for packet in header_packets():
        decoder.decode(writer.page([packet]))
    with pytest.raises(RemoteError, match="packet of no bytes"):
        decoder.decode(writer.page([b""]))


def test_ogg_that_is_no_opus_is_an_error_of_the_far_end() -> None:
    """Packets that do not decode are told in a sentence."""
    decoder = OpusDecoder()
    decoder.decode(OpusEncoder().encode(tone(0.08)))
    with pytest.raises(RemoteError, match="no Opus that can be decoded"):
        decoder.decode(PageWriter().page([b"\xff" * 7]))


def test_without_sphn_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is the user's to install, not a traceback."""
    monkeypatch.setitem(sys.modules, "sphn", None)
    with pytest.raises(ScenarioError, match="pip install 'sphn"):
        OpusEncoder()
