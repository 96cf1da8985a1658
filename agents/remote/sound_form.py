"""Forms of sound on a wire, as a scenario describes them: an encoding and a rate, with a writer and a reader for each.

    {encoding: pcm16, rate: 16000}      16-bit little endian; float32 likewise, full scale 1.0
    {encoding: mulaw, rate: 8000}       ITU-T G.711; alaw likewise; 8000 Hz unless told otherwise
    {encoding: opus}                    a packet per message; at 24 kHz here, which its other end may decode as it likes
    {encoding: ogg_opus}                the same packets in Ogg pages, cut anywhere

A reader takes pieces cut anywhere, but for Opus packets, which are whole messages.
"""

from typing import Annotated, Literal, Protocol

import msgspec
import numpy as np
from msgspec import Meta

from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError
from simulator.frame import Samples, freeze
from simulator.sound.ogg import PageReader, PageWriter, packet_duration
from simulator.sound.opus import RATE_HZ, OpusDecoder, OpusEncoder, header_packets, need_sphn

Encodings = Literal["pcm16", "float32", "mulaw", "alaw", "opus", "ogg_opus"]
SoundRate = Annotated[int, Meta(ge=4_000, le=192_000)]

_USUAL_HZ = {"pcm16": 16_000, "float32": 16_000, "mulaw": 8_000, "alaw": 8_000}
_FILES = {b"RIFF": "a WAV file", b"OggS": "Ogg pages", b"fLaC": "FLAC", b"ID3\x03": "MP3", b"ID3\x04": "MP3"}


class SoundWriter(Protocol):
    """Writes sound as messages."""

    def write(self, samples: Samples) -> list[bytes]:
        """Give the messages that float32 (n,), full scale 1.0, completes."""
        ...


class SoundReader(Protocol):
    """Reads messages as sound."""

    def read(self, data: bytes) -> Samples:
        """Give what a message completes, float32 (n,). RemoteError: it is none of this form."""
        ...


class SoundForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The form of sound on a wire.

    encoding: how samples are written. rate: Hz, not given: 16000, of G.711 8000, of Opus 24000 (the only one there).
    """

    encoding: Encodings = "pcm16"
    rate: SoundRate | None = None

    def __post_init__(self) -> None:
        if self.is_opus and self.rate not in (None, RATE_HZ):
            raise ValueError(
                f"rate is {self.rate}; Opus is spoken at {RATE_HZ} Hz here, whatever its other end decodes to"
            )

    @property
    def is_opus(self) -> bool:
        """Whether it needs the codec."""
        return self.encoding in ("opus", "ogg_opus")

    @property
    def hz(self) -> int:
        """The rate in Hz."""
        return self.rate or _USUAL_HZ.get(self.encoding, RATE_HZ)

    def check(self) -> None:
        """Refuse a form that cannot be spoken here. ScenarioError."""
        if self.is_opus:
            need_sphn()

    def writer(self) -> SoundWriter:
        """Make a writer for one direction of one connection."""
        return _OpusWriter(packets=self.encoding == "opus") if self.is_opus else _PlainSound(self)

    def reader(self) -> SoundReader:
        """Make a reader for one direction of one connection."""
        if self.encoding == "ogg_opus":
            return _OggReader()
        return _PacketReader() if self.is_opus else _PlainSound(self)

    @property
    def told(self) -> str:
        """How a sentence calls it."""
        return f"{self.encoding} at {self.hz} Hz"


class _PlainSound:
    """PCM and G.711: so many bytes are so many samples, and part of a sample waits for the next message."""

    def __init__(self, form: SoundForm) -> None:
        self._form = form
        self._rest = b""
        self._began = False
        self._wire: WireFormat | None = None
        if form.encoding in ("pcm16", "mulaw", "alaw"):
            self._wire = WireFormat(encoding=form.encoding, rate=form.hz)
        self._width = self._wire.width if self._wire is not None else 4

    def write(self, samples: Samples) -> list[bytes]:
        """Every frame is a message."""
        return [self._wire.pack(samples) if self._wire is not None else np.asarray(samples, "<f4").tobytes()]

    def read(self, data: bytes) -> Samples:
        """RemoteError: the sound is a file of some format, or holds values that are no numbers."""
        if not self._began and data:
            self._began = True
            found = _FILES.get(bytes(data[:4]))
            if found is not None:
                raise RemoteError(f"sent {found} where bare {self._form.told} is described; {_remedy(data)}")
        data = self._rest + data
        whole = len(data) // self._width * self._width
        self._rest, data = data[whole:], data[:whole]
        if self._wire is not None:
            return self._wire.unpack(data)
        samples = np.frombuffer(data, "<f4").astype(np.float32)
        if not np.isfinite(samples).all():
            raise RemoteError(f"sent values that are no numbers; is it really {self._form.told}?")
        return freeze(np.clip(samples, -1.0, 1.0))


class _OpusWriter:
    def __init__(self, *, packets: bool) -> None:
        self._encoder = OpusEncoder()
        self._pages = PageReader() if packets else None

    def write(self, samples: Samples) -> list[bytes]:
        """As packets of 40 ms become whole; bare, or each in its page behind the header pages."""
        data = self._encoder.encode(samples)
        if self._pages is None:
            return [data] if data else []
        pieces = [piece for page in self._pages.feed(data) for piece in page.pieces]
        return [packet for packet in pieces if packet_duration(packet)]


class _OggReader:
    def __init__(self) -> None:
        self._decoder = OpusDecoder()

    def read(self, data: bytes) -> Samples:
        return self._decoder.decode(data)


class _PacketReader:
    """Bare packets, put into pages for the decoder."""

    def __init__(self) -> None:
        self._decoder = OpusDecoder()
        self._pages = PageWriter()
        self._granule = 0

    def read(self, data: bytes) -> Samples:
        if data[:4] in _FILES:
            raise RemoteError(f"sent {_FILES[data[:4]]} where bare Opus packets are described; {_remedy(data)}")
        duration = packet_duration(data)
        if not duration:
            raise RemoteError(f"sent {len(data)} bytes that are no Opus packet")
        if not self._granule:
            for header in header_packets():
                self._decoder.decode(self._pages.page([header]))
        self._granule += duration
        try:
            return self._decoder.decode(self._pages.page([data], self._granule))
        except ValueError as error:
            raise RemoteError(f"sent an Opus packet of {len(data)} bytes, which no page holds") from error


def _remedy(data: bytes) -> str:
    if data.startswith(b"OggS"):
        return "write `encoding: ogg_opus`"
    if data.startswith(b"RIFF") and len(data) >= 28:
        return f"its header says {int.from_bytes(data[24:28], 'little')} Hz; let it send samples alone"
    return "let it send samples alone"
