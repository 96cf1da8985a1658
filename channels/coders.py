"""Coders: sound in, what a receiver decodes of it out, sample for sample; one class for each library that codes.

A coder works at its own rate in units of its own. `code(samples, lost)` takes whole units and gives as many samples,
`lookahead` late: the encoder hears everything, the decoder is not handed a packet that is lost, and what stands in its
place is the coder's business.
"""

from fractions import Fraction
from io import RawIOBase
from typing import Any, Literal, Protocol

import numpy as np
import soundfile

from channels.libopus import LibDecoder, LibEncoder
from channels.loss import Repetition
from simulator.errors import ScenarioError
from simulator.frame import Samples, from_pcm16, silence, to_pcm16
from simulator.sound.g711 import Law, code_table, value_table


class Coder(Protocol):
    """See above. unit, lookahead: in samples at `rate` (Hz). sent_bytes: of all packets so far."""

    rate: int
    unit: int
    lookahead: int
    sent_bytes: int

    def code(self, samples: Samples, lost: bool) -> Samples:
        """Send float32 (k * unit,), all of one packet, and give what is heard of it."""
        ...


class Filled:
    """A codec without concealment of its own: what is lost is silence, or the last packet fading away.

    size: of a packet, in samples. A kind says in `_send` how many bytes some units take and what is heard of them.
    """

    rate = 8_000
    unit = 1
    lookahead = 0

    def __init__(self, size: int, repeat: bool) -> None:
        self._repetition = Repetition(size, self.rate) if repeat else None
        self.sent_bytes = 0

    def code(self, samples: Samples, lost: bool) -> Samples:
        """Send whole units."""
        size, heard = self._send(samples, lost)
        self.sent_bytes += size
        if heard is not None:
            if self._repetition is not None:
                self._repetition.keep(heard)
            return heard
        return silence(len(samples)) if self._repetition is None else self._repetition.take(len(samples))

    def _send(self, samples: Samples, lost: bool) -> tuple[int, Samples | None]:
        raise NotImplementedError


class G711Coder(Filled):
    """G.711, sample by sample."""

    def __init__(self, law: Law, size: int, repeat: bool) -> None:
        super().__init__(size, repeat)
        # By the bits of an int16 as an index: 0 and above first, then those below.
        self._heard = from_pcm16(np.roll(value_table(law)[code_table(law)], 1 << 15))

    def _send(self, samples: Samples, lost: bool) -> tuple[int, Samples | None]:
        return len(samples), None if lost else self._heard.take(to_pcm16(samples).view(np.uint16))


class GsmCoder(Filled):
    """GSM 06.10 full rate (13 kbit/s), by libsndfile, which codes one frame of 20 ms after the other into a pipe."""

    unit = 160
    BYTES = 33

    def __init__(self, size: int, repeat: bool) -> None:
        super().__init__(size, repeat)
        self._packets, self._came = Pipe(), Pipe()
        self._encoder = soundfile.SoundFile(self._packets, "w", self.rate, 1, "GSM610", format="RAW")
        self._decoder: soundfile.SoundFile | None = None

    def _send(self, samples: Samples, lost: bool) -> tuple[int, Samples | None]:
        self._encoder.write(to_pcm16(samples))
        packet = self._packets.drain()
        if lost:
            return len(packet), None
        self._came.append(packet)
        if self._decoder is None:
            # Not before its first frame is there: it is decoded when the file is opened.
            self._decoder = soundfile.SoundFile(self._came, "r", self.rate, 1, "GSM610", format="RAW")
        return len(packet), from_pcm16(self._decoder.read(len(samples), dtype="int16"))


