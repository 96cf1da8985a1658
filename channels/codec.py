"""A codec on the line: to its rate, into packets, through encoder and decoder, and back.

    mulaw, alaw   ITU-T G.711, 8 kHz, 64 kbit/s                     ours, exact
    gsm           GSM 06.10 full rate, 8 kHz, 13 kbit/s             libsndfile
    amr_nb        AMR narrow band, 8 kHz, 4.75 to 12.2 kbit/s       PyAV (FFmpeg, opencore-amr)
    g722          ITU-T G.722, 16 kHz, 64 kbit/s                    PyAV (FFmpeg)
    opus          RFC 6716, up to 48 kHz, 6 to 510 kbit/s           libopus

What is lost is lost between encoder and decoder, so that a codec's own concealment and FEC can be heard.
"""

from collections.abc import Mapping
from math import ceil, gcd
from typing import Literal

import numpy as np

from channels.coders import AvCodec, AvCoder, Coder, G711Coder, GsmCoder, OpusCoder, need_av
from channels.libopus import RATES, library
from channels.loss import LossCount
from channels.packet_loss import PacketLoss
from channels.short_filter import ShortResampler
from simulator.errors import located
from simulator.frame import AudioFrame, Samples, freeze
from simulator.line import ChannelContext, ChannelSpec, by_frames
from simulator.sound.streams import Outbox
from simulator.spec import Duration, ms

Name = Literal["mulaw", "alaw", "gsm", "amr_nb", "g722", "opus"]

OPUS_PACKETS_MS, FRAMES_MS = (10, 20, 40, 60), (20, 40, 60)
"""Lengths of packets: Opus's, and those of codecs that code 20 ms at a time. G.711 has any."""
AV_CODECS: Mapping[str, AvCodec] = {"g722": "g722", "amr_nb": "libopencore_amrnb"}
"""Those of PyAV, by FFmpeg's names."""
AMR_BIT_RATES = (4750, 5150, 5900, 6700, 7400, 7950, 10200, 12200)


