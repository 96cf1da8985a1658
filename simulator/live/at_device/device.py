"""A sound device of this machine as a human's line: two PortAudio streams, one in and one out.

Two rather than one duplex stream: on some drivers a duplex stream gets stuck, and the two clocks differ anyway. A
driver may stall for seconds when a stream is opened (ALSA over PulseAudio does); nothing counts until both are steady.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec
import numpy as np

from simulator import clock
from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, Samples
from simulator.live.elastic import ElasticBuffer
from simulator.live.handset import Handset

BLOCK_S = 0.01
STEADY_S = 1.0
WARM_UP_S = 2.5
"""A driver may run for a moment before it stalls."""

PATIENCE_S = 12.0


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The devices and their native rates in Hz."""

    input: int
    output: int
    input_name: str
    output_name: str
    input_rate: int
    output_rate: int

    @property
    def names(self) -> str:
        """Both names, one where they are the same."""
        return " / ".join(dict.fromkeys((self.input_name, self.output_name)))


def sound_devices(load: Callable[[str], Any] = import_module) -> Any:
    """Give the sounddevice module. ScenarioError with the one command that installs what it lacks."""
    try:
        return load("sounddevice")
    except ImportError:
        raise ScenarioError("--audio device needs sounddevice: pip install sounddevice") from None
    except OSError:
        command = "brew install portaudio" if sys.platform == "darwin" else "sudo apt-get install libportaudio2"
        raise ScenarioError(f"--audio device needs PortAudio, which is missing; install it with: {command}") from None


def list_devices() -> str:
    """Give the devices as a table, the defaults marked."""
    return str(sound_devices().query_devices()) or "no sound device"


def choose_devices(microphone: str | None, loudspeaker: str | None) -> Chosen:
    """Find both devices, by number, part of a name, or default. ScenarioError says which there are."""
    inputs, outputs = _device(microphone, "input"), _device(loudspeaker, "output")
    return Chosen(
        input=inputs["index"], output=outputs["index"], input_name=inputs["name"], output_name=outputs["name"],
        input_rate=round(inputs["default_samplerate"]), output_rate=round(outputs["default_samplerate"]),
    )  # fmt: skip


def _device(wanted: str | None, kind: str) -> dict[str, Any]:
    devices = sound_devices()
    name: str | int | None = int(wanted) if wanted is not None and wanted.isdigit() else wanted
    try:
        found: dict[str, Any] = devices.query_devices(name, kind)
    except (ValueError, devices.PortAudioError) as error:
        usable = [f"{one['index']} {one['name']}" for one in devices.query_devices() if one[f"max_{kind}_channels"]]
        asked = f"--{kind} {wanted!r}" if wanted is not None else f"there is no default {kind} device"
        detail = str(error).splitlines()[0]
        raise ScenarioError(f"{asked}: {detail}; choose one of {', '.join(usable) or '(none)'}") from error
    return found


class DeviceLine:
    """Both streams of one handset. `open` waits until they run steadily and attaches the handset; `close` ends them."""

    def __init__(self, handset: Handset, chosen: Chosen) -> None:
        self._handset = handset
        self._chosen = chosen
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._speaker = ElasticBuffer(chosen.output_rate)
        self._captured = self._played = 0
        self._streams: list[Any] = []

    async def open(self) -> None:
        """Start both streams. ScenarioError when a device cannot be opened, or gives nothing."""
        devices, chosen = sound_devices(), self._chosen
        try:
            for open_, rate, device, callback in (
                (devices.InputStream, chosen.input_rate, chosen.input, self._capture),
                (devices.OutputStream, chosen.output_rate, chosen.output, self._play),
            ):
                self._streams.append(open_(rate, round(BLOCK_S * rate), device, 1, "float32", "low", callback=callback))
                self._streams[-1].start()
        except (devices.PortAudioError, ValueError) as error:
            self.close()
            detail = str(error).splitlines()[0]
            raise ScenarioError(f"the sound device {chosen.names} cannot be opened: {detail}") from error
        await self._steady()
        parts = self._handset.parts
        parts.microphone, parts.loudspeaker = (1000 * stream.latency for stream in self._streams)
        parts.block = 1000 * BLOCK_S
        self._handset.attach(chosen.input_rate, self._player())

    def close(self) -> None:
        """Stop both streams and let the handset go."""
        for stream in self._streams:
            stream.close(ignore_errors=True)
        self._streams = []
        self._handset.detach()

    def tell_state(self) -> None:
        """Put the loudspeaker buffer's state into the handset's figures and events."""
        with self._lock:
            waiting, changes = self._speaker.waiting, list(self._speaker.changes)
            self._speaker.changes.clear()
        self._handset.parts.playback = round(1000 * waiting / self._chosen.output_rate, 1)
        for change in changes if self._handset.talking else ():
            size = round(change.size * self._handset.sample_rate / self._chosen.output_rate)
            self._handset.tell(f"playback_{change.what}", size=size)

    async def _steady(self) -> None:
        """Wait until both streams have moved on by about real time for a second."""
        begin, since, marks = clock.seconds(), clock.seconds(), (self._captured, self._played)
        while True:
            await clock.sleep(0.05)
            now = clock.seconds()
            if now - since >= STEADY_S:
                captured_s = (self._captured - marks[0]) / self._chosen.input_rate
                played_s = (self._played - marks[1]) / self._chosen.output_rate
                steady = all(0.9 <= seconds / (now - since) <= 1.1 for seconds in (captured_s, played_s))
                if steady and now - begin >= WARM_UP_S:
                    return
                since, marks = now, (self._captured, self._played)
            if now - begin > PATIENCE_S:
                raise ScenarioError(f"the sound device {self._chosen.names} does not run steadily")

    def _capture(self, block: Samples, frames: int, _time: Any, _status: Any) -> None:
        """Take a block, in PortAudio's thread."""
        first, samples = self._captured, block[:, 0].copy()
        self._captured += frames
        try:
            self._loop.call_soon_threadsafe(self._handset.feed, first, samples)
        except RuntimeError:
            return  # the loop has ended before the stream

    def _play(self, block: Samples, frames: int, _time: Any, _status: Any) -> None:
        """Give a block, in PortAudio's thread."""
        self._played += frames
        with self._lock:
            block[:, 0] = self._speaker.take(frames)

    def _player(self) -> Any:
        import soxr

        session_rate = self._handset.sample_rate
        stream = soxr.ResampleStream(session_rate, self._chosen.output_rate, 1, dtype="float32", quality="HQ")
        with self._lock:
            self._speaker = ElasticBuffer(self._chosen.output_rate)

        def play(frame: AudioFrame) -> None:
            samples = np.asarray(stream.resample_chunk(frame.samples))
            with self._lock:
                self._speaker.push(samples)

        return play
