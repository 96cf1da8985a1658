"""Sound on its way between a session and aiortc's tracks: Opus that we encode, PCM that aiortc has decoded.

A track of aiortc's may give packets instead of frames, and those go out as they are. Left to aiortc a frame is
measured for its level, sent to a thread, made stereo and encoded with the utmost care: several times the work for the
same voice.
"""

import base64
from collections.abc import Awaitable, Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.remote.peer_core import Message
from agents.webrtc.protocol import CHUNK, RATE_HZ

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack

BIT_RATE = 96_000
"""As aiortc has it."""
OPTIONS = {"application": "audio", "compression_level": "1"}
"""At this rate `voip` may leave the codec's transform for its model of speech, which takes twice as long and gives back
less of what was said. Of complexities 0 to 10 this takes two thirds of the time of 5, as browsers take on phones, for
one dB of noise 30 dB under speech."""
TIME_BASE = Fraction(1, RATE_HZ)


class OpusMouth:
    """Encodes a voice, chunk by chunk of 20 ms, each into a packet of its own."""

    def __init__(self) -> None:
        from av import AudioFrame, CodecContext

        self._frame = AudioFrame(format="s16", layout="mono", samples=CHUNK)
        self._frame.sample_rate, self._frame.time_base = RATE_HZ, TIME_BASE
        self._codec: Any = CodecContext.create("libopus", "w")
        self._codec.format, self._codec.layout, self._codec.sample_rate = "s16", "mono", RATE_HZ
        self._codec.bit_rate, self._codec.time_base = BIT_RATE, TIME_BASE
        self._codec.options = OPTIONS
        self._at = 0

    def encode(self, pcm: bytes) -> Any:
        """Give the packet (av.Packet) of 960 samples of PCM16, its pts counted in samples from the first on."""
        self._frame.planes[0].update(pcm)
        self._frame.pts = self._at
        (packet,) = self._codec.encode(self._frame)
        packet.pts, packet.time_base = self._at, TIME_BASE  # libopus counts from before its lookahead
        self._at += CHUNK
        return packet


def mouth_of(aiortc: Any, next_sound: Callable[[], Awaitable[bytes]]) -> "MediaStreamTrack":
    """Make a track that says PCM16 at 48 kHz in chunks of 20 ms, at the pace at which they are given.

    Its connection has to agree on Opus and nothing else (`only_opus`).
    """

    class SaidTrack(aiortc.MediaStreamTrack):  # type: ignore[misc] # its base is only known here
        kind = "audio"
        encoder = OpusMouth()

        async def recv(self) -> Any:
            return self.encoder.encode(await next_sound())

    return SaidTrack()


def only_opus(aiortc: Any, connection: Any) -> None:
    """Offer Opus and no other codec, as what the mouth says is Opus already."""
    codecs = aiortc.RTCRtpSender.getCapabilities("audio").codecs
    for transceiver in connection.getTransceivers():
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "audio/opus"])


def sound_message(frame: Any) -> Message:
    """Give a decoded frame, s16 with its channels interleaved, as a message: their mean."""
    channels = len(frame.layout.channels)
    # The plane itself: `to_ndarray` copies it twice. It may be longer than its sound.
    interleaved = np.frombuffer(frame.planes[0], "<i2", frame.samples * channels).astype(np.int32)
    # Channel by channel: numpy's mean over pairs takes five times as long.
    summed = sum((interleaved[channel::channels] for channel in range(1, channels)), interleaved[::channels])
    pcm = np.rint(summed / channels).astype("<i2")
    return {"type": "audio", "audio": base64.b64encode(pcm.tobytes()).decode("ascii"), "pts": frame.pts or 0}