class Pipe(RawIOBase):
    """A file for libsndfile that is written at one end and read at the other, and claims to have no end."""

    LENGTH = GsmCoder.BYTES * 50 * 3600 * 48

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = self._at = 0

    def append(self, data: bytes) -> None:
        """Add what is to be read; what has been read is forgotten."""
        del self._data[: max(0, self._at - self._start)]
        self._start = max(self._start, self._at)
        self._data += data

    def drain(self) -> bytes:
        """Take what has been written."""
        data, self._data = bytes(self._data), bytearray()
        self._start += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, as files do."""
        self._at = offset + (0, self._at, self.LENGTH)[whence]
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def write(self, data: Any) -> int:
        """Append; libsndfile writes in order."""
        self._data += bytes(data)
        self._at += len(data)
        return len(data)

    def readinto(self, buffer: Any) -> int:
        """Read what is there."""
        first = self._at - self._start
        data = bytes(self._data[first : first + len(buffer)])
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


AvCodec = Literal["g722", "libopencore_amrnb"]


class AvCoder(Filled):
    """A codec of FFmpeg's, through PyAV: G.722 (64 kbit/s) or AMR narrow band.

    lookahead: 22 samples of G.722's filters, AMR's 5 ms.
    """

    def __init__(self, codec: AvCodec, bit_rate: int, size: int, repeat: bool) -> None:
        rate, self.lookahead = (16_000, 22) if codec == "g722" else (8_000, 40)
        self.rate, self.unit = rate, rate // 50
        super().__init__(size, repeat)
        av: Any = need_av(codec)
        self._av = av
        self._encoder = av.CodecContext.create(codec, "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = rate, "mono", "s16"
        self._encoder.bit_rate, self._encoder.time_base = bit_rate, Fraction(1, rate)
        self._decoder = av.CodecContext.create(codec, "r")
        self._decoder.sample_rate, self._decoder.layout = rate, "mono"
        self._at = 0

    def _send(self, samples: Samples, lost: bool) -> tuple[int, Samples | None]:
        size, heard = 0, []
        for start in range(0, len(samples), self.unit):
            frame = self._av.AudioFrame.from_ndarray(
                to_pcm16(samples[start : start + self.unit])[None], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = self.rate, self._at, Fraction(1, self.rate)
            self._at += self.unit
            for packet in self._encoder.encode(frame):
                size += packet.size
                if not lost:
                    heard += [part.to_ndarray().reshape(-1) for part in self._decoder.decode(packet)]
        if lost:
            return size, None
        sound = np.concatenate(heard)
        return size, from_pcm16(sound) if sound.dtype == np.int16 else sound.astype(np.float32)


class OpusCoder:
    """Opus, a packet at a time. conceal: by the codec, else silence.

    fec: a lost packet is taken from the one behind it where that came, which makes everything a packet later.
    """

    def __init__(
        self, rate: int, unit: int, *, bit_rate: int | None, fec: bool, dtx: bool, loss_percent: int, conceal: bool
    ) -> None:
        self.rate, self.unit = rate, unit
        self._encoder = LibEncoder(rate, bit_rate=bit_rate, fec=fec, dtx=dtx, loss_percent=loss_percent)
        self._decoder = LibDecoder(rate)
        self._fec, self._conceal = fec, conceal
        self.lookahead = self._encoder.lookahead + (unit if fec else 0)
        self._before: bytes | None = None
        self._first = True
        self.sent_bytes = 0
        self.recovered = 0
        """Packets that were lost and taken from the next one."""

    def code(self, samples: Samples, lost: bool) -> Samples:
        """Send a packet and give what is heard: of it, or with FEC of the one before."""
        packet = self._encoder.encode(samples)
        self.sent_bytes += len(packet)
        came = None if lost else packet
        if not self._fec:
            return self._decoded(came)
        before, self._before = self._before, came
        if self._first:
            self._first = False
            return silence(self.unit)
        if before is None and came is not None:
            self.recovered += 1
            return self._decoder.decode(came, self.unit, fec=True)
        return self._decoded(before)

    def _decoded(self, packet: bytes | None) -> Samples:
        if packet is None and not self._conceal:
            self._decoder.decode(None, self.unit)  # its state goes on, as a receiver's would
            return silence(self.unit)
        return self._decoder.decode(packet, self.unit)


def need_av(codec: AvCodec) -> Any:
    """Import and give PyAV; ScenarioError with the line that installs one that has a codec. 19 came without AMR's."""
    try:
        import av
    except ImportError:
        raise ScenarioError('this codec needs PyAV: pip install "av<19"') from None
    if codec not in av.codecs_available:
        raise ScenarioError(f'the PyAV that is installed ({av.__version__}) has no {codec}: pip install "av<19"')
    return av