class CodecSpec(ChannelSpec, frozen=True, kw_only=True, tag="codec"):
    """Send the sound through a codec and back: `{kind: codec, name: opus, fec: true, loss: {percent: 9}}`.

    conceal: `none`, `repeat` (the last packet, fading away) or `codec` (Opus's own); without it `codec` for opus and
    `repeat` for the rest. fec: Opus sends every packet again inside the next one. dtx: Opus sends little in silence.
    name: which codec. packet: how long each is. bit_rate: in bits per second, of opus (6000 to 510000) or amr_nb. loss:
    which packets get lost.
    """

    name: Name = "mulaw"
    packet: Duration = ms(20)
    bit_rate: int | None = None
    fec: bool = False
    dtx: bool = False
    loss: PacketLoss | None = None
    conceal: Literal["none", "repeat", "codec"] | None = None

    def __post_init__(self) -> None:
        packet_ms = round(1000 * self.packet, 3)
        if self.name == "opus":
            fits, allowed = packet_ms in OPUS_PACKETS_MS, "10, 20, 40 and 60 ms"
        elif self.name in ("mulaw", "alaw"):
            fits, allowed = 2.5 <= packet_ms <= 200, "2.5ms to 200ms"
        else:
            fits, allowed = packet_ms in FRAMES_MS, "20, 40 and 60 ms"
        if not fits:
            raise ValueError(f"packet is {self.packet}; {self.name} allows {allowed}")
        if self.name != "opus" and (self.fec or self.dtx or self.conceal == "codec"):
            raise ValueError(f"fec, dtx and conceal: codec belong to opus, not to {self.name}")
        if self.name == "opus" and self.conceal == "repeat":
            raise ValueError("opus conceals by itself (codec) or not at all (none)")
        self._check_bit_rate()

    def _check_bit_rate(self) -> None:
        if self.bit_rate is None:
            return
        if self.name == "opus" and not 6_000 <= self.bit_rate <= 510_000:
            raise ValueError(f"bit_rate is {self.bit_rate}; opus allows 6000 to 510000")
        if self.name == "amr_nb" and self.bit_rate not in AMR_BIT_RATES:
            raise ValueError(f"bit_rate is {self.bit_rate}; amr_nb allows {', '.join(map(str, AMR_BIT_RATES))}")
        if self.name not in ("opus", "amr_nb"):
            raise ValueError(f"{self.name} has but one bit_rate; leave it out")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a codec whose library is not there, and a trace that cannot be read. ScenarioError."""
        if self.loss is not None:
            self.loss.check(f"{where}.loss")
        if self.name == "opus":
            located(f"{where}.name", library)
        if self.name in AV_CODECS:
            located(f"{where}.name", lambda: need_av(AV_CODECS[self.name]))

    def build(self, context: ChannelContext) -> "Codec":
        """Make the channel."""
        return Codec(self, context)

    def coder(self, sample_rate: int) -> Coder:
        """Make the coder for sound of a session at `sample_rate`."""
        repeat = self.loss is not None and self.conceal != "none"
        size_8k = self.packet.samples(8_000)
        match self.name:
            case "mulaw" | "alaw":
                return G711Coder(self.name, size_8k, repeat)
            case "gsm":
                return GsmCoder(size_8k, repeat)
            case "amr_nb":
                bit_rate = self.bit_rate or AMR_BIT_RATES[-1]
                return AvCoder(AV_CODECS["amr_nb"], bit_rate, size_8k, repeat)
            case "g722":
                return AvCoder(AV_CODECS["g722"], 64_000, 2 * size_8k, repeat)
            case "opus":
                rate = next((rate for rate in RATES if rate >= sample_rate), RATES[-1])
                lost = self.loss.expected if self.loss is not None else 0.0
                return OpusCoder(
                    rate,
                    self.packet.samples(rate),
                    bit_rate=self.bit_rate,
                    fec=self.fec,
                    dtx=self.dtx,
                    # What a receiver would report, which is what the encoder spends on FEC; a trace's is not known.
                    loss_percent=round(100 * (lost if lost is not None else 0.1)),
                    conceal=self.conceal != "none",
                )


class Codec:
    """Codes frame by frame. delay_samples: of both resampling filters, of packets that must be full, of the codec."""

    takes_blocks = True

    def __init__(self, spec: CodecSpec, context: ChannelContext) -> None:
        self._count, rate = context.frame_samples, context.sample_rate
        self._coder = coder = spec.coder(rate)
        down, up = ShortResampler(rate, coder.rate), ShortResampler(coder.rate, rate)
        self._in, self._out = Outbox(), Outbox()
        self._size = spec.packet.samples(coder.rate)
        self._lost = spec.loss.draws(context.rng) if spec.loss is not None else None
        self._losses = LossCount(context)
        self._is_lost = False
        self._left = 0
        self._sent = 0
        waiting = _waiting(self._count, rate, coder)
        self.delay_samples = round((down.delay_s + up.delay_s) * rate + coder.lookahead * rate / coder.rate) + waiting
        whole = coder.unit if coder.unit > 1 else self._count * coder.rate // rate
        of_frames = down.of_frames(self._count)
        # G.711 alone has no packets and no memory: its filter is late by what others have waiting.
        self._at_once = of_frames is not None and coder.unit == 1 and self._lost is None
        self._down = of_frames or down
        self._up = (up.of_frames(whole, waiting if self._at_once else 0) if of_frames or coder.unit > 1 else None) or up
        if not self._at_once:
            self._out.push(np.zeros(waiting, np.float32))

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several: most one by one, as sums of filters and packets would depend on how many."""
        if self._at_once:
            return AudioFrame(frame.start, freeze(self._up(self._coded(self._down(frame.samples), frame.start))))
        return by_frames(frame, other, self._count, self._carry)

    def _carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        self._in.push(self._down(frame.samples))
        whole = self._in.buffered // self._coder.unit * self._coder.unit
        if whole:
            self._out.push(self._up(self._coded(self._in.take(whole), frame.start)))
        return AudioFrame(frame.start, self._out.take(len(frame.samples)))

    def _coded(self, samples: Samples, now: int) -> Samples:
        """Send samples, packet by packet."""
        self._sent += len(samples)
        if self._lost is None and self._coder.unit == 1:
            return self._coder.code(samples, False)
        heard = []
        at = 0
        while at < len(samples):
            if not self._left:
                self._left = self._size
                if self._lost is not None:
                    self._is_lost = next(self._lost)
                    self._losses.add(self._is_lost, now)
            # A unit may be a packet, or a part of one.
            part = min(self._left, len(samples) - at)
            heard.append(self._coder.code(samples[at : at + part], self._is_lost))
            self._left -= part
            at += part
        return heard[0] if len(heard) == 1 else np.concatenate(heard)

    def measured(self) -> dict[str, float | None]:
        """What was sent (bits per second), and of packets that were lost as `loss` says it; those that FEC brought."""
        seconds = self._sent / self._coder.rate
        found: dict[str, float | None] = {"bit_rate": round(8 * self._coder.sent_bytes / seconds) if seconds else None}
        if self._lost is not None:
            found |= self._losses.measured()
        recovered = getattr(self._coder, "recovered", None)
        return found if recovered is None else {**found, "recovered": recovered}


def _waiting(frame_samples: int, sample_rate: int, coder: Coder) -> int:
    """How many samples of the session wait for a full unit, and for a frame that is no whole number of samples."""
    per_frame, rest = divmod(frame_samples * coder.rate, sample_rate)
    short = coder.unit if rest else coder.unit - gcd(coder.unit, per_frame)
    return ceil(short * sample_rate / coder.rate) + sample_rate // coder.rate + 1
