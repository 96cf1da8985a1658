"""What a page's microphone sends, turned into samples on the capture counter: PCM16 as it is, or Opus packets.

Opus is decoded at 48 kHz, its own clock, whatever the microphone's rate; the page's frame numbers become numbers of
that clock. A packet sounds later than the samples it was made of, by the encoder's lookahead; that is taken back here.
"""

from typing import Protocol

from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.live.browser import wire
from simulator.live.browser.page_messages import Hello
from simulator.sound.ogg import OPUS_HZ, PageWriter, packet_duration
from simulator.sound.opus import LOOKAHEAD, OpusDecoder, have_sphn, header_packets

LONGEST_PACKET = 7650
"""RFC 7845 recommends to make room for packets of this size; a page's are fifty times smaller."""


class Uplink(Protocol):
    """Reads sound messages. rate: Hz of the samples and of the counter that it gives."""

    rate: int

    def read(self, message: bytes) -> tuple[int, Samples]:
        """Give the counter's number of the first sample, and float32 (n,). RemoteError: the page broke a rule."""


class Pcm16Uplink:
    """Samples as they were captured."""

    def __init__(self, rate: int) -> None:
        self.rate = rate

    def read(self, message: bytes) -> tuple[int, Samples]:
        """See `Uplink`."""
        return wire.unpack_pcm16(message)


class OpusUplink:
    """Opus packets, of any duration."""

    def __init__(self, rate: int) -> None:
        self.rate = OPUS_HZ
        self._native_rate = rate
        self._pages = PageWriter()
        self._decoder = OpusDecoder(OPUS_HZ)
        for packet in header_packets():
            self._decoder.decode(self._pages.page([packet]))

    def read(self, message: bytes) -> tuple[int, Samples]:
        """See `Uplink`."""
        frame, packet = wire.unpack(message, wire.OPUS)
        duration = packet_duration(packet)
        if not duration or len(packet) > LONGEST_PACKET:
            raise RemoteError(f"the page sent {len(packet)} bytes that are no Opus packet")
        samples = self._decoder.decode(self._pages.page([packet]))
        return round(frame * OPUS_HZ / self._native_rate) - LOOKAHEAD, samples


def uplink_for(hello: Hello) -> Uplink:
    """Give what reads the page that said this. RemoteError: it sends Opus, which nothing here decodes."""
    if hello.codec == "pcm16":
        return Pcm16Uplink(hello.rate)
    if not have_sphn():
        raise RemoteError("the page sends Opus, which needs sphn here")
    return OpusUplink(hello.rate)
